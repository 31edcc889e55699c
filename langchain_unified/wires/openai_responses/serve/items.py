"""Blocks of an answer -> output items, as they are in a reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.messages.json_text import compact_json
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT
from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import (
    Block,
    ForeignBlock,
    InvalidToolCallBlock,
    NativeBlock,
    ReasoningBlock,
    RefusalBlock,
    ServerToolCallBlock,
    ServerToolResultBlock,
    TextBlock,
    ToolCallBlock,
)
from langchain_unified.tools.names import whole_name
from langchain_unified.wires._completion import Completion
from langchain_unified.wires._custom_text import custom_text
from langchain_unified.wires._shown import reasoning_block
from langchain_unified.wires.openai_responses.assistant import annotation
from langchain_unified.wires.openai_responses.assistant_tools import add_result, call_item

PREFIXES: Mapping[str, str] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
}
"""How an item's own id begins."""


def output_items(completion: Completion, body: JsonObject, *, incomplete: bool) -> list[JsonObject]:
    """The output of a reply. The ids of items are made of the reply's id.

    `incomplete`: the reply ended early, which is the status of its last message. Server tool blocks of other providers
    are left out. Raises `UnsupportedContentError` for a block that the API cannot answer with.
    """
    output = output_for(completion.id, body)
    for block in completion.blocks:
        add_block(output, block)
    if incomplete and output.items and output.items[-1]["type"] == "message":
        output.items[-1]["status"] = "incomplete"
    return output.items


def add_block(output: Output, block: Block) -> None:
    """Add what a block is in an output. Raises `UnsupportedContentError` for one that the API has no place for."""
    BLOCKS.get(block["type"], _refuse)(output, block)


def output_for(reply_id: str, body: JsonObject) -> Output:
    """An empty output of the answer to a request."""
    tools = [tool for tool in body.get("tools") or () if isinstance(tool, dict)]
    spaced = [(space["name"], inner) for space in tools if space.get("type") == "namespace" for inner in _inner(space)]
    spaces = {whole_name(space, inner["name"]): (space, inner["name"]) for space, inner in spaced}
    custom = [str(tool["name"]) for tool in tools if tool.get("type") == "custom"]
    custom += [whole_name(space, inner["name"]) for space, inner in spaced if inner.get("type") == "custom"]
    return Output(reply_id.removeprefix("resp_"), frozenset(custom), spaces)


def _inner(space: JsonObject) -> list[JsonObject]:
    return [tool for tool in space.get("tools") or () if isinstance(tool, dict) and tool.get("name")]


@dataclass(slots=True)
class Output:
    """The items of a reply in the making."""

    stem: str
    """What the ids of items are made of."""
    custom: frozenset[str]
    """Names of the tools that take a free-form text."""
    spaces: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Whole name of a tool in a namespace -> the namespace, and its name there."""
    items: list[JsonObject] = field(default_factory=list)

    def id_for(self, kind: str, given: Any = None) -> str:
        """An id for the next item: the given one, when it has the API's form."""
        prefix = PREFIXES.get(kind, "item")
        return given if str(given).startswith(f"{prefix}_") else f"{prefix}_{self.stem}{len(self.items):02x}"

    def named(self, block: Mapping[str, Any]) -> JsonObject:
        """The name of a call's tool, with its namespace if it is in one."""
        name = block.get("name") or ""
        space, inner = self.spaces.get(name, (None, name))
        return {"name": inner} if space is None else {"name": inner, "namespace": space}

    def call_id(self, given: Any) -> str:
        """The id of a call, made of its place where it has none."""
        return str(given or f"call_{self.stem}{len(self.items):02x}")

    def last(self, kind: str) -> JsonObject | None:
        """The last item, if it is of this type."""
        return self.items[-1] if self.items and self.items[-1]["type"] == kind else None

    def add_part(self, part: JsonObject, block: Mapping[str, Any]) -> None:
        """Adds a part to the last message, or to a new one where the id or the phase differs."""
        message, given, phase = self.last("message"), block.get("id"), block.get("phase")
        if message is None or message.get("phase") != phase or given not in (None, message["id"]):
            head = {"id": self.id_for("message", given), "type": "message", "status": "completed", "content": []}
            message = {**head, **({"phase": phase} if phase else {}), "role": "assistant"}
            self.items.append(message)
        message["content"].append(part)


# --- blocks -----------------------------------------------------------------------------------------------------------


def _text(output: Output, block: TextBlock) -> None:
    output.add_part(text_part(block), block)


def text_part(block: TextBlock) -> JsonObject:
    """The part of a message that a text is."""
    notes = [found for note in block.get("annotations") or () if (found := _annotation(note))]
    logprobs = [each for each in block.get("logprobs") or () if isinstance(each, dict)]
    return {"type": "output_text", "annotations": notes, "logprobs": logprobs, "text": block["text"]}


def _annotation(note: JsonObject) -> JsonObject | None:
    """A citation in the API's form: of a web page or of a file. Other citations have no form."""
    if note.get("type") == "citation" and note.get("url"):
        note = {"title": "", "start_index": 0, "end_index": 0, **note}
    return annotation(note)


def _refusal(output: Output, block: RefusalBlock) -> None:
    output.add_part({"type": "refusal", "refusal": block["refusal"]}, block)


def _call(output: Output, block: ToolCallBlock) -> None:
    args = block["args"]
    if block["name"] in output.custom and set(args) == {CUSTOM_ARGUMENT}:
        custom_call(output, block, str(args[CUSTOM_ARGUMENT]), "completed")
    else:
        function_call(output, block, compact_json(args), "completed")


def _broken_call(output: Output, block: InvalidToolCallBlock) -> None:
    """A call whose arguments are incomplete."""
    if block.get("name") in output.custom:
        custom_call(output, block, custom_text(block.get("args") or ""), "incomplete")
    else:
        function_call(output, block, block.get("args") or "", "incomplete")


def custom_call(output: Output, block: ToolCallBlock | InvalidToolCallBlock, text: str, status: str) -> None:
    """Add a call of a free-form tool."""
    call = {"id": output.id_for("custom_tool_call"), "type": "custom_tool_call", "status": status}
    output.items.append({**call, "call_id": output.call_id(block.get("id")), "input": text, **output.named(block)})


def function_call(output: Output, block: ToolCallBlock | InvalidToolCallBlock, arguments: str, status: str) -> None:
    """Add a call of a function, with its arguments as text."""
    extras = block.get("extras") or {}
    output.items.append(
        {
            "id": output.id_for("function_call", extras.get("item_id")),
            "type": "function_call",
            "status": status,
            "arguments": arguments,
            "call_id": output.call_id(block.get("id")),
            **output.named(block),
            **{key: extras[key] for key in ("namespace", "async") if extras.get(key) is not None},
        }
    )


def add_reasoning(output: Output, block: ReasoningBlock) -> None:
    """Consecutive blocks with one id are the parts of one summary."""
    block = reasoning_block(cast(JsonObject, block))
    item = output.last("reasoning")
    if item is None or not block.get("id") or item["id"] != block["id"]:
        item = {"id": output.id_for("reasoning", block.get("id")), "type": "reasoning", "summary": []}
        output.items.append(item)
    if block.get("reasoning"):
        item["summary"].append({"type": "summary_text", "text": block["reasoning"]})
    extras = block.get("extras") or {}
    item |= {key: extras[key] for key in ("encrypted_content", "content") if extras.get(key) is not None}
    if extras.get("signature") and "encrypted_content" not in item:
        # The one place of this API for a proof of origin.
        item["encrypted_content"] = extras["signature"]


def _native(output: Output, block: NativeBlock) -> None:
    """An item unchanged, or a part of a message as `decode` gives it."""
    value = block["value"]
    NATIVE.get(value.get("type"), _item)(output, value)


def _item(output: Output, value: JsonObject) -> None:
    if not isinstance(value.get("type"), str):
        _refuse(output, {"type": "native"})
    output.items.append({**value, "id": value.get("id") or output.id_for(value["type"])})


NATIVE: Mapping[Any, Callable[[Output, Any], None]] = {"text": _text, "refusal": _refusal}


def _server_tool_call(output: Output, block: ServerToolCallBlock) -> None:
    call = call_item(block)
    if call is not None:
        output.items.append(call)


def _server_tool_result(output: Output, block: ServerToolResultBlock) -> None:
    add_result(block, output.items)


def _not_shown(output: Output, block: ForeignBlock) -> None:
    """The API does not show it."""


def _refuse(output: Output, block: Any) -> None:
    raise UnsupportedContentError(
        f"The Responses API cannot answer with a {block['type']!r} block. It has text, reasoning, tool_call, refusal, "
        "server_tool_call, server_tool_result, and as native any output item."
    )


BLOCKS: Mapping[str, Callable[[Output, Any], None]] = {
    "text": _text,
    "refusal": _refusal,
    "tool_call": _call,
    "invalid_tool_call": _broken_call,
    "reasoning": add_reasoning,
    "native": _native,
    "server_tool_call": _server_tool_call,
    "server_tool_result": _server_tool_result,
    "foreign": _not_shown,
}
