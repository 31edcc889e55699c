"""Any content block -> a normalised block (`request.blocks`), the one dialect that encoders take.

Callers write LangChain's standard blocks (v1, v0), OpenAI's parts or Anthropic's blocks, in any mix. Nothing is
downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.errors import InvalidHistoryError
from langchain_unified.messages.cache_marks import (
    MARK_KEYS,
    hoist_mark,
    marked,
    split_mark,
    with_mark,
    without_mark_in_extras,
)
from langchain_unified.messages.json_text import data_text, json_object
from langchain_unified.request import WireName
from langchain_unified.request.blocks import (
    AudioBlock,
    Block,
    FileBlock,
    ImageBlock,
    InvalidToolCallBlock,
    JsonObject,
    NativeBlock,
    PlainTextBlock,
    SearchResultBlock,
    ServerToolCallBlock,
    TextBlock,
    ToolCallBlock,
    ToolResultBlock,
    UnknownBlock,
    VideoBlock,
    build,
    changed,
)


def content_items(content: str | list[Any]) -> list[Any]:
    """The items of a message's content: a `str` is one text, an empty one none.

    Code that sets `content` after the message was made may put anything there: another value is the one item.
    """
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if isinstance(content, list):
        return content
    return [] if content is None else list(content) if isinstance(content, tuple) else [content]


def normalise(block: Any, wire: WireName) -> Block:
    """An item of a message's content as a block for `wire`, with its mark."""
    if isinstance(block, str):
        return {"type": "text", "text": block}
    if not isinstance(block, dict):
        return {"type": "unknown", "value": block}
    reader = READERS.get(str(block.get("type")))
    if reader is not None:
        return with_mark(reader(block), block)
    home = wire_of_type(str(block.get("type")))
    if home == wire:
        return with_mark(NativeBlock(type="native", value=as_replied(block)), block)
    return {"type": "unknown", "value": block}


def normalise_result(item: Any, wire: WireName) -> Block:
    """An item of a tool result. What is no content of a result is `unknown`: a tool may return any value.

    The content blocks of MCP have `data` and `mimeType`.
    """
    if isinstance(item, str):
        return {"type": "text", "text": item}
    if not isinstance(item, dict):
        return {"type": "unknown", "value": item}
    if isinstance(item.get("mimeType"), str) and isinstance(item.get("data"), str):
        item = {"type": item.get("type"), "base64": item["data"], "mime_type": item["mimeType"]}
    if str(item.get("type")) not in NOT_IN_RESULTS:
        try:
            block = normalise(item, wire)
        except (InvalidHistoryError, AttributeError, KeyError, TypeError, ValueError):
            return {"type": "unknown", "value": item}
        if block["type"] != "unknown" and _is_well_formed(block):
            return block
    unmarked, mark = split_mark(item)
    return marked(UnknownBlock(type="unknown", value=unmarked), mark)


NOT_IN_RESULTS = frozenset({"reasoning", "tool_call", "invalid_tool_call", "tool_call_chunk", "server_tool_call",
                            "server_tool_call_chunk", "server_tool_result", "refusal", "function_call", "tool_use",
                            "tool_result"})  # fmt: skip


def _is_well_formed(block: Block) -> bool:
    """Whether a block has what its type needs: a text, the place of its data, or content of texts and images."""
    if block["type"] == "text":
        return isinstance(block["text"], str)
    if block["type"] == "search_result" or (block["type"] == "file" and "content" in block):
        content = block.get("content")
        items = content if isinstance(content, list | tuple) else [content]
        return all(isinstance(item, str) or _is_text_or_image(item) for item in items)
    if block["type"] in ("image", "file", "audio", "video", "text-plain"):
        return any(isinstance(block.get(key), str) for key in ("url", "base64", "file_id", "text", "transcript"))
    return True


def _is_text_or_image(item: Any) -> bool:
    if not isinstance(item, dict) or item.get("type") not in ("text", "image"):
        return False
    return item["type"] == "image" or isinstance(item.get("text"), str)


def wire_of_type(kind: str) -> WireName | None:
    """The only wire that has a block of this type; `None` where several wires have it, or none."""
    if kind in ANTHROPIC_TYPES or kind.endswith("_tool_result"):
        return None if kind == "server_tool_result" else "anthropic_messages"
    if kind in ("tool_call", "invalid_tool_call", "server_tool_call", "function_call"):
        return None
    return "openai_responses" if kind in RESPONSES_TYPES or kind.endswith(RESPONSES_SUFFIXES) else None


# Types that tell which wire wrote a block where its message does not name the provider.
ANTHROPIC_TYPES = frozenset({"thinking", "redacted_thinking", "server_tool_use", "mcp_tool_use", "container_upload",
                             "tool_reference", "browser_state", "fallback", "mcp_tool_listing", "tool_addition",
                             "tool_definition", "tool_removal"})  # fmt: skip
RESPONSES_TYPES = frozenset({"additional_tools", "compaction_trigger", "configuration_update", "item_reference",
                             "program", "program_output", "tool_search_output"})  # fmt: skip
RESPONSES_SUFFIXES = ("_call", "_call_output", "_approval_request", "_approval_response", "_list_tools")


def as_replied(block: Mapping[str, Any]) -> JsonObject:
    """A block as the API sent it, without `ADDED_KEYS`. Arguments that came in pieces become the `input` again.

    Those that are no JSON object stay a text, and the wire names them.
    """
    value = without_mark_in_extras({key: item for key, item in block.items() if key not in ADDED_KEYS})
    partial = block.get("partial_json")
    if partial and not value.get("input"):
        arguments = json_object(partial)
        value["input"] = partial if arguments is None else arguments
    return value


ADDED_KEYS = frozenset({"index", "partial_json", *MARK_KEYS})
"""Keys that no API sends in a block: callers mark it, and LangChain leaves the others when it adds chunks."""


# --- text and media ---------------------------------------------------------------------------------------------------


def _select(block: Mapping[str, Any], *keys: str) -> JsonObject:
    """The named keys of a block or of its `extras`, without those that are absent or None."""
    extras = block.get("extras")
    beside = extras if isinstance(extras, dict) else {}
    found = {key: block.get(key, beside.get(key)) for key in keys}
    return {key: value for key, value in found.items() if value is not None}


def _text(block: JsonObject) -> TextBlock:
    text = block.get("text") or ""
    return build(
        TextBlock, type="text", text=text if isinstance(text, str) else data_text(text), **_select(block, "annotations")
    )


def _image(block: JsonObject) -> ImageBlock:
    place = _source(block)
    if isinstance(place.get("mime_type"), str):
        place["mime_type"] = place["mime_type"].lower()
    return build(ImageBlock, type="image", **place, **_select(block, "detail", "transformations"))


def _image_url(block: JsonObject) -> ImageBlock | FileBlock | UnknownBlock:
    inner = block.get("image_url")
    inner = inner if isinstance(inner, dict) else {"url": inner}
    if inner.get("url") is None:
        return {"type": "unknown", "value": block}
    place = _location(inner["url"])
    if not place.get("mime_type", "image/").startswith("image/"):
        # LiteLLM's callers send a PDF as an image whose data URI has another type.
        return build(FileBlock, type="file", **place)
    return build(ImageBlock, type="image", **place, **_select({**block, **inner}, "detail"))


def _input_image(block: JsonObject) -> ImageBlock:
    place = _location(block["image_url"]) if block.get("image_url") else _select(block, "file_id")
    return build(ImageBlock, type="image", **place, **_select(block, "detail"))


FILE_KEYS = ("filename", "title", "context", "citations")


def _file(block: JsonObject) -> FileBlock | ImageBlock | AudioBlock | PlainTextBlock:
    inner = block.get("file")
    if isinstance(inner, dict):  # Chat Completions' part
        return changed(_openai_file(inner), **_select(block, *FILE_KEYS))
    if block.get("source_type") == "text":
        return build(PlainTextBlock, type="text-plain", text=block.get("text", ""), **_select(block, *FILE_KEYS))
    named = {**(block.get("metadata") or {}), **block}
    return _file_at(_source(block), _select(named, *FILE_KEYS))


def _file_at(place: JsonObject, named: JsonObject) -> FileBlock | ImageBlock | AudioBlock:
    """A file, or an image or audio where its type says so: no provider reads these as a file."""
    place = _typed_by_name(place, str(named.get("filename") or ""))
    kind = str(place.get("mime_type", "")).lower()
    if kind.startswith("image/"):
        return build(ImageBlock, type="image", **place)
    if kind.startswith("audio/") and "base64" in place:
        return build(AudioBlock, type="audio", **place)
    return build(FileBlock, type="file", **place, **named)


def _typed_by_name(place: JsonObject, filename: str) -> JsonObject:
    """The place of a file with the type that its name tells, where it is labelled as a PDF and its data is none.

    LangChain core labels every file in OpenAI's form as a PDF.
    """
    data, kind = place.get("base64"), place.get("mime_type") or "application/pdf"
    if not isinstance(data, str) or kind != "application/pdf" or data.startswith("JVBERi0"):
        return place
    found = TYPES_BY_ENDING.get(filename.rpartition(".")[2].lower())
    return place if found is None else {**place, "mime_type": found}


# The endings of files that a model reads, or that it refuses by name; `mimetypes` differs between machines.
OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES_BY_ENDING: Mapping[str, str] = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": f"{OFFICE}.wordprocessingml.document",
    "gif": "image/gif",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "md": "text/markdown",
    "mp3": "audio/mpeg",
    "png": "image/png",
    "pptx": f"{OFFICE}.presentationml.presentation",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webp": "image/webp",
    "xlsx": f"{OFFICE}.spreadsheetml.sheet",
}


def _openai_file(inner: JsonObject) -> FileBlock | ImageBlock | AudioBlock:
    data, url = inner.get("file_data"), inner.get("file_url")
    address = data or url
    place = _location(address) if address else _select(inner, "file_id")
    if data and "base64" not in place:
        place = {"base64": data, "mime_type": "application/pdf"}
    return _file_at(place, _select(inner, "filename", "detail"))


def _document(block: JsonObject) -> FileBlock | ImageBlock | AudioBlock | PlainTextBlock:
    """Anthropic's document, whose `source` may be text, blocks, base64, a URL or a file id."""
    source, named = block.get("source"), _select(block, *FILE_KEYS)
    if not isinstance(source, dict):
        return _file_at({}, named)
    if source.get("type") == "text":
        return build(PlainTextBlock, type="text-plain", text=source.get("data", ""), **named)
    if source.get("type") == "content":
        content, mark = hoist_mark(source.get("content"))
        return marked(build(FileBlock, type="file", content=content, **named), mark)
    return _file_at(_source(block), named)


def _text_plain(block: JsonObject) -> PlainTextBlock:
    place = _source(block) if block.get("text") is None else _select(block, "text")
    return build(PlainTextBlock, type="text-plain", **place, **_select(block, *FILE_KEYS))


def _audio(block: JsonObject) -> AudioBlock:
    return build(AudioBlock, type="audio", **_source(block), **_select(block, "transcript"))


def _input_audio(block: JsonObject) -> AudioBlock:
    inner = block.get("input_audio")
    inner = inner if isinstance(inner, dict) else {}
    return {"type": "audio", "base64": inner.get("data") or "", "mime_type": f"audio/{inner.get('format', 'wav')}"}


def _video(block: JsonObject) -> VideoBlock:
    return build(VideoBlock, type="video", **_source(block))


def _search_result(block: JsonObject) -> SearchResultBlock:
    found = _select(block, "source", "title", "content", "citations")
    content, mark = hoist_mark(found.get("content"))
    if "content" in found:
        found["content"] = content
    return marked(build(SearchResultBlock, type="search_result", **found), mark)


# --- tool calls and results -------------------------------------------------------------------------------------------


def parsed_call(call_id: str | None, name: str, arguments: str) -> ToolCallBlock | InvalidToolCallBlock:
    """A call whose arguments are JSON text: an `invalid_tool_call`, with the text, where that is no JSON object."""
    args = json_object(arguments or "{}")
    if args is None:
        return {"type": "invalid_tool_call", "id": call_id, "name": name, "args": arguments}
    return {"type": "tool_call", "id": call_id, "name": name, "args": args}


def _call_with(block: JsonObject, args: Any) -> ToolCallBlock | InvalidToolCallBlock:
    """The call of a block with these arguments: an object, JSON text, or nothing. Anything else makes it invalid."""
    call_id, name = block.get("id"), block.get("name") or ""
    if args and not isinstance(args, dict):
        return parsed_call(call_id, name, args if isinstance(args, str) else data_text(args))
    return {"type": "tool_call", "id": call_id, "name": name, "args": args or {}}


def _tool_use(block: JsonObject) -> ToolCallBlock | InvalidToolCallBlock:
    return _call_with(block, block.get("input") or block.get("partial_json"))


def _function_call(block: JsonObject) -> ToolCallBlock | InvalidToolCallBlock:
    call = parsed_call(block.get("call_id"), block.get("name", ""), block.get("arguments") or "")
    extras = _select(block, "status", "namespace", "caller", "async")
    if isinstance(block.get("id"), str):
        extras["item_id"] = block["id"]
    return changed(call, extras=extras) if extras else call


def _tool_call(block: JsonObject) -> ToolCallBlock | InvalidToolCallBlock:
    call = _call_with(block, block.get("args"))
    if block.get("extras"):
        call["extras"] = block["extras"]
    return call


def _tool_call_chunk(block: JsonObject) -> InvalidToolCallBlock:
    """The sum of standard chunks has this block for a call whose arguments never became complete."""
    named = {key: block.get(key) for key in ("id", "name", "args")}
    return build(InvalidToolCallBlock, type="invalid_tool_call", **named, **_select(block, "extras"))


def _server_tool_call_chunk(block: JsonObject) -> ServerToolCallBlock:
    """A call of a server tool in a stream that stopped before its arguments were complete."""
    args = json_object(block.get("args") or "{}") or {}
    return build(ServerToolCallBlock, **{**_standard(block), "type": "server_tool_call", "args": args})


def _tool_result(block: JsonObject) -> ToolResultBlock:
    content = block.get("content")
    items = [content] if isinstance(content, str) and content else content if isinstance(content, list) else []
    return {
        "type": "tool_result",
        "tool_call_id": block.get("tool_use_id", ""),
        "content": tuple(normalise_result(item, "anthropic_messages") for item in items),
        "is_error": bool(block.get("is_error")),
    }


# --- LangChain's other blocks -----------------------------------------------------------------------------------------


def _standard(block: JsonObject) -> Any:
    """A standard block as it is, without `ADDED_KEYS` and without an id that LangChain made."""
    made_up = str(block.get("id", "")).startswith("lc_")
    return {key: item for key, item in block.items() if key not in ADDED_KEYS and not (key == "id" and made_up)}


def _non_standard(block: JsonObject) -> NativeBlock | UnknownBlock:
    value = block.get("value")
    if not isinstance(value, dict):
        return {"type": "unknown", "value": block}
    unmarked, mark = split_mark(value)
    return marked(NativeBlock(type="native", value=as_replied(unmarked)), mark)


# --- where the data of a medium is ------------------------------------------------------------------------------------


def _source(block: JsonObject) -> JsonObject:
    """The place of the data: `url`, `base64` with `mime_type`, or `file_id`; from v1, v0 and Anthropic spellings."""
    source = block.get("source")
    if isinstance(source, dict):
        return ANTHROPIC_SOURCES.get(source.get("type", ""), _no_source)(source)
    kind = block.get("source_type")
    if kind == "base64":
        return {"base64": block.get("data") or "", **_select(block, "mime_type")}
    if kind == "id":
        return {"file_id": block.get("id")}
    if block.get("url"):
        return {**_location(block["url"]), **_select(block, "mime_type")}
    return _select(block, "base64", "mime_type", "file_id")


def _no_source(source: JsonObject) -> JsonObject:
    return {}


ANTHROPIC_SOURCES: Mapping[str, Callable[[JsonObject], JsonObject]] = {
    "base64": lambda source: {"base64": source.get("data") or "", "mime_type": source.get("media_type", "")},
    "url": lambda source: {"url": str(source.get("url") or "")},
    "file": lambda source: {"file_id": source.get("file_id", "")},
}


def _location(address: Any) -> JsonObject:
    """A URL as `url`, a base64 data URI as `base64` with its `mime_type`. A `Path` is text, which is refused later."""
    url = str(address)
    if url.startswith("data:"):
        head, _, data = url[5:].partition(",")
        mime_type, _, encoding = head.partition(";")
        if "base64" in encoding:
            return {"base64": data, "mime_type": mime_type.lower()}
    return {"url": url}


READERS: Mapping[str, Callable[[JsonObject], Block]] = {
    # LangChain's standard blocks
    "text": _text,
    "image": _image,
    "file": _file,
    "text-plain": _text_plain,
    "audio": _audio,
    "video": _video,
    "reasoning": _standard,
    "tool_call": _tool_call,
    "invalid_tool_call": _standard,
    "tool_call_chunk": _tool_call_chunk,
    "server_tool_call": _standard,
    "server_tool_call_chunk": _server_tool_call_chunk,
    "server_tool_result": _standard,
    "refusal": _standard,
    "non_standard": _non_standard,
    # OpenAI's parts, chat and responses
    "image_url": _image_url,
    "input_audio": _input_audio,
    "input_text": _text,
    "output_text": _text,
    "input_image": _input_image,
    "computer_screenshot": _input_image,
    "input_file": _openai_file,
    "function_call": _function_call,
    # Anthropic's blocks
    "document": _document,
    "search_result": _search_result,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
}
