"""An assistant turn -> output items, as the API sent them and takes them back.

Two rules of the API decide its form. A reasoning item must be followed by an item that it belongs to, which the API
finds by its id. Items that were not stored cannot be found by id: they need their encrypted content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from langchain_unified.messages.assistant import LOST_REASONING
from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.messages.json_text import compact_json
from langchain_unified.request import JsonObject, Turn
from langchain_unified.request.blocks import (
    ForeignBlock,
    ImageBlock,
    InvalidToolCallBlock,
    NativeBlock,
    PlainTextBlock,
    ReasoningBlock,
    RefusalBlock,
    SearchResultBlock,
    ServerToolCallBlock,
    ServerToolResultBlock,
    TextBlock,
    ToolCallBlock,
    changed,
)
from langchain_unified.wires._wire import cannot_carry
from langchain_unified.wires.openai_responses.assistant_tools import add_result, call_item
from langchain_unified.wires.openai_responses.blocks import (
    REMEDIES,
    WIRE,
    decoded,
    document_text,
    item_in,
    search_text,
)

Items = list[JsonObject]


def encode_assistant(turn: Turn, *, stored: bool) -> Items:
    """The items of an assistant turn. `stored`: the provider keeps its replies, and finds their items by id."""
    items: Items = []
    for block in turn.blocks:
        WRITERS.get(block["type"], _refused)(block, turn, items)
    for item in items:
        _check_role(item, turn)
    # Replies with other items, such as a web search, may count reasoning tokens and hold no reasoning (recorded).
    lost = bool(turn.options.get(LOST_REASONING)) and all(map(_needs_no_id, items))
    return list(_without_orphaned_reasoning(items, stored=stored, orphaned=lost))


def _needs_no_id(item: JsonObject) -> bool:
    """Whether an item can be sent, without a loss, without the id by which the API asks for its reasoning."""
    if item.get("type") == "message":
        return all(part.get("type") in ("output_text", "refusal") for part in item["content"])
    return item.get("type") in (None, "function_call", "custom_tool_call")


def _check_role(item: JsonObject, turn: Turn) -> None:
    """Refuses an item with which an assistant message would give instructions or tools."""
    kind = str(item.get("type"))
    if item.get("role") in (None, "assistant") and kind not in SYSTEM_ITEMS and wire_of_type(kind) in (None, WIRE):
        return
    remedy = "Only a system message may hold it: an answer must not become an instruction."
    raise cannot_carry({"type": kind if item.get("type") else "message"}, turn, WIRE, remedy)


SYSTEM_ITEMS = frozenset({"additional_tools", "configuration_update", "non_standard"})


# --- the API's own blocks ---------------------------------------------------------------------------------------------


def _native(block: NativeBlock, turn: Turn, items: Items) -> None:
    value = block["value"]
    NATIVE.get(value.get("type") or "", _item)(value, items)


def _item(value: JsonObject, items: Items) -> None:
    items.append(without_nulls(value))


def without_nulls(item: Mapping[str, Any]) -> JsonObject:
    """An item without the nulls that replies have and requests refuse; three keys are required, null or not."""
    required = NULLABLE.get(str(item.get("type")), ())
    kept = {key: value for key, value in item.items() if value is not None or key in required}
    action = kept.get("action")
    if isinstance(action, Mapping):
        kept["action"] = {key: value for key, value in action.items() if value is not None}
    return kept


NULLABLE: Mapping[str, tuple[str, ...]] = {
    "image_generation_call": ("result",),
    "code_interpreter_call": ("code", "outputs"),
}


def _native_text(value: JsonObject, items: Items) -> None:
    if value.get("text") is None:
        return  # annotations without their text, which the sum of a plain stream can have
    part = {key: item for key, item in value.items() if key not in MESSAGE_KEYS}
    annotations = [found for note in value.get("annotations") or () if (found := annotation(note))]
    _add_part(value, {**part, "type": "output_text", "annotations": annotations}, value["text"], items)


def _native_refusal(value: JsonObject, items: Items) -> None:
    _add_part(value, {"type": "refusal", "refusal": value["refusal"]}, value["refusal"], items)


MESSAGE_KEYS = frozenset({"id", "phase", "status", "extras"})


def _native_message(value: JsonObject, items: Items) -> None:
    """A message with a part of a type that is not known here."""
    if value.get("role") not in (None, "assistant"):
        items.append(value)  # refused below: no answer has it
        return
    content = value.get("content") or ()
    parts = [{"type": "output_text", "text": content, "annotations": []}] if isinstance(content, str) else content
    for part in parts:
        _add_part(value, dict(part), str(part.get("text") or ""), items)


def _add_part(holder: Mapping[str, Any], part: JsonObject, text: str, items: Items) -> None:
    """Adds a part to the message that it was in; a text that was in no known message becomes a new message."""
    message_id = holder.get("id")
    phase = {"phase": holder["phase"]} if holder.get("phase") else {}
    if not message_id or str(message_id).startswith("lc_"):
        if text:
            items.append({"role": "assistant", "content": text, **phase})
        return
    last = items[-1] if items else {}
    if last.get("type") == "message" and last.get("id") == message_id:
        last["content"].append(part)
        return
    status = holder.get("status") or "completed"
    items.append(
        {"type": "message", "role": "assistant", "id": message_id, "status": status, "content": [part], **phase}
    )


def annotation(note: Mapping[str, Any]) -> JsonObject | None:
    """An annotation in the API's form, from the reply's or LangChain's; `None` where it is neither."""
    if note.get("type") == "non_standard_annotation":
        note = note.get("value") or {}
    if note.get("type") == "citation":
        return _citation(note)
    return {("index" if key == "file_index" else key): value for key, value in note.items()} or None


def _citation(note: Mapping[str, Any]) -> JsonObject | None:
    extras = note.get("extras") or {}
    if note.get("url"):
        places = {key: note[key] for key in ("title", "start_index", "end_index") if key in note}
        return {"type": "url_citation", "url": note["url"], **places} if len(places) == 3 else None
    if extras.get("file_id") and "file_index" in extras:
        file = {"file_id": extras["file_id"], "filename": note.get("title", ""), "index": extras["file_index"]}
        return {"type": "file_citation", **file}
    return None


def _native_reasoning(value: JsonObject, items: Items) -> None:
    """A reasoning item. Its parts lose the `index` that the sum of chunks leaves in them."""
    item = without_nulls(value)
    for key in ("summary", "content"):
        if isinstance(item.get(key), list):
            item[key] = [{name: text for name, text in part.items() if name != "index"} for part in item[key]]
    if item.get("id") or item.get("encrypted_content"):
        items.append({"summary": [], **item})


def _tool_list(value: JsonObject, items: Items) -> None:
    """The tools of an MCP server. A stream that stopped leaves an item without them, which the API refuses."""
    if isinstance(value.get("tools"), list):
        _item(value, items)


def _untyped(value: JsonObject, items: Items) -> None:
    """The second half of an item that was streamed in two, as LangChain's standard form has it; or an item alone."""
    first_half = next((item for item in items if value.get("id") and item.get("id") == value["id"]), None)
    if first_half is None:
        _item(value, items)
    else:
        first_half.update(without_nulls({"type": first_half["type"], **value}))


NATIVE: Mapping[str, Callable[[JsonObject, Items], None]] = {
    "": _untyped,
    "text": _native_text,
    "refusal": _native_refusal,
    "message": _native_message,
    "reasoning": _native_reasoning,
    "mcp_list_tools": _tool_list,
}


# --- standard blocks --------------------------------------------------------------------------------------------------


def _text(block: TextBlock, turn: Turn, items: Items) -> None:
    _native_text({**block}, items)


def _refusal(block: RefusalBlock, turn: Turn, items: Items) -> None:
    _native_refusal({**block, "refusal": block.get("refusal") or ""}, items)


def _tool_call(block: ToolCallBlock | InvalidToolCallBlock, turn: Turn, items: Items) -> None:
    args = block["args"]
    call = {
        "type": "function_call",
        "call_id": block.get("id") or "",
        "name": block.get("name") or "",
        "arguments": args if isinstance(args, str) else compact_json(args or {}),
    }
    items.append(call | _call_extras(block.get("extras") or {}, turn))


def _call_extras(extras: Mapping[str, Any], turn: Turn) -> JsonObject:
    if turn.origin not in (WIRE, None):
        return {}
    kept = {key: extras[key] for key in ("status", "namespace", "caller", "async") if extras.get(key) is not None}
    item_id = str(extras.get("item_id") or "")
    return {"id": item_id, **kept} if item_id.startswith("fc_") else kept


def _reasoning(block: ReasoningBlock, turn: Turn, items: Items) -> None:
    """LangChain makes one block of each part of a summary: those with one id become one item again."""
    item_id = str(block.get("id") or "")
    if not (turn.origin == WIRE or (turn.origin is None and item_id.startswith("rs_"))) or not item_id:
        return
    if "summary" in block:
        _native_reasoning({key: value for key, value in block.items() if key != "mark"}, items)
        return
    last = items[-1] if items else {}
    if last.get("type") != "reasoning" or last.get("id") != item_id:
        last = {"type": "reasoning", "id": item_id, "summary": []}
        items.append(last)
    if block.get("reasoning"):
        last["summary"].append({"type": "summary_text", "text": block["reasoning"]})
    extras = block.get("extras") or {}
    for key in ("encrypted_content", "content", "status"):
        found = block.get(key, extras.get(key))
        if found is not None:
            last[key] = found


def _image(block: ImageBlock, turn: Turn, items: Items) -> None:
    """An image that the API generated, as the item that it was."""
    item_id = str(block.get("id") or "")
    if turn.origin == WIRE and item_id.startswith("ig_") and block.get("base64"):
        call = {"type": "image_generation_call", "id": item_id, "result": block["base64"], "status": "completed"}
        items.append(call | (block.get("extras") or {}))
    else:
        _medium(block, turn, items)


# --- blocks that an assistant message has no place for, as text -------------------------------------------------------


def _medium(block: Mapping[str, Any], turn: Turn, items: Items) -> None:
    keys = ("filename", "title", "url", "file_id", "transcript")
    name = next((block[key] for key in keys if block.get(key)), None)
    _add_text(f"[{block['type']}: {name}]" if name else f"[{block['type']}]", items)


def _document(block: PlainTextBlock, turn: Turn, items: Items) -> None:
    if block.get("text") is None and block.get("base64"):
        block = changed(block, text=decoded(block, turn))
    if block.get("text") is None:
        _medium(block, turn, items)
    else:
        _add_text(document_text(block), items)


def _search_result(block: SearchResultBlock, turn: Turn, items: Items) -> None:
    _add_text(search_text(block), items)


def _add_text(text: str, items: Items) -> None:
    items.append({"role": "assistant", "content": text})


# --- tools that OpenAI runs -------------------------------------------------------------------------------------------


def _server_tool_call(block: ServerToolCallBlock, turn: Turn, items: Items) -> None:
    item = call_item(block)
    if item is not None:
        items.append(item)
    else:
        _add_text(f"[called {block.get('name') or 'a tool'}: {compact_json(block.get('args') or {})}]", items)


def _server_tool_result(block: ServerToolResultBlock, turn: Turn, items: Items) -> None:
    if not add_result(block, items):
        output = block.get("output")
        failed = " (failed)" if block.get("status") == "error" else ""
        _add_text(f"[result{failed}: {output if isinstance(output, str) else compact_json(output)}]", items)


def _foreign(block: ForeignBlock, turn: Turn, items: Items) -> None:
    """Not sent: only another provider reads it. The message keeps it."""


def _refused(block: Any, turn: Turn, items: Items) -> None:
    item = item_in(block)
    if item is None:
        raise cannot_carry(block, turn, WIRE, REMEDIES.get(block["type"], "Put it into a user message."))
    items.append(without_nulls(item))


WRITERS: Mapping[str, Callable[[Any, Turn, Items], None]] = {
    "text": _text,
    "refusal": _refusal,
    "tool_call": _tool_call,
    "invalid_tool_call": _tool_call,
    "reasoning": _reasoning,
    "server_tool_call": _server_tool_call,
    "server_tool_result": _server_tool_result,
    "image": _image,
    "file": _medium,
    "audio": _medium,
    "video": _medium,
    "text-plain": _document,
    "search_result": _search_result,
    "native": _native,
    "foreign": _foreign,
}


# --- reasoning and what follows it ------------------------------------------------------------------------------------


def _without_orphaned_reasoning(items: Items, *, stored: bool, orphaned: bool) -> Iterable[JsonObject]:
    """The items without reasoning that the API would refuse, and without the ids by which it would ask for it.

    `orphaned`: the turn has lost its reasoning already.
    """
    for place, item in enumerate(items):
        if item.get("type") == "reasoning":
            orphaned = not _replayable(item, items[place + 1 :], stored=stored)
            if not orphaned:
                yield item
        elif orphaned:
            yield from _without_id(item)
        else:
            yield item


def _replayable(reasoning: JsonObject, rest: Items, *, stored: bool) -> bool:
    follower = next((item for item in rest if item.get("type") != "reasoning"), None)
    if follower is None:
        return False
    if stored and reasoning.get("id"):
        return bool(follower.get("id"))
    return bool(reasoning.get("encrypted_content"))


def _without_id(item: JsonObject) -> Iterable[JsonObject]:
    """An item without the id by which the API would ask for its reasoning, where the item can be sent without."""
    kind = item.get("type")
    if kind in ("function_call", "custom_tool_call"):
        yield {key: value for key, value in item.items() if key != "id"}
    elif kind == "message":
        phase = {"phase": item["phase"]} if item.get("phase") else {}
        texts = (part.get("text") or part.get("refusal") for part in item["content"])
        yield from ({"role": "assistant", "content": text, **phase} for text in texts if text)
    else:
        yield item
