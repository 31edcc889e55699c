"""The record of the API's server side."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage

from langchain_unified.request import JsonObject
from langchain_unified.wires._completion import Completion, answerable, completion_of
from langchain_unified.wires._door import COMMENT, Door, StreamSettings, typed_frame
from langchain_unified.wires._openai.listing import count_reply, model_reply, models_reply
from langchain_unified.wires._shown import is_block_of
from langchain_unified.wires.openai_responses.blocks import WIRE
from langchain_unified.wires.openai_responses.serve.errors import render_error
from langchain_unified.wires.openai_responses.serve.lenient import read_lenient
from langchain_unified.wires.openai_responses.serve.render import render_reply
from langchain_unified.wires.openai_responses.serve.shown import view_of
from langchain_unified.wires.openai_responses.serve.stream import ResponsesStream


def _completion(message: AIMessage, settings: StreamSettings, body: JsonObject | None = None) -> Completion:
    named = {"reply_id": settings.reply_id, "model": settings.model}
    return completion_of(message, view_of(body or {}), **named, created=settings.created)


def _replies(completions: Sequence[Completion], body: JsonObject) -> JsonObject:
    """The API has one answer in a reply: the first."""
    return render_reply(answerable(completions[0], view_of(body), is_block_of(WIRE)), body)


DOOR = Door(
    wire=WIRE,
    id_prefix="resp_",
    read=read_lenient,
    completion=_completion,
    render_replies=_replies,
    stream=ResponsesStream,
    render_error=render_error,
    count_reply=count_reply,
    models_reply=models_reply,
    model_reply=model_reply,
    frame=typed_frame,
    last_frame=b"",
    keep_alive=COMMENT,
)
