"""One exporter for all tests of the process: instrumentation keeps the first tracer provider that it was given."""

from __future__ import annotations

import pytest

pytest.importorskip("opentelemetry.sdk", reason="`make test-ecosystem` installs what is tested here")

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

EXPORTER, PROVIDER = InMemorySpanExporter(), TracerProvider()
PROVIDER.add_span_processor(SimpleSpanProcessor(EXPORTER))
