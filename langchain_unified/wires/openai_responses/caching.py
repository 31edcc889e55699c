"""Prompt caching on Responses: which blocks carry a mark, and how a body falls into cache segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from langchain_unified.caching.requested import assistant_blocks_before
from langchain_unified.caching.segments import FORMAT, Segment, content_segments, segment_of
from langchain_unified.request import JsonObject, Profile, Request, Turn
from langchain_unified.request.blocks import Block
from langchain_unified.wires._openai.caching import has_content, openai_rules, openai_settings, schema_of
from langchain_unified.wires.openai_responses.assistant_tools import CALLER_RESULTS, RESULT_TYPES
from langchain_unified.wires.openai_responses.blocks import item_in

OPTION_TTLS = ("30m", "12h")
"""The TTLs that `prompt_cache_options` may have."""

# --- marks ------------------------------------------------------------------------------------------------------------

NATIVE_TYPES = frozenset({"input_text", "input_image", "input_file"})
"""The API's parts that take `prompt_cache_breakpoint`."""

TYPES = frozenset({"text", "text-plain", "search_result", "image", "file"})


def _carries_mark(request: Request, at: int, block: Block) -> bool:
    """Whether a block may be a breakpoint: not in assistant messages, nor in results that are not sent as parts."""
    turn = request.turns[at]
    if turn.role == "assistant" or (turn.role == "tool" and not _has_parts(request, at, turn)):
        return False
    if not has_content(block):
        return False
    return block["value"].get("type") in NATIVE_TYPES if block["type"] == "native" else block["type"] in TYPES


def _has_parts(request: Request, at: int, turn: Turn) -> bool:
    """Whether a result goes out as parts: not where it is an item, or has the form of a tool that OpenAI defines."""
    if any(item_in(block) is not None for block in turn.blocks):
        return False
    return (turn.options.get("type") or _result_type(request, at, turn)) not in CALLER_RESULTS


def _result_type(request: Request, at: int, turn: Turn) -> str | None:
    """The type of item that answers a call to a tool that OpenAI defines; `None` for any other call."""
    for block in assistant_blocks_before(request, at):
        value = block["value"] if block["type"] == "native" else {}
        if value.get("type") in RESULT_TYPES and value.get("call_id") == turn.tool_call_id:
            return RESULT_TYPES[value["type"]]
    return None


MARKS = openai_rules(_carries_mark, OPTION_TTLS)


# --- segments ---------------------------------------------------------------------------------------------------------

SETTINGS = openai_settings(effort=("reasoning", "effort"), verbosity=("text", "verbosity"))


def segments(body: JsonObject, profile: Profile) -> list[Segment]:
    """The cache segments of a body, whose `input` is the whole conversation."""
    found = list(content_segments("tools", "", body.get("tools") or []))
    found += content_segments("system", FORMAT, schema_of((body.get("text") or {}).get("format")))
    found += content_segments("system", "instructions", body.get("instructions"))
    given = body.get("input") or []
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        found += SEGMENTS.get(str(item.get("type", "message")), _other_item)(item)
    return found


def _message(item: JsonObject) -> Iterator[Segment]:
    role = str(item.get("role"))
    yield from content_segments("system" if role in ("system", "developer") else "messages", role, item.get("content"))


def _result(item: JsonObject) -> Iterator[Segment]:
    output = item.get("output")
    content = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
    yield from content_segments("messages", f"tool {item.get('call_id')}", content)


def _other_item(item: JsonObject) -> Iterator[Segment]:
    yield segment_of("messages", "assistant", item)


SEGMENTS: Mapping[str, Callable[[JsonObject], Iterator[Segment]]] = {
    "message": _message,
    "function_call_output": _result,
    "custom_tool_call_output": _result,
}
"""Type of an input item -> its segments."""
