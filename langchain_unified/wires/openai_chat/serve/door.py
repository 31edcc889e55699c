"""The record of the API's server side."""

from __future__ import annotations

from langchain_core.messages import AIMessage

from langchain_unified.request import JsonObject
from langchain_unified.wires._buffered import BufferedRenderer
from langchain_unified.wires._completion import Completion, completion_of
from langchain_unified.wires._door import COMMENT, Door, StreamRenderer, StreamSettings, plain_frame
from langchain_unified.wires._openai.listing import count_reply, model_reply, models_reply
from langchain_unified.wires._shown import View
from langchain_unified.wires.openai_chat.serve.errors import error_event, render_error
from langchain_unified.wires.openai_chat.serve.lenient import read_lenient
from langchain_unified.wires.openai_chat.serve.render import render_events, render_replies, render_reply


def _completion(message: AIMessage, settings: StreamSettings) -> Completion:
    view = View("openai_chat")
    return completion_of(message, view, reply_id=settings.reply_id, model=settings.model, created=settings.created)


def _stream(body: JsonObject, settings: StreamSettings) -> StreamRenderer:
    return BufferedRenderer(body, settings, View("openai_chat"), render_events, error_event)


DOOR = Door(
    wire="openai_chat",
    id_prefix="chatcmpl-",
    read=read_lenient,
    completion=_completion,
    render_reply=render_reply,
    render_replies=render_replies,
    stream=_stream,
    render_error=render_error,
    count_reply=count_reply,
    models_reply=models_reply,
    model_reply=model_reply,
    frame=plain_frame,
    last_frame=b"data: [DONE]\n\n",
    keep_alive=COMMENT,
)
