"""An assistant turn -> output items, as the API gave them and takes them back.

Rules of the API that shape this: a reasoning item must be followed by an item that it belongs to, found by its id; what
was not stored has no ids to be found by, only encrypted content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from langchain_unified.request import JsonObject, Turn
from langchain_unified.request.blocks import AnyBlock as Block
from langchain_unified.wires._wire import cannot_carry
from langchain_unified.wires.openai_responses import assistant_tools as server_tools
from langchain_unified.wires.openai_responses.blocks import (
    REMEDIES,
    WIRE,
    compact,
    decoded,
    document_text,
    image_address,
    item_in,
    search_text,
)

Items = list[JsonObject]


def encode_assistant(turn: Turn, *, stored: bool) -> Items:
    """The items of an assistant turn. `stored`: the provider keeps replies, so that their ids mean something to it."""
    items: Items = []
    for block in turn.blocks:
        BLOCKS.get(block["type"], _refused)(block, turn, items)
    return list(_paired(items, stored=stored))


# --- what the wire itself produced ------------------------------------------------------------------------------------


def _native(block: Block, turn: Turn, items: Items) -> None:
    value = block["value"]
    NATIVE.get(value.get("type") or "", _item)(value, items)


def _item(value: JsonObject, items: Items) -> None:
    items.append(without_nulls(value))


def without_nulls(item: Mapping[str, Any]) -> JsonObject:
    """An item without the nulls that replies hold and requests refuse. Three keys must be there, null or not."""
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
        return  # a chunk's annotations without their text, in the sum of a plain stream
    part = {key: item for key, item in value.items() if key not in MESSAGE_KEYS}
    annotations = [found for note in value.get("annotations") or () if (found := annotation(note))]
    _say(value, {**part, "type": "output_text", "annotations": annotations}, value["text"], items)


def _native_refusal(value: JsonObject, items: Items) -> None:
    _say(value, {"type": "refusal", "refusal": value["refusal"]}, value["refusal"], items)


MESSAGE_KEYS = frozenset({"id", "phase", "status", "extras"})


def _native_message(value: JsonObject, items: Items) -> None:
    """A message kept whole, because it has a part of a type that is not known here."""
    for part in value.get("content") or ():
        _say(value, dict(part), str(part.get("text") or ""), items)


def _say(holder: Mapping[str, Any], part: JsonObject, text: str, items: Items) -> None:
    """Adds a part to the message that it was in; a text that was in no known message becomes one of its own."""
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
    """A reasoning item, its parts free of the `index` that summed chunks leave in them."""
    item = without_nulls(value)
    for key in ("summary", "content"):
        if isinstance(item.get(key), list):
            item[key] = [{name: text for name, text in part.items() if name != "index"} for part in item[key]]
    if item.get("id"):
        items.append({"summary": [], **item})


def _untyped(value: JsonObject, items: Items) -> None:
    """The rest of an item that streamed in two pieces, as LangChain's standard form keeps it; or an item by itself."""
    begun = next((item for item in items if value.get("id") and item.get("id") == value["id"]), None)
    if begun is None:
        _item(value, items)
    else:
        begun.update(without_nulls({"type": begun["type"], **value}))


NATIVE: Mapping[str, Callable[[JsonObject, Items], None]] = {
    "": _untyped,
    "text": _native_text,
    "refusal": _native_refusal,
    "message": _native_message,
    "reasoning": _native_reasoning,
}


# --- standard blocks --------------------------------------------------------------------------------------------------


def _text(block: Block, turn: Turn, items: Items) -> None:
    _native_text(block, items)


def _refusal(block: Block, turn: Turn, items: Items) -> None:
    _native_refusal({"id": block.get("id"), "refusal": block.get("refusal") or ""}, items)


def _tool_call(block: Block, turn: Turn, items: Items) -> None:
    args = block["args"]
    call = {
        "type": "function_call",
        "call_id": block.get("id") or "",
        "name": block.get("name") or "",
        "arguments": args if isinstance(args, str) else compact(args or {}),
    }
    items.append(call | _call_extras(block.get("extras") or {}, turn))


def _call_extras(extras: Mapping[str, Any], turn: Turn) -> JsonObject:
    if turn.origin != WIRE:
        return {}
    kept = {key: extras[key] for key in ("status", "namespace", "async") if extras.get(key) is not None}
    item_id = str(extras.get("item_id") or "")
    return {"id": item_id, **kept} if item_id.startswith("fc_") else kept


def _reasoning(block: Block, turn: Turn, items: Items) -> None:
    """LangChain gives one block for each part of a summary: those of one id are one item again."""
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


def _image(block: Block, turn: Turn, items: Items) -> None:
    item_id = str(block.get("id") or "")
    if turn.origin == WIRE and item_id.startswith("ig_") and block.get("base64"):
        call = {"type": "image_generation_call", "id": item_id, "result": block["base64"], "status": "completed"}
        items.append(call | (block.get("extras") or {}))
        return
    address = image_address(block) or block.get("file_id") or ""
    _aside("[image]" if address.startswith("data:") or not address else f"[image: {address}]", items)


def _medium(block: Block, turn: Turn, items: Items) -> None:
    _aside(f"[{block['type']}: {name}]" if (name := _name_of(block)) else f"[{block['type']}]", items)


def _name_of(block: Block) -> str | None:
    return next((block[key] for key in ("filename", "title", "url", "file_id", "transcript") if block.get(key)), None)


def _text_plain(block: Block, turn: Turn, items: Items) -> None:
    if block.get("text") is None and block.get("base64"):
        block = {**block, "text": decoded(block, turn)}
    if block.get("text") is None:
        _medium(block, turn, items)
    else:
        _aside(document_text(block), items)


def _search_result(block: Block, turn: Turn, items: Items) -> None:
    _aside(search_text(block), items)


def _aside(text: str, items: Items) -> None:
    """What an assistant message cannot hold as it is, as a text."""
    items.append({"role": "assistant", "content": text})


def _server_tool_call(block: Block, turn: Turn, items: Items) -> None:
    call = server_tools.call_item(block) if turn.origin == WIRE else None
    if call is None:
        _aside(server_tools.call_text(block), items)
    else:
        items.append(call)


def _server_tool_result(block: Block, turn: Turn, items: Items) -> None:
    if turn.origin == WIRE and server_tools.add_result(block, items):
        return
    _aside(server_tools.result_text(block), items)


def _foreign(block: Block, turn: Turn, items: Items) -> None:
    return


def _refused(block: Block, turn: Turn, items: Items) -> None:
    item = item_in(block)
    if item is None:
        raise cannot_carry(block, turn, WIRE, REMEDIES.get(block["type"], "Put it into a user message."))
    items.append(without_nulls(item))


BLOCKS: Mapping[str, Callable[[Block, Turn, Items], None]] = {
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
    "text-plain": _text_plain,
    "search_result": _search_result,
    "native": _native,
    "foreign": _foreign,
}


# --- reasoning and what follows it ------------------------------------------------------------------------------------


def _paired(items: Items, *, stored: bool) -> Iterable[JsonObject]:
    """The items without the reasoning that the API would refuse, and the ids by which it would miss that reasoning."""
    orphaned = False
    for place, item in enumerate(items):
        if item.get("type") == "reasoning":
            orphaned = not _replayable(item, items[place + 1 :], stored=stored)
            if not orphaned:
                yield item
        elif orphaned:
            yield from _anonymous(item)
        else:
            yield item


def _replayable(reasoning: JsonObject, rest: Items, *, stored: bool) -> bool:
    follower = next((item for item in rest if item.get("type") != "reasoning"), None)
    if follower is None:
        return False
    return bool(follower.get("id")) if stored else bool(reasoning.get("encrypted_content"))


def _anonymous(item: JsonObject) -> Iterable[JsonObject]:
    """An item without the id by which the API would ask for its reasoning, as far as it can be without."""
    kind = item.get("type")
    if kind in ("function_call", "custom_tool_call"):
        yield {key: value for key, value in item.items() if key != "id"}
    elif kind == "message":
        phase = {"phase": item["phase"]} if item.get("phase") else {}
        texts = (part.get("text") or part.get("refusal") for part in item["content"])
        yield from ({"role": "assistant", "content": text, **phase} for text in texts if text)
    else:
        yield item
