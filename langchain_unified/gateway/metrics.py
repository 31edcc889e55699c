"""Counters for Prometheus. Labels are names of the configuration, never what a client made up."""

from __future__ import annotations

import functools
import os
from decimal import Decimal
from typing import TYPE_CHECKING

import prometheus_client as prometheus

if TYPE_CHECKING:
    from prometheus_client.registry import CollectorRegistry

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable with the folder in which several workers add up. It has to be set before this module is imported."""

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)

CALLS = prometheus.Counter(
    "gateway_calls", "Calls by endpoint, model and HTTP status.", ("endpoint", "model", "status")
)
DURATION = prometheus.Histogram(
    "gateway_call_seconds", "Seconds until the end of an answer.", ("endpoint", "model"), buckets=SECONDS
)
FIRST_BYTE = prometheus.Histogram(
    "gateway_first_byte_seconds", "Seconds until an answer begins.", ("endpoint", "model"), buckets=SECONDS
)
TOKENS = prometheus.Counter("gateway_tokens", "Tokens by model and direction.", ("model", "direction"))
SPEND = prometheus.Counter("gateway_spend_usd", "US dollars by model.", ("model",))
FAILURES = prometheus.Counter(
    "gateway_upstream_failures", "Failed attempts by deployment and class of the error.", ("deployment", "error")
)
RUNNING = prometheus.Gauge("gateway_running_calls", "Calls that run now.", multiprocess_mode="livesum")
INCOMPLETE = prometheus.Counter("gateway_incomplete_answers", "Answers that were cut or left.", ("model", "reason"))


@functools.lru_cache(maxsize=4096)
def counted(endpoint: str, model: str, status: int) -> prometheus.Counter:
    """The counter of calls with these labels. Looking one up takes longer than counting."""
    return CALLS.labels(endpoint, model, str(status))


@functools.lru_cache(maxsize=4096)
def times_of(endpoint: str, model: str) -> tuple[prometheus.Histogram, prometheus.Histogram]:
    """The histograms of the whole time and of the time to the first byte."""
    return DURATION.labels(endpoint, model), FIRST_BYTE.labels(endpoint, model)


@functools.lru_cache(maxsize=4096)
def _costs_of(model: str) -> tuple[prometheus.Counter, prometheus.Counter, prometheus.Counter]:
    return TOKENS.labels(model, "input"), TOKENS.labels(model, "output"), SPEND.labels(model)


def text() -> tuple[bytes, str]:
    """All figures in Prometheus' text form, and its media type. Several workers are added up."""
    registry: CollectorRegistry = prometheus.REGISTRY
    if os.environ.get(MULTIPROCESS):
        from prometheus_client import multiprocess

        registry = prometheus.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return prometheus.generate_latest(registry), prometheus.CONTENT_TYPE_LATEST


def forget_worker(pid: int | None) -> None:
    """Take the running calls of a worker that died out of the sum."""
    if pid is not None and os.environ.get(MULTIPROCESS):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


def count_cost(model: str, input_tokens: int, output_tokens: int, cost: Decimal) -> None:
    """Add what a call used."""
    received, written, spent = _costs_of(model)
    received.inc(input_tokens)
    written.inc(output_tokens)
    spent.inc(float(cost))
