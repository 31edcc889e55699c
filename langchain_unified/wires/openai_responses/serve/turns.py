"""Input items of a Responses body -> turns, as a server reads them.

Consecutive items of the model are one assistant turn. What the encoder would write in another form, and what has no
block of our own, is kept unchanged as a `native` block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from langchain_unified.errors import RequestError, UnsupportedContentError
from langchain_unified.messages.blocks import normalise
from langchain_unified.request import JsonObject, Request, Role, Turn
from langchain_unified.request.blocks import (
    Block,
    InvalidToolCallBlock,
    ReasoningBlock,
    RefusalBlock,
    TextBlock,
    ToolCallBlock,
    build,
    changed,
)
from langchain_unified.wires._body import abbreviated, each_object, expect, non_null
from langchain_unified.wires.openai_responses.assistant_tools import RESULT_TYPES
from langchain_unified.wires.openai_responses.blocks import PART_TYPES, WIRE
from langchain_unified.wires.openai_responses.decode import arguments
from langchain_unified.wires.openai_responses.encode import encode_input
from langchain_unified.wires.openai_responses.input_items import APPROVAL
from langchain_unified.wires.openai_responses.serve.parts import read_content


def read_turns(given: Any) -> tuple[Turn, ...]:
    """The turns of `input`: a string, which is a user's message, or a list of items."""
    if isinstance(given, str):
        return (Turn("user", tuple(read_content(given, "input")), position=0),)
    reader = _TurnReader()
    for position, (item, path) in enumerate(each_object(given, "input")):
        kind = expect("a string", item.get("type") or "message", f"{path}.type")
        reader.position = position
        ITEMS.get(kind, _other)(reader, item, path)
    reader.end_assistant()
    return tuple(reader.turns)


@dataclass(slots=True)
class _TurnReader:
    """The turns of a body, while its items are read."""

    turns: list[Turn] = field(default_factory=list)
    assistant: list[Block] = field(default_factory=list)
    """The blocks of the assistant turn that is not complete, which began at the item `assistant_position`."""
    assistant_position: int = 0
    position: int = 0
    result_types: dict[str, str] = field(default_factory=dict)
    """Call id -> the type of item that the encoder answers the call with, where it is not `function_call_output`."""

    def add_assistant(self, *blocks: Block) -> None:
        """Adds blocks of the model."""
        if not self.assistant:
            self.assistant_position = self.position
        self.assistant.extend(blocks)

    def end_assistant(self) -> None:
        """Ends the assistant turn."""
        if self.assistant:
            turn = Turn("assistant", tuple(self.assistant), origin=WIRE, position=self.assistant_position)
            self.turns.append(turn)
            self.assistant = []

    def add(self, role: Role, blocks: list[Block], **more: Any) -> None:
        """Adds a turn of the caller."""
        self.end_assistant()
        self.turns.append(Turn(role, tuple(blocks), position=self.position, **more))


# --- messages ---------------------------------------------------------------------------------------------------------

ROLES = ("user", "assistant", "system", "developer")
MESSAGE_KEYS = frozenset({"type", "role", "content", "id", "status", "phase"})


def _message(reader: _TurnReader, item: JsonObject, path: str) -> None:
    role = expect("a string", item.get("role"), f"{path}.role")
    if role not in ROLES:
        raise RequestError(f"{path}.role must be one of {', '.join(ROLES)}, not {role!r}.")
    given = non_null(item)
    unknown = next((key for key in given if key not in MESSAGE_KEYS), None)
    if unknown is not None:
        raise RequestError(f"{path}.{unknown}: a message has no such key.")
    for key in ("id", "status", "phase"):
        expect("a string", given.get(key, ""), f"{path}.{key}")
    if role == "assistant":
        reader.add_assistant(*_assistant_blocks(given, path))
    else:
        reader.add(cast(Role, role), read_content(given.get("content"), f"{path}.content"))


def _assistant_blocks(message: JsonObject, path: str) -> list[Block]:
    """An assistant message as blocks, each with the message's id, phase, and status unless it is `completed`."""
    head = {key: message[key] for key in ("id", "phase", "status") if message.get(key)}
    if head.get("status") == "completed":
        del head["status"]
    content = message.get("content")
    if isinstance(content, str):
        return [build(TextBlock, type="text", text=content, **head)] if content else []
    if not isinstance(content, list):
        raise RequestError(f"{path}.content must be a string or a list of parts, not {abbreviated(content)}.")
    return [_assistant_part(part, place, head) for part, place in each_object(content, f"{path}.content")]


# Keys of a block that belong to its message or to LangChain: a part with one of them is kept unchanged.
RESERVED_KEYS = frozenset({"id", "phase", "status", "extras", "mark"})


def _assistant_part(part: JsonObject, path: str, head: JsonObject) -> Block:
    kind = expect("a string", part.get("type"), f"{path}.type")
    given = non_null(part)
    if kind == "output_text" and not given.keys() & RESERVED_KEYS:
        found = each_object(given.pop("annotations", None), f"{path}.annotations")
        annotations = [_citation(annotation, place) for annotation, place in found]
        cited = {"annotations": annotations} if annotations else {}
        text = expect("a string", given.get("text"), f"{path}.text")
        return build(TextBlock, **{**given, "type": "text", "text": text, **cited, **head})
    if kind == "refusal" and given.keys() == {"type", "refusal"}:
        refusal = {"type": "refusal", "refusal": expect("a string", given["refusal"], f"{path}.refusal"), **head}
        return {"type": "native", "value": refusal} if head.keys() - {"id"} else build(RefusalBlock, **refusal)
    if "id" not in head:
        raise RequestError(f"{path} must be an output_text or a refusal, not {abbreviated(part)}.")
    return {"type": "native", "value": {"type": "message", "role": "assistant", **head, "content": [part]}}


URL_KEYS = ("title", "start_index", "end_index")
FILE_KEYS = ("file_id", "filename", "index")


def _citation(note: JsonObject, path: str) -> JsonObject:
    if note.get("type") == "citation":
        raise RequestError(f"{path}.type: the API has no annotation 'citation'.")
    if note.get("type") == "url_citation" and note.get("url") and note.keys() == {"type", "url", *URL_KEYS}:
        return {**note, "type": "citation"}
    if note.get("type") == "file_citation" and note.get("file_id") and note.keys() == {"type", *FILE_KEYS}:
        file = {"file_id": note["file_id"], "file_index": note["index"]}
        return {"type": "citation", "title": note["filename"], "extras": file}
    return {"type": "non_standard_annotation", "value": note}


# --- items of the model -----------------------------------------------------------------------------------------------

CALL_KEYS = frozenset({"type", "call_id", "name", "arguments"})
CALL_EXTRAS = frozenset({"status", "namespace", "async"})


def _function_call(reader: _TurnReader, item: JsonObject, path: str) -> None:
    given = non_null(item)
    for key in sorted(CALL_KEYS):
        expect("a string", given.get(key), f"{path}.{key}")
    item_id = expect("a string", given.get("id", ""), f"{path}.id")
    if given.keys() - CALL_KEYS - CALL_EXTRAS - {"id"} or not (item_id or "fc_").startswith("fc_"):
        reader.add_assistant({"type": "native", "value": given})
        return
    args = arguments(given, incomplete=False)
    call_id, name = given["call_id"], given["name"]
    block: ToolCallBlock | InvalidToolCallBlock = (
        {"type": "invalid_tool_call", "id": call_id, "name": name, "args": given["arguments"]}
        if args is None
        else {"type": "tool_call", "id": call_id, "name": name, "args": args}
    )
    extras = {key: given[key] for key in sorted(CALL_EXTRAS & given.keys())} | ({"item_id": item_id} if item_id else {})
    reader.add_assistant(changed(block, extras=extras) if extras else block)


REASONING_KEYS = frozenset({"type", "id", "summary"})
REASONING_EXTRAS = frozenset({"encrypted_content", "content", "status"})


def _reasoning(reader: _TurnReader, item: JsonObject, path: str) -> None:
    """A block for each part of the summary, all with the item's id, as LangChain has it.

    An item with its encrypted content needs no id. (vercel/ai#12869)
    """
    given = non_null(item)
    item_id = expect("a string", given.get("id", "" if given.get("encrypted_content") else None), f"{path}.id")
    expect("a list", given.get("summary"), f"{path}.summary")
    summary = [part for part, _ in each_object(given["summary"], f"{path}.summary")]
    expect("a list", given.get("content", []), f"{path}.content")
    plain = all(part.keys() == {"type", "text"} and part["type"] == "summary_text" and part["text"] for part in summary)
    if not plain or not item_id or given.keys() - REASONING_KEYS - REASONING_EXTRAS:
        reader.add_assistant({"type": "native", "value": given})
        return
    texts = [expect("a string", part["text"], f"{path}.summary.text") for part in summary] or [""]
    blocks = [ReasoningBlock(type="reasoning", reasoning=text, id=item_id) for text in texts]
    extras = {key: given[key] for key in sorted(REASONING_EXTRAS & given.keys())}
    if extras:
        blocks[0]["extras"] = extras
    reader.add_assistant(*blocks)


# Items between messages that are the caller's.
CALLER_ITEMS = frozenset({"additional_tools", "compaction_trigger", "configuration_update", "mcp_approval_response"})


def _other(reader: _TurnReader, item: JsonObject, path: str) -> None:
    """An item that stays unchanged, in the turn of its author."""
    kind = item["type"]
    native: Block = {"type": "native", "value": item}
    if kind in CALLER_ITEMS:
        role = "system" if item.get("role") == "system" else "user" if kind == APPROVAL else "developer"
        reader.add(cast(Role, role), [native])
    elif kind.endswith("_output") and item.get("execution") != "server" and kind != "program_output":
        call_id = expect("a string", item.get("call_id") or "", f"{path}.call_id")
        reader.add("tool", [native], tool_call_id=call_id, options={"type": kind})
    else:
        _model_item(reader, item, path)


def _model_item(reader: _TurnReader, item: JsonObject, path: str) -> None:
    if item["type"] in RESULT_TYPES:
        call_id = expect("a string", item.get("call_id"), f"{path}.call_id")
        reader.result_types[call_id] = RESULT_TYPES[item["type"]]
    reader.add_assistant({"type": "native", "value": item})


def _no_item(reader: _TurnReader, item: JsonObject, path: str) -> None:
    raise RequestError(f"{path}.type: {item['type']!r} is a part of a message, not an item.")


# --- results ----------------------------------------------------------------------------------------------------------

Result: TypeAlias = "tuple[list[Block], bool, JsonObject]"
"""A result's blocks, whether it is an error, and the options of its turn."""


def _result(reader: _TurnReader, item: JsonObject, path: str) -> None:
    """A result of a function or a custom tool. Its own id and status do not reach the model."""
    given = non_null(item)
    call_id = expect("a string", given.get("call_id"), f"{path}.call_id")
    blocks = read_content(given.get("output"), f"{path}.output")
    if given.keys() - {"type", "call_id", "output", "id", "status"}:
        reader.add("tool", [{"type": "native", "value": item}], tool_call_id=call_id)
    else:
        options = _type_option(reader, item["type"], call_id)
        reader.add("tool", blocks, tool_call_id=call_id, options=options)


def _type_option(reader: _TurnReader, kind: str, call_id: str) -> JsonObject:
    """The option that keeps the item's type; none where the call that it answers decides it."""
    return {} if reader.result_types.get(call_id, "function_call_output") == kind else {"type": kind}


def _special_result(reader: _TurnReader, item: JsonObject, path: str) -> None:
    """A result of a tool that OpenAI defines, where the encoder would write the same item; else it stays unchanged."""
    kind, given = item["type"], non_null(item)
    key = "id" if kind == "local_shell_call_output" else "call_id"
    call_id = expect("a string", given.get(key), f"{path}.{key}")
    blocks, is_error, options = SPECIAL[kind](given)
    turn = Turn("tool", tuple(blocks), tool_call_id=call_id, is_error=is_error, options={**options, "type": kind})
    if _encodes_as(turn, given):
        options = {**options, **_type_option(reader, kind, call_id)}
        reader.add("tool", blocks, tool_call_id=call_id, is_error=is_error, options=options)
    else:
        reader.add("tool", [{"type": "native", "value": item}], tool_call_id=call_id)


def _encodes_as(turn: Turn, item: JsonObject) -> bool:
    try:
        return encode_input(Request("", (turn,)), []) == [item]
    except UnsupportedContentError:
        return False


def _texts(value: Any) -> list[Block]:
    return [{"type": "text", "text": value}] if value and isinstance(value, str) else []


def _computer(item: JsonObject) -> Result:
    output = item.get("output")
    shot = output if isinstance(output, dict) and isinstance(output.get("image_url", ""), str) else {}
    options: JsonObject = {key: item[key] for key in ("acknowledged_safety_checks", "status") if key in item}
    return [normalise({**shot, "type": "input_image"}, WIRE)], False, options


def _shell(item: JsonObject) -> Result:
    runs = item.get("output")
    run = runs[0] if runs and isinstance(runs, list) and isinstance(runs[0], dict) else {}
    failed = bool(run.get("stderr"))
    return _texts(run.get("stderr" if failed else "stdout")), failed, {}


def _text_result(item: JsonObject) -> Result:
    return _texts(item.get("output")), item.get("status") == "failed", {}


SPECIAL: Mapping[str, Callable[[JsonObject], Result]] = {
    "computer_call_output": _computer,
    "shell_call_output": _shell,
    "local_shell_call_output": _text_result,
    "apply_patch_call_output": _text_result,
}

ITEMS: Mapping[str, Callable[[_TurnReader, JsonObject, str], None]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "function_call_output": _result,
    "custom_tool_call_output": _result,
    **dict.fromkeys(SPECIAL, _special_result),
    **dict.fromkeys(("text", "refusal", *PART_TYPES), _no_item),
}
