"""Prompt caching on Chat Completions: where marks stand, and how a body falls into cache segments."""

from __future__ import annotations

from langchain_unified.caching.segments import FORMAT, Section, Segment, content_segments
from langchain_unified.caching.tokens import compact
from langchain_unified.request import Block, JsonObject, Profile, Request
from langchain_unified.wires._openai.caching import has_content, openai_rules, openai_settings, schema_of

MARKABLE = frozenset({"text", "image_url", "input_audio", "file"})
"""Types of the API's own parts that take `prompt_cache_breakpoint`."""

TAKES = frozenset({"text", "text-plain", "search_result", "image", "file", "audio"})

TEXTS = frozenset({"text", "text-plain", "search_result"})
"""What a tool message and a system message hold."""


def _carries_mark(request: Request, at: int, block: Block) -> bool:
    """Whether a block carries a breakpoint: not in what the assistant said (OpenAI's guide), text in tool messages."""
    role = request.turns[at].role
    if role == "assistant" or not has_content(block):
        return False
    if block["type"] == "native":
        return block["value"].get("type") in MARKABLE
    return block["type"] in (TAKES if role == "user" else TEXTS)


OPTION_TTLS = ("30m",)
"""The TTLs that `prompt_cache_options` may have."""

MARKS = openai_rules(_carries_mark, OPTION_TTLS)

SETTINGS = openai_settings(effort=("reasoning_effort",), verbosity=("verbosity",))


def segments(body: JsonObject, profile: Profile) -> list[Segment]:
    """The cache segments of a body."""
    found = list(content_segments("tools", "", body.get("tools") or []))
    found += content_segments("system", FORMAT, schema_of(body.get("response_format")))
    for message in body.get("messages") or []:
        rest = {key: item for key, item in message.items() if key not in ("role", "content", "tool_calls")}
        role = compact([message.get("role"), rest]) if rest else str(message.get("role"))
        section: Section = "system" if message.get("role") in ("system", "developer") else "messages"
        found += content_segments(section, role, message.get("content"))
        found += content_segments(section, role, message.get("tool_calls") or [])
    return found
