"""Events of a streamed chat completion -> chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.messages.json_text import compact_json
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT, RAW_ARGUMENTS
from langchain_unified.request import JsonObject
from langchain_unified.wires._wire import StreamDecoder, break_json_tail, incomplete_stream
from langchain_unified.wires.openai_chat.decode import (
    CHOICE_KEYS,
    args_object,
    common_finish,
    encodes_as,
    legacy_call,
    made_up_id,
    metadata,
    reply_id,
    split_content,
    usage_of,
)

Delta: TypeAlias = Any
"""The value of one key of a delta, never `None`."""


@dataclass(slots=True)
class _ChunkDraft:
    """The chunk that one delta makes."""

    content: str = ""
    kwargs: JsonObject = field(default_factory=dict)
    calls: list[ToolCallChunk] = field(default_factory=list)


@dataclass(slots=True)
class _StreamedCall:
    """A tool call that is not complete yet. `index` is its place among the calls of the message."""

    index: int
    id: str
    name: str = ""
    custom: bool = False
    fragments: list[str] = field(default_factory=list)

    def args(self) -> str:
        """The arguments so far, as JSON text or, of a custom tool, as its input."""
        return "".join(self.fragments)


@dataclass(slots=True)
class ChatDecoder(StreamDecoder):
    """Decodes choice 0 of one stream; the encoder asks for no other.

    Text, refusals and arguments go out at once. What must be on one chunk only is `held` until `end`, which gives the
    last chunk: usage, moderation and the end of an audio come after the finish reason.
    """

    id: str | None = None
    refused: bool = False
    reply: JsonObject = field(default_factory=dict)
    choice: JsonObject = field(default_factory=dict)
    held: JsonObject = field(default_factory=dict)
    streamed: set[str] = field(default_factory=set)
    """Unknown keys whose strings went out at once."""
    calls: list[_StreamedCall] = field(default_factory=list)
    by_id: dict[str, _StreamedCall] = field(default_factory=dict)
    by_index: dict[Any, _StreamedCall] = field(default_factory=dict)

    def feed(self, event: JsonObject) -> list[AIMessageChunk]:
        if "choices" not in event and "usage" not in event:
            return []
        for key, value in event.items():
            if value is not None and key != "choices":
                self.reply[key] = value
        if self.id is None:
            self.id = reply_id(event)
        choices = [choice for choice in event.get("choices") or () if not choice.get("index")]
        return [chunk for choice in choices if (chunk := self._read(choice))]

    def _read(self, choice: JsonObject) -> AIMessageChunk | None:
        """The chunk of a choice's delta; `None` when it adds nothing."""
        for key, value in choice.items():
            if value is not None and key not in CHOICE_KEYS:
                self.choice[key] = value
        if choice.get("finish_reason"):
            self.choice["finish_reason"] = choice["finish_reason"]
        if choice.get("logprobs"):
            self._add_logprobs(choice["logprobs"])
        draft = _ChunkDraft()
        for key, value in (choice.get("delta") or {}).items():
            if value not in (None, "", []):
                DELTAS.get(key, ChatDecoder._other)(self, draft, key, value)
        if not (draft.content or draft.kwargs or draft.calls):
            return None
        return AIMessageChunk(
            content=draft.content,
            additional_kwargs=draft.kwargs,
            tool_call_chunks=draft.calls,
            response_metadata={"model_provider": "openai"},
        )

    def _add_logprobs(self, logprobs: JsonObject) -> None:
        found = self.choice.setdefault("logprobs", {})
        for key, tokens in logprobs.items():
            found[key] = [*(found.get(key) or []), *tokens] if isinstance(tokens, list) else found.get(key, tokens)

    # --- deltas ---

    def _text(self, draft: _ChunkDraft, key: str, value: Delta) -> None:
        text, others = (value, []) if isinstance(value, str) else split_content(value)
        draft.content = text
        if others:
            self._other(draft, "content_parts", others)

    def _role(self, draft: _ChunkDraft, key: str, value: Delta) -> None:
        """Always the assistant's."""

    def _refusal(self, draft: _ChunkDraft, key: str, value: Delta) -> None:
        self.refused = True
        draft.kwargs[key] = value

    def _audio(self, draft: _ChunkDraft, key: str, value: Delta) -> None:
        # The sum of chunks concatenates strings and adds numbers: what is no fragment is sent once, at the end.
        fragments = {name: value[name] for name in ("data", "transcript") if value.get(name)}
        if fragments:
            draft.kwargs[key] = fragments
        fixed = {name: item for name, item in value.items() if name not in ("data", "transcript") and item is not None}
        if fixed:
            self.held[key] = {**self.held.get(key, {}), **fixed}

    def _other(self, draft: _ChunkDraft, key: str, value: Delta) -> None:
        """A key without a row, such as other servers' reasoning: strings go out at once, all else is held."""
        if isinstance(value, str) and key not in self.held:
            self.streamed.add(key)
            draft.kwargs[key] = value
        elif isinstance(value, list) and isinstance(self.held.get(key), list):
            self.held[key] = [*self.held[key], *value]
        elif key not in self.streamed:
            self.held[key] = value

    def _tool_calls(self, draft: _ChunkDraft, key: str, value: Delta) -> None:
        for raw in value:
            if raw.get("type") in (None, "function", "custom"):
                self._tool_call(draft, raw)
            else:
                self.held.setdefault("other_tool_calls", []).append(raw)

    def _function_call(self, draft: _ChunkDraft, key: str, value: Delta) -> None:
        self._tool_call(draft, {**legacy_call(value), "index": key})

    # --- tool calls ---

    def _tool_call(self, draft: _ChunkDraft, raw: JsonObject) -> None:
        inner = raw.get("function") or raw.get("custom") or {}
        name, fragment = inner.get("name") or "", inner.get("arguments") or inner.get("input") or ""
        if not isinstance(fragment, str):
            fragment = compact_json(fragment)
        known = self._known(raw, name, fragment)
        call = known or self._open(raw)
        call.custom = call.custom or bool(raw.get("custom"))
        # Names and ids are sent once: the sum of chunks would concatenate them.
        new_name = name if not call.name else ""
        call.name = call.name or name
        call.fragments.append(fragment)
        args = "" if call.custom else fragment
        if new_name or args or not known:
            call_id = None if known else call.id
            draft.calls.append(tool_call_chunk(name=new_name or None, args=args, id=call_id, index=call.index))

    def _known(self, raw: JsonObject, name: str, fragment: str) -> _StreamedCall | None:
        """The call that a fragment belongs to; `None` when it starts a new one.

        Some servers leave out the index or give 0 to all calls; some leave out the id, or repeat id and name.
        """
        call_id, index = raw.get("id"), raw.get("index")
        if call_id in self.by_id:
            return self.by_id[call_id]
        last = self.calls[-1] if self.calls else None
        call = last if index is None else self.by_index.get(index)
        if call is None or not name:
            return call
        if call_id or (call.name and call.name != name):
            return None
        complete = bool(call.args().strip()) and args_object(call.args()) is not None
        return None if complete and fragment else call

    def _open(self, raw: JsonObject) -> _StreamedCall:
        position = len(self.calls)
        call = _StreamedCall(position, raw.get("id") or made_up_id(self.id, position))
        self.calls.append(call)
        self.by_id[call.id] = call
        self.by_index[raw.get("index")] = call
        return call

    # --- the end ---

    def end(self) -> list[AIMessageChunk]:
        """The last chunk, with everything that was held, and what ends the calls. None where no event came."""
        if not self.reply:
            return []
        finish = self.choice.get("finish_reason")
        common = common_finish(finish, self.refused, bool(self.calls))
        return [
            AIMessageChunk(
                content="",
                additional_kwargs={**self.held, **self._raw_arguments()},
                tool_call_chunks=[chunk for call in self.calls for chunk in _last_chunk(call)],
                usage_metadata=usage_of(self.reply),
                response_metadata=metadata(self.reply, self.choice, common),
                chunk_position="last" if finish else None,
            )
        ]

    def _raw_arguments(self) -> JsonObject:
        texts = {call.id: call.args() for call in self.calls if not call.custom}
        raw = {
            call_id: text
            for call_id, text in texts.items()
            if (args := args_object(text)) is not None and not encodes_as(args, text)
        }
        return {RAW_ARGUMENTS: raw} if raw else {}

    def close(self) -> None:
        if not self.choice.get("finish_reason"):
            raise incomplete_stream("a chunk with a finish_reason")


def _last_chunk(call: _StreamedCall) -> list[ToolCallChunk]:
    """What ends a call's arguments: all of a custom tool's input, or what makes incomplete JSON invalid."""
    tail = _tail(call)
    return [tool_call_chunk(args=tail, index=call.index)] if tail else []


def _tail(call: _StreamedCall) -> str:
    args = call.args()
    if call.custom:
        return compact_json({CUSTOM_ARGUMENT: args})
    if args and not args.strip():
        return "{}"
    return "" if args_object(args) is not None else break_json_tail(args)


DELTAS: Mapping[str, Callable[[ChatDecoder, _ChunkDraft, str, Delta], None]] = {
    "role": ChatDecoder._role,
    "content": ChatDecoder._text,
    "refusal": ChatDecoder._refusal,
    "tool_calls": ChatDecoder._tool_calls,
    "function_call": ChatDecoder._function_call,
    "audio": ChatDecoder._audio,
}


def stream_decoder(plain: bool) -> ChatDecoder:
    """A decoder for one stream. This API's content is only text, so it is a `str` whatever `plain` says."""
    return ChatDecoder()
