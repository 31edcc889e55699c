"""LangChain's v3 events of an answer -> the events of Chat Completions, as they come."""

from __future__ import annotations

from typing import Any

from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import Block, ReasoningBlock, changed
from langchain_unified.wires._block_stream import BlockStream, Events
from langchain_unified.wires._completion import Completion, Upstream
from langchain_unified.wires._custom_text import CustomText
from langchain_unified.wires._door import StreamSettings
from langchain_unified.wires._shown import PART_BREAK, joined_parts
from langchain_unified.wires.openai_chat.decode import made_up_id
from langchain_unified.wires.openai_chat.serve.errors import error_event
from langchain_unified.wires.openai_chat.serve.render import (
    ARGUMENTS,
    Draft,
    add_block,
    annotation,
    call_fragments,
    call_start,
    custom_names,
    finish_of,
    logprobs_of,
    reply_head,
    thinking_block,
    usage_of,
)
from langchain_unified.wires.openai_chat.serve.shown import view_of


class ChatStream(BlockStream):
    """The events of one choice. `StreamSettings.choice` is its index."""

    def __init__(self, body: JsonObject, settings: StreamSettings) -> None:
        """`body` is the client's request."""
        super().__init__(body, settings, view_of(body))
        head = Completion(settings.reply_id, settings.model, (), created=settings.created, upstream=Upstream())
        self.head = reply_head("chat.completion.chunk", head, body)
        self.usage_asked = bool((body.get("stream_options") or {}).get("include_usage"))
        self.custom = custom_names(body)
        self.calls = self.thoughts = self.length = 0
        self.opened = ""
        """What streams: `text`, `reasoning`, or the type of a call."""
        self.custom_text = CustomText()
        self.content: Any = {}
        """The start of the call that streams."""
        self.break_before = self.any_thought = False
        self.annotations: list[JsonObject] = []
        self.images: list[JsonObject] = []
        self.logprobs: list[JsonObject] = []

    # --- the choice ---------------------------------------------------------------------------------------------------

    def _chunk(self, delta: JsonObject, finish: str | None = None) -> JsonObject:
        choice = {"index": self.settings.choice, "delta": delta, "finish_reason": finish}
        chunk = {**self.head, "choices": [choice]}
        if self.usage_asked:
            chunk["usage"] = None
        return chunk

    def begin(self) -> Events:
        return [self._chunk({"role": "assistant", "content": None, "refusal": None})]

    def end(self, completion: Completion) -> Events:
        beside = {"annotations": self.annotations, "images": self.images}
        found = [self._chunk({key: value}) for key, value in beside.items() if value]
        self.head = {**self.head, **_known(reply_head("", completion, self.body))}
        last = self._chunk({}, finish_of(completion, self.refused))
        logprobs = logprobs_of(completion, self.logprobs)
        if logprobs:
            last["choices"][0]["logprobs"] = logprobs
        found.append(last)
        answers = self._ended(completion)
        if self.usage_asked and answers:
            found.append({**self.head, "choices": [], "usage": usage_of(answers)})
        return found

    def _ended(self, completion: Completion) -> list[Completion]:
        """The answers of the request once the last of them has ended; before that, none."""
        choices = self.settings.choices
        if choices is None:
            return [completion]
        choices.ended.append(completion)
        return choices.ended if len(choices.ended) == choices.count else []

    def error(self, error: UnifiedError) -> Events:
        return [error_event(error)]

    # --- pieces -------------------------------------------------------------------------------------------------------

    def open(self, kind: str, content: Any) -> Events:
        self.break_before = kind == "reasoning" and self.any_thought
        self.opened, self.content = "", content
        if kind != "call":
            return []
        if content["name"] in self.custom:
            self.custom_text = CustomText()  # it starts when its arguments are those of a free-form tool
            return []
        return self._begin_call("function")

    def _begin_call(self, kind: str) -> Events:
        self.opened = kind
        call_id = self.content.get("id") or made_up_id(self.settings.reply_id, self.calls)
        call = {"id": call_id, "type": kind, kind: {"name": self.content["name"]}}
        self.calls += 1
        return [self._chunk({"tool_calls": [call_start(self.calls - 1, call)]})]

    def text(self, piece: str) -> Events:
        self.opened = "text"
        self.length += len(piece)
        return [self._chunk({"content": piece})]

    def next_part(self) -> Events:
        self.break_before = self.any_thought
        return []

    def reasoning(self, piece: str) -> Events:
        if not piece:
            return []
        self.opened = "reasoning"
        self.any_thought = True
        text = PART_BREAK + piece if self.break_before else piece
        self.break_before = False
        return [self._chunk({"reasoning_content": text})]

    def arguments(self, piece: str) -> Events:
        if self.opened == "function":
            return [self._arguments("function", piece)]
        text = self.custom_text.feed(piece)
        found = self._begin_call("custom") if self.custom_text.begun and not self.opened else []
        return [*found, self._arguments("custom", text)] if text else found

    def _arguments(self, kind: str, piece: str) -> JsonObject:
        return self._chunk({"tool_calls": [{"index": self.calls - 1, kind: {ARGUMENTS[kind]: piece}}]})

    # --- complete blocks ----------------------------------------------------------------------------------------------

    def finish(self, block: Block) -> Events:
        opened, self.opened = self.opened, ""
        draft = Draft(self.settings.reply_id, self.custom, extended=True)
        if block["type"] == "text":
            start = self.length - len(block["text"]) if opened else self.length
            self.annotations += [each for note in block.get("annotations") or () for each in annotation(note, start)]
            self.logprobs += [each for each in block.get("logprobs") or () if isinstance(each, dict)]
            return self.text(block["text"]) if block["text"] and not opened else []
        if opened:
            return []  # of a call, all has come
        if block["type"] in ("tool_call", "invalid_tool_call") and not block.get("id"):
            block = changed(block, id=made_up_id(self.settings.reply_id, self.calls))
        add_block(draft, block)
        self.images += draft.images
        found = [self._chunk({"refusal": piece}) for piece in draft.refusals]
        found += [self._chunk({"audio": draft.audio})] if draft.audio else []
        for call in draft.calls:
            found.append(self._chunk({"tool_calls": [call_start(self.calls, call)]}))
            found += [self._chunk({"tool_calls": [piece]}) for piece in call_fragments(self.calls, call)]
            self.calls += 1
        return found

    def finish_reasoning(self, parts: list[ReasoningBlock]) -> Events:
        opened, self.opened = self.opened, ""
        block = joined_parts(parts)
        if block is None:
            return []
        found: Events = []
        if not opened:
            self.break_before = self.any_thought
            found += self.reasoning(block.get("reasoning") or "")
            self.opened = ""
        for thought in thinking_block(block):
            found.append(self._chunk({"thinking_blocks": [{"index": self.thoughts, **thought}]}))
            self.thoughts += 1
        return found


def _known(head: JsonObject) -> JsonObject:
    """What an answer tells of itself at its end."""
    return {key: head[key] for key in ("service_tier", "system_fingerprint") if head[key] is not None}
