"""Items of the tools that OpenAI defines: those it runs itself, and the results of those that the caller runs.

LangChain splits an item of a tool that OpenAI runs, such as `web_search_call`, into a call and a result. Here they are
put together again. Those of other providers do not come here: `history/words.py` made text of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from langchain_unified.messages.json_text import compact_json
from langchain_unified.request import JsonObject, Turn
from langchain_unified.request.blocks import ServerToolCallBlock, ServerToolResultBlock


def call_item(block: ServerToolCallBlock) -> JsonObject | None:
    """The item that a standard `server_tool_call` of this API was; `None` for a tool that is not known here."""
    writer = CALLS.get(str(block.get("name")))
    return None if writer is None or not block.get("id") else writer(block, block.get("extras") or {})


def _other_keys(block: ServerToolCallBlock) -> JsonObject:
    """The item's keys that LangChain kept beside its own."""
    known = {"type", "name", "id", "args", "extras", "index", "mark"}
    return {key: value for key, value in block.items() if key not in known and value is not None}


def _web_search(block: ServerToolCallBlock, extras: JsonObject) -> JsonObject:
    action = block.get("args") or {"type": "search", "query": ""}
    item = {"type": "web_search_call", "id": block["id"], "action": dict(action), "status": "completed"}
    return item | _other_keys(block)


def _file_search(block: ServerToolCallBlock, extras: JsonObject) -> JsonObject:
    queries = (block.get("args") or {}).get("queries", [])
    item = {"type": "file_search_call", "id": block["id"], "queries": queries, "status": "completed"}
    return item | _other_keys(block)


def _code_interpreter(block: ServerToolCallBlock, extras: JsonObject) -> JsonObject:
    return {
        "type": "code_interpreter_call",
        "id": block["id"],
        "code": (block.get("args") or {}).get("code"),
        "container_id": "",
        "outputs": None,
        "status": "completed",
        **extras,
    }


def _mcp(block: ServerToolCallBlock, extras: JsonObject) -> JsonObject:
    rest = {key: value for key, value in extras.items() if key != "tool_name" and value is not None}
    return {
        "type": "mcp_call",
        "id": block["id"],
        "name": extras.get("tool_name", ""),
        "server_label": "",
        "arguments": compact_json(block.get("args") or {}),
        **rest,
    }


def _mcp_list(block: ServerToolCallBlock, extras: JsonObject) -> JsonObject:
    return {"type": "mcp_list_tools", "id": block["id"], "server_label": "", "tools": [], **extras}


def _tool_search(block: ServerToolCallBlock, extras: JsonObject) -> JsonObject:
    rest = {key: value for key, value in extras.items() if value is not None}
    return {"type": "tool_search_call", "id": block["id"], "arguments": block.get("args") or {}, **rest}


CALLS: Mapping[str, Callable[[Any, JsonObject], JsonObject]] = {
    "web_search": _web_search,
    "file_search": _file_search,
    "code_interpreter": _code_interpreter,
    "remote_mcp": _mcp,
    "mcp_list_tools": _mcp_list,
    "tool_search": _tool_search,
}


# --- results ----------------------------------------------------------------------------------------------------------

STATUSES: Mapping[str, str] = {"success": "completed", "error": "failed"}


def add_result(block: ServerToolResultBlock, items: list[JsonObject]) -> bool:
    """Adds a standard `server_tool_result` of this API to its item; False where no item is known for it."""
    extras = block.get("extras") or {}
    if extras.get("name") == "tool_search":
        items.append(_search_output(block, extras))
        return True
    call = next((item for item in reversed(items) if item.get("id") == block.get("tool_call_id")), None)
    writer = None if call is None else SERVER_RESULTS.get(str(call.get("type")))
    if call is None or writer is None:
        return False
    status = STATUSES.get(str(block.get("status")), extras.get("status"))
    if status is not None and "status" in call:
        call["status"] = status
    writer(call, block.get("output"), extras)
    return True


def _search_output(block: ServerToolResultBlock, extras: JsonObject) -> JsonObject:
    output = block.get("output")
    tools = output.get("tools", []) if isinstance(output, Mapping) else []
    rest = {key: value for key, value in extras.items() if key != "name" and value is not None}
    status = STATUSES.get(str(block.get("status")), "completed")
    return {"type": "tool_search_output", "id": block["tool_call_id"], "tools": tools, "status": status, **rest}


def _sources(call: JsonObject, output: Any, extras: JsonObject) -> None:
    if isinstance(output, Mapping) and output.get("sources"):
        call["action"]["sources"] = output["sources"]


def _under(key: str) -> Callable[[JsonObject, Any, JsonObject], None]:
    def write(call: JsonObject, output: Any, extras: JsonObject) -> None:
        if output is not None:
            call[key] = output
        if extras.get("error"):
            call["error"] = extras["error"]

    return write


SERVER_RESULTS: Mapping[str, Callable[[JsonObject, Any, JsonObject], None]] = {
    "web_search_call": _sources,
    "file_search_call": _under("results"),
    "code_interpreter_call": _under("outputs"),
    "mcp_call": _under("output"),
    "mcp_list_tools": _under("tools"),
}


# --- results of tools that the caller runs ----------------------------------------------------------------------------

RESULT_TYPES: Mapping[str, str] = {
    "custom_tool_call": "custom_tool_call_output",
    "computer_call": "computer_call_output",
    "shell_call": "shell_call_output",
    "local_shell_call": "local_shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
}
"""Type of a call -> type of the item that answers it, where it is not `function_call_output`."""


Output: TypeAlias = "str | list[JsonObject]"
"""A result's content: a text, or parts."""


def encode_result(kind: str, output: Output, turn: Turn) -> JsonObject:
    """The item of the type `kind` that carries a tool's result."""
    return CALLER_RESULTS.get(kind, _plain_result)(kind, output, turn)


def _plain_result(kind: str, output: Output, turn: Turn) -> JsonObject:
    return {"type": kind, "call_id": turn.tool_call_id or "", "output": output}


def _computer_result(kind: str, output: Output, turn: Turn) -> JsonObject:
    """A screenshot: the first image of the result, or a text that is its URL."""
    shot: JsonObject = {"type": "computer_screenshot"}
    parts = [] if isinstance(output, str) else output
    image = next((part for part in parts if part.get("type") in ("input_image", "computer_screenshot")), {})
    shot |= {key: image[key] for key in ("image_url", "file_id") if key in image} or {"image_url": _joined(output)}
    checks = {key: turn.options[key] for key in ("acknowledged_safety_checks", "status") if turn.options.get(key)}
    return {"type": kind, "call_id": turn.tool_call_id or "", "output": shot, **checks}


def _shell_result(kind: str, output: Output, turn: Turn) -> JsonObject:
    outcome = {"type": "exit", "exit_code": 1 if turn.is_error else 0}
    streams = {"stdout": "" if turn.is_error else _joined(output), "stderr": _joined(output) if turn.is_error else ""}
    return {"type": kind, "call_id": turn.tool_call_id or "", "output": [{**streams, "outcome": outcome}]}


def _local_shell_result(kind: str, output: Output, turn: Turn) -> JsonObject:
    return {"type": kind, "id": turn.tool_call_id or "", "output": _joined(output)}


def _patch_result(kind: str, output: Output, turn: Turn) -> JsonObject:
    status = "failed" if turn.is_error else "completed"
    return {"type": kind, "call_id": turn.tool_call_id or "", "status": status, "output": _joined(output)}


def _joined(output: Output) -> str:
    if isinstance(output, str):
        return output
    return "\n".join(part["text"] for part in output if part.get("type") == "input_text")


CALLER_RESULTS: Mapping[str, Callable[[str, Output, Turn], JsonObject]] = {
    "computer_call_output": _computer_result,
    "shell_call_output": _shell_result,
    "local_shell_call_output": _local_shell_result,
    "apply_patch_call_output": _patch_result,
}
