"""What stands in a cassette's file, and what never does."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from langchain_unified.testing.cassettes import CassetteFormatError, CassetteSecretError, use_cassette, vcr_config
from langchain_unified.testing.cassettes_format import dump, load, read_body, write_body
from tests.support.server import Received, Reply, serve
from tests.testing.cassette_traffic import (
    DAY,
    KEY,
    MESSAGE,
    PRIVATE,
    client_for,
    create,
    no_sockets,
    post,
    provider,
    record,
)

# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_file_reads_well(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    events = [{"type": "ping"}, {"type": "message_stop", "note": "Grüße 🎉"}]

    def handler(request: Received) -> Reply:
        if request.json.get("stream"):
            return Reply.sse(events)
        return Reply.json({"text": "one\ntwo"}, headers={"request-id": "req_1"})

    record(path, handler, {"model": "claude", "system": "Be kind.\nBe brief."}, {"stream": True})
    assert path.read_text(encoding="utf-8") == (
        """\
format: 1
recorded_from: emulator
recorded_at: '2026-11-20'
interactions:
- request:
    method: POST
    uri: http://127.0.0.1/v1/messages
    headers:
      content-type: application/json
    json:
      model: claude
      system: |-
        Be kind.
        Be brief.
  response:
    status: 200 OK
    headers:
      content-type: application/json
      request-id: req_1
    json:
      text: |-
        one
        two
- request:
    method: POST
    uri: http://127.0.0.1/v1/messages
    headers:
      content-type: application/json
    json:
      stream: true
  response:
    status: 200 OK
    headers:
      content-type: text/event-stream
    events:
    - |
      event: ping
      data: {"type": "ping"}
    - |
      event: message_stop
      data: {"type": "message_stop", "note": "Grüße 🎉"}
"""
    )


def test_only_allowed_headers_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    with serve(provider) as server, use_cassette(path, record="once", recorded_at=DAY):
        create("messages", client_for("messages", server.url, default_headers={"anthropic-beta": "b-1"}))
        create("chat", client_for("chat", server.url, organization="org-0123456789abcdefghij", project="proj_0123456789abcdefghij"))  # fmt: skip  # noqa: E501
    document = yaml.safe_load(path.read_text())
    first, second = document["interactions"]
    assert sorted(first["request"]["headers"]) == ["anthropic-beta", "anthropic-version", "content-type"]
    assert sorted(second["request"]["headers"]) == ["content-type"]
    for exchange in (first, second):
        assert sorted(exchange["response"]["headers"]) == ["content-type", "request-id", "x-request-id"]
    text = path.read_text()
    assert not any(word in text for word in (KEY, "hidden-", "org-0", "proj_0", "ratelimit", "python"))


def test_further_headers_may_be_kept_but_no_secret_ones(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    record(path, provider, {"n": 1}, headers=["X-RateLimit-Remaining-Requests"])
    headers = load(path.read_text())["interactions"][0]["response"]["headers"]
    assert headers["x-ratelimit-remaining-requests"] == "99"
    assert sorted(set(headers) & set(PRIVATE)) == ["x-ratelimit-remaining-requests"]
    with pytest.raises(ValueError, match="authorization, x-api-key"):
        vcr_config(headers=["Authorization", "X-Api-Key"])


def test_compressed_replies_are_stored_as_text(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    packed = gzip.compress(json.dumps(MESSAGE).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    record(path, lambda request: Reply(200, headers, packed), {"n": 1})
    response = load(path.read_text())["interactions"][0]["response"]
    assert response["json"] == MESSAGE
    assert response["headers"] == {"content-type": "application/json"}
    with no_sockets(), use_cassette(path):
        assert post("http://localhost/v1/messages", {"n": 1}).json() == MESSAGE


def test_a_body_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    headers = {"content-type": "application/json", "content-encoding": "x-unknown"}
    with pytest.raises(
        CassetteSecretError, match=r"interactions\[0\].response contains a body with content-encoding 'x-unknown'"
    ):
        record(path, lambda request: Reply(200, headers, b"\x01\x02"), {"n": 1})
    assert not path.exists()


def test_identities_and_tokens_are_scrubbed_from_bodies(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    error = {
        "message": "Limit in organization org-AbCdEfGhIjKlMnOpQrSt for proj_AbCdEfGhIjKlMnOpQr, key sk-proj-****9xYz",
        "organization_id": "0f9e8d7c-1111-2222-3333-444455556666",
    }  # fmt: skip
    mcp = [
        {"type": "mcp", "server_url": "https://me:hunter22@mcp.example/x?token=tok123456&a=hidden-d",
         "headers": {"X-Anything": "hidden-a"}, "authorization": "hidden-b"},
        {"type": "url", "name": "m", "url": "https://mcp.example/sse?k=hidden-e", "authorization_token": "hidden-c"},
    ]  # fmt: skip

    def handler(request: Received) -> Reply:
        return Reply.sse([{"error": error, "tools": mcp}]) if "s" in request.json else Reply.json({"error": error}, 429)

    record(path, handler, {"tools": mcp}, {"s": 1})
    text = path.read_text()
    gone = ("AbCdEf", "9xYz", "0f9e8d7c", "hunter22", "tok123456", "hidden-")
    assert [word for word in gone if word in text] == []
    assert load(text)["interactions"][0]["response"]["json"]["error"] == {
        "message": "Limit in organization [organization] for [project], key [masked key]",
        "organization_id": "[removed]",
    }
    with use_cassette(path, unused="fail"):
        assert post("http://localhost/v1/messages", {"tools": mcp}).status_code == 429
        assert "[organization]" in post("http://localhost/v1/messages", {"s": 1}).text


def test_the_head_says_where_it_was_recorded(tmp_path: Path) -> None:
    def head(**settings: Any) -> str:
        path = tmp_path / "c.yaml"
        answer = httpx2.MockTransport(lambda request: httpx2.Response(200, json={}))
        with use_cassette(path, record="all", recorded_at=DAY, **settings), httpx2.Client(transport=answer) as client:
            client.post("https://user:pw@api.anthropic.com:8443/v1/messages?beta=true", json={})
        document = load(path.read_text())
        assert document["interactions"][0]["request"]["uri"] == "https://api.anthropic.com/v1/messages"
        assert document["recorded_at"] == DAY
        return str(document["recorded_from"])

    assert head() == "live"
    assert head(recorded_from="emulator") == "emulator"


TEXTS = st.one_of(st.text(), st.text(alphabet="\n\r\t a:#-'\"|>{}[]\x85\u2028\u2029\ufeff\0🎉"))
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, JSONS, max_size=4) | st.lists(JSONS))
def test_json_bodies_come_back_equal(value: Any) -> None:
    form = write_body(json.dumps(value).encode(), {"content-type": "application/json"})
    assert set(form) == {"json"}
    assert load(dump(form)) == form
    assert json.loads(read_body(load(dump(form)))) == value


STREAMS = st.text(alphabet="\r\n dataev:{}é\u2028").map(str.encode) | st.lists(
    st.sampled_from([b"data: {}", b"\n\n", b"\r\n\r\n", b"\n", b"event: a", b": ping", b"\xff"])
).map(b"".join)


@given(STREAMS | st.binary(), st.sampled_from(["text/event-stream; charset=utf-8", "text/plain", ""]))
def test_other_bodies_come_back_byte_by_byte(body: bytes, content_type: str) -> None:
    form = write_body(body, {"content-type": content_type})
    if "json" not in form:
        assert read_body(load(dump(form))) == body


@pytest.mark.parametrize(
    "body,form",
    [
        (b"data: 1\n\ndata: 2\n\n", {"events": ["data: 1\n", "data: 2\n"]}),
        (b"data: 1\r\n\r\ndata: 2\r\n\r\n", {"events": ["data: 1\r\n\r\n", "data: 2\r\n\r\n"]}),
        (b'data: 1\n\ndata: {"cut', {"events": ["data: 1\n"], "cut_off": 'data: {"cut'}),
        (b'{"error": 1}', {"events": [], "cut_off": '{"error": 1}'}),
        (b"data: \xff\n\n", {"binary": b"data: \xff\n\n"}),
    ],
)
def test_streams_are_stored_by_event(body: bytes, form: dict[str, Any]) -> None:
    assert write_body(body, {"content-type": "text/event-stream"}) == form


@pytest.mark.parametrize("body", [b'{"a": NaN}', b'{"a": "\\ud800"}', b"12", b"<html>"])
def test_what_is_no_plain_json_object_stays_text(body: bytes) -> None:
    assert write_body(body, {"content-type": "application/json"}) == {"text": body.decode()}


def test_vcrpy_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        """\
interactions:
- request:
    body: '{"n":1}'
    headers: {Content-Type: [application/json], X-Api-Key: [x]}
    method: POST
    uri: https://api.anthropic.com/v1/messages?beta=true
  response:
    body: {string: '{"ok":true}'}
    headers: {Content-Type: [application/json]}
    status: {code: 200, message: OK}
version: 1
"""
    )
    with no_sockets(), use_cassette(path, unused="fail"):
        assert post("https://api.anthropic.com/v1/messages", {"n": 1}).json() == {"ok": True}


# Ten references to ten references and so on: 10 ** 30 values in a kilobyte.
LEVELS = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 30)]
ALIAS_BOMB = "\n".join(["l0: &l0 x", *LEVELS, "interactions: *l29"])


@pytest.mark.parametrize(
    "text,why",
    [
        ("interactions: [", "not YAML"),
        ("- a", "not a cassette"),
        ("format: 2\ninteractions: []", "the cassette format 2 is not known"),
        ("format: 1\ninteractions: [{}]", "request"),
        (ALIAS_BOMB, "references"),
        ("interactions: &a [*a]", "contains itself"),
        ("interactions: " + "[" * 5000 + "]" * 5000, "nest"),
    ],
    ids=["no YAML", "a list", "format", "no request", "alias bomb", "cycle", "deep"],
)
def test_a_broken_file_is_named(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(CassetteFormatError, match=why) as caught, use_cassette(path):
        pass
    assert str(path) in str(caught.value)


# --- secrets ----------------------------------------------------------------------------------------------------------

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
SECRETS = [
    (KEY, "an Anthropic key"),
    ("sk-proj-abcDEF123456", "an OpenAI key"),
    ("sk-abcDEF1234567890abcDEF", "an OpenAI key"),
    ("Bearer abc123def456", "a Bearer token"),
    ("bearer canary-without-any-digit", "a Bearer token"),
    ("Basic dXNlcjpwYXNzd29yZA==", "Basic credentials"),
    (JWT, "a JWT"),
    ("AKIAIOSFODNN7EXAMPLE", "an AWS key id"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "an AWS secret key"),
    ("lsv2_pt_0123456789abcdef_0123", "a LangSmith key"),
    ("ghp_0123456789abcdefghijABCDEFGHIJ", "a GitHub token"),
    ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
    ("purple-elephant", "canary 1"),
]


@pytest.mark.parametrize("secret,kind", SECRETS)
def test_a_secret_is_never_written(secret: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("interactions: []")
    body = {"messages": [{"role": "user", "content": f"my key: {secret}."}]}
    with pytest.raises(CassetteSecretError) as caught:
        record(path, provider, body, canaries=["purple-elephant"])
    assert str(caught.value).startswith(
        f"{path} was not written: interactions[0].request.json.messages[0].content contains {kind}."
    )
    assert (caught.value.file, caught.value.secret) == (str(path), kind)
    assert secret not in str(caught.value) + repr(caught.value)
    assert path.read_text() == "interactions: []"


@pytest.mark.parametrize(
    "reply,place",
    [
        (Reply.json({"text": f"a {KEY}"}), "response.json.text"),
        (Reply.json({KEY: 1}), "response.json"),
        (Reply.sse([{"n": 1}, {"delta": KEY}]), "response.events[1]"),
        (Reply(200, {"content-type": "text/html"}, KEY.encode()), "response.text"),
        (Reply(200, {"content-type": "audio/mp3"}, b"\xff\xfe" + KEY.encode()), "response.binary"),
        (Reply.json({}, headers={"request-id": KEY}), "response.headers.request-id"),
    ],
)
def test_a_secret_is_found_wherever_it_stands(reply: Reply, place: str, tmp_path: Path) -> None:
    with pytest.raises(CassetteSecretError) as caught:
        record(tmp_path / "c.yaml", lambda request: reply, {"n": 1})
    assert caught.value.place == f"interactions[0].{place}"
    assert not (tmp_path / "c.yaml").exists()


def test_keys_of_the_environment_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "plain-looking-value")
    monkeypatch.setenv("MY_GATEWAY_API_KEY", "short")
    record(tmp_path / "fine.yaml", provider, {"text": "short"})
    with pytest.raises(CassetteSecretError, match=r"request.json.text contains the value of \$ANTHROPIC_API_KEY\."):
        record(tmp_path / "c.yaml", provider, {"text": "it is plain-looking-value!"})


@pytest.mark.parametrize(
    "text",
    ["the bearer responsibilities of", "risk-assessment-and-mitigation", "Basic understanding of tokens", "org-chart",
     "task-0123456789abcdef0123", "Eqsk-" + "A1b2" * 40, "AKIA", "sk-...", "eyJ.eyJ."],
)  # fmt: skip
def test_ordinary_text_is_no_secret(text: str, tmp_path: Path) -> None:
    record(tmp_path / "c.yaml", provider, {"text": text})
    assert text in (tmp_path / "c.yaml").read_text()


def test_a_refusal_leaves_no_client_patched(tmp_path: Path) -> None:
    before = httpx2.HTTPTransport.handle_request, httpx2.AsyncHTTPTransport.handle_async_request
    with pytest.raises(CassetteSecretError):
        record(tmp_path / "c.yaml", provider, {"text": KEY})
    assert (httpx2.HTTPTransport.handle_request, httpx2.AsyncHTTPTransport.handle_async_request) == before
