"""The record of the API's server side."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage

from langchain_unified.request import JsonObject
from langchain_unified.wires._completion import Completion, answerable, completion_of
from langchain_unified.wires._door import Door, StreamSettings, typed_frame
from langchain_unified.wires._shown import is_block_of
from langchain_unified.wires.anthropic_messages.blocks import WIRE
from langchain_unified.wires.anthropic_messages.serve.errors import render_error
from langchain_unified.wires.anthropic_messages.serve.lenient import read_lenient
from langchain_unified.wires.anthropic_messages.serve.listing import count_reply, model_reply, models_reply
from langchain_unified.wires.anthropic_messages.serve.render import render_reply
from langchain_unified.wires.anthropic_messages.serve.shown import (
    PROVIDER,
    asks_no_thinking,
    view_of,
    with_needed_reasoning,
)
from langchain_unified.wires.anthropic_messages.serve.stream import PING, MessagesStream


def _completion(message: AIMessage, settings: StreamSettings, body: JsonObject | None = None) -> Completion:
    named = {"reply_id": settings.reply_id, "model": settings.model}
    view = view_of(body or {})
    completion = completion_of(message, view, **named, created=settings.created)
    needed = asks_no_thinking(body or {}) and view.provider != PROVIDER
    return with_needed_reasoning(completion, view) if needed else completion


def _replies(completions: Sequence[Completion], body: JsonObject) -> JsonObject:
    """The API has one answer in a reply: the first."""
    return render_reply(answerable(completions[0], view_of(body), is_block_of(WIRE)), body)


DOOR = Door(
    wire=WIRE,
    id_prefix="msg_",
    read=read_lenient,
    completion=_completion,
    render_replies=_replies,
    stream=MessagesStream,
    render_error=render_error,
    count_reply=count_reply,
    models_reply=models_reply,
    model_reply=model_reply,
    frame=typed_frame,
    last_frame=b"",
    keep_alive=typed_frame(PING),
)
