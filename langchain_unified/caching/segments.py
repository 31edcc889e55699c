"""A body as the segments that a prompt cache sees: tools, then system, then messages, block by block.

The emulator's cache stands on it, and so does what explains a cache's hits and misses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from langchain_unified.caching.tokens import compact, text_tokens, wire_tokens
from langchain_unified.request import JsonObject, WireName
from langchain_unified.wires.anthropic_messages.caching import NO_MARK

Section: TypeAlias = Literal["tools", "system", "messages"]
SECTIONS: tuple[Section, ...] = ("tools", "system", "messages")
"""In the order of a prompt: a change in one is a change of all that follow."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One block of a prompt.

    `head` and `text` are everything that must be equal for a cached prefix to match, cache marks left out; `text` can
    be cut between tokens, `head` cannot. `role` is empty for tools. `mark` is the block's own cache mark, `None`
    without one; `block` is the block as it stands in the body.
    """

    section: Section
    role: str
    head: str
    text: str
    tokens: int
    mark: JsonObject | None = None
    markable: bool = True
    block: JsonObject = field(default_factory=dict, compare=False, repr=False)


MARKS = frozenset({"cache_control", "prompt_cache_breakpoint"})
TEXTS = frozenset({"text", "input_text", "output_text"})

PRINTED = frozenset({"input", "input_schema", "parameters", "schema"})
"""Keys of free-form JSON that the model reads as it is written: there the order of the keys counts."""


def _segment(section: Section, role: str, block: Any) -> Segment:
    if isinstance(block, str):
        block = {"type": "text", "text": block}
    mark = block.get("cache_control") or block.get("prompt_cache_breakpoint")
    bare = unmarked(block)
    markable = block.get("type") not in NO_MARK and bool(block.get("text", True))
    if block.get("type") not in TEXTS:
        return Segment(section, role, printed([role, bare]), "", wire_tokens(bare), mark, markable, block)
    # A string and its one part are the same prompt, whatever the API calls the part.
    text, rest = str(bare.get("text", "")), {key: item for key, item in bare.items() if key not in ("text", "type")}
    return Segment(section, role, printed([role, "text", rest]), text, text_tokens(text), mark, markable, block)


def unmarked(value: Any) -> Any:
    """A value without the cache marks in it."""
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items() if key not in MARKS}
    return [unmarked(item) for item in value] if isinstance(value, list) else value


def printed(value: Any) -> str:
    """A value as JSON: the same prompt gives the same text, whatever the order of the keys that only the API reads."""
    return compact(_ordered(value), sort_keys=False)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: value[key] if key in PRINTED else _ordered(value[key]) for key in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def _each(section: Section, role: str, content: Any) -> Iterator[Segment]:
    for block in content if isinstance(content, list) else [content]:
        if not _is_empty(block):
            yield _segment(section, role, block)


def _is_empty(block: Any) -> bool:
    return not block or (isinstance(block, dict) and block.get("type") in TEXTS and not block.get("text"))


# --- Anthropic --------------------------------------------------------------------------------------------------------

# Models that drop earlier turns' thinking from the prompt: before Opus 4.5 and Sonnet 4.6, every Haiku up to 4.5.
_FORGETFUL = re.compile(r"claude-(3|haiku-[34]|opus-4(-[01]\b|-\d{8}|$)|sonnet-4(-[0-5]\b|-\d{8}|$))")


def anthropic_segments(body: JsonObject) -> list[Segment]:
    """The segments of a Messages body. The top-level `cache_control` is not among them."""
    found = list(_each("tools", "", anthropic_tools(body)))
    found += _each("system", "", _loaded(body, searches=True))
    found += _each("system", "system", body.get("system"))
    forgets = bool(_FORGETFUL.match(str(body.get("model", ""))))
    last_plain = _last_plain_user(body.get("messages") or []) if forgets else 0
    for index, message in enumerate(body.get("messages") or []):
        content = message.get("content")
        if index < last_plain and isinstance(content, list):
            content = [block for block in content if block.get("type") not in ("thinking", "redacted_thinking")]
        found += _each("messages", message["role"], content)
    return found


def anthropic_tools(body: JsonObject) -> list[JsonObject]:
    """The tools that the prompt begins with.

    Those whose loading is deferred are no part of it, and web search is part of the system prompt.
    """
    return _loaded(body, searches=False)


def _loaded(body: JsonObject, *, searches: bool) -> list[JsonObject]:
    tools = (tool for tool in body.get("tools") or [] if not tool.get("defer_loading"))
    return [tool for tool in tools if str(tool.get("type")).startswith("web_search_") is searches]


def _last_plain_user(messages: list[JsonObject]) -> int:
    plain = [index for index, message in enumerate(messages) if message["role"] == "user" and not _is_result(message)]
    return plain[-1] if plain else 0


def _is_result(message: JsonObject) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(block.get("type") == "tool_result" for block in content)


# --- OpenAI -----------------------------------------------------------------------------------------------------------

FORMAT = "format"
"""The role of the schema that an answer is held to."""


def chat_segments(body: JsonObject) -> list[Segment]:
    """The segments of a Chat Completions body."""
    found = list(_each("tools", "", body.get("tools") or []))
    found += _each("system", FORMAT, _schema(body.get("response_format")))
    for message in body.get("messages") or []:
        rest = {key: item for key, item in message.items() if key not in ("role", "content", "tool_calls")}
        role = compact([message.get("role"), rest]) if rest else str(message.get("role"))
        section: Section = "system" if message.get("role") in ("system", "developer") else "messages"
        content = list(_each(section, role, message.get("content")))
        content += _each(section, role, message.get("tool_calls") or [])
        found += content
    return found


def responses_segments(body: JsonObject) -> list[Segment]:
    """The segments of a Responses body, whose `input` is the whole conversation."""
    found = list(_each("tools", "", body.get("tools") or []))
    found += _each("system", FORMAT, _schema((body.get("text") or {}).get("format")))
    found += _each("system", "instructions", body.get("instructions"))
    given = body.get("input") or []
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        found += ITEMS.get(str(item.get("type", "message")), _other_item)(item)
    return found


def _schema(chosen: Any) -> Any:
    return chosen if isinstance(chosen, dict) and chosen.get("type") == "json_schema" else None


def _message_item(item: JsonObject) -> Iterator[Segment]:
    role = str(item.get("role"))
    yield from _each("system" if role in ("system", "developer") else "messages", role, item.get("content"))


def _output_item(item: JsonObject) -> Iterator[Segment]:
    output = item.get("output")
    content = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
    yield from _each("messages", f"tool {item.get('call_id')}", content)


def _other_item(item: JsonObject) -> Iterator[Segment]:
    yield _segment("messages", "assistant", item)


ITEMS: Mapping[str, Callable[[JsonObject], Iterator[Segment]]] = {
    "message": _message_item,
    "function_call_output": _output_item,
    "custom_tool_call_output": _output_item,
}


def from_caller(segment: Segment) -> bool:
    """Whether a segment belongs to a user's or a tool's message."""
    return segment.role.startswith(("user", "tool", '["tool"', '["user"'))


SEGMENTS: Mapping[WireName, Callable[[JsonObject], list[Segment]]] = {
    "anthropic_messages": anthropic_segments,
    "openai_chat": chat_segments,
    "openai_responses": responses_segments,
}
"""By wire, how a body falls into segments."""
