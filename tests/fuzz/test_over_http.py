"""Mutated replies and streams over HTTP: the whole way of a call, and its answer in the next call."""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_unified.errors import UnifiedError
from tests.fuzz.drive import MODELS, recorded
from tests.fuzz.mutations import mutated, mutated_events
from tests.support import corpus
from tests.support.server import Reply, serve

pytestmark = [
    pytest.mark.skipif(not corpus.CORPUS.exists(), reason=corpus.MISSING),
    pytest.mark.filterwarnings("ignore"),
]
CASES = 60


def _reply(body: Any, events: list[Any], chance: random.Random) -> Reply:
    if not events:
        return Reply(200, {"content-type": "application/json"}, json.dumps(mutated(body, chance, 1)).encode())
    pieces = [b"data: %s\n\n" % json.dumps(event).encode() for event in mutated_events(events, chance, 1)]
    return Reply(200, {"content-type": "text/event-stream"}, [*pieces, b"data: [DONE]\n\n"])


def _streamed(model: Any) -> Any:
    first, *others = model.stream("Hi")
    return add_ai_message_chunks(first, *others)


@pytest.mark.parametrize("seed", range(2))
def test_no_exception_is_foreign(seed: int) -> None:
    chance = random.Random(seed)
    cases = chance.sample(recorded(), CASES)
    replies: list[Reply] = []
    with serve(lambda _: replies[-1]) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = {
            wire: model.model_copy(
                update={"base_url": server.url + "/v1" * (wire != "anthropic_messages"), "max_retries": 0}
            )
            for wire, model in MODELS.items()
        }
        for wire, body, events in cases:
            replies.append(_reply(body, events, chance))
            model = models[wire]
            ways: list[Callable[[], Any]] = [lambda model=model: model.invoke("Hi")]
            if events:
                ways = [
                    lambda model=model: _streamed(model),
                    lambda model=model: model.stream_events("Hi", version="v3").output,
                ]
            for way in ways:
                try:
                    answer = way()
                    for other in models.values():
                        other.check([HumanMessage("Hi"), answer, HumanMessage("And then?")])
                except UnifiedError:
                    continue
        assert len(server.requests) >= CASES
