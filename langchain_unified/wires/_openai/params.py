"""Rows of parameters that both of OpenAI's wires have."""

from __future__ import annotations

from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.request import Adjustment, Request


def answer_limit(value: int, request: Request) -> tuple[int, Adjustment | None]:
    """`max_tokens` for OpenAI: at most what the model writes. Raises `UnsupportedParameterError` below 1.

    Above, Chat Completions answers "max_tokens is too large: 32000. This model supports at most 16384 completion
    tokens" (ExtractThinker#346, optillm#4); what Responses does is not known, and no answer gets longer by it.
    """
    if value < 1:
        raise UnsupportedParameterError(
            f"max_tokens={value} has no meaning on OpenAI. Give at least 1, or leave it out for the model's own limit."
        )
    most = request.profile.max_output_tokens
    if most is None or value <= most:
        return value, None
    return most, Adjustment(what="max_tokens", why=f"{request.model} writes at most {most} tokens: {most} was sent.")
