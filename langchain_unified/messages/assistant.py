"""An assistant message -> its turn.

A reply that goes back to its own wire keeps its blocks as `native`, byte for byte. For every other wire they become
standard blocks, through LangChain core's translators. `message.tool_calls` decides which calls the message makes,
because callers edit it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage

from langchain_unified.messages.blocks import READERS, as_replied, content_items, normalise, wire_of_type
from langchain_unified.messages.cache_marks import mark_last, mark_of, marked, split_mark, with_mark
from langchain_unified.messages.edited import as_constructed
from langchain_unified.messages.json_text import data_text
from langchain_unified.messages.output_v0 import with_stored_items
from langchain_unified.messages.server_reasoning import COMPATIBLE, server_of, with_server_reasoning
from langchain_unified.messages.tool_calls import (
    RAW_ARGUMENTS,
    follow_tool_calls,
    with_listed_calls,
    with_raw_arguments,
)
from langchain_unified.messages.unnamed import with_provider
from langchain_unified.request import Turn, WireName
from langchain_unified.request.blocks import (
    Block,
    ForeignBlock,
    JsonObject,
    NativeBlock,
    changed,
    raw_value,
    without,
)


def assistant_turn(message: AIMessage, wire: WireName, position: int) -> Turn:
    """The turn of an assistant message as `wire` takes it, with the wire and the model that produced it."""
    if not isinstance(message.content, str | list):
        message = message.model_copy(update={"content": content_items(message.content)})
    message = as_constructed(message)
    if message.additional_kwargs:
        message = with_stored_items(message)
    message = with_provider(with_listed_calls(message))
    origin = origin_of(message)
    replayed = origin == wire and not _is_v1(message)
    blocks = list(_replayed_blocks(message, wire) if replayed else _translated_blocks(message, wire, origin))
    blocks += list(_blocks_beside_content(message, wire, blocks))
    blocks = follow_tool_calls(blocks, message)
    server = server_of(message)
    if wire == "openai_chat" and message.additional_kwargs:
        if RAW_ARGUMENTS in message.additional_kwargs:
            blocks = with_raw_arguments(blocks, message)
        if server is not None:
            blocks = with_server_reasoning(blocks, message)
    return Turn(
        "assistant",
        tuple(mark_last(blocks, mark_of(message.additional_kwargs))),
        name=message.name,
        options={LOST_REASONING: True} if origin == wire == "openai_responses" and _has_reasoned(message) else {},
        origin=origin,
        model=message.response_metadata.get("model_name"),
        position=position,
        server=server,
    )


LOST_REASONING = "reasoned"
"""Key in a turn's options: its model has reasoned. Without the reasoning, its items must go out without their ids."""


def _has_reasoned(message: AIMessage) -> bool:
    usage = message.usage_metadata
    details = usage.get("output_token_details") if usage else None
    return any(name.endswith("reasoning") and bool(count) for name, count in (details or {}).items())


def origin_of(message: AIMessage) -> WireName | None:
    """The wire that produced an assistant message, by its metadata; `None` where that names no provider of ours."""
    provider = message.response_metadata.get("model_provider")
    if provider == "anthropic":
        return "anthropic_messages"
    if provider == COMPATIBLE:
        return "openai_chat"
    if provider != "openai":
        return None
    responses = isinstance(message.content, list) or _response_id(message).startswith("resp_")
    return "openai_responses" if responses else "openai_chat"


def _response_id(message: AIMessage) -> str:
    """The provider's id of a reply. In messages that older programs stored, it is the message's id."""
    return str(message.response_metadata.get("id") or message.id or "")


def _is_v1(message: AIMessage) -> bool:
    return message.response_metadata.get("output_version") == "v1" and isinstance(message.content, list)


# --- the same wire ----------------------------------------------------------------------------------------------------


def _replayed_blocks(message: AIMessage, wire: WireName) -> Iterator[Block]:
    """The blocks of a reply that goes back to the wire it came from."""
    for item in content_items(message.content):
        block = item if _is_block(item, wire) else {"type": "text", "text": data_text(item) if item else ""}
        if block.get("type") in STANDARD_ONLY or block.get("type") in NOT_REPLIED.get(wire, ()):
            yield normalise(block, wire)
        elif (home := _home_of(block)) not in (None, wire):
            yield from standard_blocks(block, home, wire)  # merged from answers of several providers
        else:
            yield with_mark(NativeBlock(type="native", value=as_replied(block)), block)


def _is_block(item: Any, wire: WireName) -> bool:
    """Whether an item of an answer is a content block. Parts of items of the Responses API have no type."""
    if not isinstance(item, dict):
        return False
    return isinstance(item.get("type"), str) or (wire == "openai_responses" and bool(item.get("id")))


# No API has blocks of these types: LangChain or the caller wrote them.
STANDARD_ONLY = frozenset({"tool_call", "invalid_tool_call", "tool_call_chunk", "server_tool_call",
                           "server_tool_call_chunk", "server_tool_result", "non_standard", "image_url"})  # fmt: skip

# Types that the API has not in its replies: they stand in answers that were stored, merged or edited.
# (A block `reasoning` with Claude's signature becomes `thinking` again.)
NOT_REPLIED: Mapping[WireName, frozenset[str]] = {
    "anthropic_messages": frozenset({"reasoning", "refusal", "file", "text-plain", "audio", "video", "input_text",
                                     "output_text", "input_image", "input_file", "input_audio", "function_call",
                                     "tool_result"}),
    "openai_responses": frozenset({"search_result", "document", "file", "text-plain", "audio", "video", "input_text",
                                   "output_text", "input_image", "input_file", "input_audio", "tool_use",
                                   "tool_result"}),
}  # fmt: skip


# --- another wire -----------------------------------------------------------------------------------------------------


def _translated_blocks(message: AIMessage, wire: WireName, origin: WireName | None) -> Iterator[Block]:
    """The blocks of a message that another wire produced, or one that is not known, or of a v1 message."""
    items = content_items(message.content) if origin is None else standard_items(message)
    for item in items:
        block = item if isinstance(item, dict) else {"type": "text", "text": data_text(item)}
        if block.get("type") == "non_standard":
            if origin not in (None, wire):
                yield with_mark(_foreign(block.get("value")), block)
                continue
            block = _unwrapped(block, wire)
        home = _home_of(block)
        if home is None:
            same_api = origin == wire == "openai_responses"
            found = changed(normalise(block, wire), **(_item_fields(block) if same_api else _caption(block)))
            # What an API adds to its calls (`caller`, `toolset_name`, item ids) means nothing to another one.
            yield found if origin in (None, wire) or found["type"] not in CALLS else without(found, "extras")
        elif home == wire:
            yield with_mark(NativeBlock(type="native", value=as_replied(block)), block)
        else:
            yield from standard_blocks(block, home, wire)


CALLS = frozenset({"tool_call", "invalid_tool_call"})


def _unwrapped(block: JsonObject, wire: WireName) -> JsonObject:
    """A provider's block that core wrapped because the message did not name its provider; any other stays wrapped.

    A wrapped block of a type that is not known here is the caller's, for `wire`.
    """
    value = block.get("value")
    kind = str(value.get("type")) if isinstance(value, dict) else ""
    is_own = kind == "tool_use" and wire == "anthropic_messages"
    if not isinstance(value, dict) or is_own or (kind not in READERS and _home_of(value) in (None, wire)):
        return block
    return {**value, "cache_control": {"type": "ephemeral", **mark}} if (mark := mark_of(block)) else value


def _home_of(block: Mapping[str, Any]) -> WireName | None:
    # Both providers have texts and compactions: the key of citations, and that of a summary, tell them apart.
    if block.get("type") == "compaction":
        return "anthropic_messages" if "content" in block else "openai_responses"
    cites = block.get("type") == "text" and block.get("citations")
    return "anthropic_messages" if cites else wire_of_type(str(block.get("type")))


def _item_fields(block: Mapping[str, Any]) -> JsonObject:
    """What the Responses API needs to recognise its own texts and images. It does not know ids that LangChain made."""
    if block.get("type") not in ("text", "image") or str(block.get("id", "lc_")).startswith("lc_"):
        return {}
    return {key: block[key] for key in ("id", "phase", "status", "logprobs", "extras") if block.get(key)}


def _caption(block: Mapping[str, Any]) -> JsonObject:
    """The prompt of a generated image, which describes it. Only its own provider reads its other extras."""
    prompt = (block.get("extras") or {}).get("revised_prompt") if block.get("type") == "image" else None
    return {"extras": {"revised_prompt": prompt}} if prompt else {}


def standard_items(message: AIMessage) -> list[Any]:
    """A reply's content in LangChain's standard form, with its cache marks.

    Core drops the marks of some blocks. A mark is put back on the last standard block that its block becomes.
    """
    items = _core_blocks(message, message.content)
    for at, item in enumerate(message.content):
        mark = mark_of(item) if isinstance(item, dict) else None
        count = 0 if mark is None else len(_core_blocks(message, message.content[: at + 1]))
        if mark is not None and 0 < count <= len(items):
            items[count - 1] = {**items[count - 1], "cache_control": {"type": "ephemeral", **mark}}
    return items


def _core_blocks(message: AIMessage, content: Any) -> list[Any]:
    beside = message.tool_calls or message.invalid_tool_calls or message.additional_kwargs
    if isinstance(content, str) and content and not beside:
        return [{"type": "text", "text": content}]  # what core makes of it
    # Core's translators remove "index" from the blocks that they are given, so they get copies; they drop bare strings.
    copies = content if isinstance(content, str) else [_text_or_copy(item) for item in content]
    try:
        return cast("list[Any]", message.model_copy(update={"content": copies}).content_blocks)
    except MALFORMED:
        alone = message.model_copy(update={"tool_calls": [], "invalid_tool_calls": []})
        return [found for item in content for found in _core_blocks_of(alone, item)]


MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What core's translators raise for a block that lacks what its type needs."""


def _core_blocks_of(message: AIMessage, item: Any) -> list[Any]:
    """The standard blocks of one item; the item as `non_standard` where core cannot translate it."""
    try:
        return cast("list[Any]", message.model_copy(update={"content": [_text_or_copy(item)]}).content_blocks)
    except MALFORMED:
        return [{"type": "non_standard", "value": item}]


def _text_or_copy(item: Any) -> JsonObject:
    if not isinstance(item, dict):
        return {"type": "text", "text": data_text(item)}
    if item.get("type") == "reasoning" and "summary" in item and isinstance(item.get("extras"), dict):
        # Core's translator makes `extras` of unknown keys, and fails where the block has them already.
        return {**item["extras"], **{key: value for key, value in item.items() if key != "extras"}}
    return dict(item)


def standard_blocks(block: Mapping[str, Any], home: WireName, wire: WireName) -> Iterator[Block]:
    """The standard blocks of a block that only `home` has, for `wire`; `foreign` where it has no standard form."""
    provider = "anthropic" if home == "anthropic_messages" else "openai"
    carrier = AIMessage(content=[_text_or_copy(block)], response_metadata={"model_provider": provider})
    blocks = [_standard_block(cast(JsonObject, item), wire) for item in _core_blocks_of(carrier, dict(block))]
    yield from mark_last(blocks, mark_of(block) if blocks else None)


def _standard_block(item: JsonObject, wire: WireName) -> Block:
    if item["type"] == "non_standard":
        return with_mark(_foreign(item["value"]), item)
    return changed(normalise(item, wire), **_caption(item))


def _foreign(value: Any) -> ForeignBlock:
    unmarked, mark = split_mark(value) if isinstance(value, Mapping) else (value, None)
    return marked(ForeignBlock(type="foreign", value=unmarked), mark)


# --- beside the content -----------------------------------------------------------------------------------------------


def _blocks_beside_content(message: AIMessage, wire: WireName, blocks: Iterable[Block]) -> Iterator[Block]:
    """What Chat Completions puts beside the content: a refusal, an audio answer, its sources.

    The API refers to its audio by id, and takes no sources back; other wires get the transcript and the sources.
    """
    refusal, audio = (message.additional_kwargs.get(key) for key in ("refusal", "audio"))
    if refusal and not any(_is_refusal(block) for block in blocks):
        yield {"type": "refusal", "refusal": refusal}
    if isinstance(audio, dict) and wire == "openai_chat" and audio.get("id"):
        yield {"type": "native", "value": {"type": "audio", "id": audio["id"]}}
    elif isinstance(audio, dict) and audio.get("transcript"):
        yield {"type": "text", "text": audio["transcript"]}
    if message.additional_kwargs.get("annotations") and wire != "openai_chat":
        yield {"type": "text", "text": "", "annotations": message.additional_kwargs["annotations"]}


def _is_refusal(block: Block) -> bool:
    return block["type"] == "refusal" or raw_value(block).get("type") == "refusal"
