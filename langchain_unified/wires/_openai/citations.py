"""The sources of a text as OpenAI's APIs name them: each has its place in the text."""

from __future__ import annotations

from langchain_unified.request import JsonObject
from langchain_unified.wires._shown import View


def placed(view: View, item: JsonObject) -> JsonObject:
    """A text whose sources have their places: Claude's cite the whole text. Sources without a form are named."""
    if not item.get("annotations"):
        return item
    notes = [found for note in item["annotations"] if (found := _placed(view, note, len(item.get("text") or "")))]
    return {**item, "annotations": notes}


def _placed(view: View, note: JsonObject, length: int) -> JsonObject | None:
    if "url_citation" in note:
        return {"type": "non_standard_annotation", "value": note}
    if view.provider != "anthropic":
        return note
    if note.get("url"):
        places = {"start_index": 0, "end_index": length}
        return {"type": "citation", "url": note["url"], "title": note.get("title") or "", **places}
    view.lose("citation", "OpenAI's APIs have citations of web pages and of their own files only.")
    return None
