from __future__ import annotations

import asyncio
import copy
import datetime as dt
import email.utils
import pickle

import anthropic
import openai
import pytest
from langchain_core import exceptions as core
from pydantic import SecretStr

from langchain_unified import errors
from langchain_unified.transport import HttpCall
from langchain_unified.transport._error_table import BY_STATUS, classify
from tests.support.server import Reply, serve
from tests.transport.faces import KEY, Sync, call, closed_port, text_of, to

SDKS = {"anthropic": anthropic, "openai": openai}


def claude(kind, message, **more):
    return {"type": "error", "error": {"type": kind, "message": message, **more}, "request_id": "req_body"}


def gpt(code, message, kind="invalid_request_error", param=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


RETRY = {"retry-after": "7"}
# provider, status, headers, body, our class, the SDK's class, code, retry_after
TABLE = [
    (
        "anthropic", 400, {}, claude("invalid_request_error", "messages: at least one message is required"),
        errors.InvalidRequestError, anthropic.BadRequestError, "invalid_request_error", None,
    ),
    (
        "anthropic", 400, {}, claude("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
        errors.ContextOverflowError, anthropic.BadRequestError, "invalid_request_error", None,
    ),
    (
        "anthropic", 400, {},
        claude("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
        errors.BillingError, anthropic.BadRequestError, "invalid_request_error", None,
    ),
    (
        "anthropic", 401, {}, claude("authentication_error", "invalid x-api-key"),
        errors.AuthenticationError, anthropic.AuthenticationError, "authentication_error", None,
    ),
    (
        "anthropic", 402, {}, claude("billing_error", "Your payment failed"),
        errors.BillingError, anthropic.PaymentRequiredError, "billing_error", None,
    ),
    (
        "anthropic", 403, {}, claude("permission_error", "Your API key does not have permission"),
        errors.PermissionDeniedError, anthropic.PermissionDeniedError, "permission_error", None,
    ),
    (
        "anthropic", 404, {}, claude("not_found_error", "model: claude-sonet-4-5"),
        errors.NotFoundError, anthropic.NotFoundError, "not_found_error", None,
    ),
    (
        "anthropic", 408, {}, claude("timeout_error", "Request timed out"),
        errors.ServerError, anthropic.RequestTimeoutError, "timeout_error", None,
    ),
    (
        "anthropic", 409, {}, claude("conflict_error", "busy"),
        errors.ConflictError, anthropic.ConflictError, "conflict_error", None,
    ),
    (
        "anthropic", 413, {}, claude("request_too_large", "Request exceeds the maximum size"),
        errors.InvalidRequestError, anthropic.ContentTooLargeError, "request_too_large", None,
    ),
    (
        "anthropic", 422, {}, claude("invalid_request_error", "no"),
        errors.InvalidRequestError, anthropic.UnprocessableEntityError, "invalid_request_error", None,
    ),
    (
        "anthropic", 429, RETRY, claude("rate_limit_error", "This request would exceed your rate limit"),
        errors.RateLimitError, anthropic.RateLimitError, "rate_limit_error", 7.0,
    ),
    (
        "anthropic", 429, {"retry-after-ms": "1500", "retry-after": "9"}, claude("rate_limit_error", "slow down"),
        errors.RateLimitError, anthropic.RateLimitError, "rate_limit_error", 1.5,
    ),
    (
        "anthropic", 500, {}, claude("api_error", "Internal server error"),
        errors.ServerError, anthropic.InternalServerError, "api_error", None,
    ),
    (
        "anthropic", 503, {"retry-after": "soon"}, claude("api_error", "Service unavailable"),
        errors.ServerError, anthropic.ServiceUnavailableError, "api_error", None,
    ),
    (
        "anthropic", 529, {}, claude("overloaded_error", "Overloaded"),
        errors.OverloadedError, anthropic.OverloadedError, "overloaded_error", None,
    ),
    (
        "openai", 400, {}, gpt(None, "Item of type 'reasoning' was provided without its required following item."),
        errors.InvalidRequestError, openai.BadRequestError, "invalid_request_error", None,
    ),
    (
        "openai", 400, {}, gpt("unsupported_value", "Unsupported value: 'messages[0].role'", param="messages[0].role"),
        errors.InvalidRequestError, openai.BadRequestError, "unsupported_value", None,
    ),
    (
        "openai", 400, {}, gpt("context_length_exceeded", "This model's maximum context length is 8192 tokens."),
        errors.ContextOverflowError, openai.BadRequestError, "context_length_exceeded", None,
    ),
    (
        "openai", 400, {}, gpt("content_policy_violation", "Your request was rejected by our safety system."),
        errors.ContentPolicyError, openai.BadRequestError, "content_policy_violation", None,
    ),
    (
        "openai", 400, {}, gpt("billing_hard_limit_reached", "Billing hard limit has been reached"),
        errors.BillingError, openai.BadRequestError, "billing_hard_limit_reached", None,
    ),
    (
        "openai", 400, {}, gpt("model_not_found", "The requested model 'gpt-5.2-proo' does not exist."),
        errors.NotFoundError, openai.BadRequestError, "model_not_found", None,
    ),
    (
        "openai", 401, {}, gpt("invalid_api_key", "Incorrect API key provided"),
        errors.AuthenticationError, openai.AuthenticationError, "invalid_api_key", None,
    ),
    (
        "openai", 403, {}, gpt("unsupported_country_region_territory", "Country not supported", "request_forbidden"),
        errors.PermissionDeniedError, openai.PermissionDeniedError, "unsupported_country_region_territory", None,
    ),
    (
        "openai", 404, {}, gpt("model_not_found", "The model `gpt-5.2-proo` does not exist"),
        errors.NotFoundError, openai.NotFoundError, "model_not_found", None,
    ),
    (
        "openai", 409, {}, gpt(None, "The resource was updated", "conflict"),
        errors.ConflictError, openai.ConflictError, "conflict", None,
    ),
    (
        "openai", 413, {}, gpt(None, "too large"),
        errors.InvalidRequestError, openai.APIStatusError, "invalid_request_error", None,
    ),
    (
        "openai", 422, {}, gpt(None, "no"),
        errors.InvalidRequestError, openai.UnprocessableEntityError, "invalid_request_error", None,
    ),
    (
        "openai", 429, RETRY, gpt("rate_limit_exceeded", "Rate limit reached for gpt-5", "tokens"),
        errors.RateLimitError, openai.RateLimitError, "rate_limit_exceeded", 7.0,
    ),
    (
        "openai", 429, {}, gpt("insufficient_quota", "You exceeded your current quota", "insufficient_quota"),
        errors.BillingError, openai.RateLimitError, "insufficient_quota", None,
    ),
    (
        "openai", 500, {}, gpt(None, "The server had an error", "server_error"),
        errors.ServerError, openai.InternalServerError, "server_error", None,
    ),
    (
        "openai", 503, {}, gpt("server_overloaded", "Overloaded", "server_error"),
        errors.OverloadedError, openai.InternalServerError, "server_overloaded", None,
    ),
    # Servers that only resemble OpenAI.
    (
        "openai", 400, {}, {"object": "error", "message": "bad", "type": "BadRequestError", "code": 400},
        errors.InvalidRequestError, openai.BadRequestError, "BadRequestError", None,
    ),
    (
        "openai", 422, {}, {"detail": [{"loc": ["body", "model"], "msg": "field required"}]},
        errors.InvalidRequestError, openai.UnprocessableEntityError, None, None,
    ),
    ("openai", 404, {}, {"error": "model not here"}, errors.NotFoundError, openai.NotFoundError, None, None),
    (
        "anthropic", 429, {}, {"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}},
        errors.RateLimitError, anthropic.RateLimitError, "RESOURCE_EXHAUSTED", None,
    ),
]  # fmt: skip
RETRYABLE = (errors.ConflictError, errors.RateLimitError, errors.ServerError)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}-{row[6]}")
def test_a_status_error_is_ours_and_the_sdks(face, row):
    provider, status, headers, body, ours, theirs, code, retry_after = row
    headers = {"request-id": "req_9"} | headers if provider == "anthropic" else {"x-request-id": "req_9"} | headers
    with serve(lambda _: Reply.json(body, status, headers)) as server, pytest.raises(errors.ProviderError) as caught:
        face.send(to(provider, server), call(provider))
    error = caught.value
    assert isinstance(error, ours)
    assert type(error).__name__ == ours.__name__
    assert isinstance(error, theirs)
    assert isinstance(error, core.ModelError)
    assert error.is_retryable is issubclass(ours, RETRYABLE)
    assert (error.provider, error.model, error.status, error.code) == (provider, "m", status, code)
    assert (error.status_code, error.request_id, error.retry_after) == (status, "req_9", retry_after)
    assert error.response.status_code == status
    assert error.request.url.path.endswith(call(provider).path)
    assert error.body
    assert str(error).startswith(f"{provider} {status}")
    assert str(error).endswith("(request id req_9)")
    assert KEY not in text_of(error)


def test_the_table_covers_what_can_be_told_apart():
    assert len(TABLE) >= 25
    assert {row[4] for row in TABLE} >= set(BY_STATUS.values()) | {errors.ContextOverflowError}


def test_the_message_reads_well():
    body = claude("rate_limit_error", "This request would exceed your rate limit")
    with (
        serve(lambda _: Reply.json(body, 429, {"request-id": "req_9"})) as server,
        pytest.raises(errors.RateLimitError) as caught,
    ):
        to("anthropic", server).send(call("anthropic"))
    expected = "anthropic 429 rate_limit_error: This request would exceed your rate limit (request id req_9)"
    assert str(caught.value) == expected
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_anthropic_keeps_its_finer_fields():
    details = {"error_code": "enforced_spend_limit_reached"}
    body = claude("billing_error", "limit", details=details)
    with serve(lambda _: Reply.json(body, 402)) as server, pytest.raises(errors.BillingError) as caught:
        to("anthropic", server).send(call("anthropic"))
    assert (caught.value.error_code, caught.value.type) == ("enforced_spend_limit_reached", "billing_error")
    assert caught.value.request_id == "req_body"


def test_a_stream_that_is_refused_raises_at_once(face, provider):
    with serve(lambda _: Reply.json({"error": {"type": "rate_limit_error", "message": "slow"}}, 429, RETRY)) as server:
        got = face.stream(to(provider, server), call(provider))
    assert isinstance(got.error, errors.RateLimitError)
    assert isinstance(got.error, SDKS[provider].RateLimitError)
    assert got.error.retry_after == 7.0


def test_retry_after_as_a_date(provider):
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=100)
    headers = {"retry-after": email.utils.format_datetime(at, usegmt=True)}
    with (
        serve(lambda _: Reply.json({"error": {"message": "slow"}}, 429, headers)) as server,
        pytest.raises(errors.RateLimitError) as caught,
    ):
        to(provider, server).send(call(provider))
    assert 95 < caught.value.retry_after <= 100


def test_retry_after_in_the_past_is_now(provider):
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}
    with (
        serve(lambda _: Reply.json({"error": {"message": "slow"}}, 429, headers)) as server,
        pytest.raises(errors.RateLimitError) as caught,
    ):
        to(provider, server).send(call(provider))
    assert caught.value.retry_after == 0.0


# --- secrets, copies --------------------------------------------------------------------------------------------------


def some_errors(provider):
    """One of each kind, from the network, a status, a stream and an answer."""
    echo = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    replies = [
        Reply.json(echo, 401),
        Reply.json(echo, 200),
        Reply(200, {"content-type": "text/plain"}, KEY.encode()),
        Reply(502, {"content-type": "text/plain"}, KEY.encode()),
        Reply.json({}, cut=True),
        Reply.json({}, wait=1),
    ]
    for reply in replies:
        with serve(lambda _, reply=reply: reply) as server, pytest.raises(errors.UnifiedError) as caught:
            to(provider, server).send(call(provider, timeout=0.1))
        yield caught.value
    yield Sync().stream(to(provider, f"http://127.0.0.1:{closed_port()}"), call(provider)).error
    with serve(lambda _: Reply.sse([echo])) as server:
        yield Sync().stream(to(provider, server), call(provider)).error


def test_no_error_shows_the_key(provider):
    seen = list(some_errors(provider))
    assert len(seen) == 8
    for error in seen:
        for text in (str(error), repr(error), text_of(error), repr(error.args), str(pickle.dumps(error))):
            assert KEY not in text


def test_errors_pickle_and_copy(provider):
    for error in some_errors(provider):
        for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error), copy.copy(error)):
            assert str(twin) == str(error)
            assert type(twin).__name__ == type(error).__name__
            for name in ("provider", "model", "status", "code", "request_id", "retry_after", "is_retryable"):
                assert getattr(twin, name) == getattr(error, name)


def test_both_families_catch_it(provider):
    with serve(lambda _: Reply.json({"error": {"message": "slow"}}, 429)) as server:
        for family in (SDKS[provider].RateLimitError, core.ModelRateLimitError, errors.RateLimitError):
            with pytest.raises(family):
                to(provider, server).send(call(provider))


def test_many_calls_fail_on_their_own(provider):
    def handler(request):
        return Reply.json({"error": {"message": request.json["model"]}}, 400)

    async def run(server):
        target = to(provider, server)
        calls = [HttpCall(call(provider).path, {"model": f"m{n}"}, model=f"m{n}") for n in range(8)]
        return await asyncio.gather(*map(target.asend, calls), return_exceptions=True)

    with serve(handler) as server:
        found = asyncio.run(run(server))
    assert [(error.model, f"m{n}" in str(error)) for n, error in enumerate(found)] == [
        (f"m{n}", True) for n in range(8)
    ]


def test_classify_needs_no_text_where_a_code_exists():
    assert classify(429, ["insufficient_quota"], "") is errors.BillingError


def test_a_per_call_key_is_redacted_too(provider):
    secret = "sk-of-this-call-0123456789"
    with (
        serve(lambda _: Reply.json({"error": {"message": f"bad key {secret}"}}, 401)) as server,
        pytest.raises(errors.AuthenticationError) as caught,
    ):
        to(provider, server).send(call(provider, api_key=SecretStr(secret)))
    assert str(caught.value) == f"{provider} 401: bad key ***"
