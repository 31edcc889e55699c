"""Each wire's `serve` module under one signature: a list of completions in, one for each choice."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from langchain_unified.request import JsonObject, Request
from langchain_unified.wires._completion import Completion

ReadRequest: TypeAlias = Callable[[JsonObject, Mapping[str, str]], Request]
RenderReply: TypeAlias = Callable[[Sequence[Completion], JsonObject], JsonObject]
RenderEvents: TypeAlias = Callable[[Sequence[Completion], JsonObject], Iterator[JsonObject]]


@dataclass(frozen=True, slots=True)
class Codec:
    """How an API's bodies are read and its answers written."""

    read_request: ReadRequest
    render_reply: RenderReply
    render_events: RenderEvents


def codec_of(wire: str) -> Codec:
    """The codec of a wire. Only Chat Completions has several choices; the others write the first."""
    serve = importlib.import_module(f"langchain_unified.wires.{wire}.serve")
    return CODECS.get(wire, _single)(serve)


def _single(serve: Any) -> Codec:
    return Codec(
        serve.read_request,
        lambda said, body: serve.render_reply(said[0], body),
        lambda said, body: serve.render_events(said[0], body),
    )


def _chat(serve: Any) -> Codec:
    def events(said: Sequence[Completion], body: JsonObject) -> Iterator[JsonObject]:
        if len(said) == 1:
            yield from serve.render_events(said[0], body)
            return
        for at, completion in enumerate(said):
            for event in serve.render_events(completion, body):
                if event["choices"]:
                    yield {**event, "id": said[0].id, "choices": [{**part, "index": at} for part in event["choices"]]}
                elif at == len(said) - 1:
                    yield {**event, "id": said[0].id, "usage": serve.render_replies(said, body)["usage"]}

    return Codec(serve.read_request, serve.render_replies, events)


CODECS: Mapping[str, Callable[[Any], Codec]] = {"openai_chat": _chat}
"""By wire, how its module is read where it is not as all others."""
