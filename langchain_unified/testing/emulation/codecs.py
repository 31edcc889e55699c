"""The `serve` module of each wire behind one signature, which takes one completion for each choice."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from langchain_unified.request import JsonObject, Request, WireName
from langchain_unified.wires._completion import Completion

ReadRequest: TypeAlias = Callable[[JsonObject, Mapping[str, str]], Request]
RenderReply: TypeAlias = Callable[[Sequence[Completion], JsonObject], JsonObject]
RenderEvents: TypeAlias = Callable[[Sequence[Completion], JsonObject], Iterator[JsonObject]]


@dataclass(frozen=True, slots=True)
class Codec:
    """Reads the bodies of an API (with the headers, in lower case) and renders its replies and events."""

    read_request: ReadRequest
    render_reply: RenderReply
    render_events: RenderEvents


def codec_of(wire: WireName) -> Codec:
    """The codec of a wire. Only Chat Completions has several choices; the others render the first completion."""
    serve = importlib.import_module(f"langchain_unified.wires.{wire}.serve")
    return CODECS.get(wire, _single_choice)(serve)


def _single_choice(serve: Any) -> Codec:
    return Codec(
        serve.read_request,
        lambda completions, body: serve.render_reply(completions[0], body),
        lambda completions, body: serve.render_events(completions[0], body),
    )


def _several_choices(serve: Any) -> Codec:
    def render_events(completions: Sequence[Completion], body: JsonObject) -> Iterator[JsonObject]:
        if len(completions) == 1:
            yield from serve.render_events(completions[0], body)
            return
        reply_id = completions[0].id
        for index, completion in enumerate(completions):
            for event in serve.render_events(completion, body):
                if event["choices"]:
                    choices = [{**choice, "index": index} for choice in event["choices"]]
                    yield {**event, "id": reply_id, "choices": choices}
                elif index == len(completions) - 1:
                    yield {**event, "id": reply_id, "usage": serve.render_replies(completions, body)["usage"]}

    return Codec(serve.read_request, serve.render_replies, render_events)


CODECS: Mapping[WireName, Callable[[Any], Codec]] = {"openai_chat": _several_choices}
"""By wire, what makes the codec from the `serve` module; `_single_choice` for wires that are not listed."""
