"""The events of one output item, from its start to its end."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from langchain_unified.request import JsonObject
from langchain_unified.wires._completion import json_pieces, pieces

Events: TypeAlias = Iterator[JsonObject]
Flow: TypeAlias = Callable[[JsonObject, JsonObject], Events]
"""An item or a part, and its place (`item_id`, `output_index`, …) -> the events between its start and its end."""


def item_events(place: int, item: JsonObject) -> Events:
    """An item's events, without their numbers."""
    at = {"item_id": item["id"], "output_index": place}
    yield _event("response.output_item.added", {"output_index": place}, item=_started(item))
    yield from FLOWS.get(item["type"], _nothing)(item, at)
    yield _event("response.output_item.done", {"output_index": place}, item=item)


def _event(kind: str, at: JsonObject, **fields: object) -> JsonObject:
    return {"type": kind, **at, **fields}


# What an item lacks at its start. `None`: the key is absent.
EMPTY: Mapping[str, JsonObject] = {
    "message": {"content": []},
    "reasoning": {"summary": []},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
    "web_search_call": {"action": None},
    "file_search_call": {"queries": []},
    "code_interpreter_call": {"code": ""},
    "mcp_call": {"arguments": ""},
    "mcp_list_tools": {"tools": []},
    "tool_search_call": {"arguments": {}},
}
LATE: Mapping[str, tuple[str, ...]] = {
    "file_search_call": ("results",),
    "code_interpreter_call": ("outputs",),
    "image_generation_call": ("result",),
    "mcp_call": ("output",),
}
"""Keys that are null until the item is done."""


def _started(item: JsonObject) -> JsonObject:
    empty = copy.deepcopy(EMPTY.get(item["type"], {}))
    started = {**item, **empty, **({"status": "in_progress"} if "status" in item else {})}
    started |= {key: None for key in LATE.get(item["type"], ()) if key in item}
    return {key: value for key, value in started.items() if key not in empty or empty[key] is not None}


def _nothing(item: JsonObject, at: JsonObject) -> Events:
    yield from ()


# --- messages ---------------------------------------------------------------------------------------------------------


def _message(item: JsonObject, at: JsonObject) -> Events:
    for index, part in enumerate(item["content"]):
        place = {**at, "content_index": index}
        empty = copy.deepcopy(EMPTY_PARTS.get(part["type"], {}))
        yield _event("response.content_part.added", place, part={**part, **empty})
        yield from PARTS.get(part["type"], _nothing)(part, place)
        yield _event("response.content_part.done", place, part=part)


EMPTY_PARTS: Mapping[str, JsonObject] = {
    "output_text": {"text": "", "annotations": []},
    "refusal": {"refusal": ""},
}


def _text(part: JsonObject, at: JsonObject) -> Events:
    for piece in pieces(part["text"]):
        yield _event("response.output_text.delta", at, delta=piece, logprobs=[])
    for index, note in enumerate(part["annotations"]):
        yield _event("response.output_text.annotation.added", at, annotation_index=index, annotation=note)
    yield _event("response.output_text.done", at, text=part["text"], logprobs=[])


def _refusal(part: JsonObject, at: JsonObject) -> Events:
    for piece in pieces(part["refusal"]):
        yield _event("response.refusal.delta", at, delta=piece)
    yield _event("response.refusal.done", at, refusal=part["refusal"])


PARTS: Mapping[str, Flow] = {"output_text": _text, "refusal": _refusal}


# --- other items ------------------------------------------------------------------------------------------------------


def _reasoning(item: JsonObject, at: JsonObject) -> Events:
    for index, part in enumerate(item["summary"]):
        place = {**at, "summary_index": index}
        yield _event("response.reasoning_summary_part.added", place, part={**part, "text": ""})
        for piece in pieces(part["text"]):
            yield _event("response.reasoning_summary_text.delta", place, delta=piece)
        yield _event("response.reasoning_summary_text.done", place, text=part["text"])
        yield _event("response.reasoning_summary_part.done", place, part=part)


def _arguments(event: str, key: str) -> Flow:
    """The flow of a call whose arguments, or free-form text, are under `key`."""

    def flow(item: JsonObject, at: JsonObject) -> Events:
        for piece in json_pieces(item[key]):
            yield _event(f"response.{event}.delta", at, delta=piece)
        yield _event(f"response.{event}.done", at, **{key: item[key]})

    return flow


def _run(*states: str, before_last: Flow = _nothing) -> Flow:
    """The flow of a call that the provider runs: the names of its states, the last one at its end."""

    def flow(item: JsonObject, at: JsonObject) -> Events:
        for state in states[:-1]:
            yield _event(f"response.{item['type']}.{state}", at)
        yield from before_last(item, at)
        yield _event(f"response.{item['type']}.{states[-1]}", at)

    return flow


FLOWS: Mapping[str, Flow] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _arguments("function_call_arguments", "arguments"),
    "custom_tool_call": _arguments("custom_tool_call_input", "input"),
    "web_search_call": _run("in_progress", "searching", "completed"),
    "file_search_call": _run("in_progress", "searching", "completed"),
    "image_generation_call": _run("in_progress", "generating", "completed"),
    "code_interpreter_call": _run("in_progress", "interpreting", "completed"),
    "mcp_list_tools": _run("in_progress", "completed"),
    "mcp_call": _run("in_progress", "completed", before_last=_arguments("mcp_call_arguments", "arguments")),
}
