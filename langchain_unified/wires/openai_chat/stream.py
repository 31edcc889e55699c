"""Events of a streamed chat completion -> chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.messages.chunks import message_chunk
from langchain_unified.messages.json_text import arguments_object
from langchain_unified.messages.server_reasoning import CALL_EXTRAS, COMPATIBLE, CONTENT, DETAILS, PARTS, TEXT
from langchain_unified.messages.tool_calls import RAW_ARGUMENTS
from langchain_unified.request import JsonObject
from langchain_unified.wires._shapes import FOREIGN, not_readable
from langchain_unified.wires._wire import StreamDecoder, incomplete_stream
from langchain_unified.wires.openai_chat.decode import (
    CHOICE_KEYS,
    call_extras,
    common_finish,
    encodes_as,
    legacy_call,
    made_up_id,
    metadata,
    name_and_arguments,
    reply_id,
    split_content,
    usage_of,
    with_usage,
)
from langchain_unified.wires.openai_chat.reasoning import (
    add_details,
    details_text,
    joined_thoughts,
    reasoning_metadata,
    thinking_text,
)
from langchain_unified.wires.openai_chat.shapes import EVENT
from langchain_unified.wires.openai_chat.stream_calls import StreamedCall, goes_on, last_chunks, unsent_part

PIECE_KEYS = frozenset({"index", "delta", "finish_reason", "logprobs"})
"""The keys of a choice whose event is a piece of the answer and nothing else."""

Delta: TypeAlias = Any
"""The value of one key of a delta, never `None`."""


@dataclass(slots=True)
class _ChunkDraft:
    """The chunk that one delta makes."""

    content: str = ""
    kwargs: JsonObject = field(default_factory=dict)
    calls: list[ToolCallChunk] = field(default_factory=list)


@dataclass(slots=True)
class ChatDecoder(StreamDecoder):
    """Decodes the one choice of a stream; the encoder asks for no other.

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
    calls: list[StreamedCall] = field(default_factory=list)
    by_id: dict[str, StreamedCall] = field(default_factory=dict)
    by_index: dict[Any, StreamedCall] = field(default_factory=dict)
    firsts: int = 0
    """How many choices had the index 0, or none."""
    text_length: int = 0
    provider: str = ""
    """The `model_provider` of all chunks: the first decides."""
    reasoning_field: str = ""
    """The field of the reasoning's text, which the first piece decides: some servers send two fields."""
    details: list[Any] = field(default_factory=list)
    in_messages: bool = False
    """Whether the pieces come as `message` in place of `delta`."""

    def feed(self, event: JsonObject) -> list[AIMessageChunk]:  # noqa: C901 - the hot loop calls little
        if "choices" not in event and "usage" not in event:
            return []
        if not EVENT.fits(event):
            event = EVENT.event(event)
        for key, value in event.items():
            # Later empty values (Azure's filter chunks have an empty model and id) overwrite nothing.
            if key != "choices" and (value or (value is not None and key not in self.reply)):
                self.reply[key] = value
        if self.id is None:
            self.id = reply_id(event)
        chunks = []
        choices = event.get("choices") or ()
        for choice in choices:
            if not choice:
                continue
            if not choice.get("index"):
                self.firsts += 1
            elif self.firsts > 1 or len(choices) > 1:
                # Some servers count chunks, or from 1, where the API has the index 0: a sole choice is the answer.
                # Where the index 0 has come twice, another index is another choice.
                continue
            try:
                if chunk := self._read(choice):
                    chunks.append(chunk)
            except FOREIGN as exc:
                raise not_readable("A choice of the stream", exc) from exc
        return chunks

    def _read(self, choice: JsonObject) -> AIMessageChunk | None:
        """The chunk of a choice's delta; `None` when it adds nothing."""
        if choice.get("finish_reason") or choice.get("logprobs") or not choice.keys() <= PIECE_KEYS:
            self._add_to_choice(choice)
        delta = choice.get("delta") or (choice.get("message") and self._rest_of(choice["message"])) or {}
        text = delta.get("content")
        if text and text.__class__ is str and len(delta) == 1:  # most chunks are a piece of text alone
            self.text_length += len(text)
            self.provider = self.provider or "openai"
            return message_chunk(text, self.provider)
        draft = _ChunkDraft()
        for key, value in delta.items():
            if value not in (None, "", []):
                DELTAS.get(key, ChatDecoder._other)(self, draft, key, value)
        if not (draft.content or draft.kwargs or draft.calls):
            return None
        if not self.provider:
            self.provider = COMPATIBLE if TEXT in draft.kwargs else "openai"
        return message_chunk(draft.content, self.provider, draft.calls, draft.kwargs)

    def _add_to_choice(self, choice: JsonObject) -> None:
        """What a choice says beside its delta."""
        for key, value in choice.items():
            if key not in CHOICE_KEYS and (value or (value is not None and key not in self.choice)):
                self.choice[key] = value
        if choice.get("finish_reason"):
            self.choice["finish_reason"] = choice["finish_reason"]
        if choice.get("logprobs"):
            self._add_logprobs(choice["logprobs"])
        if choice.get("usage") and not self.reply.get("usage"):
            self.choice["usage"] = choice["usage"]

    def _rest_of(self, message: JsonObject) -> JsonObject:
        """What a `message` in place of a delta adds: a piece, or after deltas what they left out of the answer."""
        if self.in_messages or not (self.text_length or self.calls or self.streamed):
            self.in_messages = True
            return message
        known = {"role", *self.streamed, *self.held, *(("refusal",) if self.refused else ())}
        rest = {key: value for key, value in message.items() if key not in known}
        if isinstance(rest.get("content"), str):
            rest["content"] = rest["content"][self.text_length :]
        calls = rest.get("tool_calls") or ()
        unsent = [call for at, call in enumerate(calls) if at >= len(self.calls) or not self.calls[at].args()]
        return {**rest, "tool_calls": unsent}

    def _add_logprobs(self, logprobs: JsonObject) -> None:
        found = self.choice.setdefault("logprobs", {})
        for key, tokens in logprobs.items():
            found[key] = [*(found.get(key) or []), *tokens] if isinstance(tokens, list) else found.get(key, tokens)

    # --- deltas ---

    def _text(self, draft: _ChunkDraft, key: str, value: Delta) -> None:
        text, others = (value, []) if isinstance(value, str) else split_content(value)
        draft.content = text
        self.text_length += len(text)
        if others:
            self._other(draft, PARTS, others)
            if self.reasoning_field in ("", CONTENT) and (thought := thinking_text(others)):
                self.reasoning_field = CONTENT
                self.streamed.add(TEXT)
                draft.kwargs[TEXT] = thought

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

    def _reasoning(self, draft: _ChunkDraft, key: str, value: Delta) -> None:
        if not isinstance(value, str):
            self._other(draft, key, value)
            return
        self.reasoning_field = self.reasoning_field or key
        if key == self.reasoning_field:
            self.streamed.add(TEXT)
            draft.kwargs[TEXT] = value

    def _reasoning_details(self, draft: _ChunkDraft, key: str, value: Delta) -> None:
        """The parts are held; their text goes out where no other field has it."""
        pieces = value if isinstance(value, list) else [value]
        add_details(self.details, pieces)
        text = details_text(pieces)
        if text and self.reasoning_field in ("", DETAILS):
            self.reasoning_field = DETAILS
            self.streamed.add(TEXT)
            draft.kwargs[TEXT] = text

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
        name, fragment = name_and_arguments(raw)
        known = self._known(raw, name, fragment)
        call = known or self._open(raw)
        call.custom = call.custom or bool(raw.get("custom"))
        if extras := call_extras(raw):
            self.held.setdefault(CALL_EXTRAS, {}).setdefault(call.id, {}).update(extras)
        # Names and ids are sent once: the sum of chunks would concatenate them.
        new_name = name if not call.name else ""
        if call.streams and (name or fragment.startswith("{")):
            fragment = unsent_part(call, name, fragment)
        call.name = call.name or name
        args = call.add(fragment)
        if call.custom:
            args = ""  # all of the input goes out at the end
        if new_name or args or not known:
            call_id = None if known else call.id
            draft.calls.append(tool_call_chunk(name=new_name or None, args=args, id=call_id, index=call.index))

    def _known(self, raw: JsonObject, name: str, fragment: str) -> StreamedCall | None:
        """The call that a fragment belongs to; `None` when it starts a new one.

        Some servers leave out the index, give 0 to all calls, or count on within a call. Some leave out the id, repeat
        id and name, or give each fragment another id.
        """
        if not self.calls:
            return None
        call_id, index, last = raw.get("id"), raw.get("index"), self.calls[-1]
        call = last if index is None else self.by_index.get(index)
        if call_id and (call is None or call.given_id != call_id):
            call = self.by_id.get(call_id, call)
        if not name:
            # A call without a name does not exist: the fragment goes on with the open one.
            return last if call is None or (call is not last and fragment.strip() and call.is_complete()) else call
        if call is None or (call.name and call.name != name):
            return None
        if call_id and call.given_id and call_id != call.given_id:
            return call if index is not None and goes_on(call, fragment) else None
        if not (fragment and call.is_complete()):
            return call
        return call if call_id and fragment == call.args() and index == call.given_index else None

    def _open(self, raw: JsonObject) -> StreamedCall:
        position, given = len(self.calls), raw.get("id") or None
        call = StreamedCall(index=position, id=given or made_up_id(self.id, position))
        call.given_id, call.given_index = given, raw.get("index")
        self.calls.append(call)
        self.by_id[call.id] = call
        self.by_index[call.given_index] = call
        return call

    # --- the end ---

    def end(self, *, ended: bool = False) -> list[AIMessageChunk]:
        """The last chunk, with everything that was held, and what ends the calls. None where no event came."""
        if not (self.reply or self.choice or self.provider):
            return []
        reply = with_usage(self.reply, self.choice)
        if self.details:
            self.held[DETAILS] = self.details
        if PARTS in self.held:
            self.held[PARTS] = joined_thoughts(self.held[PARTS])
        finish = self.choice.get("finish_reason")
        common = common_finish(finish, self.refused, bool(self.calls))
        return [
            AIMessageChunk(
                content="",
                additional_kwargs={**self.held, **self._raw_arguments()},
                tool_call_chunks=last_chunks(self.calls, complete=bool(finish) or ended),
                usage_metadata=usage_of(reply),
                response_metadata={**metadata(reply, self.choice, common), **self._reasoning_metadata()},
                chunk_position="last" if finish else None,
            )
        ]

    def _reasoning_metadata(self) -> JsonObject:
        found = reasoning_metadata(self.reasoning_field) if self.reasoning_field else {}
        return {**found, "model_provider": self.provider or "openai"}

    def _raw_arguments(self) -> JsonObject:
        texts = {call.id: call.args() for call in self.calls if not call.custom}
        raw = {
            call_id: text
            for call_id, text in texts.items()
            if (args := arguments_object(text)) is not None and not encodes_as(args, text)
        }
        return {RAW_ARGUMENTS: raw} if raw else {}

    def has_finished(self) -> bool:
        return bool(self.choice.get("finish_reason"))

    def close(self) -> None:
        if not self.has_finished():
            raise incomplete_stream("a chunk with a finish_reason")


DELTAS: Mapping[str, Callable[[ChatDecoder, _ChunkDraft, str, Delta], None]] = {
    "role": ChatDecoder._role,
    "content": ChatDecoder._text,
    "refusal": ChatDecoder._refusal,
    "tool_calls": ChatDecoder._tool_calls,
    "function_call": ChatDecoder._function_call,
    "audio": ChatDecoder._audio,
    "reasoning_content": ChatDecoder._reasoning,
    "reasoning": ChatDecoder._reasoning,
    "reasoning_details": ChatDecoder._reasoning_details,
}


def stream_decoder(plain: bool) -> ChatDecoder:
    """A decoder for one stream. This API's content is only text, so it is a `str` whatever `plain` says."""
    return ChatDecoder()
