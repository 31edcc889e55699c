"""LangChain's v3 events of an answer -> the events of the Responses API, as they come.

The items are those that a whole reply would have: both are made by `items.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import Block, ReasoningBlock
from langchain_unified.wires._block_stream import BlockStream, Events
from langchain_unified.wires._completion import Completion, Upstream
from langchain_unified.wires._custom_text import CustomText
from langchain_unified.wires._door import StreamSettings
from langchain_unified.wires.openai_responses.serve.errors import failure
from langchain_unified.wires.openai_responses.serve.events import EMPTY_PARTS, PARTS, item_events
from langchain_unified.wires.openai_responses.serve.items import (
    Output,
    add_block,
    add_reasoning,
    custom_call,
    function_call,
    output_for,
    text_part,
)
from langchain_unified.wires.openai_responses.serve.render import FOREGROUND, response_of, started, status_of
from langchain_unified.wires.openai_responses.serve.shown import view_of


class ResponsesStream(BlockStream):
    """The events of one stream. A message stays open as long as texts follow each other."""

    def __init__(self, body: JsonObject, settings: StreamSettings) -> None:
        """`body` is the client's request."""
        super().__init__(body, settings, view_of(body))
        self.number = 0
        self.output = output_for(settings.reply_id, body)
        self.opened = ""
        """What streams at this moment: `text`, `part` (of a summary), `call`, `custom`, or nothing."""
        self.custom_text = CustomText()
        self.part: JsonObject = {}
        """The part that streams."""
        self.place: JsonObject = {}
        """Where it is."""
        self.content: Any = {}
        """The start of the block that streams."""
        self.message: JsonObject | None = None
        """The message that is open, the last item."""
        self.pieces: list[str] = []
        self.running: list[Iterator[JsonObject]] = []
        """The rest of the events of calls of server tools that wait for their results."""
        self.so_far = Completion(settings.reply_id, settings.model, (), created=settings.created, upstream=Upstream())

    def _event(self, kind: str, **fields: Any) -> JsonObject:
        self.number += 1
        return {"type": kind, "sequence_number": self.number - 1, **fields}

    def _numbered(self, events: Iterable[JsonObject]) -> Events:
        found = []
        for event in events:
            found.append({**event, "sequence_number": self.number})
            self.number += 1
        return found

    # --- the response -------------------------------------------------------------------------------------------------

    def begin(self) -> Events:
        response = response_of(self.so_far, self.body)
        return [
            self._event(f"response.{kind}", response=started(response, self.body, status))
            for kind, status in FOREGROUND
        ]

    def end(self, completion: Completion) -> Events:
        named = replace(completion, id=self.so_far.id, model=self.so_far.model, created=self.so_far.created)
        refusals: tuple[Block, ...] = ({"type": "refusal", "refusal": ""},) if self.refused else ()
        completion = replace(named, blocks=refusals)
        status, _ = status_of(completion)
        items = self.output.items
        if status != "completed" and items and items[-1]["type"] == "message":
            items[-1]["status"] = "incomplete"
        found = self._close_items()
        return [*found, self._event(f"response.{status}", response=response_of(completion, self.body, items))]

    def error(self, error: UnifiedError) -> Events:
        response = started(response_of(self.so_far, self.body), self.body, "failed")
        output = [item for item in self.output.items if item.get("status") != "in_progress"]
        failed = {**response, "output": output, "error": failure(error)}
        return [self._event("response.failed", response=failed)]

    # --- items --------------------------------------------------------------------------------------------------------

    def _last(self) -> JsonObject:
        return {"output_index": len(self.output.items) - 1}

    def _close_items(self) -> Events:
        """The end of what is still open: a message, calls that wait for their results."""
        found: Events = []
        if self.message is not None:
            found.append(self._event("response.output_item.done", **self._last(), item=self.message))
            self.message = None
        for rest in self.running:
            found += self._numbered(rest)
        self.running = []
        return found

    def _begin_item(self, item: JsonObject) -> JsonObject:
        return self._event("response.output_item.added", **self._last(), item=dict(item))

    def _whole_items(self, start: int) -> Events:
        """The events of the items from `start` on, of which nothing came before."""
        items = self.output.items
        return [event for at in range(start, len(items)) for event in self._numbered(item_events(at, items[at]))]

    # --- pieces -------------------------------------------------------------------------------------------------------

    def open(self, kind: str, content: Any) -> Events:
        self.opened, self.content, self.pieces = "", content, []
        if kind == "text":
            return []
        if kind == "call" and content["name"] in self.output.custom:
            self.custom_text = CustomText()  # it starts when its arguments are those of a free-form tool
            return []
        found = self._close_items()
        if kind == "reasoning":
            add_reasoning(self.output, {"type": "reasoning", "id": content.get("id") or ""})
            return [*found, self._begin_item({**self.output.items[-1], "summary": []})]
        function_call(self.output, content, "", "in_progress")
        self.opened, item = "call", self.output.items[-1]
        self.place = {"item_id": item["id"], **self._last()}
        return [*found, self._begin_item(item)]

    def _begin_part(self, part: JsonObject, block: Any) -> Events:
        """A part of a message: of the open one where it belongs there, else of a new one."""
        before = len(self.output.items)
        found = [] if self.message is not None else self._close_items()
        self.output.add_part(part, block)
        item = self.output.items[-1]
        if item is not self.message:
            last = {"output_index": before - 1}
            if self.message is not None:
                found.append(self._event("response.output_item.done", **last, item=self.message))
            self.message = item
            found.append(self._begin_item({**item, "content": [], "status": "in_progress"}))
        self.place = {"item_id": item["id"], **self._last(), "content_index": len(item["content"]) - 1}
        empty = {**part, **EMPTY_PARTS[part["type"]]}
        return [*found, self._event("response.content_part.added", **self.place, part=empty)]

    def _piece_event(self, kind: str, piece: str) -> JsonObject:
        """The hot path of every stream: one object, without a call that takes keywords."""
        self.number = number = self.number + 1
        return {"type": kind, "sequence_number": number - 1, **self.place, "delta": piece}

    def text(self, piece: str) -> Events:
        if self.opened:
            event = self._piece_event("response.output_text.delta", piece)
            event["logprobs"] = []
            return [event]
        self.part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        found = self._begin_part(self.part, self.content)
        self.opened = "text"
        return found + self.text(piece)

    def next_part(self) -> Events:
        return self._close_summary()

    def reasoning(self, piece: str) -> Events:
        if not piece:
            return []
        found: Events = []
        if not self.opened:
            item = self.output.items[-1]
            self.part = {"type": "summary_text", "text": ""}
            item["summary"].append(self.part)
            self.place = {"item_id": item["id"], **self._last(), "summary_index": len(item["summary"]) - 1}
            self.opened, self.pieces = "part", []
            found = [self._event("response.reasoning_summary_part.added", **self.place, part=dict(self.part))]
        self.pieces.append(piece)
        return [*found, self._piece_event("response.reasoning_summary_text.delta", piece)]

    def arguments(self, piece: str) -> Events:
        if self.opened == "call":
            self.pieces.append(piece)
            return [self._piece_event("response.function_call_arguments.delta", piece)]
        text, found = self.custom_text.feed(piece), []
        if self.custom_text.begun and not self.opened:
            found = self._close_items()
            custom_call(self.output, self.content, "", "in_progress")
            self.opened, item = "custom", self.output.items[-1]
            self.place = {"item_id": item["id"], **self._last()}
            found.append(self._begin_item(item))
        return [*found, self._piece_event("response.custom_tool_call_input.delta", text)] if text else found

    # --- complete blocks ----------------------------------------------------------------------------------------------

    def finish(self, block: Block) -> Events:
        opened, self.opened = self.opened, ""
        if opened == "text":
            return self._end_text(block)
        if opened == "call":
            return self._end_call(block)
        if opened == "custom":
            return self._end_custom_call(block)
        if block["type"] in ("text", "refusal"):
            return self._whole_part(block)
        if block["type"] in ("server_tool_call", "server_tool_result"):
            return self._server_tool(block)
        found, start = self._close_items(), len(self.output.items)
        add_block(self.output, block)
        return found + self._whole_items(start)

    def _end_text(self, block: Any) -> Events:
        self.part.update(text_part(block))
        notes = enumerate(self.part["annotations"])
        return [
            *(
                self._event("response.output_text.annotation.added", **self.place, annotation_index=at, annotation=note)
                for at, note in notes
            ),
            self._event("response.output_text.done", **self.place, text=block["text"], logprobs=self.part["logprobs"]),
            self._event("response.content_part.done", **self.place, part=self.part),
        ]

    def _whole_part(self, block: Any) -> Events:
        refused = block["type"] == "refusal"
        part = {"type": "refusal", "refusal": block["refusal"]} if refused else text_part(block)
        found = self._begin_part(part, block)
        found += self._numbered(PARTS[part["type"]](part, self.place))
        return [*found, self._event("response.content_part.done", **self.place, part=part)]

    def _end_call(self, block: Any) -> Events:
        item = self.output.items.pop()
        arguments = "".join(self.pieces)
        if block["type"] == "tool_call":
            add_block(self.output, block)
        else:
            function_call(self.output, block, arguments or block.get("args") or "", "incomplete")
        made = self.output.items[-1]
        made |= {"id": item["id"], "call_id": item["call_id"], "arguments": arguments or made["arguments"]}
        return [
            self._event("response.function_call_arguments.done", **self.place, arguments=made["arguments"]),
            self._event("response.output_item.done", **self._last(), item=made),
        ]

    def _end_custom_call(self, block: Any) -> Events:
        item, text = self.output.items[-1], self.custom_text.text
        item |= {"input": text, "status": "completed" if block["type"] == "tool_call" else "incomplete"}
        return [
            self._event("response.custom_tool_call_input.done", **self.place, input=text),
            self._event("response.output_item.done", **self._last(), item=item),
        ]

    def _server_tool(self, block: Block) -> Events:
        """A call of a server tool starts at once, and ends with its result: both are one item."""
        start = len(self.output.items)
        found = self._close_items() if self.message is not None else []
        add_block(self.output, block)
        for at in range(start, len(self.output.items)):
            events = item_events(at, self.output.items[at])
            found += self._numbered([next(events)])
            self.running.append(events)
        return found

    def _close_summary(self) -> Events:
        if self.opened != "part":
            return []
        self.opened = ""
        self.part["text"] = "".join(self.pieces)
        return [
            self._event("response.reasoning_summary_text.done", **self.place, text=self.part["text"]),
            self._event("response.reasoning_summary_part.done", **self.place, part=self.part),
        ]

    def finish_reasoning(self, parts: list[ReasoningBlock]) -> Events:
        found = self._close_summary()
        item = self.output.items[-1] if self.output.items else None
        if self.content.get("type") != "reasoning" or item is None or item["type"] != "reasoning":
            return self._whole_reasoning(parts)
        made = Output(self.output.stem, frozenset())
        for part in parts:
            add_reasoning(made, part)
        if not item["summary"] and made.items and made.items[0]["summary"]:
            for part in made.items[0]["summary"]:
                found += self.reasoning(part["text"]) + self._close_summary()
        self.content = {}
        item |= {key: value for each in made.items for key, value in each.items() if key in PROOFS}
        return [*found, self._event("response.output_item.done", **self._last(), item=item)]

    def _whole_reasoning(self, parts: list[ReasoningBlock]) -> Events:
        found, start = self._close_items(), len(self.output.items)
        for part in parts:
            add_reasoning(self.output, part)
        return found + self._whole_items(start)


PROOFS = ("encrypted_content", "content")
"""What comes with the end of a reasoning item."""
