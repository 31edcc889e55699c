"""Rows of parameters that both of OpenAI's wires have."""

from __future__ import annotations

from langchain_unified.errors import UnsupportedParameterError


def answer_limit(value: int) -> int:
    """`max_tokens` for OpenAI, where 0 has no meaning. Raises `UnsupportedParameterError` below 1."""
    if value < 1:
        raise UnsupportedParameterError(
            f"max_tokens={value} has no meaning on OpenAI. Give at least 1, or leave it out for the model's own limit."
        )
    return value
