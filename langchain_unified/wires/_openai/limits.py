"""The limits that OpenAI sets to values: a value outside of them is brought inside or left out, and listed.

Other servers have other limits: `Dialect.own_limits`. Sources: the API reference, the SDK's docstrings and literals,
and the error texts in the reports that the emulator's rules name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias, cast

from langchain_unified.messages.json_text import data_text
from langchain_unified.request import Adjustment, JsonObject, Params, Request


class Limited(NamedTuple):
    """A value as it is sent, `None`: not at all; and why it is another one than was given, `None`: it is the same."""

    value: Any
    why: str | None = None
    lossless: bool = False


Limit: TypeAlias = Callable[[Any, Request], Limited]
"""Takes a parameter's value and the request that it is in."""


def within_limits(
    request: Request,
    params: Mapping[str, Limit],
    native: Mapping[str, Limit],
    adjustments: list[Adjustment],
) -> Request:
    """The request with values that the API takes; the same object where nothing changes."""
    if not request.dialect.own_limits or not (request.params or request.native):
        return request
    given = cast("dict[str, Any]", request.params)
    changed = {key: params[key](given[key], request) for key in params.keys() & given.keys()}
    changed_native = {
        key: native[key](request.native[key], request)
        for key in native.keys() & request.native.keys()
        if request.native[key] is not None
    }
    found = [(key, each) for key, each in sorted({**changed, **changed_native}.items()) if each.why is not None]
    if not found:
        return request
    adjustments += [_adjustment(key, each) for key, each in found]
    return replace(
        request,
        params=cast("Params", dict(_written(given, changed))),
        native=dict(_written(request.native, changed_native)),
    )


def _adjustment(key: str, found: Limited) -> Adjustment:
    adjustment = Adjustment(what=key, why=str(found.why))
    return {**adjustment, "lossless": True} if found.lossless else adjustment


def _written(values: Mapping[str, Any], changed: Mapping[str, Limited]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        sent = changed[key].value if key in changed else value
        if sent is not None:
            yield key, sent


# --- kinds of limits --------------------------------------------------------------------------------------------------


def between(low: float, high: float) -> Limit:
    """A number outside of the range becomes its nearest end."""

    def limit(value: Any, request: Request) -> Limited:
        nearest = min(max(value, low), high)
        if nearest == value:
            return Limited(value)
        return Limited(nearest, f"OpenAI takes {low:g} to {high:g}: {nearest:g} was sent for {value:g}.")

    return limit


def one_of(*words: str) -> Limit:
    """Another word is not sent: new ones go into `extra_body`."""

    def limit(value: Any, request: Request) -> Limited:
        if value in words:
            return Limited(value)
        known = ", ".join(words)
        return Limited(None, f"OpenAI takes {known}: {value!r} was not sent. extra_body would send it.")

    return limit


def shorter_than(most: int) -> Limit:
    """A longer text is not sent: half of an identifier is another one."""

    def limit(value: Any, request: Request) -> Limited:
        if len(str(value)) <= most:
            return Limited(value)
        return Limited(None, f"OpenAI takes at most {most} characters: it was not sent.")

    return limit


MOST_KEY_CHARACTERS = 64


def cache_key(value: Any, request: Request) -> Limited:
    """A longer key is replaced by its hash, which tells the same prefixes apart."""
    if len(str(value)) <= MOST_KEY_CHARACTERS:
        return Limited(value)
    short = hashlib.sha256(str(value).encode("utf-8", errors="replace")).hexdigest()
    why = f"OpenAI takes at most {MOST_KEY_CHARACTERS} characters: its SHA-256 was sent."
    return Limited(short, why, lossless=True)


def cache_retention_words(value: Any, request: Request) -> Limited:
    """Models with breakpoints have `prompt_cache_options` in its place. Nothing is known about unknown models."""
    known = request.profile.reasoning is not None
    if known and request.profile.cache_breakpoints:
        return Limited(None, f"{request.model} takes `prompt_cache_options` in its place: it was not sent.")
    return one_of("in_memory", "in-memory", "24h")(value, request)


# --- metadata ---------------------------------------------------------------------------------------------------------

MOST_PAIRS, MOST_KEY, MOST_VALUE = 16, 64, 512


def metadata(value: Mapping[str, Any], request: Request) -> Limited:
    """At most 16 pairs of short texts. Other values than texts are written as JSON."""
    texts: JsonObject = {str(key): item if isinstance(item, str) else data_text(item) for key, item in value.items()}
    short = {key: item for key, item in texts.items() if len(key) <= MOST_KEY and len(item) <= MOST_VALUE}
    sent = dict(list(short.items())[:MOST_PAIRS])
    if sent == value:
        return Limited(value)
    lost = [key for key in texts if key not in sent]
    if not lost:
        return Limited(sent, "OpenAI takes texts: other values were sent as JSON.", lossless=True)
    rule = f"OpenAI takes {MOST_PAIRS} pairs of {MOST_KEY} and {MOST_VALUE} characters"
    return Limited(sent or None, f"{rule}; not sent: {', '.join(repr(key[:MOST_KEY]) for key in lost)}.")


def metadata_of_stored(value: Mapping[str, Any], request: Request) -> Limited:
    """Chat Completions says: "The 'metadata' parameter is only allowed when 'store' is enabled"."""
    if value and request.params.get("store") is not True and request.extra_body.get("store") is not True:
        return Limited(None, "Chat Completions takes it only with store=True: it was not sent.")
    return metadata(value, request)


PARAMS: Mapping[str, Limit] = {
    "temperature": between(0, 2),
    "top_p": between(0, 1),
    "presence_penalty": between(-2, 2),
    "frequency_penalty": between(-2, 2),
    "top_logprobs": between(0, 20),
    "verbosity": one_of("low", "medium", "high"),
    "prompt_cache_key": cache_key,
    "prompt_cache_retention": cache_retention_words,
    "metadata": metadata,
}
"""The limits of both APIs."""

TIERS = ("auto", "default", "flex", "scale", "priority", "fast", "standard_only")

NATIVE: Mapping[str, Limit] = {"safety_identifier": shorter_than(128)}
