"""Recorded answers have a price or a reason, and the package genai-prices is optional."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from genai_prices import data_snapshot

from langchain_unified import message_cost
from langchain_unified._extras import install
from langchain_unified.wires import WIRES
from tests.cost.helpers import USAGE, chat, claude
from tests.support.corpus import WIRE_OF, label, needs_corpus, replies, sse_events, streams
from tests.support.streams import chunks_of, total

# --- recorded traffic -------------------------------------------------------------------------------------------------


@needs_corpus
@pytest.mark.parametrize("endpoint", WIRE_OF)
def test_every_recorded_reply_has_a_price_or_a_reason(endpoint: str) -> None:
    priced = 0
    for exchange in replies(endpoint):
        for message in WIRES[WIRE_OF[endpoint]].decode(exchange["response"]["body"]):
            cost = message_cost(message)
            assert (cost.total is None) == (cost.reason is not None), label(exchange)
            if cost.total is not None:
                assert cost.total == sum(line.amount or 0 for line in cost.lines), label(exchange)
                assert cost.total > 0 or not message.usage_metadata["output_tokens"], label(exchange)  # type: ignore[index]
                priced += 1
    assert priced > 150


@needs_corpus
@pytest.mark.parametrize("endpoint", WIRE_OF)
def test_every_recorded_stream_costs_what_its_reply_costs(endpoint: str) -> None:
    count = 0
    for exchange in streams(endpoint):
        events = sse_events(exchange["response"]["sse"])
        chunks = chunks_of(WIRES[WIRE_OF[endpoint]], events, plain=True)
        whole = total(chunks)
        last = next((chunk for chunk in reversed(chunks) if chunk.usage_metadata), None)
        assert message_cost(whole).total == (None if last is None else message_cost(last).total), label(exchange)
        count += message_cost(whole).total is not None
    assert count > 50


# --- the package genai-prices -----------------------------------------------------------------------------------------


def test_without_the_extra_there_is_no_price_but_the_caller_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    message = chat({"prompt_tokens": 1_000_000, "completion_tokens": 0})
    cost = message_cost(message)
    assert cost.total is None
    assert cost.reason == f"genai-prices is not installed: {install('cost')}, or give prices={{…}}"
    assert message_cost(message, prices={"*": {"input": 1, "output": 1}}).total == 1


def test_it_is_imported_with_the_first_price_and_starts_nothing() -> None:
    program = """
import sys, threading
from langchain_core.messages import AIMessage
from langchain_unified import Budget, ChatUnified, cost_callback, message_cost, reply
ChatUnified("anthropic/claude-opus-5", api_key="x", callbacks=[Budget(usd=1)])
used = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
answer = reply(AIMessage("Hi", response_metadata={"model_name": "gpt-4o"}, usage_metadata=used))
with cost_callback():
    assert answer.input_tokens == 1
assert "genai_prices" not in sys.modules
before = threading.active_count()
assert answer.cost.total
assert "genai_prices" in sys.modules
assert threading.active_count() == before
assert "anthropic" not in sys.modules and "openai" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_pricing_never_starts_the_updater() -> None:
    before = threading.active_count()
    message_cost(claude(USAGE))
    assert threading.active_count() == before
    assert data_snapshot._custom_snapshot is None
