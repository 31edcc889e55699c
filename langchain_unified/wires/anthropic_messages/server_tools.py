"""Calls of server tools and their results belong together, as those of the caller's tools do.

The API says: "`web_search` tool use with id … was found without a corresponding `web_search_tool_result` block", and
"unexpected `tool_use_id` found in `advisor_tool_result` blocks". A call may be open only in a paused turn: at the
end of the conversation, or before results of the caller's own tools that end it. A result may stand at the start of the
next answer. What has lost its other half is sent as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from langchain_unified.history.readable import ReferencedImages, readable
from langchain_unified.request import Adjustment, JsonObject
from langchain_unified.wires.anthropic_messages.blocks import EncodeState

VALID_ID = re.compile(r"srvtoolu_[a-zA-Z0-9_]+")
"""The id of a `server_tool_use` (API reference). Calls of MCP tools have others."""


def is_server_call(block: JsonObject) -> bool:
    return block.get("type") in ("server_tool_use", "mcp_tool_use")


def is_server_result(block: JsonObject) -> bool:
    kind = str(block.get("type"))
    return kind.endswith("_tool_result") and kind != "tool_result"


def with_paired_server_tools(messages: list[JsonObject], state: EncodeState) -> list[JsonObject]:
    """The messages with every unpaired call or result as text; the same object where there is none."""
    calls: set[str] = set()
    unpaired = [id(block) for at in range(len(messages)) for block in _unpaired(messages, at, calls)]
    if not unpaired:
        return messages
    why = "Its call or its result is not in the conversation: it was sent as text."
    state.adjustments.append(Adjustment(what="server tools", why=why, lossless=True))
    return [
        {**message, "content": [_in_words(block) if id(block) in unpaired else _without_caller(block, calls)
                                for block in message["content"]]}
        for message in messages
    ]  # fmt: skip


def _unpaired(messages: list[JsonObject], at: int, calls: set[str]) -> Iterator[JsonObject]:
    """The unpaired blocks of one message. `calls` holds the paired calls before it, and gets its own."""
    if messages[at]["role"] != "assistant":
        return
    blocks = messages[at]["content"]
    later = [block for message in messages[at + 2 : at + 3] for block in message["content"]]
    answered = {str(block.get("tool_use_id")) for block in (*blocks, *later) if is_server_result(block)}
    paused = _is_paused(messages, at)
    for block in blocks:
        if is_server_call(block):
            valid = block["type"] == "mcp_tool_use" or VALID_ID.fullmatch(str(block.get("id")))
            if valid and (paused or str(block.get("id")) in answered):
                calls.add(str(block.get("id")))
            else:
                yield block
        elif is_server_result(block) and str(block.get("tool_use_id")) not in calls:
            yield block


def _is_paused(messages: list[JsonObject], at: int) -> bool:
    """Whether the model goes on with this message: nothing follows but results of the caller's tools."""
    after = messages[at + 1 :]
    results = [block.get("type") == "tool_result" for message in after[:1] for block in message["content"]]
    return len(after) < 2 and all(results)


def _in_words(block: JsonObject) -> JsonObject:
    kind = str(block.get("name") or block["type"])
    shown = {key: item for key, item in block.items() if key not in ("name", "cache_control")}
    details = readable(shown, ReferencedImages())
    note = ", not answered" if is_server_call(block) else ""
    written: JsonObject = {"type": "text", "text": f"[{kind}{note}{f': {details}' if details else ''}]"}
    return {**written, "cache_control": block["cache_control"]} if "cache_control" in block else written


def _without_caller(block: JsonObject, calls: set[str]) -> JsonObject:
    """The block without a `caller` that is not in the conversation as a call."""
    caller = block.get("caller")
    if not isinstance(caller, dict) or not caller.get("tool_id") or str(caller["tool_id"]) in calls:
        return block
    return {key: item for key, item in block.items() if key != "caller"}
