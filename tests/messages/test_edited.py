"""Answers whose fields code set after they were made, as middlewares and older programs do."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified import ChatUnified
from langchain_unified.chat_models import _plan
from langchain_unified.messages.edited import as_constructed
from langchain_unified.testing.emulation.rules import refusals
from langchain_unified.testing.emulation.rules.rule import EmulatedCall
from tests.support.corpus import ENDPOINT_OF

MODELS = ["anthropic/claude-opus-5-5", "openai/gpt-4o", "openai/gpt-5.6"]
each_model = pytest.mark.parametrize("model", MODELS)
HEADERS = {"x-api-key": "any", "authorization": "Bearer any", "anthropic-version": "2023-06-01"}
CALL = {"name": "f", "args": {"q": "v"}, "id": "c1", "type": "tool_call"}
EDITS: dict[str, Any] = {
    "arguments as text": [{**CALL, "args": '{"q": "v"}'}],
    "arguments as a list": [{**CALL, "args": [1]}],
    "no arguments": [{"name": "f", "id": "c1"}],
    "arguments that are None": [{**CALL, "args": None}],
    "keys that are numbers": [{**CALL, "args": {1: {2: "x"}}}],
    "no name": [{"args": {}, "id": "c1"}],
    "a name that is None": [{**CALL, "name": None}],
    "no id": [{"name": "f", "args": {}}],
    "a number as id": [{**CALL, "id": 5}],
    "OpenAI's form": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"q": "v"}'}}],
    "a tuple": (CALL,),
    "None": None,
    "texts": ["f"],
}


def takes(model: str, *messages: Any) -> str:
    plan = _plan.make(ChatUnified(model, api_key="any", on_unsupported="ignore"), list(messages), {}, stream=False)
    call = EmulatedCall(ENDPOINT_OF[plan.wire.name], plan.call.body, {**HEADERS, **plan.call.headers})
    assert [found.message for found in refusals(call)] == []
    return str(plan.call.body)


@each_model
@pytest.mark.parametrize("edit", EDITS)
def test_calls_that_were_set(model: str, edit: str) -> None:
    answer = AIMessage("Look.").model_copy(update={"tool_calls": EDITS[edit]})
    body = takes(model, HumanMessage("Ask."), answer, ToolMessage("r", tool_call_id="c1"), HumanMessage("And now?"))
    if edit in ("arguments as text", "OpenAI's form", "a tuple"):
        assert "'c1'" in body
        assert "not run" not in body


@each_model
@pytest.mark.parametrize("fields", [{"args": {"q": "v"}}, {"name": None, "args": None, "id": None}, {"args": 5}, {}])
def test_invalid_calls_that_were_set(model: str, fields: dict[str, Any]) -> None:
    broken = {"name": "f", "id": "c1", "error": None, "type": "invalid_tool_call", **fields}
    for call in (broken, {key: item for key, item in broken.items() if key in ("id", "type")}):
        answer = AIMessage("Look.").model_copy(update={"invalid_tool_calls": [call]})
        takes(model, HumanMessage("Ask."), answer, HumanMessage("And now?"))


@each_model
@pytest.mark.parametrize(
    "fields",
    [
        {"name": 5},
        {"additional_kwargs": {"refusal": 5}},
        {"usage_metadata": {"output_token_details": 5}},
        {
            "content": [{"type": "text", "text": "x"}],
            "response_metadata": {"model_provider": "openai", "model_name": 5},
        },
    ],
)
def test_metadata_of_another_type(model: str, fields: dict[str, Any]) -> None:
    takes(model, HumanMessage("Ask.").model_copy(update={"name": fields.get("name")}),
          AIMessage("Answer.").model_copy(update=fields), HumanMessage("And now?"))  # fmt: skip


def test_an_answer_as_langchain_makes_it_stays_the_same_object() -> None:
    answer = AIMessage(
        "", tool_calls=[CALL], invalid_tool_calls=[{"name": "f", "args": "{", "id": None, "error": None}]
    )
    assert as_constructed(answer) is answer
