"""Both of OpenAI's wires decide alike: what is sent of each neutral parameter, and what is named, on every model."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.profiles import known_models, profile_for
from langchain_unified.request import Encoded, Params, Request, ToolSpec, Turn
from langchain_unified.wires import WIRES
from langchain_unified.wires.openai_chat.serve import read_request as read_chat
from langchain_unified.wires.openai_responses.serve import read_request as read_responses
from tests.support.params import SAMPLES

CHAT, RESPONSES = WIRES["openai_chat"], WIRES["openai_responses"]
BOTH = sorted(key for key in Params.__annotations__ if CHAT.takes(key) and RESPONSES.takes(key))
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "unheard-of")

MORE_VALUES: dict[str, list[Any]] = {
    "logprobs": [True, False],
    "service_tier": ["flex", "standard_only"],
    "reasoning_effort": [*EFFORTS],
    "reasoning": [{"effort": effort} for effort in EFFORTS],
    "thinking": [
        {"type": "disabled"},
        {"type": "adaptive"},
        {"type": "enabled", "budget_tokens": 2000},
        {"type": "between_tools"},
    ],
    "prompt_cache_options": [{"mode": "explicit"}, {"ttl": "30m"}, {"ttl": "1h"}, {"mode": "implicit", "ttl": "1h"}],
}
# Chat Completions takes metadata with `store` only.
VALUES = {key: [SAMPLES[key], *MORE_VALUES.get(key, [])] for key in BOTH if key != "metadata"}
TOGETHER: list[dict[str, Any]] = [
    {"metadata": {"team": "a"}, "store": True},
    {"reasoning_effort": "low", "reasoning": {"effort": "high"}},
    {"reasoning_effort": "low", "reasoning": {"effort": "low"}},
    {"reasoning_effort": "low", "thinking": {"type": "disabled"}},
    {"reasoning_effort": "none", "thinking": {"type": "disabled"}},
    {"reasoning_effort": "none", "thinking": {"type": "adaptive"}},
    {"reasoning": {"effort": "minimal"}, "thinking": {"type": "adaptive"}},
    {"reasoning_effort": "none", "temperature": 0.5},
    {"reasoning": {"effort": "low"}, "temperature": 0.5},
    {"thinking": {"type": "disabled"}, "top_p": 0.5},
    {"prompt_cache_options": {"ttl": "30m"}, "prompt_cache_retention": "24h"},
]


def encoded(model: str, values: dict[str, Any], *, chat: bool) -> Encoded:
    request = Request(
        model=model,
        turns=(Turn("user", ({"type": "text", "text": "hi"},)),),
        params=Params(**values),  # type: ignore[typeddict-item]
        tools=(ToolSpec("add", parameters={"type": "object", "properties": {}}),),
        stream="stream_options" in values,
        profile=profile_for("openai", model),
    )
    return (CHAT if chat else RESPONSES).encode(request)


def asked_for(body: dict[str, Any], *, chat: bool) -> dict[str, Any]:
    """What a body asks for, in the neutral words: it is read as a server reads it."""
    request = (read_chat if chat else read_responses)(body)
    params: dict[str, Any] = {**request.params}
    if chat:
        user = request.native.get("safety_identifier")
        params |= {"user": user} if user else {}
        params.pop("logprobs", None) if "top_logprobs" in params else None
    return {key: value for key, value in params.items() if value is not False or key != "logprobs"}


@pytest.mark.parametrize("model", known_models("openai"))
def test_the_same_is_sent_and_the_same_is_named(model: str):
    cases = [{key: value} for key, values in VALUES.items() for value in values] + TOGETHER
    for values in cases:
        chat, responses = encoded(model, values, chat=True), encoded(model, values, chat=False)
        assert asked_for(chat.body, chat=True) == asked_for(responses.body, chat=False), (model, values)
        assert [note["what"] for note in chat.adjustments] == [note["what"] for note in responses.adjustments], values


@pytest.mark.parametrize("chat", [True, False], ids=["chat", "responses"])
@pytest.mark.parametrize(
    "model, asked, sent",
    [
        ("gpt-5.1", "minimal", "low"),
        ("gpt-5.2", "minimal", "low"),
        ("gpt-5.6", "minimal", "low"),
        ("gpt-5.1", "xhigh", "high"),
        ("gpt-5", "none", "minimal"),
        ("gpt-6-astra", "none", "low"),
        ("gpt-5.1-chat-latest", "low", "medium"),
        ("gpt-5.1-chat-latest", "high", "medium"),
    ],
)
def test_an_effort_that_the_model_lacks_is_the_next_level_up(model: str, asked: str, sent: str, chat: bool):
    found = encoded(model, {"reasoning_effort": asked}, chat=chat)
    assert asked_for(found.body, chat=chat) == {"reasoning_effort": sent}
    assert found.adjustments == (
        {"what": "reasoning_effort", "why": f"{model} has no effort {asked!r}: {sent!r} was sent."},
    )


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_reasoning_counts_where_two_efforts_disagree(wire: Any):
    model = "claude-opus-5" if wire.provider == "anthropic" else "gpt-5.6"
    profile, hello = profile_for(wire.provider, model), (Turn("user", ({"type": "text", "text": "hi"},)),)
    params: Params = {"reasoning_effort": "low", "reasoning": {"effort": "high"}}
    found = wire.encode(Request(model, hello, params=params, profile=profile))
    alone = wire.encode(Request(model, hello, params={"reasoning": {"effort": "high"}}, profile=profile))
    agreed = wire.encode(Request(model, hello, params={**params, "reasoning_effort": "high"}, profile=profile))
    assert found.body == alone.body == agreed.body
    why = "`reasoning` asks for the effort 'high', which counts: 'low' was not sent."
    assert found.adjustments == ({"what": "reasoning_effort", "why": why},)
    assert alone.adjustments == agreed.adjustments == ()
