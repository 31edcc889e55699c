"""What each of the API's own block types may hold when it is sent back.

A reply's blocks are not all valid input: a stream that stopped leaves thinking without its signature and calls without
their arguments, and replies have keys that the API refuses as input. Sources: the SDK's `*_block_param` types; "Extra
inputs are not permitted"; "thinking.signature: Field required"; "thinking.thinking: Field required"; "tool_use.input:
Input should be a valid dictionary".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

from langchain_unified.messages.json_text import json_object, json_values
from langchain_unified.request import Adjustment, JsonObject

INPUT_KEYS: Mapping[str, frozenset[str]] = {
    kind: frozenset(f"type {keys}".split())
    for kind, keys in {
        "text": "cache_control citations text",
        "thinking": "signature thinking",
        "redacted_thinking": "data",
        "tool_use": "cache_control caller id input name toolset_name",
        "server_tool_use": "cache_control caller id input name",
        "web_search_tool_result": "cache_control caller content tool_use_id",
        "web_fetch_tool_result": "cache_control caller content tool_use_id",
        "advisor_tool_result": "cache_control content tool_use_id",
        "code_execution_tool_result": "cache_control content tool_use_id",
        "bash_code_execution_tool_result": "cache_control content tool_use_id",
        "text_editor_code_execution_tool_result": "cache_control content tool_use_id",
        "tool_search_tool_result": "cache_control content tool_use_id",
        "mcp_tool_use": "cache_control id input name server_name",
        "mcp_tool_result": "cache_control content is_error tool_use_id",
        "container_upload": "cache_control file_id",
        "compaction": "cache_control content encrypted_content signature tool_changes",
        "mcp_tool_listing": "mcp_server_name tools",
        "fallback": "from to trigger",
    }.items()
}
"""Type of a block -> the keys that the API takes in it. A type that is not here goes out with all its keys."""

CONTENT_KEYS: Mapping[str, frozenset[str]] = {
    kind: frozenset(f"type {keys}".split())
    for kind, keys in {
        "web_search_result": "encrypted_content page_age title url",
        "code_execution_result": "content return_code stderr stdout",
        "encrypted_code_execution_result": "content encrypted_stdout return_code stderr",
        "bash_code_execution_result": "content return_code stderr stdout",
        "text_editor_code_execution_create_result": "is_file_update",
        "text_editor_code_execution_str_replace_result": "lines new_lines new_start old_lines old_start",
        "text_editor_code_execution_view_result": "content file_type num_lines start_line total_lines",
        "tool_search_tool_search_result": "tool_references",
        "advisor_result": "stop_reason text",
        "advisor_redacted_result": "encrypted_content stop_reason",
    }.items()
}
"""The same for what the result of a server tool holds in its `content`."""

CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
"""The blocks with an `input`."""


def native_input(value: JsonObject, place: str, adjustments: list[Adjustment]) -> JsonObject | None:
    """A block of the API's own as the API takes it: the same object where it does so unchanged, `None` for none.

    `place` names the message. What is changed is listed in `adjustments`, except for empty texts and nulls.
    """
    kind = str(value.get("type"))
    keys = INPUT_KEYS.get(kind)
    if keys is not None and not value.keys() <= keys:
        value = _with_keys(value, keys, place, adjustments)
    check = CHECKS.get(kind)
    return value if check is None else check(value, place, adjustments)


def _with_keys(value: JsonObject, keys: frozenset[str], place: str, adjustments: list[Adjustment]) -> JsonObject:
    refused = [key for key, item in value.items() if key not in keys and item is not None and key not in MADE_HERE]
    if refused:
        why = "The API refuses these keys of its reply as input: they were not sent."
        what = f"{', '.join(refused)} of the {value['type']} block in {place}"
        adjustments.append(Adjustment(what=what, why=why, lossless=True))
    return {key: item for key, item in value.items() if key in keys}


MADE_HERE = frozenset({"id", "index", "extras", "partial_json"})
"""Keys that LangChain adds to blocks."""


def object_input(args: object, what: str, adjustments: list[Adjustment]) -> JsonObject:
    """The arguments of a call as the object that the API requires. Broken ones become `{}` and an adjustment."""
    found = json_object(args) if isinstance(args, str) and args else args or {}
    if isinstance(found, dict):
        return json_values(found)
    why = "Its arguments are not a JSON object, and the API takes nothing else: an empty input was sent."
    adjustments.append(Adjustment(what=what, why=why, lossless=True))  # the model wrote it, not the caller
    return {}


# --- one check for each type ------------------------------------------------------------------------------------------


def _text(value: JsonObject, place: str, adjustments: list[Adjustment]) -> JsonObject | None:
    text = value.get("text")
    if not isinstance(text, str) or not text.strip():
        return None
    return value


def _thinking(value: JsonObject, place: str, adjustments: list[Adjustment]) -> JsonObject | None:
    if not isinstance(value.get("signature"), str) or not value["signature"]:
        _leave_out(f"thinking without a signature in {place}", adjustments)
        return None
    # A stored message lacks the text where the reply omitted it: the signature is complete without it.
    return value if isinstance(value.get("thinking"), str) else {**value, "thinking": ""}


def _redacted(value: JsonObject, place: str, adjustments: list[Adjustment]) -> JsonObject | None:
    if isinstance(value.get("data"), str) and value["data"]:
        return value
    _leave_out(f"redacted thinking without data in {place}", adjustments)
    return None


def _leave_out(what: str, adjustments: list[Adjustment]) -> None:
    why = "The API takes it only complete: it was left out."
    adjustments.append(Adjustment(what=what, why=why, lossless=True))


def _call(value: JsonObject, place: str, adjustments: list[Adjustment]) -> JsonObject:
    given = object_input(value.get("input"), f"call of {value.get('name')!r} in {place}", adjustments)
    if given is not value.get("input"):
        value = {**value, "input": given}
    if None in value.values():
        return {key: item for key, item in value.items() if item is not None}
    return value


def _result(value: JsonObject, place: str, adjustments: list[Adjustment]) -> JsonObject:
    """The result of a server tool without output-only keys in its content (`abort_reason`, recorded as null)."""
    content = value.get("content")
    if isinstance(content, dict):
        sent: object = _content_input(content, place, adjustments)
        return value if sent is content else {**value, "content": sent}
    if not isinstance(content, list):
        return value
    items = [_content_input(item, place, adjustments) if isinstance(item, dict) else item for item in content]
    return value if all(map(operator.is_, items, content)) else {**value, "content": items}


def _content_input(value: JsonObject, place: str, adjustments: list[Adjustment]) -> JsonObject:
    keys = CONTENT_KEYS.get(str(value.get("type")))
    return value if keys is None or value.keys() <= keys else _with_keys(value, keys, place, adjustments)


def _delta(value: JsonObject, place: str, adjustments: list[Adjustment]) -> None:
    _leave_out(f"a piece of a call's arguments in {place}", adjustments)


Check: TypeAlias = Callable[[JsonObject, str, list[Adjustment]], "JsonObject | None"]

CHECKS: Mapping[str, Check] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "input_json_delta": _delta,
    **dict.fromkeys(CALLS, _call),
    **dict.fromkeys((kind for kind in INPUT_KEYS if kind.endswith("_tool_result") and kind[:4] != "mcp_"), _result),
}
