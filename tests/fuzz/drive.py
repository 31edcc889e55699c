"""Everything that reads a reply or its events, run on mutated ones; what raises an exception that is not ours.

python -m tests.fuzz.drive 100000 [seed]
"""

from __future__ import annotations

import collections
import random
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage, message_chunk_to_message

from langchain_unified import ChatUnified, reply
from langchain_unified.errors import UnifiedError
from langchain_unified.request import WireName
from langchain_unified.wires import WIRES
from tests.fuzz.mutations import mutated, mutated_events
from tests.support import corpus, v3
from tests.support.streams import chunks_of, total

MODELS = {
    "anthropic_messages": ChatUnified(model="anthropic/claude-opus-5", api_key="k", on_unsupported="ignore"),
    "openai_chat": ChatUnified(model="openai/gpt-4o", api_key="k", use_responses_api=False, on_unsupported="ignore"),
    "openai_responses": ChatUnified(
        model="openai/gpt-5.6", api_key="k", use_responses_api=True, on_unsupported="ignore"
    ),
}


@dataclass
class Found:
    """What a run saw: how many cases, how many of them were read, and where an exception was not ours."""

    cases: int = 0
    read: int = 0
    foreign: collections.Counter[str] = field(default_factory=collections.Counter)
    examples: dict[str, Any] = field(default_factory=dict)

    def add(self, step: str, error: Exception, case: Any) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "langchain" in frame.filename] or frames
        where = f"{ours[-1].filename.rpartition('site-packages/')[2]}:{ours[-1].lineno}"
        name = f"{step}: {type(error).__name__} at {where} ({ours[-1].name}): {str(error)[:80]}"
        self.foreign[name] += 1
        self.examples.setdefault(name, case)

    def __str__(self) -> str:
        lines = [f"{self.cases} cases, {self.read} read, {self.foreign.total()} exceptions that are not ours"]
        return "\n".join([*lines, *(f"{count:6} {name}" for name, count in self.foreign.most_common(60))])


# --- the steps --------------------------------------------------------------------------------------------------------


def decoded(wire: WireName, body: Any) -> list[AIMessage]:
    return WIRES[wire].decode(body)


def streamed(wire: WireName, events: list[Any], *, plain: bool) -> AIMessage | None:
    chunks = chunks_of(WIRES[wire], events, plain)
    message = message_chunk_to_message(total(chunks)) if chunks else None
    return message if isinstance(message, AIMessage) else None


def as_events(wire: WireName, events: list[Any]) -> AIMessage:
    return v3.assembled(v3.written(WIRES[wire], events))


def used(message: AIMessage) -> None:
    """What programs, traces and other calls do with a message."""
    list(message.content_blocks)
    dumpd(message)
    str(message.text)
    str(reply(message))
    message.pretty_repr()
    AIMessageChunk(content=message.content, response_metadata=message.response_metadata)
    results = [
        ToolMessage("done", tool_call_id=call["id"] or "", name=call["name"])
        for call in (*message.tool_calls, *message.invalid_tool_calls)
    ]
    for model in MODELS.values():
        model.check([HumanMessage("hi"), message, *results, HumanMessage("go on")])


def try_reply(found: Found, wire: WireName, body: Any) -> None:
    _try(found, f"{wire} whole", lambda: decoded(wire, body), body)


def try_stream(found: Found, wire: WireName, events: list[Any], *, plain: bool) -> None:
    def run() -> list[AIMessage]:
        message = streamed(wire, events, plain=plain)
        return [message] if message else []

    _try(found, f"{wire} stream", run, events)
    _try(found, f"{wire} v3", lambda: [as_events(wire, events)], events)


def _try(found: Found, step: str, run: Callable[[], list[AIMessage]], case: Any) -> None:
    found.cases += 1
    try:
        messages = run()
    except UnifiedError:
        return
    except Exception as error:  # noqa: BLE001 - what is looked for
        found.add(step, error, case)
        return
    found.read += 1
    try:
        for message in messages:
            used(message)
    except UnifiedError:
        return
    except Exception as error:  # noqa: BLE001
        found.add(f"{step}, used", error, case)


# --- the cases --------------------------------------------------------------------------------------------------------


def recorded() -> list[tuple[WireName, Any, list[Any]]]:
    """Replies and streams of each shape in the corpus: wire, body or `None`, events."""
    cases: list[tuple[WireName, Any, list[Any]]] = []
    chosen = corpus.representatives()
    for endpoint, wire in corpus.WIRE_OF.items():
        bodies = [found["response"]["body"] for found in corpus.replies(endpoint) if found["id"] in chosen]
        cases += [(wire, body, []) for body in bodies if len(str(body)) < 20_000]
        for exchange in corpus.streams(endpoint):
            events = corpus.sse_events(exchange["response"]["sse"])
            if exchange["id"] in chosen and len(events) < 60:
                cases.append((wire, None, events))
    return cases


def run(count: int, seed: int = 0, cases: list[Any] | None = None) -> Found:
    """At least `count` cases, the same for the same seed."""
    chance = random.Random(seed)
    sources = recorded() if cases is None else cases
    found = Found()
    order: Iterator[Any] = iter(())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while found.cases < count:
            source = next(order, None)
            if source is None:
                chance.shuffle(sources)
                order = iter(sources)
                continue
            wire, body, events = source
            times = 1 if chance.random() < 0.7 else chance.randrange(2, 5)
            if events:
                try_stream(found, wire, mutated_events(events, chance, times), plain=chance.random() < 0.5)
            else:
                try_reply(found, wire, mutated(body, chance, times))
    return found


def main() -> None:
    given = [int(text) for text in sys.argv[1:]]
    found = run(*(given or [100_000]))
    print(found)
    sys.exit(1 if found.foreign else 0)


if __name__ == "__main__":
    main()
