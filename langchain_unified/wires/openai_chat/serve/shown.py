"""What a client of Chat Completions sees of the answers of other APIs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from langchain_unified.request import JsonObject, WireName
from langchain_unified.request.blocks import Block
from langchain_unified.wires._openai.citations import placed
from langchain_unified.wires._shown import COMMON, Showing, View, not_shown

WIRE: WireName = "openai_chat"


def view_of(body: JsonObject) -> View:
    """What the client that sent a body sees."""
    return View(WIRE, TABLE)


def _text(view: View, item: JsonObject) -> Iterable[Block]:
    """A text with its sources. Those that the API gave itself stand beside the text, in their own form."""
    item = placed(view, item)
    if item.get("annotations"):
        pages = [note for note in item["annotations"] if note.get("url") or "url_citation" in (note.get("value") or {})]
        if len(pages) < len(item["annotations"]):
            view.lose("citation", "Chat Completions has citations of web pages only.")
        item = {**item, "annotations": pages}
    return COMMON["text"](view, item)


def _image(view: View, item: JsonObject) -> Iterable[Block]:
    """An image that the model made, if its data or its address is known."""
    return (cast(Block, item),) if item.get("base64") or item.get("url") else not_shown(view, item)


def _audio(view: View, item: JsonObject) -> Iterable[Block]:
    """A sound in the API's form."""
    if item.get("id") and ("data" in item or "transcript" in item):
        return ({"type": "native", "value": item},)
    return not_shown(view, item)


def _result(view: View, item: JsonObject) -> Iterable[Block]:
    """The API does not show what a tool of the provider's gave; the call is named already."""
    return ()


TABLE: Mapping[str, Showing] = {
    "text": _text,
    "image": _image,
    "audio": _audio,
    "server_tool_call": not_shown,
    "server_tool_result": _result,
}
"""What the API shows in its own way, by the type of a standard block."""
