"""The record of the API's server side."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage

from langchain_unified.request import JsonObject
from langchain_unified.wires._completion import Completion, answerable, completion_of
from langchain_unified.wires._door import COMMENT, Door, StreamSettings, plain_frame
from langchain_unified.wires._openai.listing import count_reply, model_reply, models_reply
from langchain_unified.wires.openai_chat.serve.errors import render_error
from langchain_unified.wires.openai_chat.serve.lenient import read_lenient
from langchain_unified.wires.openai_chat.serve.render import render_replies
from langchain_unified.wires.openai_chat.serve.shown import WIRE, view_of
from langchain_unified.wires.openai_chat.serve.stream import ChatStream


def _completion(message: AIMessage, settings: StreamSettings, body: JsonObject | None = None) -> Completion:
    named = {"reply_id": settings.reply_id, "model": settings.model}
    return completion_of(message, view_of(body or {}), **named, created=settings.created)


def _replies(completions: Sequence[Completion], body: JsonObject) -> JsonObject:
    return render_replies([answerable(each, view_of(body), _is_own) for each in completions], body)


def _is_own(value: JsonObject) -> bool:
    return value.get("type") in ("function", "custom", "audio")


DOOR = Door(
    wire=WIRE,
    id_prefix="chatcmpl-",
    read=read_lenient,
    completion=_completion,
    render_replies=_replies,
    stream=ChatStream,
    render_error=render_error,
    count_reply=count_reply,
    models_reply=models_reply,
    model_reply=model_reply,
    frame=plain_frame,
    last_frame=b"data: [DONE]\n\n",
    keep_alive=COMMENT,
)
