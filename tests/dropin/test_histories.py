"""Histories that a partner package wrote continue with this one, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from langchain_core.load import dumpd, load
from langchain_core.messages import HumanMessage

from langchain_unified.testing import emulator
from tests.dropin.helpers import OURS, PARTNERS, build, without_differences
from tests.dropin.programs import CALLS_WEATHER, THOUGHT, added, get_weather

SCRIPT = [THOUGHT, {**CALLS_WEATHER, "reasoning": "I need the weather."}, "18 °C."]
VERSIONS = [
    ("anthropic", None), ("anthropic", "v1"), ("chat", None), ("chat", "v1"), ("responses", None), ("responses", "v0"),
    ("responses", "responses/v1"), ("responses", "v1"),
]  # fmt: skip
THINKS: Mapping[str, Mapping[str, Any]] = {
    "anthropic": {"thinking": {"type": "adaptive"}},
    "chat": {},
    "responses": {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]},
}


def written(classes: Mapping[str, Any], api: str, version: str | None, *, streamed: bool) -> list[Any]:
    """A stored thread of three turns: a thought, a call with its result, an answer."""
    with emulator(list(SCRIPT)) as server:
        given = {"output_version": version} if version else {}
        model = build(classes, api, server, **THINKS[api], **given).bind_tools([get_weather])
        messages: list[Any] = []
        for text in ("Hi", "Weather in Paris?", None):
            messages += [HumanMessage(text)] if text else []
            messages.append(added(model.stream(messages)) if streamed else model.invoke(messages))
            messages += [get_weather.invoke(call) for call in messages[-1].tool_calls]
    stored = [load(dumpd(message), allowed_objects="all") for message in messages]
    return [*stored, HumanMessage("And in Rome?")]


def sent(classes: Mapping[str, Any], api: str, messages: list[Any]) -> Any:
    with emulator(["Fine."]) as server:
        build(classes, api, server, **THINKS[api]).bind_tools([get_weather]).invoke(messages)
        return without_differences([request.body for request in server.requests])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
@pytest.mark.parametrize("api, version", VERSIONS)
def test_a_history_of_the_partner_continues_here(api: str, version: str | None, streamed: bool) -> None:
    messages = written(PARTNERS, api, version, streamed=streamed)
    bodies = sent(OURS, api, messages)
    assert bodies == sent(PARTNERS, api, messages)
    assert ("They greet." in str(bodies)) == (api != "chat")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("streamed", [False, True], ids=["invoke", "stream"])
@pytest.mark.parametrize("api, version", VERSIONS)
def test_a_history_of_ours_continues_with_the_partner(api: str, version: str | None, streamed: bool) -> None:
    messages = written(OURS, api, version, streamed=streamed)
    bodies = sent(PARTNERS, api, messages)
    assert bodies == sent(OURS, api, messages)
    assert ("They greet." in str(bodies)) == (api != "chat")
