"""The row of an outcome: each kind of outcome, its sums, its error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, messages_from_dict
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from pydantic import BaseModel

from langchain_unified.cost.prices import CallerPrices
from langchain_unified.errors import InvalidRequestError, StructuredOutputError
from langchain_unified.rows import row_of

KEYS = [
    "id", "text", "message", "input_tokens", "output_tokens", "cache_read", "cache_creation", "cost", "model",
    "finish_reason", "error",
]  # fmt: skip
PRICES = CallerPrices.of({"claude-haiku-4-5": {"input": "1", "output": "5", "cache_read": "0.1"}})


def answer(text: str = "Paris", **details: int) -> AIMessage:
    return AIMessage(
        text,
        response_metadata={"model_name": "claude-haiku-4-5", "model_provider": "anthropic", "stop_reason": "end_turn"},
        usage_metadata=UsageMetadata(
            input_tokens=100, output_tokens=10, total_tokens=110, input_token_details=InputTokenDetails(**details)
        ),
    )


class City(BaseModel):
    name: str


def test_a_message() -> None:
    row = row_of("7", answer(cache_read=40), prices=PRICES)
    assert list(row) == KEYS
    assert {key: row[key] for key in KEYS if key != "message"} == {  # type: ignore[literal-required]
        "id": "7", "text": "Paris", "input_tokens": 100, "output_tokens": 10, "cache_read": 40,
        "cache_creation": None, "cost": "0.000114", "model": "claude-haiku-4-5", "finish_reason": "stop",
        "error": None,
    }  # fmt: skip
    assert messages_from_dict([row["message"] or {}])[0].text == "Paris"
    json.dumps(row)


def test_a_structured_object_with_its_call() -> None:
    row = row_of("1", City(name="Paris"), [answer('{"name": "Paris"}')], PRICES)
    assert row["text"] == '{"name":"Paris"}'
    assert (row["input_tokens"], row["cost"]) == (100, "0.00015")


@pytest.mark.parametrize("failed", [False, True])
def test_a_parsed_answer_with_its_raw_message(failed: bool) -> None:
    error = ValueError("no city") if failed else None
    row = row_of("1", {"raw": answer(), "parsed": None if failed else City(name="Paris"), "parsing_error": error})
    assert row["text"] == (None if failed else '{"name":"Paris"}')
    assert row["output_tokens"] == 10
    assert row["error"] == (
        {"type": "ValueError", "status": None, "code": None, "message": "no city"} if failed else None
    )


def test_the_state_of_an_agent_adds_its_calls_up() -> None:
    row = row_of("1", {"messages": [HumanMessage("?"), answer("calling"), answer("done")]}, prices=PRICES)
    assert (row["text"], row["input_tokens"], row["output_tokens"], row["cost"]) == ("done", 200, 20, "0.0003")


@pytest.mark.parametrize(
    "outcome, text",
    [("plain", "plain"), ({"a": 1}, '{"a":1}'), ([City(name="x")], '[{"name":"x"}]'), (3, "3"), (None, None)],
)
def test_other_outputs(outcome: Any, text: str | None) -> None:
    row = row_of("1", outcome)
    assert row["text"] == text
    assert (row["message"], row["input_tokens"], row["cost"]) == (None, None, None)


def test_an_error_of_a_provider_masks_secrets() -> None:
    error = InvalidRequestError("bad key sk-ant-abcdefghijk")
    error.status, error.code = 400, "invalid_request_error"
    assert row_of("1", error)["error"] == {
        "type": "InvalidRequestError", "status": 400, "code": "invalid_request_error",
        "message": "bad key [an Anthropic key]",
    }  # fmt: skip


def test_an_answer_that_does_not_fit_is_paid_for() -> None:
    row = row_of("1", StructuredOutputError("no JSON", llm_output="x", raw_message=answer("x")), prices=PRICES)
    assert (row["cost"], row["text"]) == ("0.00015", None)
    assert (row["error"] or {}).get("type") == "StructuredOutputError"


def test_an_unknown_price_is_no_zero() -> None:
    assert row_of("1", AIMessage("x"))["cost"] is None
    assert row_of("1", "x", [answer(), AIMessage("x")])["cost"] is None
