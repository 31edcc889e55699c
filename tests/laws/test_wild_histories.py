"""The laws of histories from the wild: whatever a conversation holds, the next call is one that the provider takes.

For each history and each model: the body passes the emulator's rules, the field rules and the oracle, all readable text
is in it, and the same history gives the same bytes. Only what the developer wrote in this call may be refused, with the
place of its message. `make laws` runs more examples.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_unified import ChatUnified
from langchain_unified.chat_models import _plan
from langchain_unified.errors import UnifiedError
from langchain_unified.testing.emulation.rules import refusals
from langchain_unified.testing.emulation.rules.rule import EmulatedCall
from tests.support import field_rules, oracle, wild
from tests.support.corpus import ENDPOINT_OF, needs_corpus

pytestmark = needs_corpus

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "opus-5-5": ("anthropic/claude-opus-5-5", {}),
    "opus-4-6 with effort": ("anthropic/claude-opus-4-6", {"reasoning_effort": "high"}),
    "sonnet-4-5": ("anthropic/claude-sonnet-4-5", {}),
    "sonnet-4-5 thinking": ("anthropic/claude-sonnet-4-5", {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
    "haiku-4-5": ("anthropic/claude-haiku-4-5", {}),
    "fable-5-1": ("anthropic/claude-fable-5-1", {}),
    "gpt-4o": ("openai/gpt-4o", {}),
    "gpt-4o on responses": ("openai/gpt-4o", {"use_responses_api": True}),
    "gpt-5.6": ("openai/gpt-5.6", {}),
    "gpt-5.6 on chat": ("openai/gpt-5.6", {"use_responses_api": False}),
    "o3": ("openai/o3", {}),
    "gpt-6.1-terra": ("openai/gpt-6.1-terra", {}),
}
if not wild.KINDS["thinking switched on"]:
    del MODELS["sonnet-4-5 thinking"]

HEADERS = {"x-api-key": "any", "authorization": "Bearer any", "anthropic-version": "2023-06-01"}

EXAMPLES = os.environ.get("LAW_EXAMPLES")
few = settings(
    max_examples=int(EXAMPLES or 8),
    # A handful of examples is the same in each run; `make laws` looks for new ones.
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def models() -> dict[str, ChatUnified]:
    return {
        name: ChatUnified(model, api_key="any", on_unsupported="ignore", **fields)
        for name, (model, fields) in MODELS.items()
    }


def plan_of(model: ChatUnified, history: list[BaseMessage]) -> _plan.Plan | None:
    """The plan of the call; `None` for a refusal of what the developer wrote in this call."""
    try:
        return _plan.make(model, history, {}, stream=False)
    except UnifiedError as error:
        refused = str(error)
    if "ends with an assistant message" in refused:
        assert isinstance(history[-1], AIMessage)
        return None
    named = re.search(r"message (\d+)", refused)
    assert named, f"names no message: {refused}"
    assert not isinstance(history[int(named[1])], AIMessage | ToolMessage), f"refuses what is history: {refused}"
    return None


def emulated(plan: _plan.Plan) -> EmulatedCall:
    return EmulatedCall(ENDPOINT_OF[plan.wire.name], plan.call.body, {**HEADERS, **plan.call.headers})


@pytest.mark.parametrize("name", MODELS)
@few
@given(history=wild.histories())
def test_the_provider_takes_it(models, name, history):
    plan = plan_of(models[name], history)
    if plan is None:
        return
    call = emulated(plan)
    assert [found.message for found in refusals(call)] == []
    if field_rules.available():
        assert field_rules.violations(call.endpoint, call.body, call.headers) == []
    if oracle.PATH.exists():
        assert oracle.load_oracle().validate(oracle.ENDPOINTS[plan.wire.name], call.body) == []


@pytest.mark.parametrize("name", MODELS)
@few
@given(history=wild.histories())
def test_every_readable_text_is_in_the_body_and_the_same_history_gives_the_same_bytes(models, name, history):
    again = copy.deepcopy(history)
    plan = plan_of(models[name], history)
    if plan is not None:
        sent = list(strings(plan.call.body))
        for at, text in wild.texts(history):
            assert any(readable(text) in each for each in sent), (at, text)
        second = plan_of(models[name], again)
        assert second is not None
        assert json.dumps(second.call.body) == json.dumps(plan.call.body)


@pytest.mark.parametrize("name", MODELS)
@few
@given(history=wild.histories())
def test_a_longer_history_keeps_the_prefix_but_for_what_is_listed(models, name, history):
    asked = [at for at, message in enumerate(history) if isinstance(message, HumanMessage) and at + 1 < len(history)]
    for at in asked:
        longer, shorter = plan_of(models[name], history), plan_of(models[name], history[: at + 1])
        if longer is None or shorter is None:
            continue
        if [item for item in shorter.adjustments if item not in longer.adjustments]:
            continue  # the end of the shorter one was completed, and this is listed
        added = [item["what"] for item in longer.adjustments if item not in shorter.adjustments]
        if any(what.startswith(CHANGES_EARLIER) for what in added):
            continue
        kept = parts_of(shorter.call.body)
        assert parts_of(longer.call.body)[: len(kept)] == kept


CHANGES_EARLIER = ("tool result in message", "tool call in message", "server tools", "system message", "text")
"""What an adjustment begins with that also changes messages before the one that it names."""


def parts_of(body: dict[str, Any]) -> list[Any]:
    """The blocks or items of a conversation in order, each with its role, without what marks the end."""
    messages = body.get("messages") or body["input"]
    parts: list[Any] = [body.get("system"), body.get("instructions")]
    for message in messages:
        content = message.get("content")
        rest = {key: value for key, value in message.items() if key != "content"}
        blocks = content if isinstance(content, list) else [content]
        parts += [(rest, block) for block in blocks]
    return parts


@pytest.mark.parametrize("name", MODELS)
@few
@given(history=wild.histories())
def test_check_promises_nothing_that_the_provider_refuses(models, name, history):
    report = models[name].check(history)
    if report.ok:
        call = EmulatedCall(ENDPOINT_OF[report.wire], report.body, {**HEADERS, **report.headers})
        assert [found.message for found in refusals(call)] == []


def strings(value: Any) -> Iterator[str]:
    """The texts of a body."""
    if isinstance(value, str):
        yield readable(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def readable(text: str) -> str:
    """A text without what nobody reads: halves of surrogate pairs, their replacement, outer whitespace."""
    return re.sub("[\ud800-\udfff\ufffd]", "", text).strip()
