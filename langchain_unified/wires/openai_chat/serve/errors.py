"""Errors as Chat Completions answers them: one object, as a body and as the data of a stream."""

from __future__ import annotations

from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.wires._door import ErrorReply
from langchain_unified.wires._openai import errors

CONVERSATION = "messages"
"""The parameter that an overflow names."""


def render_error(error: UnifiedError) -> ErrorReply:
    """One of our errors as an answer."""
    return errors.render_error(error, CONVERSATION)


def error_event(error: UnifiedError) -> JsonObject:
    """An error in a stream: the body of the answer. `[DONE]` does not follow it."""
    return errors.error_object(error, CONVERSATION)
