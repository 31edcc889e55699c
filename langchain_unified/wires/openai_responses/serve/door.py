"""The record of the API's server side."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage

from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.wires._buffered import BufferedRenderer
from langchain_unified.wires._completion import Completion, completion_of
from langchain_unified.wires._door import COMMENT, Door, StreamRenderer, StreamSettings, typed_frame
from langchain_unified.wires._openai.listing import count_reply, model_reply, models_reply
from langchain_unified.wires._shown import View
from langchain_unified.wires.openai_responses.serve.errors import failure, render_error
from langchain_unified.wires.openai_responses.serve.lenient import read_lenient
from langchain_unified.wires.openai_responses.serve.render import render_events, render_reply


def _completion(message: AIMessage, settings: StreamSettings) -> Completion:
    view = View("openai_responses")
    return completion_of(message, view, reply_id=settings.reply_id, model=settings.model, created=settings.created)


def _replies(completions: Sequence[Completion], body: JsonObject) -> JsonObject:
    return render_reply(completions[0], body)


def _stream(body: JsonObject, settings: StreamSettings) -> StreamRenderer:
    def failed(error: UnifiedError) -> JsonObject:
        response = {"id": settings.reply_id, "object": "response", "status": "failed", "error": failure(error)}
        return {"type": "response.failed", "response": response, "sequence_number": 0}

    return BufferedRenderer(body, settings, View("openai_responses"), render_events, failed)


DOOR = Door(
    wire="openai_responses",
    id_prefix="resp_",
    read=read_lenient,
    completion=_completion,
    render_reply=render_reply,
    render_replies=_replies,
    stream=_stream,
    render_error=render_error,
    count_reply=count_reply,
    models_reply=models_reply,
    model_reply=model_reply,
    frame=typed_frame,
    last_frame=b"",
    keep_alive=COMMENT,
)
