"""Pieces of generated requests and answers that are the same for every API."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

CHARACTERS = st.characters(codec="utf-8")
NAME = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
REASONS = ["stop", "tool_calls", "length", "content_filter", "refusal", "context_window", "pause", "error", "other"]


def json_values(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Any JSON value whose texts and keys are of `text`."""
    numbers = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
    return st.recursive(
        st.none() | st.booleans() | numbers | text,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
        max_leaves=4,
    )


def optional(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these keys."""
    return st.fixed_dictionaries({}, optional=strategies)


def block(kind: str, *shapes: dict[str, st.SearchStrategy[Any]], **more: st.SearchStrategy[Any]) -> Any:
    """Blocks of a type, in one of its shapes, with some of what it may have more."""
    return st.one_of([st.fixed_dictionaries({"type": st.just(kind), **shape}, optional=more) for shape in shapes])


def distinct(blocks: list[dict[str, Any]]) -> bool:
    """Whether no two calls have one id."""
    ids = [found["id"] for found in blocks if found["type"].endswith("tool_call")]
    return len(ids) == len(set(ids))
