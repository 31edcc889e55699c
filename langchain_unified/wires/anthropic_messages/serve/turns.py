"""The messages of a body -> turns, as a server reads them.

A block becomes a standard block if the encoder writes the same block from that; any other stays as it is, as `native`.
So every block goes out again unchanged, and no list of block types has to be complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from langchain_unified.errors import RequestError
from langchain_unified.messages.blocks import normalise
from langchain_unified.request import JsonObject, Mark, Turn
from langchain_unified.request.blocks import Block, NativeBlock, ReasoningBlock, TextBlock, ToolCallBlock, changed
from langchain_unified.wires._body import abbreviated, each_object, expect, non_null
from langchain_unified.wires.anthropic_messages.assistant import ASSISTANT
from langchain_unified.wires.anthropic_messages.blocks import SYSTEM, TOOL_RESULT, USER, WIRE, EncodeState, Writer
from langchain_unified.wires.anthropic_messages.caching import TTLS

Table: TypeAlias = Mapping[str, Writer]

CLAUDES_TURN = Turn("assistant", origin=WIRE)
"""A turn of Claude's, to encode single blocks with."""


def read_system(value: object) -> tuple[Turn, ...]:
    """The turn of `system`; none where it is empty."""
    blocks = _blocks(value, "system", SYSTEM)
    return (Turn("system", blocks),) if blocks else ()


def read_turns(messages: list[object]) -> Iterator[Turn]:
    """The turns of the messages; each tool result is a turn. Raises `RequestError` with the path of a key."""
    for position, (message, path) in enumerate(each_object(messages, "messages")):
        role = expect("a string", message.get("role"), f"{path}.role")
        if role not in ROLES:
            raise RequestError(f"{path}.role must be one of {', '.join(ROLES)}, not {role!r}.")
        unknown = next((key for key in non_null(message) if key not in ("role", "content")), None)
        if unknown is not None:
            raise RequestError(f"{path}.{unknown}: a message has only `role` and `content`.")
        yield from ROLES[role](message.get("content"), f"{path}.content", position)


def _user(content: object, path: str, position: int) -> Iterator[Turn]:
    rest: list[Block] = []
    results = False
    for value, place in _values(content, path):
        result = _result(value, place, position)
        if result is None:
            rest.append(_block(value, place, USER))
            continue
        if rest:
            yield Turn("user", tuple(rest), position=position)
        yield result
        rest, results = [], True
    if rest or not results:
        yield Turn("user", tuple(rest), position=position)


def _assistant(content: object, path: str, position: int) -> Iterator[Turn]:
    yield Turn("assistant", _blocks(content, path, ASSISTANT), origin=WIRE, position=position)


def _system(content: object, path: str, position: int) -> Iterator[Turn]:
    yield Turn("system", _blocks(content, path, SYSTEM), position=position)


ROLES: Mapping[str, Callable[[object, str, int], Iterator[Turn]]] = {
    "user": _user,
    "assistant": _assistant,
    "system": _system,
}

# --- tool results -----------------------------------------------------------------------------------------------------

RESULT_KEYS = frozenset({"type", "tool_use_id", "content", "is_error", "toolset_name", "cache_control"})
"""The keys of a result that a turn can hold. The encoder takes `toolset_name` from the call."""


def _result(value: JsonObject, path: str, position: int) -> Turn | None:
    """A tool result as a turn; `None` for another block, and for a result with a key that a turn cannot hold."""
    if value.get("type") != "tool_result":
        return None
    given = non_null(value)
    call_id = expect("a string", given.get("tool_use_id"), f"{path}.tool_use_id")
    is_error = expect("true or false", given.get("is_error", False), f"{path}.is_error")
    blocks = list(_blocks(given.get("content", ""), f"{path}.content", TOOL_RESULT))
    unmarked, mark = take_mark(given, path)
    if "cache_control" in unmarked or unmarked.keys() - RESULT_KEYS or (mark is not None and not blocks):
        return None
    if mark is not None:
        blocks[-1] = changed(blocks[-1], mark=mark)
    return Turn("tool", tuple(blocks), tool_call_id=call_id, is_error=is_error, position=position)


# --- blocks -----------------------------------------------------------------------------------------------------------

REQUIRED: Mapping[str, Mapping[str, str]] = {
    "text": {"text": "a string"},
    "image": {"source": "an object"},
    "document": {"source": "an object"},
    "search_result": {"source": "a string", "title": "a string", "content": "a list"},
    "tool_use": {"id": "a string", "name": "a string", "input": "an object"},
    "tool_result": {"tool_use_id": "a string"},
    "thinking": {"thinking": "a string", "signature": "a string"},
    "redacted_thinking": {"data": "a string"},
    "tool_addition": {"tool": "an object"},
}
"""Type of a block -> the keys that it must have, and what their values must be."""

SOURCES: Mapping[str, tuple[str, ...]] = {
    "base64": ("media_type", "data"),
    "text": ("media_type", "data"),
    "url": ("url",),
    "file": ("file_id",),
}
"""Type of a source -> the keys that must be strings."""

LISTS: Mapping[str, str] = {"search_result": "content", "text": "citations"}
"""Type of a block -> its key with a list of objects."""


def _values(content: object, path: str) -> Iterator[tuple[JsonObject, str]]:
    """The blocks of a message's content, checked, with their paths. A string is one text; an empty one has no block."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    if not isinstance(content, list):
        raise RequestError(f"{path} must be a string or a list of blocks, not {abbreviated(content)}.")
    for value, place in each_object(content, path):
        _check(value, place)
        yield value, place


def _check(value: JsonObject, path: str) -> None:
    kind = expect("a string", value.get("type"), f"{path}.type")
    for key, wanted in REQUIRED.get(kind, {}).items():
        expect(wanted, value.get(key), f"{path}.{key}")
    if kind in LISTS:
        list(each_object(value.get(LISTS[kind]), f"{path}.{LISTS[kind]}"))
    if kind in ("image", "document"):
        source = value["source"]
        origin = expect("a string", source.get("type"), f"{path}.source.type")
        for key in SOURCES.get(origin, ()):
            expect("a string", source.get(key), f"{path}.source.{key}")


def take_mark(value: JsonObject, path: str) -> tuple[JsonObject, Mark | None]:
    """A block or tool without its cache mark, and the mark. A mark with keys beside `ttl` stays where it is."""
    if value.get("cache_control") is None:
        return {key: item for key, item in value.items() if key != "cache_control"}, None
    control = non_null(expect("an object", value["cache_control"], f"{path}.cache_control"))
    ttl = control.get("ttl")
    if control.get("type") != "ephemeral" or control.keys() - {"type", "ttl"} or ttl not in (None, *TTLS):
        return value, None
    return {key: item for key, item in value.items() if key != "cache_control"}, Mark(ttl=ttl) if ttl else Mark()


def _blocks(content: object, path: str, table: Table) -> tuple[Block, ...]:
    return tuple(_block(value, place, table) for value, place in _values(content, path))


def _block(value: JsonObject, path: str, table: Table) -> Block:
    """A standard block, else a `native` one; with its mark."""
    unmarked, mark = take_mark(value, path)
    given = non_null(unmarked)
    block = READERS.get(given["type"], _normalised)(given)
    if block["type"] == "native" or not _encodes_to(given, block, table):
        block = NativeBlock(type="native", value=unmarked)
    return block if mark is None else changed(block, mark=mark)


def _encodes_to(given: JsonObject, block: Block, table: Table) -> bool:
    """Whether the encoder writes `given` from `block`. An empty text, which it leaves out, counts as written."""
    writer = table.get(block["type"])
    try:
        written = None if writer is None else writer(block, CLAUDES_TURN, EncodeState())
    except RequestError:
        return False
    return written == given or (written is None and block == given and block["type"] == "text")


# --- readers ----------------------------------------------------------------------------------------------------------


def _normalised(given: JsonObject) -> Block:
    return normalise(given, WIRE)


def _text(given: JsonObject) -> TextBlock:
    annotations = [_annotation(citation) for citation in given.get("citations") or ()]
    block = TextBlock(type="text", text=given["text"])
    return changed(block, annotations=annotations) if annotations else block


def _annotation(citation: JsonObject) -> JsonObject:
    """A citation as LangChain's annotation; as a non-standard one if the encoder does not write the same from that."""
    title = citation.get("document_title", citation.get("title"))
    standard = {"cited_text": citation.get("cited_text"), "url": citation.get("url"), "title": title}
    extras = {key: item for key, item in citation.items() if key not in CITATION_KEYS}
    annotation: JsonObject = {"type": "citation", **non_null(standard), "extras": extras}
    block = TextBlock(type="text", text="…", annotations=[annotation])
    written = ASSISTANT["text"](block, CLAUDES_TURN, EncodeState()) or {}
    same = written.get("citations") == [citation]
    return annotation if same else {"type": "non_standard_annotation", "value": citation}


CITATION_KEYS = frozenset({"type", "cited_text", "url", "title", "document_title"})
"""The keys of a citation that are not `extras` of the annotation."""


def _thinking(given: JsonObject) -> ReasoningBlock:
    return {"type": "reasoning", "reasoning": given["thinking"], "extras": {"signature": given["signature"]}}


def _tool_use(given: JsonObject) -> ToolCallBlock:
    call = ToolCallBlock(type="tool_call", id=given["id"], name=given["name"], args=given["input"])
    extras = {key: given[key] for key in ("caller", "toolset_name") if key in given}
    return changed(call, extras=extras) if extras else call


READERS: Mapping[str, Callable[[JsonObject], Block]] = {"text": _text, "thinking": _thinking, "tool_use": _tool_use}
