"""Errors, lists of models and counts in the words of each API."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified import errors
from langchain_unified.errors import UnifiedError
from langchain_unified.request import WireName
from langchain_unified.transport._error_table import classify
from langchain_unified.wires import DOORS
from langchain_unified.wires._door import ErrorReply, ModelEntry

each_client = pytest.mark.parametrize("client", DOORS)
OPENAI: tuple[WireName, ...] = ("openai_chat", "openai_responses")


def shown(client: WireName, error: UnifiedError, **fields: Any) -> ErrorReply:
    for name, value in fields.items():
        setattr(error, name, value)
    return DOORS[client].render_error(error)


CASES: list[tuple[UnifiedError, tuple[int, str], tuple[int, str, str | None]]] = [
    (errors.RequestError("x"), (400, "invalid_request_error"), (400, "invalid_request_error", None)),
    (errors.ContentPolicyError("x"), (400, "invalid_request_error"), (400, "invalid_request_error", None)),
    (errors.AuthenticationError("x"), (401, "authentication_error"), (401, "invalid_request_error", "invalid_api_key")),
    (errors.BillingError("x"), (402, "billing_error"), (429, "insufficient_quota", "insufficient_quota")),
    (errors.BudgetExceededError("x"), (402, "billing_error"), (429, "insufficient_quota", "insufficient_quota")),
    (errors.PermissionDeniedError("x"), (403, "permission_error"), (403, "invalid_request_error", None)),
    (errors.NotFoundError("x"), (404, "not_found_error"), (404, "invalid_request_error", "model_not_found")),
    (errors.UnknownModelError("x"), (404, "not_found_error"), (404, "invalid_request_error", "model_not_found")),
    (errors.ConflictError("x"), (409, "conflict_error"), (409, "invalid_request_error", None)),
    (errors.RateLimitError("x"), (429, "rate_limit_error"), (429, "requests", "rate_limit_exceeded")),
    (errors.OverloadedError("x"), (529, "overloaded_error"), (503, "server_error", None)),
    (errors.ServerError("x"), (500, "api_error"), (500, "server_error", None)),
    (errors.ConnectionFailedError("x"), (502, "api_error"), (502, "server_error", None)),
    (errors.ReplyError("x"), (502, "api_error"), (502, "server_error", None)),
    (errors.RequestTimeoutError("x"), (504, "timeout_error"), (504, "server_error", None)),
    (errors.MissingKeyError("x"), (500, "api_error"), (500, "server_error", None)),
    (UnifiedError("x"), (500, "api_error"), (500, "server_error", None)),
]


@pytest.mark.parametrize("error, messages, openai", CASES, ids=[type(case[0]).__name__ for case in CASES])
def test_each_error_in_the_words_of_each_api(error: UnifiedError, messages: Any, openai: Any) -> None:
    found = shown("anthropic_messages", error)
    assert (found.status, found.body["type"], found.body["error"]["type"]) == (messages[0], "error", messages[1])
    for client in OPENAI:
        found = shown(client, error)
        inner = found.body["error"]
        assert (found.status, inner["type"], inner["code"], inner["message"]) == (*openai, "x")


@each_client
@pytest.mark.parametrize("error", [case[0] for case in CASES], ids=lambda error: type(error).__name__)
def test_an_error_read_again_is_of_its_class(client: WireName, error: UnifiedError) -> None:
    """What a client makes of the answer, by the table with which this package reads errors."""
    found = shown(client, error)
    inner = found.body["error"]
    kind = classify(found.status, [inner.get("code"), inner["type"]], inner["message"])
    assert isinstance(error, kind) or not isinstance(error, errors.ProviderError)


@each_client
def test_whether_and_when_to_try_again(client: WireName) -> None:
    headers = shown(client, errors.RateLimitError("x"), retry_after=1.2).headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1200")
    assert "x-should-retry" not in headers
    for refused in (errors.BudgetExceededError("x"), errors.AuthenticationError("x"), errors.BillingError("x")):
        headers = shown(client, refused, retry_after=3.0).headers
        assert (headers["x-should-retry"], headers.get("retry-after")) == ("false", None)
    name = "request-id" if client == "anthropic_messages" else "x-request-id"
    assert shown(client, errors.ServerError("x"), request_id="req_1").headers == {name: "req_1"}


@pytest.mark.parametrize(
    "text",
    [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "This model's maximum context length is 200000 tokens. However, your messages resulted in 210000 tokens.",
        "request (210000 tokens) exceeds the available context size (200000 tokens), try increasing it",
        "The input token count (210,000) exceeds the maximum number of tokens allowed (200,000).",
    ],
)
def test_an_overflow_is_worded_as_the_clients_provider_words_it(text: str) -> None:
    error = errors.ContextOverflowError(f"openai 400: {text} (request id req_1)")
    # Claude Code 2.1.197 compacts the conversation at the first four words of this sentence.
    expected = "prompt is too long: 210000 tokens > 200000 maximum"
    assert shown("anthropic_messages", error).body["error"]["message"] == expected
    for client, param in (("openai_chat", "messages"), ("openai_responses", "input")):
        inner = DOORS[client].render_error(error).body["error"]
        assert (inner["code"], inner["param"]) == ("context_length_exceeded", param)
        assert "maximum context length is 200000 tokens" in inner["message"]


def test_an_overflow_without_numbers() -> None:
    error = errors.ContextOverflowError("Your input exceeds the context window of this model.")
    found = shown("anthropic_messages", error).body["error"]["message"]
    assert found == "prompt is too long: it exceeds the context window of the model"
    only_limit = errors.ContextOverflowError("This model's maximum context length is 8192 tokens.")
    found = shown("anthropic_messages", only_limit).body["error"]["message"]
    assert found == "prompt is too long: it exceeds the context window of 8192 tokens of the model"
    assert "context window" in shown("openai_responses", error).body["error"]["message"]


def test_the_status_of_an_upstream_stays_where_the_case_has_it() -> None:
    too_large = shown("anthropic_messages", errors.InvalidRequestError("x"), status=413)
    assert (too_large.status, too_large.body["error"]["type"]) == (413, "request_too_large")
    assert shown("openai_chat", errors.OverloadedError("x"), status=529).status == 503
    assert shown("anthropic_messages", errors.OverloadedError("x"), status=503).status == 529
    assert shown("openai_chat", errors.BillingError("x"), status=402).status == 402


# --- models and counts ------------------------------------------------------------------------------------------------

ENTRIES = [ModelEntry(f"claude-{number}", created=number, max_input_tokens=10) for number in range(5)]


def page(**query: str) -> tuple[list[str], bool]:
    reply = DOORS["anthropic_messages"].models_reply(ENTRIES, query)
    ids = [entry["id"] for entry in reply["data"]]
    assert (reply["first_id"], reply["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
    return [found.removeprefix("claude-") for found in ids], reply["has_more"]


def test_the_pages_of_anthropics_list() -> None:
    assert page() == (["0", "1", "2", "3", "4"], False)
    assert page(limit="1000") == (["0", "1", "2", "3", "4"], False)
    assert page(limit="2") == (["0", "1"], True)
    assert page(limit="2", after_id="claude-1") == (["2", "3"], True)
    assert page(limit="2", after_id="claude-3") == (["4"], False)
    assert page(limit="2", before_id="claude-3") == (["1", "2"], True)
    assert page(limit="9", before_id="claude-2") == (["0", "1"], False)
    assert page(after_id="gone") == ([], False)
    for wrong in ("0", "1001", "many", "-1"):
        with pytest.raises(errors.RequestError, match="limit"):
            page(limit=wrong)


def test_the_sdks_read_the_lists() -> None:
    from anthropic.types import ModelInfo
    from openai.types import Model

    for entry in DOORS["anthropic_messages"].models_reply(ENTRIES, {})["data"]:
        assert ModelInfo.model_validate(entry).max_input_tokens == 10
    for client in OPENAI:
        reply = DOORS[client].models_reply(ENTRIES, {})
        assert (reply["object"], len(reply["data"])) == ("list", 5)
        assert [Model.model_validate(entry).id for entry in reply["data"]] == [entry.id for entry in ENTRIES]


def test_the_counts() -> None:
    assert DOORS["anthropic_messages"].count_reply(5) == {"input_tokens": 5}
    assert DOORS["openai_responses"].count_reply(5) == {"object": "response.input_tokens", "input_tokens": 5}


# --- frames -----------------------------------------------------------------------------------------------------------


def test_the_frames() -> None:
    assert DOORS["anthropic_messages"].frame({"type": "ping"}) == b'event: ping\ndata: {"type":"ping"}\n\n'
    assert DOORS["openai_chat"].frame({"id": "a"}) == b'data: {"id":"a"}\n\n'
    assert DOORS["openai_chat"].last_frame == b"data: [DONE]\n\n"
    # Half of a surrogate pair, which a model may write, is an escape in JSON.
    assert DOORS["openai_responses"].frame({"type": "x", "delta": "\ud83d"}).endswith(b'"delta": "\\ud83d"}\n\n')
