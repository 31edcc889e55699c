"""Redirects: to the same server they are followed, to another one neither prompt nor headers go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from langchain_unified import ChatAnthropic, ChatOpenAI, ConfigurationError
from langchain_unified.testing import Fault, emulator
from tests.support.replies import answer
from tests.support.server import Received, Reply, serve

MODELS: dict[str, tuple[type[Any], dict[str, Any], str]] = {
    "messages": (ChatAnthropic, {"model": "claude-opus-5"}, ""),
    "chat": (ChatOpenAI, {"model": "gpt-4o"}, "/v1"),
    "responses": (ChatOpenAI, {"model": "gpt-5.6", "use_responses_api": True}, "/v1"),
}
CALLS = ("invoke", "stream", "ainvoke", "astream")


def call(model: Any, how: str) -> Any:
    async def all_chunks() -> list[Any]:
        return [chunk async for chunk in model.astream("hi")]

    if how == "invoke":
        return model.invoke("hi")
    if how == "stream":
        return list(model.stream("hi"))
    return asyncio.run(model.ainvoke("hi") if how == "ainvoke" else all_chunks())


def redirect(status: int, location: str) -> Reply:
    return Reply(status, {"location": location, "content-type": "text/plain"}, b"moved")


@pytest.mark.parametrize("how", CALLS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", MODELS)
def test_another_server_gets_nothing(name: str, status: int, how: str) -> None:
    cls, settings, path = MODELS[name]
    with serve(answer) as other, serve(lambda r: redirect(status, f"{other.url}/v1/steal?k=secret-1")) as server:
        model = cls(**settings, base_url=server.url + path, api_key="key-of-mine", default_headers={"x-team": "t"})
        with pytest.raises(ConfigurationError, match="redirects to") as caught:
            call(model, how)
    assert other.requests == []
    assert len(server.requests) == 1
    assert other.url in str(caught.value)
    assert "secret-1" not in str(caught.value)
    assert "base_url" in str(caught.value)
    assert caught.value.status == status
    assert not caught.value.is_retryable


@pytest.mark.parametrize(
    "location", ["//other.example/v1", "https://[::1", "ftp://other.example/", "http://127.0.0.1:1/"]
)
def test_addresses_of_other_servers(location: str) -> None:
    with serve(lambda r: redirect(307, location)) as server:
        model = ChatOpenAI(model="gpt-4o", base_url=server.url + "/v1", api_key="k")
        with pytest.raises(ConfigurationError, match="redirects to"):
            model.invoke("hi")
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [Fault.redirect("https://other.example/x"), "redirect; to=https://other.example/x"])
def test_the_emulator_redirects(fault: Fault | str) -> None:
    with emulator() as server:
        headers = {} if isinstance(fault, Fault) else {"x-emulator-fault": fault}
        if isinstance(fault, Fault):
            server.fail_next(fault)
        model = ChatOpenAI(model="gpt-4o", base_url=f"{server.url}/v1", api_key="k")
        with pytest.raises(ConfigurationError, match=r"redirects to https://other\.example"):
            model.invoke("hi", extra_headers=headers)
        assert model.invoke("hi").text


@pytest.mark.parametrize("how", CALLS)
@pytest.mark.parametrize("name", MODELS)
def test_the_same_server_is_followed(name: str, how: str) -> None:
    cls, settings, path = MODELS[name]

    def handler(request: Received) -> Reply:
        if request.path.startswith("/new"):
            return answer(request)
        return redirect(308, "/new" + request.path)

    with serve(handler) as server:
        result = call(cls(**settings, base_url=server.url + path, api_key="k"), how)
    assert "hello" in str(result)
    assert [request.method for request in server.requests] == ["POST", "POST"]
