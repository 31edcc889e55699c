"""Values with which no model can be built: the error names the argument and the remedy, and shows no secret."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, ConfigurationError
from langchain_unified.transport.pools import http_timeout

MODELS = {
    "anthropic": (ChatAnthropic, "claude-opus-5"),
    "openai": (ChatOpenAI, "gpt-4o"),
    "unified": (ChatUnified, "openai/gpt-4o"),
}


def fails(name: str, **fields: Any) -> str:
    kind, model = MODELS[name]
    with pytest.raises(ConfigurationError) as caught:
        kind(model, **{"api_key": "k", **fields})
    return str(caught.value)


# --- addresses --------------------------------------------------------------------------------------------------------

WITHOUT_SCHEME = {
    "api.groq.com/openai/v1": "Write base_url='https://api.groq.com/openai/v1'.",
    "localhost:11434/v1": "Write base_url='http://localhost:11434/v1'.",
    "127.0.0.1:8000/v1": "Write base_url='http://127.0.0.1:8000/v1'.",
    "https//example.com/v1": "Write base_url='https://example.com/v1'.",
    "http:/example.com/v1": "Write base_url='https://example.com/v1'.",
    "https:example.com/v1": "Write base_url='https://example.com/v1'.",
    "/v1": "Write https:// before the host.",
    "user:canary@host/v1": "Write https:// before the host.",
    "host/v1?key=canary": "Write https:// before the host.",
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("url", WITHOUT_SCHEME)
def test_an_address_without_a_scheme(name: str, url: str) -> None:
    message = fails(name, base_url=url)
    assert WITHOUT_SCHEME[url] in message
    assert "canary" not in message


TWICE = {
    ("openai", "http://h:1/v1/v1"): "'http://h:1/v1'",
    ("openai", "http://h:1/v1/v1/chat/completions"): "'http://h:1/v1'",
    ("openai", "http://jo:canary@h/x/v1/v1/"): "'http://h/x/v1'",
    ("anthropic", "http://h:1/v1/v1"): "'http://h:1'",
    ("anthropic", "http://h:1/v1/v1/messages"): "'http://h:1'",
    ("unified", "http://h:1/v1/v1"): "'http://h:1/v1'",
}


@pytest.mark.parametrize("name, url", TWICE)
def test_a_path_with_v1_twice(name: str, url: str) -> None:
    assert fails(name, base_url=url) == f"base_url has /v1 twice. Write base_url={TWICE[name, url]}."


WITHOUT_PATH = {
    ("openai", "https://api.openai.com/"): "https://api.openai.com/v1",
    ("openai", "https://openrouter.ai"): "https://openrouter.ai/api/v1",
    ("openai", "https://api.groq.com"): "https://api.groq.com/openai/v1",
    ("anthropic", "https://openrouter.ai"): "https://openrouter.ai/api",
    ("unified", "https://api.openai.com"): "https://api.openai.com/v1",
}


@pytest.mark.parametrize("name, url", WITHOUT_PATH)
def test_a_known_server_without_its_path(name: str, url: str) -> None:
    assert fails(name, base_url=url).endswith(f"the API of this server is at {WITHOUT_PATH[name, url]}.")


@pytest.mark.parametrize(
    "name, url",
    [
        ("openai", "http://localhost:8000"),
        ("openai", "https://api.deepseek.com"),
        ("openai", "https://gateway.ai.cloudflare.com/v1/account/gateway/openai"),
        ("openai", "https://example.com/v1/openai/v1"),
        ("anthropic", "https://api.anthropic.com/v1"),
        ("anthropic", "https://api.anthropic.com"),
        ("anthropic", "http://localhost:11434"),
    ],
)
def test_other_paths_stay(name: str, url: str) -> None:
    kind, model = MODELS[name]
    kind(model, api_key="k", base_url=url)


def test_a_dialect_says_what_answers_at_a_path() -> None:
    ChatOpenAI("m", api_key="k", base_url="http://h/v1/v1", dialect="vllm")
    ChatOpenAI("m", api_key="k", base_url="https://api.groq.com", dialect="generic")


# --- other values -----------------------------------------------------------------------------------------------------

VALUES: list[tuple[dict[str, Any], str]] = [
    ({"api_key": 5}, "api_key: it takes a string, or a function that returns one, not an int"),
    ({"stop": 5}, "it takes a string or a list of strings, not an int"),
    ({"stop": [5]}, "it takes a string or a list of strings"),
    ({"timeout": "long"}, "(connect, read) in seconds, or an SDK's Timeout, not 'long'"),
    ({"timeout": (1,)}, "not (1,)"),
    ({"timeout": (1, 2, 3, 4, 5)}, "not (1, 2, 3, 4, 5)"),
    ({"timeout": (1, -2)}, "not (1, -2)"),
    ({"timeout": float("nan")}, "not nan"),
    ({"timeout": True}, "not True"),
    ({"timeout": {"connect": 1}}, "not {'connect': 1}"),
    ({"output_version": "v9"}, "output_version: it takes v0, v1, responses/v1 or None, not 'v9'"),
    ({"max_retries": -1}, "max_retries: Input should be greater than or equal to 0"),
    ({"http_client": 5}, "http_client: it takes an httpx2.Client, not an int"),
    ({"http_async_client": "x"}, "http_async_client: it takes an httpx2.AsyncClient, not a str"),
    ({"client": 5}, "client: it takes a client of the provider's SDK, not an int"),
    ({"async_client": {}}, "async_client: it takes a client of the provider's SDK, not a dict"),
    ({"default_headers": {"x": "canary\r\ny: z"}}, "control character in the value of 'x'"),
    ({"extra_headers": {"a b": "canary"}}, "extra_headers: it holds a name that no header can have"),
    ({"callbacks": 5}, "callbacks: it takes a list of callback handlers, or a callback manager, not an int"),
    ({"dialect": 5}, "dialect: it takes the name of a server"),
    ({"temperature": "hot"}, "temperature: Input should be a valid number"),
]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("fields, words", VALUES, ids=lambda value: str(value)[:40])
def test_a_value_of_another_kind(name: str, fields: dict[str, Any], words: str) -> None:
    message = fails(name, **fields)
    assert words in message
    assert "canary" not in message
    assert "function-after" not in message


def test_clients_in_the_other_ones_place() -> None:
    assert "pass this one as http_async_client" in fails("openai", http_client=httpx2.AsyncClient())
    assert "pass this one as http_client" in fails("openai", http_async_client=httpx2.Client())
    assert "pass the AsyncOpenAI as async_client" in fails("openai", client=openai.AsyncOpenAI(api_key="k"))
    assert "pass the OpenAI as client" in fails("openai", async_client=openai.OpenAI(api_key="k"))


def test_a_client_of_the_older_httpx() -> None:
    older = type("Client", (), {"__module__": "httpx._client"})()
    assert "the SDKs send with httpx2, whose clients take the same arguments" in fails("openai", http_client=older)


@pytest.mark.parametrize(
    "given, expected",
    [
        (5, {"connect": 5, "read": 5, "write": 5, "pool": 5}),
        ("60", {"connect": 60, "read": 60, "write": 60, "pool": 60}),
        ((1, 2), {"connect": 1, "read": 2, "write": 2, "pool": 2}),
        ([1, None], {"connect": 1, "read": None, "write": None, "pool": None}),
        ((1, 2, 3), {"connect": 1, "read": 2, "write": 3, "pool": 2}),
        ((1, 2, 3, 4), {"connect": 1, "read": 2, "write": 3, "pool": 4}),
        (httpx2.Timeout(7), {"connect": 7, "read": 7, "write": 7, "pool": 7}),
    ],
    ids=str,
)
def test_forms_of_a_timeout(given: Any, expected: dict[str, Any]) -> None:
    model = ChatOpenAI("gpt-4o", api_key="k", timeout=given)
    timeout = http_timeout(model._connection("openai").timeout)
    assert timeout is not None
    assert timeout.as_dict() == expected
