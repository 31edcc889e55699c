"""What a client of the Messages API sees of other providers' answers, in Claude's own blocks where it has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import Block, ServerToolCallBlock, ServerToolResultBlock, build
from langchain_unified.wires._completion import Completion
from langchain_unified.wires._shown import COMMON, Showing, View, not_shown
from langchain_unified.wires.anthropic_messages.blocks import WIRE

PROVIDER = "anthropic"


def view_of(body: JsonObject) -> View:
    """What the client that sent a body sees."""
    return View(WIRE, TABLE)


def asks_no_thinking(body: JsonObject) -> bool:
    """Whether a request does without thinking. Programs that send one read the first block as the text."""
    asked = body.get("thinking") or {}
    return "messages" in body and asked.get("type", "disabled") == "disabled"


def with_needed_reasoning(completion: Completion, view: View) -> Completion:
    """The answer of another provider's model for a client that asked for no thinking.

    The model needs its reasoning back between calls of tools only: it stands before the call that follows it, and is
    left out where none follows.
    """
    blocks: list[Block] = []
    held: list[Block] = []
    for block in completion.blocks:
        if block["type"] == "reasoning":
            held.append(block)
            continue
        if block["type"] in ("tool_call", "invalid_tool_call"):
            blocks += held
            held = []
        blocks.append(block)
    if held:
        lose_reasoning(view)
    return replace(completion, blocks=tuple(blocks), notes=tuple(view.notes))


def lose_reasoning(view: View) -> None:
    """Name reasoning that is not shown."""
    view.lose("reasoning", "The request does not ask for thinking, and no tool call needs it: it is not shown.")


# --- texts ------------------------------------------------------------------------------------------------------------


def _text(view: View, item: JsonObject) -> Iterable[Block]:
    notes = item.get("annotations")
    if notes and view.provider != PROVIDER:
        item = {**item, "annotations": [found for note in notes if (found := _citation(view, note))]}
    return COMMON["text"](view, item)


def _citation(view: View, note: JsonObject) -> JsonObject | None:
    """A source as a citation of Claude's: OpenAI quotes nothing, so the quote and its proof are empty."""
    place = note.get("url_citation") or note
    if place.get("url"):
        extras = {"encrypted_index": ""}
        named = {"url": place["url"], "title": place.get("title"), "cited_text": ""}
        return {"type": "citation", **named, "extras": extras}
    view.lose("citation", "The Messages API has citations of web pages and of the request's documents only.")
    return None


def _image(view: View, item: JsonObject) -> Iterable[Block]:
    """An image that the model made: the API answers with none."""
    view.lose("image", "The Messages API answers with no images: the model's image is not shown.")
    prompt = (item.get("extras") or {}).get("revised_prompt")
    url = str(item.get("url") or "")
    shown = url if url and not url.startswith("data:") else prompt
    yield {"type": "text", "text": f"[image: {shown}]" if shown else "[image]"}


def _audio(view: View, item: JsonObject) -> Iterable[Block]:
    """A sound: its transcript."""
    if item.get("transcript"):
        yield {"type": "text", "text": str(item["transcript"])}
    view.lose("audio", "The Messages API answers with no sound: its transcript is shown.")


# --- tools that OpenAI runs -------------------------------------------------------------------------------------------


def _call(view: View, item: JsonObject) -> Iterable[Block]:
    if view.provider == PROVIDER:
        yield build(ServerToolCallBlock, **{key: item[key] for key in item if key != "index"})
        return
    write = CALLS.get(str(item.get("name")))
    found = write(item.get("args") or {}, item.get("extras") or {}) if write else None
    if found is None:
        not_shown(view, item)
        return
    call_id, view.calls[str(item.get("id"))] = _id(item), str(item.get("name"))
    yield build(ServerToolCallBlock, type="server_tool_call", id=call_id, **found)


def _id(item: JsonObject) -> str:
    """An id of the form that the API gives its tools, from which OpenAI's id can be read."""
    prefix = "mcptoolu_" if item.get("name") == "remote_mcp" else "srvtoolu_"
    return f"{prefix}{item.get('id') or item.get('tool_call_id')}"


def _search(args: JsonObject, extras: JsonObject) -> JsonObject | None:
    query = args.get("query") or next(iter(args.get("queries") or ()), None)
    return {"name": "web_search", "args": {"query": query}} if query else None


def _code(args: JsonObject, extras: JsonObject) -> JsonObject | None:
    return {"name": "code_interpreter", "args": {"code": args.get("code") or ""}}


def _mcp(args: JsonObject, extras: JsonObject) -> JsonObject | None:
    named = {"tool_name": extras.get("tool_name") or "", "server_name": extras.get("server_label") or ""}
    return {"name": "remote_mcp", "args": args, "extras": named}


CALLS: Mapping[str, Callable[[JsonObject, JsonObject], JsonObject | None]] = {
    "web_search": _search,
    "code_interpreter": _code,
    "remote_mcp": _mcp,
}
"""Tools that Claude has as well: the arguments and extras of OpenAI's call -> Claude's call."""


def _result(view: View, item: JsonObject) -> Iterable[Block]:
    if view.provider == PROVIDER:
        yield build(ServerToolResultBlock, **{key: item[key] for key in item if key != "index"})
        return
    name = view.calls.get(str(item.get("tool_call_id")))
    if name is None:
        return  # its call is named already
    kind, write = RESULTS[name]
    failed = item.get("status") == "error"
    named = {"tool_call_id": _id({"name": name, **item, "id": None}), "status": "error" if failed else "success"}
    output = write(item.get("output"), failed, item.get("extras") or {})
    yield build(ServerToolResultBlock, type="server_tool_result", output=output, extras={"block_type": kind}, **named)


def _found_pages(output: Any, failed: bool, extras: JsonObject) -> Any:
    """The pages of a search. OpenAI names their addresses alone, and only where a request asks for them."""
    if failed:
        return {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    sources = output.get("sources") if isinstance(output, dict) else None
    urls = [str(each["url"]) for each in sources or () if isinstance(each, dict) and each.get("url")]
    page = {"type": "web_search_result", "encrypted_content": "", "page_age": None}
    return [{**page, "title": url, "url": url} for url in urls]


def _printed(output: Any, failed: bool, extras: JsonObject) -> Any:
    logs = [str(each.get("logs") or "") for each in output or () if isinstance(each, dict)]
    printed = {"stdout": "".join(logs), "stderr": "", "return_code": int(failed)}
    return {"type": "code_execution_result", **printed, "content": []}


def _said(output: Any, failed: bool, extras: JsonObject) -> Any:
    text = output or extras.get("error") or ""
    return [{"type": "text", "text": text if isinstance(text, str) else str(text)}]


Result: TypeAlias = tuple[str, Callable[[Any, bool, JsonObject], Any]]
RESULTS: Mapping[str, Result] = {
    "web_search": ("web_search_tool_result", _found_pages),
    "code_interpreter": ("code_execution_tool_result", _printed),
    "remote_mcp": ("mcp_tool_result", _said),
}
"""Name of a tool -> the type of Claude's result, and what is in it."""

TABLE: Mapping[str, Showing] = {
    "text": _text,
    "image": _image,
    "audio": _audio,
    "server_tool_call": _call,
    "server_tool_result": _result,
}
"""What the API shows in its own way, by the type of a standard block."""
