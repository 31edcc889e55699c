"""Prompt caching on OpenAI, for both wires: the breakpoints, the parameters beside them, what a prefix depends on.

From gpt-5.6 on, a prefix is written and read at breakpoints alone, exactly; earlier models cache by themselves and take
none. Sources: the SDK's docstring of `PromptCacheOptions` and the reasons it knows for a miss
(`PromptCacheDiagnosticsCacheMiss`), OpenAI's guide to prompt caching.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import cast

from langchain_unified.caching.policy import PromptCache
from langchain_unified.caching.rules import MAX_BREAKPOINTS, MarkRules
from langchain_unified.caching.settings import Setting, effort_at, value_at
from langchain_unified.request import Adjustment, Block, JsonObject, Mark, Params, Request, Turn

TOOLS = "OpenAI takes no breakpoints on tools; a mark on the system prompt covers them."

SENT_TTLS = ("30m", "12h")
"""What a breakpoint may say."""

RETENTIONS = ("24h",)
"""What models without breakpoints may be asked for, in `prompt_cache_retention`."""

UNKNOWN_SERVER = "This server is not known to take them."

LONGER = "OpenAI keeps what it cached for 30m: the default was asked for."


def openai_rules(takes: Callable[[Request, int, Block], bool], option_ttls: tuple[str, ...]) -> MarkRules:
    """The rules of an OpenAI wire. `takes`: whether a turn's block carries a mark; `option_ttls`: what options say."""

    def carrier(request: Request, at: int, index: int) -> int | None:
        blocks = request.turns[at].blocks
        return next((place for place in range(index, -1, -1) if takes(request, at, blocks[place])), None)

    def params(
        request: Request, policy: PromptCache | None, marked: Sequence[str | None]
    ) -> tuple[Params, list[Adjustment]]:
        return _params(request, policy, marked, option_ttls)

    return MarkRules(carrier, _max_marks, _ttl, refusal, params, default="30m", tools=TOOLS, needs_parts=True)


def says(block: Block) -> bool:
    """Whether a block makes a part that says something: not an empty text, not a document of nothing."""
    if block["type"] == "text":
        return bool(block["text"].strip())
    return bool(block.get("content", True))


def breakpoint_of(mark: Mark) -> JsonObject:
    """A mark as OpenAI writes it."""
    return {"mode": "explicit", **mark}


def refusal(request: Request) -> str | None:
    """Why a model or a server takes no breakpoints; `None` where it does."""
    if not request.dialect.cache_marks:
        return UNKNOWN_SERVER
    if not request.profile.cache_breakpoints:
        return f"{request.model} has no breakpoints: it caches by itself."
    return None


def _max_marks(request: Request, policy: PromptCache | None) -> int:
    """The implicit breakpoint is one of those that are written."""
    options = request.params.get("prompt_cache_options") or {}
    mode = options.get("mode") or ("explicit" if policy is not None else "implicit")
    return MAX_BREAKPOINTS if mode == "explicit" else MAX_BREAKPOINTS - 1


def _ttl(wish: str) -> tuple[str | None, str | None]:
    if wish in SENT_TTLS:
        return wish, None
    return None, None if wish == "5m" else LONGER


# --- the parameters beside the marks ----------------------------------------------------------------------------------


def _params(
    request: Request, policy: PromptCache | None, marked: Sequence[str | None], ttls: tuple[str, ...]
) -> tuple[Params, list[Adjustment]]:
    """`prompt_cache_options` and `prompt_cache_key`. What the caller set stays, but a mode that would cache nothing."""
    given, notes = request.params, list[Adjustment]()
    options = dict(given.get("prompt_cache_options") or {})
    if policy is not None and marked:
        options.setdefault("mode", "explicit")
    if options.get("mode") == "explicit" and not marked and refusal(request) is None:
        del options["mode"]
        notes.append(Adjustment(what="prompt_cache_options.mode 'explicit'", why=NO_MARK))
    params: JsonObject = {key: value for key, value in given.items() if key not in ADDED}
    if policy is not None and policy.enabled and policy.ttl:
        notes += _lifetime(request, policy.ttl, options, params, ttls)
    if options:
        params["prompt_cache_options"] = options
    if any(marked) and params.pop("prompt_cache_retention", None):
        notes.append(Adjustment(what="prompt_cache_retention", why="The ttl of a mark replaces it: it was not sent."))
    key = given.get("prompt_cache_key")
    if key is None and _keyed(request, policy, marked=bool(marked)):
        key = (policy and policy.key) or derived_key(request)
    if key is not None:
        params["prompt_cache_key"] = key
    return cast(Params, params), notes


ADDED = ("prompt_cache_options", "prompt_cache_key")
"""Parameters that stand last, in this order, whether the caller gave them or not: the same call is the same bytes."""


NO_MARK = "No mark is sent, and without one this mode switches caching off: the default mode stays."


def _lifetime(
    request: Request, ttl: str, options: JsonObject, params: JsonObject, ttls: tuple[str, ...]
) -> list[Adjustment]:
    """The policy's ttl, where the request says it as a whole. The marks' own were settled before."""
    what = f"prompt-cache ttl {ttl!r}"
    if not request.dialect.cache_marks:
        return [Adjustment(what=what, why=UNKNOWN_SERVER)]
    if request.profile.cache_breakpoints:
        if ttl in ttls:
            options.setdefault("ttl", ttl)
        return []
    if ttl in RETENTIONS:
        params.setdefault("prompt_cache_retention", ttl)
        return []
    return [Adjustment(what=what, why=f"{request.model} keeps prefixes as long as it sees fit.")]


def lifetime_said(request: Request) -> bool:
    """Whether the options say a lifetime, beside which `prompt_cache_retention` is refused."""
    options = request.params.get("prompt_cache_options") or {}
    return bool(options.get("ttl")) and refusal(request) is None


def _keyed(request: Request, policy: PromptCache | None, *, marked: bool) -> bool:
    """Whether a key goes out. Models with breakpoints match by it; to the earlier ones a derived one could only part
    calls that begin alike, so that they get the caller's alone.
    """
    if policy is not None and policy.key:
        return policy.enabled and request.dialect.cache_marks
    return (marked or (policy is not None and policy.enabled)) and refusal(request) is None


def derived_key(request: Request) -> str:
    """A key that all calls of a conversation share: a digest of the model, the tools and the system prompt.

    Without tools and system prompt, of the first message, its last block left out: that is the question. Nothing can be
    read back from it.
    """
    leading = list(takewhile(lambda turn: turn.role in ("system", "developer"), request.turns))
    first = [turn.blocks for turn in leading] if leading or request.tools else [_shared(request.turns)]
    tools = [[tool.name, tool.description, tool.parameters, tool.definition] for tool in request.tools]
    said = [[_bare(block) for block in blocks] for blocks in first]
    # The module's own JSON: it takes any text, with half a character in it too, and integers of any size.
    data = json.dumps([request.model, tools, said], default=str, sort_keys=True)
    return f"prefix-{hashlib.sha256(data.encode()).hexdigest()[:32]}"


def _shared(turns: Sequence[Turn]) -> Sequence[Block]:
    """What several questions share of a conversation's first message: its blocks before the question, or all of it."""
    first = turns[0].blocks if turns else ()
    alone = len(turns) < 2 or turns[1].role != "user"
    return (first[:-1] if alone else first) or first


def _bare(block: Mapping[str, object]) -> JsonObject:
    return {key: value for key, value in block.items() if key != "mark"}


# --- what a cached prefix depends on ----------------------------------------------------------------------------------


def openai_settings(*, effort: tuple[str, ...], verbosity: tuple[str, ...]) -> tuple[Setting, ...]:
    """The settings, of which two have another path of keys on each wire.

    The answer's format is not among them: it stands in the prompt, as a segment.
    """
    return (
        # Requests with different keys are sent to different machines.
        Setting("prompt_cache_key", "tools", value_at("prompt_cache_key")),
        Setting("service_tier", "tools", value_at("service_tier", default="auto")),
        Setting("parallel_tool_calls", "tools", value_at("parallel_tool_calls", default=True)),
        Setting("reasoning_effort", "tools", effort_at(*effort)),
        Setting("verbosity", "tools", value_at(*verbosity, default="medium")),
    )


def schema_of(form: object) -> JsonObject | None:
    """The answer's format as the prompt holds it: only a schema is part of it."""
    return form if isinstance(form, dict) and form.get("type") == "json_schema" else None
