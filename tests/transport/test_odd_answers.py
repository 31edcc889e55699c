from __future__ import annotations

import anthropic
import openai
import pytest

from langchain_unified import errors
from tests.support.server import Reply, serve
from tests.transport.faces import KEY, call, closed_port, text_of, to

SDKS = {"anthropic": anthropic, "openai": openai}


# --- answers of another kind ------------------------------------------------------------------------------------------

PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title><style>body {color: red}</style></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>"
    + b"<!-- pad -->"
    * 99
)


def test_a_proxys_error_page_is_a_server_error(face, provider):
    with (
        serve(lambda _: Reply(502, {"content-type": "text/html; charset=utf-8"}, PAGE)) as server,
        pytest.raises(errors.ServerError) as caught,
    ):
        face.send(to(provider, server), call(provider))
    assert isinstance(caught.value, SDKS[provider].InternalServerError)
    assert str(caught.value) == (
        f"{provider} 502: the answer is not a JSON object (text/html): '502 Bad Gateway 502 Bad Gateway nginx'"
    )
    assert "<center>" not in text_of(caught.value)


@pytest.mark.parametrize(
    "reply,words",
    [
        (Reply(200, {"content-type": "text/html"}, PAGE), "(text/html): '502 Bad Gateway 502 Bad Gateway nginx'"),
        (Reply(200, {"content-type": "application/json"}, b""), "(application/json): nothing"),
        (Reply(200, {}, b""), "(no content type): nothing"),
        (Reply(200, {"content-type": "application/json"}, b'{"id": "msg_1", "cont'), """'{"id": "msg_1", "cont'"""),
        (Reply.json([1, 2]), "(application/json): '[1, 2]'"),
        (Reply.json("hello"), "'\"hello\"'"),
        (Reply.json(None), "'null'"),
        (Reply(200, {"content-type": "text/plain"}, b"x" * 500), "(text/plain): '" + "x" * 80 + "…'"),
    ],
)
def test_an_answer_that_is_no_json_object_is_a_reply_error(face, provider, reply, words):
    with serve(lambda _: reply) as server, pytest.raises(errors.ReplyError) as caught:
        face.send(to(provider, server), call(provider))
    assert words in str(caught.value)
    assert "Check base_url" in str(caught.value)
    assert isinstance(caught.value, SDKS[provider].APIResponseValidationError)
    assert caught.value.status == 200
    assert caught.value.is_retryable


@pytest.mark.parametrize(
    "payload,ours",
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, errors.OverloadedError),
        ({"error": {"code": "insufficient_quota", "message": "pay"}}, errors.BillingError),
        ({"error": {"code": 401, "message": "who?"}}, errors.AuthenticationError),
        ({"id": "r", "status": "failed", "error": {"code": "server_error", "message": "x"}}, errors.ServerError),
    ],
)
def test_an_error_in_an_answer_of_status_200(face, provider, payload, ours):
    with serve(lambda _: Reply.json(payload)) as server, pytest.raises(errors.ProviderError) as caught:
        face.send(to(provider, server), call(provider))
    assert isinstance(caught.value, ours)
    assert isinstance(caught.value, SDKS[provider].APIError)
    assert caught.value.status == 200


def test_numbers_that_strict_json_does_not_have_are_read(face, provider):
    with serve(lambda _: Reply(200, {"content-type": "application/json"}, b'{"logprob": -Infinity}')) as server:
        assert face.send(to(provider, server), call(provider)).data == {"logprob": float("-inf")}


def test_integers_of_any_size_are_sent(face, provider):
    with serve(lambda _: Reply.json({"ok": 1})) as server:
        face.send(to(provider, server), call(provider, body={"n": 2**70, "s": "é"}))
    assert server.requests[0].json == {"n": 2**70, "s": "é"}


def test_a_body_that_json_cannot_carry_is_refused_here(face, provider):
    with serve(lambda _: Reply.json({})) as server, pytest.raises(errors.RequestError, match="JSON cannot carry"):
        face.send(to(provider, server), call(provider, body={"x": object()}))
    assert server.requests == []


# --- the network ------------------------------------------------------------------------------------------------------


def test_nobody_listens(face, provider):
    with pytest.raises(errors.ConnectionFailedError) as caught:
        face.send(to(provider, f"http://127.0.0.1:{closed_port()}"), call(provider))
    error = caught.value
    assert isinstance(error, SDKS[provider].APIConnectionError)
    assert not isinstance(error, SDKS[provider].APITimeoutError)
    assert "failed (ConnectError" in str(error)
    assert (error.status, error.provider, error.model, error.is_retryable) == (None, provider, "m", True)
    assert error.request.url.host == "127.0.0.1"
    assert KEY not in text_of(error)


def test_nothing_comes_in_time(face, provider):
    with serve(lambda _: Reply.json({}, wait=3)) as server, pytest.raises(errors.RequestTimeoutError) as caught:
        face.send(to(provider, server), call(provider, timeout=0.15))
    assert isinstance(caught.value, SDKS[provider].APITimeoutError)
    path = "/v1" * (provider == "openai") + call(provider).path
    expected = f"{provider}: nothing came within 0.15 s (read timeout) from {server.url}{path}"
    assert str(caught.value) == expected
    assert caught.value.is_retryable


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_cut_in_the_middle(face, provider, chunked):
    body = [b'{"id": "msg'] if chunked else b'{"id": "msg'
    with (
        serve(lambda _: Reply(200, {"content-type": "application/json"}, body, cut=True)) as server,
        pytest.raises(errors.ConnectionFailedError) as caught,
    ):
        face.send(to(provider, server), call(provider))
    assert isinstance(caught.value, SDKS[provider].APIConnectionError)
    assert "peer closed connection" in str(caught.value)


def test_the_sdk_retries_before_the_first_byte(face, provider):
    def handler(request):
        if len(server.requests) < 3:
            return Reply.json({"error": {"message": "busy"}}, 503, {"retry-after-ms": "5"})
        return Reply.json({"ok": len(server.requests)})

    with serve(handler) as server:
        assert face.send(to(provider, server, max_retries=None), call(provider)).data == {"ok": 3}
    counts = [request.headers["x-stainless-retry-count"] for request in server.requests]
    assert counts == ["0", "1", "2"]


def test_retries_per_call(face, provider):
    with (
        serve(lambda _: Reply.json({"error": {"message": "x"}}, 503, {"retry-after-ms": "5"})) as server,
        pytest.raises(errors.ServerError),
    ):
        face.send(to(provider, server, max_retries=5), call(provider, max_retries=1))
    assert len(server.requests) == 2


def test_timeouts_of_every_kind_reach_the_request(provider):
    httpx = pytest.importorskip("httpx")
    with serve(lambda _: Reply.json({})) as server:
        target = to(provider, server, timeout=8.0)
        objects = [(SDKS[provider].Timeout(7, connect=2), 7), (httpx.Timeout(9, connect=2), 9)]
        for timeout, expected in [(3.0, 3), ((1.0, 4.0), 4), *objects]:
            target.send(call(provider, timeout=timeout))
            assert float(server.requests[-1].headers["x-stainless-read-timeout"]) == expected
        target.send(call(provider))
        assert float(server.requests[-1].headers["x-stainless-read-timeout"]) == 8
        to(provider, server, timeout=None).send(call(provider))
        assert float(server.requests[-1].headers["x-stainless-read-timeout"]) == 600
