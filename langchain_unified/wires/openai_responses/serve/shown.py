"""What a client of the Responses API sees of other providers' answers, in OpenAI's own items where it has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import Block, NativeBlock, ServerToolCallBlock, ServerToolResultBlock, build
from langchain_unified.wires._openai.citations import placed
from langchain_unified.wires._shown import COMMON, Showing, View, not_shown
from langchain_unified.wires.openai_responses.blocks import WIRE

PROVIDER = "openai"


def view_of(body: JsonObject) -> View:
    """What the client that sent a body sees."""
    return View(WIRE, TABLE, joins_reasoning=False)


# --- texts and media --------------------------------------------------------------------------------------------------


def _text(view: View, item: JsonObject) -> Iterable[Block]:
    return COMMON["text"](view, placed(view, item))


def _image(view: View, item: JsonObject) -> Iterable[Block]:
    """An image that the model made: the item of OpenAI's tool. It has no place for an address."""
    if not item.get("base64"):
        url = str(item.get("url") or "")
        return ({"type": "text", "text": f"[image: {url}]"},) if url else not_shown(view, item)
    call = {"type": "image_generation_call", "status": "completed", "result": item["base64"]}
    kind = str(item.get("mime_type") or "").removeprefix("image/")
    named = {"output_format": kind} if kind else {}
    own_id = {"id": item["id"]} if str(item.get("id")).startswith("ig_") else {}
    value = {**call, **named, **(item.get("extras") or {}), **own_id}
    return (NativeBlock(type="native", value=value),)


def _audio(view: View, item: JsonObject) -> Iterable[Block]:
    """A sound: its transcript."""
    view.lose("audio", "The Responses API answers with no sound: its transcript is shown.")
    return ({"type": "text", "text": str(item["transcript"])},) if item.get("transcript") else ()


# --- tools that Anthropic runs ----------------------------------------------------------------------------------------


def _call(view: View, item: JsonObject) -> Iterable[Block]:
    if view.provider == PROVIDER:
        yield build(ServerToolCallBlock, **{key: item[key] for key in item if key != "index"})
        return
    write = CALLS.get(str(item.get("name")))
    found = write(item.get("args") or {}, item.get("extras") or {}) if write else None
    if found is None:
        not_shown(view, item)
        return
    view.calls[str(item.get("id"))] = found["name"]
    call_id = f"{PREFIXES[found['name']]}{item.get('id')}"
    yield build(ServerToolCallBlock, type="server_tool_call", id=call_id, **found)


PREFIXES: Mapping[str, str] = {"web_search": "ws_", "code_interpreter": "ci_", "remote_mcp": "mcp_"}
"""How the API's ids of a tool's items begin. The provider's id follows, so that it can be read from it."""


def _search(args: JsonObject, extras: JsonObject) -> JsonObject:
    query = str(args.get("query") or "")
    return {"name": "web_search", "args": {"type": "search", "query": query, "queries": [query]}}


def _fetch(args: JsonObject, extras: JsonObject) -> JsonObject:
    return {"name": "web_search", "args": {"type": "open_page", "url": args.get("url")}}


def _code(args: JsonObject, extras: JsonObject) -> JsonObject:
    code = args.get("code") or args.get("command") or ""
    return {"name": "code_interpreter", "args": {"code": code}, "extras": {"container_id": ""}}


def _mcp(args: JsonObject, extras: JsonObject) -> JsonObject:
    named = {"tool_name": extras.get("tool_name") or "", "server_label": extras.get("server_name") or ""}
    return {"name": "remote_mcp", "args": args, "extras": {**named, "status": "completed"}}


CALLS: Mapping[str, Callable[[JsonObject, JsonObject], JsonObject]] = {
    "web_search": _search,
    "web_fetch": _fetch,
    "code_interpreter": _code,
    "bash_code_execution": _code,
    "remote_mcp": _mcp,
}
"""Tools that OpenAI has as well: the arguments and extras of Claude's call -> OpenAI's call."""


def _result(view: View, item: JsonObject) -> Iterable[Block]:
    if view.provider == PROVIDER:
        yield build(ServerToolResultBlock, **{key: item[key] for key in item if key != "index"})
        return
    name = view.calls.get(str(item.get("tool_call_id")))
    if name is None:
        return  # its call is named already
    status = "error" if item.get("status") == "error" else "success"
    output, extras = RESULTS[name](item.get("output"))
    named = {"tool_call_id": f"{PREFIXES[name]}{item['tool_call_id']}", "status": status}
    yield build(ServerToolResultBlock, type="server_tool_result", output=output, extras=extras, **named)


Result = tuple[Any, JsonObject]


def _found_pages(output: Any) -> Result:
    pages = output if isinstance(output, list) else ()
    urls = [str(page["url"]) for page in pages if isinstance(page, dict) and page.get("url")]
    return ({"sources": [{"type": "url", "url": url} for url in urls]} if urls else None), {}


def _printed(output: Any) -> Result:
    printed = output if isinstance(output, dict) else {}
    logs = "".join(str(printed[key]) for key in ("stdout", "stderr") if printed.get(key))
    return ([{"type": "logs", "logs": logs}] if logs else []), {}


def _said(output: Any) -> Result:
    if isinstance(output, list):
        output = "\n".join(str(part.get("text") or "") for part in output if isinstance(part, dict))
    return (None if output is None else str(output)), {}


RESULTS: Mapping[str, Callable[[Any], Result]] = {
    "web_search": _found_pages,
    "code_interpreter": _printed,
    "remote_mcp": _said,
}
"""Name of OpenAI's tool -> what is in its result, and the result's extras."""

TABLE: Mapping[str, Showing] = {
    "text": _text,
    "image": _image,
    "audio": _audio,
    "server_tool_call": _call,
    "server_tool_result": _result,
}
"""What the API shows in its own way, by the type of a standard block."""
