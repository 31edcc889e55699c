"""Prompt caching on Chat Completions: which blocks carry a mark, and how a body falls into cache segments."""

from __future__ import annotations

from langchain_unified.caching.segments import FORMAT, Section, Segment, content_segments
from langchain_unified.messages.json_text import compact_json
from langchain_unified.request import JsonObject, Profile, Request
from langchain_unified.request.blocks import Block
from langchain_unified.wires._openai.caching import control_rules, has_content, openai_rules, openai_settings, schema_of

OPTION_TTLS = ("30m",)
"""The TTLs that `prompt_cache_options` may have."""

# --- marks ------------------------------------------------------------------------------------------------------------

NATIVE_TYPES = frozenset({"text", "image_url", "input_audio", "file"})
"""The API's parts that take `prompt_cache_breakpoint`."""

TEXT_TYPES = frozenset({"text", "text-plain", "search_result"})
"""Blocks that become text, which system and tool messages hold, too."""

USER_TYPES = TEXT_TYPES | {"image", "file", "audio"}


def _carries_mark(request: Request, at: int, block: Block) -> bool:
    """Whether a block may be a breakpoint: none in assistant messages, only texts in system and tool messages."""
    role = request.turns[at].role
    if role == "assistant" or not has_content(block):
        return False
    if block["type"] == "native":
        return block["value"].get("type") in NATIVE_TYPES
    return block["type"] in (USER_TYPES if role == "user" else TEXT_TYPES)


MARKS = openai_rules(_carries_mark, OPTION_TTLS)
CONTROL_MARKS = control_rules(MARKS)

# --- segments ---------------------------------------------------------------------------------------------------------

SETTINGS = openai_settings(effort=("reasoning_effort",), verbosity=("verbosity",))


def segments(body: JsonObject, profile: Profile) -> list[Segment]:
    """The cache segments of a body."""
    found = list(content_segments("tools", "", body.get("tools") or []))
    found += content_segments("system", FORMAT, schema_of(body.get("response_format")))
    for message in body.get("messages") or []:
        rest = {key: item for key, item in message.items() if key not in ("role", "content", "tool_calls")}
        role = compact_json([message.get("role"), rest], sort_keys=True) if rest else str(message.get("role"))
        section: Section = "system" if message.get("role") in ("system", "developer") else "messages"
        found += content_segments(section, role, message.get("content"))
        found += content_segments(section, role, message.get("tool_calls") or [])
    return found
