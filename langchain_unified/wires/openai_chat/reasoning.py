"""What models thought, as servers other than OpenAI's put it beside the content of a Chat Completions message.

The text is `additional_kwargs["reasoning_content"]`, where LangChain's classes for such servers have it, whichever
field it came in; OpenRouter's `reasoning_details` are beside it. `response_metadata["reasoning_field"]` names another
field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_unified.messages.server_reasoning import COMPATIBLE, CONTENT, DETAILS, FIELD, TEXT
from langchain_unified.request import JsonObject

TEXT_FIELDS = ("reasoning_content", "reasoning")
"""The fields of the text, in the order in which the first that is there counts: some servers send both."""

REASONING_FIELDS = frozenset({*TEXT_FIELDS, DETAILS})

JOINED = ("text", "summary", "data")
"""The keys of a part of `reasoning_details` whose pieces are concatenated in a stream."""


def read_reasoning(message: Mapping[str, Any]) -> tuple[JsonObject, JsonObject]:
    """A message's reasoning as `additional_kwargs`, and what `response_metadata` adds; empty where it has none."""
    details = message.get("reasoning_details")
    kwargs: JsonObject = {DETAILS: details} if isinstance(details, list) and details else {}
    for field in TEXT_FIELDS:
        if message.get(field) and isinstance(message[field], str):
            return {TEXT: message[field], **kwargs}, reasoning_metadata(field)
    if text := details_text(kwargs.get(DETAILS, ())):
        return {TEXT: text, **kwargs}, reasoning_metadata(DETAILS)
    if text := thinking_text(message.get(CONTENT)):
        return {TEXT: text, **kwargs}, reasoning_metadata(CONTENT)
    return kwargs, {}


def reasoning_metadata(field: str) -> JsonObject:
    """What `response_metadata` has of an answer whose reasoning came as text in `field`."""
    return {"model_provider": COMPATIBLE, **({} if field == TEXT else {FIELD: field})}


def details_text(details: Iterable[Any]) -> str:
    """The readable text of `reasoning_details`."""
    parts = (part for part in details if isinstance(part, dict))
    texts = (part.get("text") or part.get("summary") for part in parts)
    return "".join(text for text in texts if isinstance(text, str))


def thinking_text(content: Any) -> str:
    """The text of the parts of a content that are thoughts (Mistral): each is a text, or a list of texts."""
    parts = content if isinstance(content, list) else ()
    thoughts = [part.get("thinking") for part in parts if _is_thought(part)]
    pieces = [piece for each in thoughts for piece in (each if isinstance(each, list) else [each])]
    return "".join(str((piece.get("text") or "") if isinstance(piece, dict) else piece or "") for piece in pieces)


def joined_thoughts(parts: Iterable[Any]) -> list[Any]:
    """The parts of a streamed content, with thoughts that follow each other as one part."""
    found: list[Any] = []
    for part in parts:
        last: Any = found[-1] if found else None
        if not (_is_thought(part) and _is_thought(last)):
            found.append(part)
            continue
        text = thinking_text([last]) + thinking_text([part])
        found[-1] = {**last, **part, "thinking": [{"type": "text", "text": text}]}
    return found


def _is_thought(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "thinking"


def add_details(found: list[Any], pieces: Iterable[Any]) -> None:
    """Add the pieces of a stream. Those of one index and type are one part: its signature often comes last."""
    for piece in pieces:
        last: Any = found[-1] if found else None
        if _place(piece) is None or _place(piece) != _place(last):
            found.append(dict(piece) if isinstance(piece, dict) else piece)
            continue
        for key, value in piece.items():
            if key in JOINED and isinstance(value, str) and isinstance(last.get(key), str):
                last[key] += value
            elif value is not None or key not in last:
                last[key] = value


def _place(part: Any) -> tuple[Any, Any] | None:
    """The index and the type of a part; `None` where it has no index."""
    return (part["index"], part.get("type")) if isinstance(part, dict) and part.get("index") is not None else None
