"""Messages of a Chat Completions body -> turns, as a server reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, cast

from langchain_unified.errors import RequestError
from langchain_unified.messages.blocks import normalise
from langchain_unified.messages.json_text import arguments_object
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT
from langchain_unified.request import JsonObject, Turn
from langchain_unified.request.blocks import Block, changed
from langchain_unified.wires._body import abbreviated, each_object, expect, non_null
from langchain_unified.wires.openai_chat.decode import legacy_call


def read_turns(messages: list[Any]) -> tuple[Turn, ...]:
    turns = []
    for position, (message, path) in enumerate(each_object(messages, "messages")):
        role = expect("a string", message.get("role"), f"{path}.role")
        if role not in ROLES:
            raise RequestError(f"{path}.role must be one of {', '.join(ROLES)}, not {role!r}.")
        reader, keys = ROLES[role]
        given = non_null(message)
        unknown = next((key for key in given if key not in keys), None)
        if unknown is not None:
            raise RequestError(f"{path}.{unknown}: a message of the role {role!r} has no such key.")
        turns.append(reader(given, path, position))
    return tuple(turns)


def _message(message: JsonObject, path: str, position: int) -> Turn:
    blocks = _blocks(message.get("content"), f"{path}.content")
    return Turn(message["role"], tuple(blocks), name=_name(message, path), position=position)


def _name(message: JsonObject, path: str) -> str | None:
    return cast("str | None", expect("a string", message["name"], f"{path}.name") if "name" in message else None)


def _tool_result(message: JsonObject, path: str, position: int) -> Turn:
    # The deprecated function role has no call id: the name is the only link to its call.
    key = "name" if message["role"] == "function" else "tool_call_id"
    call_id = expect("a string", message.get(key), f"{path}.{key}")
    blocks = _blocks(message.get("content"), f"{path}.content")
    return Turn("tool", tuple(blocks), name=_name(message, path), tool_call_id=call_id, position=position)


def _assistant(message: JsonObject, path: str, position: int) -> Turn:
    blocks = _blocks(message.get("content", ""), f"{path}.content")
    blocks = _cited(blocks, message, path)
    if message.get("refusal"):
        blocks.append({"type": "refusal", "refusal": expect("a string", message["refusal"], f"{path}.refusal")})
    if "audio" in message:
        audio = expect("an object", message["audio"], f"{path}.audio")
        reference = {"type": "audio", "id": expect("a string", audio.get("id"), f"{path}.audio.id")}
        blocks.append({"type": "native", "value": reference})
    blocks.extend(_call(call, place) for call, place in each_object(message.get("tool_calls"), f"{path}.tool_calls"))
    if "function_call" in message:
        legacy = expect("an object", message["function_call"], f"{path}.function_call")
        for key in ("name", "arguments"):
            expect("a string", legacy.get(key), f"{path}.function_call.{key}")
        blocks.append(_call({**legacy_call(legacy), "type": "function"}, f"{path}.function_call"))
    return Turn("assistant", tuple(blocks), name=_name(message, path), position=position)


MessageReader: TypeAlias = Callable[[JsonObject, str, int], Turn]

KEYS = frozenset({"role", "content", "name"})
ROLES: Mapping[str, tuple[MessageReader, frozenset[str]]] = {
    "developer": (_message, KEYS),
    "system": (_message, KEYS),
    "user": (_message, KEYS),
    "assistant": (_assistant, KEYS | {"refusal", "audio", "tool_calls", "function_call", "annotations"}),
    "tool": (_tool_result, KEYS | {"tool_call_id"}),
    "function": (_tool_result, KEYS),
}


def _call(call: JsonObject, path: str) -> Block:
    kind = expect("a string", call.get("type"), f"{path}.type")
    if kind not in ("function", "custom"):
        raise RequestError(f"{path}.type must be 'function' or 'custom', not {kind!r}.")
    inner = expect("an object", call.get(kind), f"{path}.{kind}")
    call_id = expect("a string", call.get("id"), f"{path}.id")
    name = expect("a string", inner.get("name"), f"{path}.{kind}.name")
    if kind == "custom":
        text = expect("a string", inner.get("input"), f"{path}.custom.input")
        return {"type": "tool_call", "id": call_id, "name": name, "args": {CUSTOM_ARGUMENT: text}}
    arguments = expect("a string", inner.get("arguments"), f"{path}.function.arguments")
    args = arguments_object(arguments)
    if args is None:
        return {"type": "invalid_tool_call", "id": call_id, "name": name, "args": arguments}
    return {"type": "tool_call", "id": call_id, "name": name, "args": args}


def _cited(blocks: list[Block], message: JsonObject, path: str) -> list[Block]:
    """The blocks with the annotations on the text. In this API they are beside it."""
    found = [_citation(item) for item, _ in each_object(message.get("annotations"), f"{path}.annotations")]
    if not found or not blocks:
        return blocks
    return [changed(blocks[0], annotations=found), *blocks[1:]]


def _citation(annotation: JsonObject) -> JsonObject:
    inner = annotation.get("url_citation")
    if annotation.get("type") != "url_citation" or not isinstance(inner, dict):
        return {"type": "non_standard_annotation", "value": annotation}
    return {"type": "citation", **inner}


# --- parts ------------------------------------------------------------------------------------------------------------

# The key that holds a part's strings (`None`: the part itself), the required ones, the optional ones.
PARTS: Mapping[str, tuple[str | None, Iterable[str], Iterable[str]]] = {
    "text": (None, ("text",), ()),
    "refusal": (None, ("refusal",), ()),
    "image_url": ("image_url", ("url",), ("detail",)),
    "input_audio": ("input_audio", ("data", "format"), ()),
    "file": ("file", (), ("file_id", "file_data", "filename")),
}
PLACE_KEYS = frozenset({"url", "base64", "file_id"})
MEDIA_TYPES = frozenset({"image", "audio", "file"})
MARK_KEYS = frozenset({"prompt_cache_breakpoint", "cache_control"})


def _blocks(content: Any, path: str) -> list[Block]:
    """Content, a string or a list of parts, as blocks; an empty string has none."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if not isinstance(content, list):
        raise RequestError(f"{path} must be a string or a list of parts, not {abbreviated(content)}.")
    return [_block(part, place) for part, place in each_object(content, path)]


def _block(part: JsonObject, path: str) -> Block:
    kind = expect("a string", part.get("type"), f"{path}.type")
    shape = PARTS.get(kind)
    given = non_null(part)
    if shape is None or not _has_known_keys(given, shape, path):
        return {"type": "native", "value": part}
    block = normalise(given, "openai_chat")
    if block["type"] in MEDIA_TYPES and not block.keys() & PLACE_KEYS:
        raise RequestError(f"{path}.{kind} has no data: give it a file_id or file_data.")
    # A data URI without a type has no block.
    return block if block.get("mime_type") != "" else {"type": "native", "value": part}


def _has_known_keys(part: JsonObject, shape: tuple[str | None, Iterable[str], Iterable[str]], path: str) -> bool:
    """Whether a part has only the keys of its shape. Raises for a key that is missing or of another kind."""
    inner, needed, allowed = shape
    holder = part if inner is None else non_null(expect("an object", part.get(inner), f"{path}.{inner}"))
    place = path if inner is None else f"{path}.{inner}"
    for key in (*needed, *(key for key in allowed if key in holder)):
        expect("a string", holder.get(key), f"{place}.{key}")
    for key in MARK_KEYS & part.keys():
        ttl = expect("an object", part[key], f"{path}.{key}").get("ttl")
        expect("a string", ttl or "", f"{path}.{key}.ttl")
    outer = {"type", *MARK_KEYS} | (set(needed) if inner is None else {inner})
    return part.keys() <= outer and (inner is None or holder.keys() <= {*needed, *allowed})
