"""Base URLs as users paste them: with what the SDK adds itself."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.errors import ConfigurationError
from langchain_unified.transport import TransportConfig
from tests.support.replies import answer
from tests.support.server import serve


@pytest.mark.parametrize(
    "provider, given, used",
    [
        ("anthropic", "https://x.y", "https://x.y"),
        ("anthropic", "https://x.y/v1", "https://x.y"),
        ("anthropic", "https://x.y/v1/", "https://x.y"),
        ("anthropic", "https://x.y/a/v1/messages", "https://x.y/a"),
        ("anthropic", "https://x.y/v1/messages/count_tokens/", "https://x.y"),
        ("anthropic", "https://x.y/v1/anthropic", "https://x.y/v1/anthropic"),
        ("anthropic", "https://x.y/v10", "https://x.y/v10"),
        ("openai", "https://x.y/v1", "https://x.y/v1"),
        ("openai", "https://x.y/v1/chat/completions", "https://x.y/v1"),
        ("openai", "https://x.y/a/v1/responses/", "https://x.y/a/v1"),
        ("openai", "https://x.y/responses", "https://x.y/responses"),
    ],
)
def test_what_the_sdk_adds_is_left_out(provider: Any, given: str, used: str) -> None:
    assert TransportConfig(provider, given).base_url == used


def test_a_query_of_the_address_is_kept() -> None:
    config = TransportConfig("anthropic", "https://x.y/v1/messages?tenant=a")
    assert (config.base_url, config.default_query) == ("https://x.y", (("tenant", "a"),))


@pytest.mark.parametrize("end", ["", "/v1", "/v1/", "/v1/messages"])
@pytest.mark.parametrize("kind", [ChatAnthropic, ChatUnified])
def test_calls_to_anthropic_go_to_one_address(kind: Any, end: str) -> None:
    with serve(answer) as server:
        model = kind("claude-opus-5", base_url=server.url + end, api_key="any", max_retries=0)
        assert model.invoke("hi").text == "hello"
        assert [request.path for request in server.requests] == ["/v1/messages"]


@pytest.mark.parametrize("end", ["/v1", "/v1/chat/completions"])
def test_calls_to_openai_go_to_one_address(end: str) -> None:
    with serve(answer) as server:
        model = ChatOpenAI("gpt-4o", base_url=server.url + end, api_key="any", max_retries=0)
        assert model.invoke("hi").text == "hello"
        assert [request.path for request in server.requests] == ["/v1/chat/completions"]


@pytest.mark.parametrize("build", [ChatAnthropic, ChatOpenAI, ChatUnified])
@pytest.mark.parametrize(
    "url,words",
    [
        ("http://h:99999", "port"),
        ("http://h:abc", "port"),
        ("http://h:0/v1", "port"),
        ("http://[::1", "host"),
        (f"http://{'a' * 300}.com", "host"),
        ("http://", "host"),
        ("http://a\nb", "control character"),
        ("http://h\x00/", "control character"),
        ("http://exa mple.com", "space"),
        ("ftp://h/v1", "http"),
        ("https://user:pass-word-1@h:abc", "port"),
    ],
)
def test_what_is_no_address_is_refused_when_the_model_is_built(build: Any, url: str, words: str) -> None:
    model = "openai/gpt-4o" if build is ChatUnified else "gpt-4o"
    with pytest.raises(ConfigurationError, match=words) as caught:
        build(model=model, api_key="k", base_url=url)
    assert "pass-word-1" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[::1]:8080/v1", "https://ü.example/v1", "HTTPS://h", "http://127.0.0.1:1"])
def test_other_addresses_are_taken(url: str) -> None:
    assert ChatOpenAI(model="gpt-4o", api_key="k", base_url=url).openai_api_base
