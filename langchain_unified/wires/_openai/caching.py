"""Prompt caching on OpenAI, for both wires: breakpoints, the parameters beside them, what a cached prefix depends on.

From gpt-5.6 on, a prefix is written and read at breakpoints alone, exactly; earlier models cache by themselves and take
none. Sources: the SDK's docstring of `PromptCacheOptions` and the reasons it knows for a miss
(`PromptCacheDiagnosticsCacheMiss`), OpenAI's guide to prompt caching.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from langchain_unified.caching.policy import PromptCache
from langchain_unified.caching.requested import leading_blocks
from langchain_unified.caching.rules import MAX_BREAKPOINTS, OPENAI_LOOKUP_BREAKPOINTS, MarkRules
from langchain_unified.caching.settings import Setting, effort_at, value_at
from langchain_unified.request import Adjustment, Dialect, JsonObject, Mark, Params, Request, Turn
from langchain_unified.request.blocks import Block
from langchain_unified.wires._wire import ParamWriter

BREAKPOINT_TTLS = ("30m", "12h")
"""The TTLs that a breakpoint may have."""

CONTROL_TTLS = ("5m", "1h")
"""The TTLs that a `cache_control` may have."""

RETENTIONS = ("24h",)
"""What `prompt_cache_retention` asks for on models without breakpoints."""

NO_TOOLS = "OpenAI takes no breakpoints on tools; a mark on the system prompt covers them."
UNKNOWN_SERVER = "This server is not known to take them."
DEFAULT_TTL = "OpenAI keeps a prefix for 30m: that default was asked for."
OFF_MODE = "prompt_cache='off' sends the mode 'explicit' without a mark: nothing is written or read."

STATIC_MARKS = 4
"""Breakpoints besides those at the ends of earlier turns: two in the system prompt, the material, the end."""

NATIVE = Dialect()

# --- breakpoints ------------------------------------------------------------------------------------------------------


def openai_rules(carries_mark: Callable[[Request, int, Block], bool], option_ttls: tuple[str, ...]) -> MarkRules:
    """The rules of an OpenAI wire.

    `carries_mark`: whether a block of the turn at an index may be a breakpoint. `option_ttls`: the TTLs that
    `prompt_cache_options` may have.
    """

    def carrier(request: Request, at: int, index: int) -> int | None:
        blocks = request.turns[at].blocks
        return next((place for place in range(index, -1, -1) if carries_mark(request, at, blocks[place])), None)

    def params(
        request: Request, policy: PromptCache | None, marked: Sequence[str | None], idle: bool
    ) -> tuple[Params, list[Adjustment]]:
        return _params(request, policy, marked, option_ttls, idle=idle)

    return MarkRules(
        carrier=carrier,
        max_marks=_max_marks,
        ttl=_ttl,
        refusal=no_breakpoints,
        params=params,
        default="30m",
        tools=NO_TOOLS,
        earlier_turns=OPENAI_LOOKUP_BREAKPOINTS - STATIC_MARKS,
        needs_parts=True,
    )


def control_rules(rules: MarkRules) -> MarkRules:
    """The rules of servers that take Anthropic's `cache_control` on the blocks that OpenAI takes breakpoints on."""
    return replace(
        rules,
        max_marks=_control_max,
        ttl=_control_ttl,
        refusal=_taken,
        params=_no_params,
        default="5m",
        tools="A mark on the system prompt covers the tools.",
        # Such servers pass the marks on to models that take four at most (maximhq/bifrost#6692, envoyproxy/ai-gateway
        # #1712), or say nothing of a limit.
        earlier_turns=0,
    )


def _control_max(request: Request, policy: PromptCache | None) -> int:
    return MAX_BREAKPOINTS


def _taken(request: Request) -> str | None:
    return None


def _control_ttl(requested: str) -> tuple[str | None, str | None]:
    if requested in CONTROL_TTLS:
        return requested, None
    return "1h", "A mark of this form keeps a prefix for 5m or 1h: 1h was sent."


def _no_params(
    request: Request, policy: PromptCache | None, marked: Sequence[str | None], idle: bool
) -> tuple[Params, list[Adjustment]]:
    """Beside marks of this form there are no parameters."""
    return request.params, []


def has_content(block: Block) -> bool:
    """Whether a block makes a part with content: not an empty text, not an empty document."""
    if block["type"] == "text":
        return bool(block["text"].strip())
    return bool(block.get("content", True))


def marked_part(mark: Mark, dialect: Dialect = NATIVE) -> JsonObject:
    """What a mark adds to a part: OpenAI's breakpoint, or Anthropic's `cache_control` where the server takes that."""
    if dialect.cache_marks == "cache_control":
        return {"cache_control": {"type": "ephemeral", **mark}}
    return {"prompt_cache_breakpoint": {"mode": "explicit", **mark}}


def no_breakpoints(request: Request) -> str | None:
    """Why a model or a server takes none of OpenAI's breakpoints; `None` where it does."""
    if request.dialect.cache_marks != "native":
        return UNKNOWN_SERVER
    if not request.profile.cache_breakpoints:
        return f"{request.model} has no breakpoints: it caches by itself."
    return None


def _max_marks(request: Request, policy: PromptCache | None) -> int:
    """In the implicit mode, one of the breakpoints that are written is OpenAI's own.

    A request may have more: the latest four are written, and the latest 80 looked up. OpenAI documents no limit to
    what is sent (docstring of `PromptCacheOptions`).
    """
    if policy is not None and policy.earlier_turns and policy.tail != "never":
        return OPENAI_LOOKUP_BREAKPOINTS - 1
    options = request.params.get("prompt_cache_options") or {}
    mode = options.get("mode") or ("explicit" if policy is not None else "implicit")
    return MAX_BREAKPOINTS if mode == "explicit" else MAX_BREAKPOINTS - 1


def _ttl(requested: str) -> tuple[str | None, str | None]:
    if requested in BREAKPOINT_TTLS:
        return requested, None
    return None, None if requested == "5m" else DEFAULT_TTL


# --- parameters beside the marks --------------------------------------------------------------------------------------

LAST_PARAMS = ("prompt_cache_options", "prompt_cache_key")
"""They come last, in this order, whether the caller gave them or not: the same call is the same bytes."""


def _params(
    request: Request,
    policy: PromptCache | None,
    marked: Sequence[str | None],
    option_ttls: tuple[str, ...],
    *,
    idle: bool,
) -> tuple[Params, list[Adjustment]]:
    """The call's parameters with the mode, TTL and key of the cache. The caller's own values stay.

    A policy that switches caching off sets the mode in which only marks are written: there is none. So does an `idle`
    call, which has no mark and must not be written.
    """
    given, notes = request.params, list[Adjustment]()
    options = dict(given.get("prompt_cache_options") or {})
    params: JsonObject = {key: value for key, value in given.items() if key not in LAST_PARAMS}
    if policy is not None and not policy.enabled and no_breakpoints(request) is None:
        if options.get("mode") not in (None, "explicit"):
            notes.append(Adjustment(what=f"prompt_cache_options.mode {options['mode']!r}", why=OFF_MODE))
        options["mode"] = "explicit"
    elif policy is not None and (marked or idle):
        options.setdefault("mode", "explicit")
    if policy is not None and policy.enabled and policy.ttl:
        notes += _write_ttl(request, policy.ttl, options, params, option_ttls)
    if any(marked) and params.pop("prompt_cache_retention", None):
        notes.append(Adjustment(what="prompt_cache_retention", why="The ttl of a mark replaces it: it was not sent."))
    key = given.get("prompt_cache_key") or _key(request, policy, marked=bool(marked))
    last = {"prompt_cache_options": options or None, "prompt_cache_key": key}
    return cast(Params, {**params, **{name: value for name, value in last.items() if value is not None}}), notes


def _write_ttl(
    request: Request, ttl: str, options: JsonObject, params: JsonObject, option_ttls: tuple[str, ...]
) -> list[Adjustment]:
    """Adds the policy's TTL to the options or parameters. The marks already have it."""
    what = f"prompt-cache ttl {ttl!r}"
    if not request.dialect.cache_params:
        return [Adjustment(what=what, why=UNKNOWN_SERVER)]
    if request.profile.cache_breakpoints:
        if ttl in option_ttls:
            options.setdefault("ttl", ttl)
        return []
    if ttl in RETENTIONS:
        params.setdefault("prompt_cache_retention", ttl)
        return []
    return [Adjustment(what=what, why=f"{request.model} keeps prefixes as long as it sees fit.")]


def _key(request: Request, policy: PromptCache | None, *, marked: bool) -> str | None:
    """The policy's key, else a derived one for models with breakpoints, which look a prefix up by it.

    On earlier models a derived key would separate calls that begin alike: they get only the caller's.
    """
    if policy is not None and policy.key:
        return policy.key if policy.enabled and request.dialect.cache_params else None
    caches = marked or (policy is not None and policy.enabled)
    if not caches or no_breakpoints(request) is not None:
        return None
    return derived_key(request, policy or PromptCache())


def derived_key(request: Request, policy: PromptCache) -> str:
    """A key that all calls with one prefix share: a digest of the model, the tools and the system prompt's first block.

    What follows the first block (a user's name, retrieved text) differs between calls that share the rest. Without
    tools and system prompt, the digest is of the first message, its last block left out: that is the question. Nothing
    can be read back from it. Of several `partitions`, a conversation has always the same one.
    """
    leading = [request.turns[at].blocks[index] for at, index in leading_blocks(request.turns)]
    if policy.first_system_block:
        leading = leading[:1]
    first = leading if leading or request.tools else _shared(request.turns)
    tools = [[tool.name, tool.description, tool.parameters, tool.definition] for tool in request.tools]
    key = f"prefix-{_digest([request.model, tools, [_unmarked(block) for block in first]])[:32]}"
    if policy.partitions == 1:
        return key
    start = next((at for at, turn in enumerate(request.turns) if turn.role == "user"), 0)
    blocks = [_unmarked(block) for turn in request.turns[: start + 1] for block in turn.blocks]
    return f"{key}-{int(_digest(blocks)[:8], 16) % policy.partitions}"


def _digest(value: object) -> str:
    # The standard library's JSON takes lone surrogates and integers of any size; orjson does not.
    return hashlib.sha256(json.dumps(value, default=str, sort_keys=True).encode()).hexdigest()


def _unmarked(block: Block) -> JsonObject:
    return {key: value for key, value in block.items() if key != "mark"}


def _shared(turns: Sequence[Turn]) -> Sequence[Block]:
    """What several questions share of a conversation's first message: its blocks before the question, or all of it."""
    first = turns[0].blocks if turns else ()
    alone = len(turns) < 2 or turns[1].role != "user"
    return (first[:-1] if alone else first) or first


# --- rows of the parameters -------------------------------------------------------------------------------------------


def cache_options(option_ttls: tuple[str, ...], keys: frozenset[str] | None = None) -> ParamWriter:
    """The row of `prompt_cache_options`. `option_ttls` and `keys` are what the API takes; `None`: any key."""

    def write(body: JsonObject, value: JsonObject, request: Request) -> Adjustment | None:
        if why := no_breakpoints(request):
            return Adjustment(what="prompt_cache_options", why=why)
        refused = [
            key
            for key, item in value.items()
            if (keys is not None and key not in keys) or (key == "ttl" and item not in option_ttls)
        ]
        kept = {key: item for key, item in value.items() if key not in refused}
        if kept or not refused:
            body["prompt_cache_options"] = kept
        if not refused:
            return None
        ttls = " or ".join(repr(ttl) for ttl in option_ttls)
        only = f"{', '.join(sorted(keys))} of it, and " if keys else ""
        what = ", ".join(f"prompt_cache_options.{key}" for key in refused)
        return Adjustment(what=what, why=f"The API takes only {only}the ttl {ttls}.")

    return write


def cache_key(body: JsonObject, value: str, request: Request) -> Adjustment | None:
    """The row of `prompt_cache_key`."""
    if not request.dialect.cache_params:
        return Adjustment(what="prompt_cache_key", why=UNKNOWN_SERVER)
    body["prompt_cache_key"] = value
    return None


def cache_retention(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    """The row of `prompt_cache_retention`, which the API refuses beside a TTL in `prompt_cache_options`."""
    if not request.dialect.cache_params:
        return Adjustment(what="prompt_cache_retention", why=UNKNOWN_SERVER)
    options = request.params.get("prompt_cache_options") or {}
    if options.get("ttl") and no_breakpoints(request) is None:
        return Adjustment(what="prompt_cache_retention", why="prompt_cache_options.ttl replaces it: it was not sent.")
    body["prompt_cache_retention"] = value
    return None


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
