from __future__ import annotations

import asyncio
import copy
import pickle

import pytest
from langchain_core import exceptions as core
from pydantic import SecretStr

from langchain_unified import errors
from langchain_unified.transport import TransportConfig
from tests.support.server import Reply, serve
from tests.transport.faces import KEY, call, config, text_of, to

VARIABLE = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}


def sent(server):
    return [request.headers.get("authorization") for request in server.requests]


@pytest.fixture
def server():
    with serve(lambda request: Reply.sse([]) if request.json.get("stream") else Reply.json({"ok": 1})) as server:
        yield server


def test_the_key_of_the_configuration(face, provider, server):
    face.send(to(provider, server), call(provider))
    face.stream(to(provider, server), call(provider))
    assert sent(server) == [f"Bearer {KEY}"] * 2


def test_the_key_of_the_environment(face, provider, server, monkeypatch):
    for key in ("first-key", "second-key"):
        monkeypatch.setenv(VARIABLE[provider], key)
        face.send(to(provider, server, api_key=None), call(provider))
    assert sent(server) == ["Bearer first-key", "Bearer second-key"]


def test_the_auth_token_of_the_environment(face, server, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-1")
    face.send(to("anthropic", server, api_key=None), call("anthropic"))
    assert sent(server) == ["Bearer token-1"]


@pytest.mark.parametrize("key", [None, SecretStr("")])
def test_no_key_anywhere(face, provider, server, key):
    target = to(provider, server, api_key=key)
    with pytest.raises(errors.MissingKeyError) as caught:
        face.send(target, call(provider))
    assert str(caught.value) == f"{provider}: no API key. Set {VARIABLE[provider]}, or pass api_key= to the model."
    assert isinstance(caught.value, core.ModelAuthenticationError)
    assert isinstance(face.stream(target, call(provider)).error, errors.MissingKeyError)
    assert server.requests == []


def test_a_missing_profile_is_told(face, server, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_PROFILE", "nobody")
    with pytest.raises(errors.MissingKeyError, match=r"nobody.* Or set ANTHROPIC_API_KEY, or pass api_key="):
        face.send(to("anthropic", server, api_key=None), call("anthropic"))


def test_an_authorization_header_is_key_enough(face, provider, server):
    headers = (("Authorization", "Basic abc"),)
    face.send(to(provider, server, api_key=None, default_headers=headers), call(provider))
    assert sent(server) == ["Basic abc"]


# --- keys that change -------------------------------------------------------------------------------------------------


def test_a_function_is_asked_at_every_call(face, provider, server):
    keys = iter(["key-1", "key-2", "key-3"])
    target = to(provider, server, api_key=lambda: next(keys))
    face.send(target, call(provider))
    face.send(target, call(provider))
    face.stream(target, call(provider))
    assert sent(server) == ["Bearer key-1", "Bearer key-2", "Bearer key-3"]


def test_an_async_function_is_awaited(provider, server):
    async def key():
        await asyncio.sleep(0)
        return "async-key"

    asyncio.run(to(provider, server, api_key=key).asend(call(provider)))
    assert sent(server) == ["Bearer async-key"]


def test_an_async_function_on_a_sync_call_is_told(provider, server, recwarn):
    async def key():
        return "async-key"

    for act in (to(provider, server, api_key=key).send, to(provider, server, api_key=key).stream):
        with pytest.raises(errors.ConfigurationError, match="api_key is an async function, and this is a sync call"):
            act(call(provider))
    assert not [warning for warning in recwarn if "never awaited" in str(warning.message)]
    assert server.requests == []


@pytest.mark.parametrize(
    "given,expected",
    [(None, errors.MissingKeyError), ("", errors.MissingKeyError), (7, errors.ConfigurationError)],
)
def test_a_function_that_gives_no_key(face, provider, server, given, expected):
    with pytest.raises(expected):
        face.send(to(provider, server, api_key=lambda: given), call(provider))


def test_what_a_function_raises_comes_out(face, provider, server):
    def key():
        raise LookupError("vault is sealed")

    with pytest.raises(LookupError, match="vault is sealed"):
        face.send(to(provider, server, api_key=key), call(provider))


def test_a_key_per_call_shares_the_connection(provider, server):
    target = to(provider, server)
    target.send(call(provider, api_key=SecretStr("tenant-a")))
    target.send(call(provider))
    target.send(call(provider, api_key=SecretStr("tenant-b")))
    assert sent(server) == ["Bearer tenant-a", f"Bearer {KEY}", "Bearer tenant-b"]
    assert server.connections == 1


def test_a_key_per_call_needs_no_other(face, provider, server):
    face.send(to(provider, server, api_key=None), call(provider, api_key=SecretStr("tenant-a")))
    assert sent(server) == ["Bearer tenant-a"]


def test_an_empty_key_per_call_does_not_fall_back(face, provider, server, monkeypatch):
    monkeypatch.setenv(VARIABLE[provider], "the-operators")
    with pytest.raises(errors.MissingKeyError, match="empty"):
        face.send(to(provider, server), call(provider, api_key=SecretStr("")))
    assert server.requests == []


@pytest.mark.parametrize("name", ["authorization", "Authorization", "X-Api-Key"])
def test_a_key_per_call_wins_over_default_headers(face, provider, server, name):
    target = to(provider, server, default_headers=((name, "of-the-operator"),))
    face.send(target, call(provider, api_key=SecretStr("tenant-a")))
    assert sent(server) == ["Bearer tenant-a"]
    assert "of-the-operator" not in str(server.requests[0].headers)


def test_two_tenants_at_once(provider, server):
    async def run():
        target = to(provider, server)
        calls = [call(provider, api_key=SecretStr(f"tenant-{n % 2}"), body={"who": n % 2}) for n in range(20)]
        await asyncio.gather(*map(target.asend, calls))

    asyncio.run(run())
    assert len(server.requests) == 20
    assert all(
        request.headers["authorization"] == f"Bearer tenant-{request.json['who']}" for request in server.requests
    )


@pytest.mark.parametrize("bad", ["sk-secret\n", "sk secret", "sk-sëcret", "sk-\x00secret"])
def test_a_key_that_no_header_can_carry(face, provider, server, bad):
    for options, more in (({"api_key": SecretStr(bad)}, {}), ({}, {"api_key": SecretStr(bad)})):
        with pytest.raises(errors.ConfigurationError) as caught:
            face.send(to(provider, server, **options), call(provider, **more))
        assert "secret" not in text_of(caught.value).replace("SecretStr", "")
    assert server.requests == []


def test_a_key_of_the_environment_that_no_header_can_carry(face, provider, server, monkeypatch):
    monkeypatch.setenv(VARIABLE[provider], "sk-hush-hush\nx")
    with pytest.raises(errors.ConfigurationError) as caught:
        face.send(to(provider, server, api_key=None), call(provider))
    assert "hush" not in text_of(caught.value)


# --- secrets ----------------------------------------------------------------------------------------------------------


def secretive(server):
    return config(
        "openai",
        server,
        default_headers=(("Authorization", f"Bearer {KEY}"),),
        proxy=f"http://me:{KEY}@proxy",
    )


def test_no_repr_shows_a_secret(server):
    texts = [repr(secretive(server)), str(secretive(server))]
    texts.append(repr(call("openai", api_key=SecretStr(KEY), headers={"x-api-key": KEY}, body={"k": KEY})))
    for text in texts:
        assert KEY not in text


def test_a_bare_string_is_wrapped():
    given = TransportConfig(provider="openai", api_key=KEY)  # type: ignore[arg-type]
    assert given.api_key == SecretStr(KEY)
    assert KEY not in repr(given)


def test_a_configuration_pickles_and_copies(server):
    given = secretive(server)
    assert pickle.loads(pickle.dumps(given)) == given
    assert copy.deepcopy(given) == given
    assert hash(given) == hash(copy.deepcopy(given))


def test_debug_logs_show_no_key(face, provider, server, caplog):
    caplog.set_level("DEBUG")
    face.send(to(provider, server), call(provider, api_key=SecretStr("tenant-secret-key")))
    assert caplog.records
    assert "tenant-secret-key" not in caplog.text
    assert KEY not in caplog.text
