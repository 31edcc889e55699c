"""LangChain's chunks, equal to those of its constructors and made in a fraction of their time.

A constructor validates and copies what it is given: that is most of what a streamed chunk costs on this side. A message
takes it 5 times as long as here, a piece of a call's arguments 30 times, a generation 4 times. What a decoder gives has
been checked already. So a chunk gets its state as pydantic's `model_construct` and `copy` give it, attribute by
attribute (`model_construct` itself takes longer than the constructor, `__setstate__` twice as long as this): the fields
of a chunk that the constructor made, and its own. Where the installed LangChain core has a field that this module does
not know, the constructors are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, invalid_tool_call, tool_call
from langchain_core.outputs import ChatGenerationChunk

from langchain_unified.request import JsonObject

Content = str | list[Any]
_set = object.__setattr__


def _shared(model: AIMessageChunk | ChatGenerationChunk, own: set[str]) -> JsonObject | None:
    """The fields that all chunks share; `None` where one of them is not known and can be changed."""
    fields = vars(model)
    known = own <= fields.keys() and model.__pydantic_private__ is None
    if not known or any(isinstance(value, list | dict | set) for name, value in fields.items() if name not in own):
        return None
    return dict(fields)


_MESSAGE_GIVEN = {"content", "additional_kwargs", "response_metadata", "tool_call_chunks"}
_MESSAGE_OWN = {*_MESSAGE_GIVEN, "tool_calls", "invalid_tool_calls"}
_MESSAGE = _shared(AIMessageChunk(content=""), _MESSAGE_OWN)
_GENERATION_OWN = {"text", "message", "generation_info"}
_GENERATION = _shared(ChatGenerationChunk(message=AIMessageChunk(content="")), _GENERATION_OWN)


def message_chunk(
    content: Content, provider: str, calls: list[ToolCallChunk] | None = None, kwargs: JsonObject | None = None
) -> AIMessageChunk:
    """`AIMessageChunk` with these fields and `model_provider`. It owns what it is given: nobody else changes that.

    Blocks in `content` are objects. Other values of a type that core does not declare raise its `ValidationError`.
    """
    read = _read_calls(calls) if calls else ([], [])
    usual = content.__class__ in USUAL_CONTENT and not (kwargs and "tool_calls" in kwargs)
    if _MESSAGE is None or read is None or not usual:
        return AIMessageChunk(
            content=content,
            additional_kwargs=kwargs or {},
            response_metadata={"model_provider": provider},
            tool_call_chunks=calls or [],
        )
    fields = _MESSAGE.copy()
    fields["content"] = content
    fields["additional_kwargs"] = kwargs or {}
    fields["response_metadata"] = {"model_provider": provider}
    fields["tool_calls"], fields["invalid_tool_calls"] = read
    fields["tool_call_chunks"] = calls or []
    made = AIMessageChunk.__new__(AIMessageChunk)
    _set(made, "__dict__", fields)
    _set(made, "__pydantic_fields_set__", (_MESSAGE_OWN if calls else _MESSAGE_GIVEN).copy())
    _set(made, "__pydantic_extra__", {})
    _set(made, "__pydantic_private__", None)
    return made


USUAL_CONTENT = frozenset({str, list})
USUAL_TEXTS = frozenset({str, type(None)})


def _read_calls(chunks: list[ToolCallChunk]) -> tuple[list[Any], list[Any]] | None:
    """What core makes of pieces of arguments: valid and invalid calls. `None` where it has to parse or to check one.

    Core parses each piece as if it were whole. Without a `{` at its start it cannot be an object, and is invalid.
    """
    valid, invalid = [], []
    for chunk in chunks:
        args = chunk["args"]
        if not {chunk["name"].__class__, chunk["id"].__class__, args.__class__} <= USUAL_TEXTS:
            return None
        if not args:
            valid.append(tool_call(name=chunk["name"] or "", args={}, id=chunk["id"]))
        elif args.lstrip(" \t\r\n").startswith("{"):
            return None
        else:
            invalid.append(invalid_tool_call(name=chunk["name"], args=args, id=chunk["id"], error=None))
    return valid, invalid


def generation_chunk(message: AIMessageChunk, info: Mapping[str, Any] | None = None) -> ChatGenerationChunk:
    """`ChatGenerationChunk` of a message."""
    content = message.content
    if _GENERATION is None or not (isinstance(content, str) or all(map(_has_type, content))):
        return ChatGenerationChunk(message=message, generation_info=None if info is None else dict(info))
    fields = _GENERATION.copy()
    fields["text"], fields["message"], fields["generation_info"] = message.text, message, info
    made = ChatGenerationChunk.__new__(ChatGenerationChunk)
    _set(made, "__dict__", fields)
    _set(made, "__pydantic_fields_set__", _GENERATION_OWN.copy())
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made


def _has_type(block: Any) -> bool:
    """Whether core reads a block's text by its type: one without a type is read in another way."""
    return isinstance(block, dict) and block.get("type") is not None
