"""Prompt caching on Messages: which blocks take marks, how many and for how long; the cache segments of a body.

Sources: Anthropic's guides to prompt caching, extended thinking, structured outputs and effort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from langchain_unified.caching.policy import PromptCache
from langchain_unified.caching.requested import assistant_blocks_before
from langchain_unified.caching.rules import ANTHROPIC_LOOKBACK_POSITIONS, MAX_BREAKPOINTS, MarkRules
from langchain_unified.caching.segments import Segment, content_segments
from langchain_unified.caching.settings import Setting, SettingReader, effort_at, value_at
from langchain_unified.messages.tool_calls import call_id_of
from langchain_unified.request import Adjustment, JsonObject, Mark, Params, Profile, Request, Turn
from langchain_unified.request.blocks import Block

NO_MARK = frozenset({"thinking", "redacted_thinking", "mcp_tool_listing", "fallback"})
"""Types of the API's own blocks that refuse `cache_control`."""

NEVER_MARKED = frozenset({"reasoning", "foreign"})
"""Blocks that are not sent, or are sent as thinking."""

CONTENT_KEYS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "refusal": ("refusal",),
    "text-plain": ("title", "context", "text", "base64", "file_id"),
    "search_result": ("title", "source", "content"),
}
"""Blocks that are left out where all of these keys are empty."""

TTLS = ("5m", "1h")

SYSTEM_ROLES = ("system", "developer")


# --- which block ------------------------------------------------------------------------------------------------------


def _carrier(request: Request, at: int, index: int) -> int | None:
    """The nearest block, at `index` or before, that takes a mark. Marks in a tool's result go to its last block."""
    turn = request.turns[at]
    if turn.role == "tool":
        return None if _called_by_code(request, at, turn.tool_call_id) else len(turn.blocks) - 1
    return next((place for place in range(index, -1, -1) if _takes_mark(request, at, turn.blocks[place])), None)


def _takes_mark(request: Request, at: int, block: Block) -> bool:
    if block["type"] == "native":
        return _native_takes_mark(request, at, block["value"])
    if block["type"] == "tool_call":
        return not _is_code(_caller(block))
    keys = CONTENT_KEYS.get(block["type"])
    has_content = keys is None or any(str(block.get(key) or "").strip() for key in keys)
    return has_content and block["type"] not in NEVER_MARKED


def _native_takes_mark(request: Request, at: int, value: Mapping[str, Any]) -> bool:
    if value.get("type") == "text":
        return bool(str(value.get("text") or "").strip())
    if value.get("type") == "tool_result":
        return not _called_by_code(request, at, value.get("tool_use_id"))
    return value.get("type") not in NO_MARK and not _is_code(value.get("caller"))


def _caller(block: Block) -> object:
    holder = block["value"] if block["type"] == "native" else block.get("extras")
    return holder.get("caller") if isinstance(holder, Mapping) else None


def _is_code(caller: object) -> bool:
    """Whether code made a call, not the model. The API refuses marks on such a call and on its result."""
    return isinstance(caller, Mapping) and str(caller.get("type")).startswith("code_execution")


def _called_by_code(request: Request, at: int, call_id: str | None) -> bool:
    """Whether code made the call with this id, in the assistant's last turn before."""
    calls = (block for block in assistant_blocks_before(request, at) if call_id_of(block) == call_id)
    return any(_is_code(_caller(block)) for block in calls)


def stays_in_messages(request: Request, turn: Turn) -> bool:
    """Whether a system turn after the start stays where it is; else it moves into `system`."""
    return request.profile.system_in_messages or has_native_blocks(turn)


def has_native_blocks(turn: Turn) -> bool:
    """Whether a system turn holds the API's own blocks (changes of tools); `system` takes only text."""
    return any(block["type"] == "native" and block["value"].get("type") != "text" for block in turn.blocks)


def _is_leading(request: Request, turn: Turn) -> bool:
    return turn.role in SYSTEM_ROLES and not stays_in_messages(request, turn)


# --- how many, how long -----------------------------------------------------------------------------------------------


def _max_marks(request: Request, policy: PromptCache | None) -> int:
    """The marks that are left beside those of the caller's raw tool definitions and of `extra_body`."""
    used = sum("cache_control" in tool.definition for tool in request.tools)
    return max(0, MAX_BREAKPOINTS - used - bool(request.extra_body.get("cache_control")))


def _ttl(requested: str) -> tuple[str | None, str | None]:
    if requested in TTLS:
        return requested, None
    if requested in ("12h", "24h"):
        return "1h", "Anthropic keeps a prefix for 1h at most: 1h was sent."
    return None, "Anthropic keeps a prefix for 5m or 1h: the default, 5m, was used."


def _refusal(request: Request) -> str | None:
    return None if request.dialect.cache_marks != "none" else "This server does not take them."


def _params(
    request: Request, policy: PromptCache | None, marked: Sequence[str | None], idle: bool
) -> tuple[Params, list[Adjustment]]:
    """The API has no caching parameters beside the marks."""
    return request.params, []


MARKS = MarkRules(
    carrier=_carrier,
    max_marks=_max_marks,
    ttl=_ttl,
    refusal=_refusal,
    params=_params,
    default="5m",
    look_back=ANTHROPIC_LOOKBACK_POSITIONS - 1,
    anchors=True,
    long_ttl="1h",
    ttl_must_not_grow=True,
    has_top_level_mark=True,
    is_leading=_is_leading,
)


class CacheControl(Mark):
    """`cache_control` of a block or a tool."""

    type: Literal["ephemeral"]


def cache_control(mark: Mark) -> CacheControl:
    """A mark in the API's form."""
    return {"type": "ephemeral", **mark}


# --- segments ---------------------------------------------------------------------------------------------------------


def segments(body: JsonObject, profile: Profile) -> list[Segment]:
    """The cache segments of a body. The top-level `cache_control` is not among them."""
    found = list(content_segments("tools", "", prompt_tools(body), NO_MARK))
    found += content_segments("system", "", _loaded_tools(body, web_search=True), NO_MARK)
    found += content_segments("system", "system", body.get("system"), NO_MARK)
    messages = body.get("messages") or []
    last_plain = _last_plain_user(messages) if profile.drops_earlier_thinking else 0
    for index, message in enumerate(messages):
        content = message.get("content")
        if index < last_plain and isinstance(content, list):
            content = [block for block in content if block.get("type") not in ("thinking", "redacted_thinking")]
        found += content_segments("messages", message["role"], content, NO_MARK)
    return found


def prompt_tools(body: JsonObject) -> list[JsonObject]:
    """The tools at the start of the prompt: not those with `defer_loading`, and not web search.

    Web search is part of the system prompt.
    """
    return _loaded_tools(body, web_search=False)


def _loaded_tools(body: JsonObject, *, web_search: bool) -> list[JsonObject]:
    tools = (tool for tool in body.get("tools") or [] if not tool.get("defer_loading"))
    return [tool for tool in tools if str(tool.get("type")).startswith("web_search_") is web_search]


def _last_plain_user(messages: list[JsonObject]) -> int:
    plain = [index for index, message in enumerate(messages) if message["role"] == "user" and not _is_result(message)]
    return plain[-1] if plain else 0


def _is_result(message: JsonObject) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(block.get("type") == "tool_result" for block in content)


# --- settings ---------------------------------------------------------------------------------------------------------


def _thinking(body: JsonObject, profile: Profile) -> list[object] | None:
    """The type and the budget of the thinking. Whether it is shown is not part of the prompt."""
    given = body.get("thinking")
    if given is None and profile.binds_thinking:
        return ["adaptive", None]  # what these models do without the key
    return [given.get("type"), given.get("budget_tokens")] if isinstance(given, Mapping) else None


def _has_block(kind: str) -> SettingReader:
    def read(body: JsonObject, profile: Profile) -> bool:
        return kind in _block_types(body.get("messages"))

    return read


def _block_types(value: object) -> Iterator[str]:
    """The block types in messages; `citations` where a block asks for them."""
    if isinstance(value, list):
        for item in value:
            yield from _block_types(item)
    elif isinstance(value, dict):
        yield str(value.get("type"))
        if isinstance(value.get("citations"), dict) and value["citations"].get("enabled"):
            yield "citations"
        yield from _block_types(value.get("content"))


SETTINGS = (
    Setting("speed", "system", value_at("speed", default="standard")),
    Setting("citations", "system", _has_block("citations")),
    Setting("response_format", "system", value_at("output_config", "format")),
    Setting("tool_choice", "messages", value_at("tool_choice")),
    Setting("images", "messages", _has_block("image")),
    Setting("reasoning_effort", "messages", effort_at("output_config", "effort")),
    Setting("thinking", "messages", _thinking),
)
