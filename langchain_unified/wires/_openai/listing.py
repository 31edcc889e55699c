"""The list of models as OpenAI's APIs answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from langchain_unified.request import JsonObject
from langchain_unified.wires._door import ModelEntry


def model_reply(entry: ModelEntry) -> JsonObject:
    """One model."""
    return {"id": entry.id, "object": "model", "created": entry.created, "owned_by": entry.owned_by or "openai"}


def models_reply(entries: Sequence[ModelEntry], query: Mapping[str, str]) -> JsonObject:
    """All models: this list has no pages."""
    return {"object": "list", "data": [model_reply(entry) for entry in entries]}


def count_reply(tokens: int) -> JsonObject:
    """The reply of `POST /v1/responses/input_tokens`. Chat Completions has no such endpoint: it gets the same."""
    return {"object": "response.input_tokens", "input_tokens": tokens}
