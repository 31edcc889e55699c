"""The table of error bodies, whole and inside a stream, on both providers' transports."""

from __future__ import annotations

import pickle

import httpx2
import orjson
import pytest

from langchain_unified import errors
from langchain_unified.transport import Transport
from langchain_unified.transport.config import TransportConfig
from tests.transport.error_bodies import ROWS, Row
from tests.transport.faces import KEY, Async, Sync, call

RETRYABLE = (errors.ConflictError, errors.RateLimitError, errors.ServerError)
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)


BASE_PATHS = {"anthropic": "", "openai": "/v1"}
"""The path of a base URL; the rest is the call's."""


def to(provider: str, response: httpx2.Response, user_info: str = "user:pass-word-1@") -> Transport:
    network = httpx2.MockTransport(lambda request: response)
    return Transport(
        TransportConfig(
            provider=provider,
            base_url=f"http://{user_info}server.test{BASE_PATHS[provider]}",
            default_query=(("token", "query-secret"),),
            api_key=KEY,
            max_retries=0,
            http_client=httpx2.Client(transport=network),
            http_async_client=httpx2.AsyncClient(transport=network),
        )
    )


def json_response(row: Row) -> httpx2.Response:
    return httpx2.Response(row.status or 200, json=row.body, headers={"request-id": "r1", "x-request-id": "r1"})


def event_stream(row: Row) -> httpx2.Response:
    data = b"data: " + orjson.dumps(row.body) + b"\n\n"
    return httpx2.Response(200, content=data, headers={"content-type": "text/event-stream"})


def check(error: BaseException | None, row: Row) -> None:
    assert type(error).__name__ == row.expected.__name__, error
    assert isinstance(error, row.expected)
    assert error.is_retryable is issubclass(row.expected, RETRYABLE)
    for text in (str(error), repr(error), str(error.address)):
        assert not any(secret in text for secret in (KEY, "pass-word-1", "query-secret"))
    assert error.address == f"http://server.test{BASE_PATHS[row.provider]}{call(row.provider).path}"
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin).__name__, str(twin), twin.address) == (type(error).__name__, str(error), error.address)


def test_the_table_is_long_enough():
    assert len(ROWS) >= 120
    assert len({row.source for row in ROWS}) >= 15


@each_row
@pytest.mark.parametrize("face", [Sync(), Async()], ids=["sync", "async"])
def test_a_whole_body(face, row: Row):
    with pytest.raises(errors.ProviderError) as caught:
        face.send(to(row.provider, json_response(row)), call(row.provider))
    check(caught.value, row)
    assert (caught.value.status, caught.value.request_id) == (row.status or 200, "r1")


@pytest.mark.parametrize("row", [row for row in ROWS if row.status is None], ids=lambda row: row.id)
@pytest.mark.parametrize("face", [Sync(), Async()], ids=["sync", "async"])
def test_in_a_stream(face, row: Row):
    got = face.stream(to(row.provider, event_stream(row)), call(row.provider))
    assert got.events == []
    check(got.error, row)


@pytest.mark.parametrize(
    "data,words",
    [
        (b'event: error\ndata: {"code": 503, "message": "upstream is gone"}\n\n', "upstream is gone"),
        (b"event: error\ndata: upstream is gone\n\n", "upstream is gone"),
        (b'data: {"message": "upstream is gone", "code": "x"}\nevent: error\n\n', "upstream is gone"),
        (b'event: error\r\ndata: "upstream is gone"\r\n\r\n', "upstream is gone"),
    ],
)
@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_an_event_that_only_its_name_makes_an_error(provider, data, words):
    response = httpx2.Response(200, content=data, headers={"content-type": "text/event-stream"})
    got = Sync().stream(to(provider, response), call(provider))
    assert isinstance(got.error, errors.ServerError)
    assert words in str(got.error)


@pytest.mark.parametrize(
    "url,words",
    [
        ("http://server.test/v1/v1/messages", "base_url ends in /v1"),
        ("http://server.test/v1/messages", "Check the model's name"),
    ],
)
def test_a_404_says_what_was_asked_and_what_may_be_wrong(url, words):
    row = Row("docs", "anthropic", 404, {"type": "error", "error": {"type": "not_found_error"}}, errors.NotFoundError)
    target = to("anthropic", json_response(row))
    path = url.removeprefix("http://server.test")
    with pytest.raises(errors.NotFoundError) as caught:
        target.send(call("anthropic", path=path))
    assert f"The call went to {url}." in str(caught.value)
    assert words in str(caught.value)


def test_what_a_server_repeats_of_the_request_is_no_part_of_the_error(provider):
    for user_info, secret in (("", KEY), ("user:pass-word-1@", "pass-word-1"), ("", "query-secret")):
        echo = {"error": {"message": f"bad key {secret}", "headers": {"authorization": secret}}}
        with pytest.raises(errors.AuthenticationError) as caught:
            to(provider, httpx2.Response(401, json=echo), user_info).send(call(provider))
        error = caught.value
        for text in (str(error), repr(error.body), error.response.text, str(error.args)):
            assert secret not in text


def test_the_wait_may_stand_in_the_body(provider):
    body = {"error": {"code": 429, "message": "slow", "retry_after": 12}}
    with pytest.raises(errors.RateLimitError) as caught:
        to(provider, httpx2.Response(200, json=body)).send(call(provider))
    assert caught.value.retry_after == 12.0
