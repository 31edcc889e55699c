"""Who is measured, by API: our model, the partner's, the SDK's own typed call, LangChain core with bare HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from benchmarks.speed_shapes import PATHS

KEY = "not-a-key"
MODELS = {"Messages": "claude-sonnet-4-6", "Chat": "gpt-5.4", "Responses": "gpt-5.4"}
PROMPT = "Hello"
SAID: list[Any] = [{"role": "user", "content": PROMPT}]


class CoreWithHttp(BaseChatModel):
    """The least that a chat model of LangChain can cost: a request of ready bytes; no JSON of its reply is read."""

    sync_client: Any
    async_client: Any
    url: str
    model: str

    @property
    def _llm_type(self) -> str:
        return "core-with-http"

    def _request(self, messages: list[Any], stream: bool = False) -> dict[str, Any]:
        body = {"model": self.model, "messages": [{"role": "user", "content": each.content} for each in messages]}
        headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
        return {"url": self.url, "content": json.dumps({**body, "stream": stream}).encode(), "headers": headers}

    def _generate(self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        text = self.sync_client.post(**self._request(messages)).content.decode()
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    async def _agenerate(self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kw: Any) -> ChatResult:
        text = (await self.async_client.post(**self._request(messages))).content.decode()
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    def _stream(
        self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        with self.sync_client.stream("POST", **self._request(messages, stream=True)) as response:
            for data in response.iter_raw():
                for _ in range(data.count(b"\n\n")):
                    yield ChatGenerationChunk(message=AIMessageChunk(content="word123 "))

    async def _astream(
        self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        async with self.async_client.stream("POST", **self._request(messages, stream=True)) as response:
            async for data in response.aiter_raw():
                for _ in range(data.count(b"\n\n")):
                    yield ChatGenerationChunk(message=AIMessageChunk(content="word123 "))


@dataclass(frozen=True)
class Peers:
    """The models of one API and one job. Those of the SDK are functions: `sdk(stream=True)` gives typed events."""

    api: str
    ours: Any
    partner: Any
    core: CoreWithHttp
    sdk: Callable[..., Any]
    async_sdk: Callable[..., Any]
    aiohttp: Any


def sdk_call(api: str, client: Any) -> Callable[..., Any]:
    """The SDK's own typed call, by its client."""
    model = MODELS[api]
    if api == "Messages":
        return lambda **more: client.messages.create(model=model, max_tokens=64, messages=SAID, **more)
    if api == "Chat":
        return lambda **more: client.chat.completions.create(model=model, messages=SAID, **more)
    return lambda **more: client.responses.create(model=model, input=SAID, **more)


def peers(api: str, address: str, job: str) -> Peers:
    """Everyone who calls `job` at the server, with a client of their own."""
    import anthropic
    import langchain_anthropic
    import langchain_openai
    import openai

    from langchain_unified import ChatAnthropic, ChatOpenAI

    url = f"{address}/{job}"
    limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)
    core = CoreWithHttp(
        sync_client=httpx2.Client(limits=limits, timeout=600),
        async_client=httpx2.AsyncClient(limits=limits, timeout=600),
        url=url + PATHS[api],
        model=MODELS[api],
    )
    given: dict[str, Any] = {"model": MODELS[api], "api_key": KEY, "base_url": url}
    if api == "Messages":
        given |= {"max_tokens": 64}
        ours, theirs, client = ChatAnthropic, langchain_anthropic.ChatAnthropic, anthropic.Anthropic
        async_client: Any = anthropic.AsyncAnthropic
    else:
        given |= {"base_url": f"{url}/v1", "use_responses_api": api == "Responses"}
        ours, theirs, client = ChatOpenAI, langchain_openai.ChatOpenAI, openai.OpenAI  # type: ignore[assignment]
        async_client = openai.AsyncOpenAI
    base: dict[str, Any] = {"api_key": KEY, "base_url": given["base_url"]}
    return Peers(
        api=api,
        ours=ours(**given),
        partner=theirs(**given),
        core=core,
        sdk=sdk_call(api, client(**base)),
        async_sdk=sdk_call(api, async_client(**base)),
        aiohttp=ours(**given, http_backend="aiohttp"),
    )
