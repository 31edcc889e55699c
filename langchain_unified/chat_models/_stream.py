"""One stream of one call: events in, LangChain's chunks out, sync and async."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.outputs import ChatGenerationChunk

from langchain_unified.caching.gate import Passage
from langchain_unified.chat_models._answer import add_cache_report, add_parsed, call_metadata
from langchain_unified.chat_models._finish import add_finish, list_writes_by_ttl
from langchain_unified.chat_models._gateway import generation_info
from langchain_unified.chat_models._plan import Plan
from langchain_unified.chat_models._stops import StreamCutter
from langchain_unified.errors import IncompleteStreamError, UnifiedError
from langchain_unified.messages.chunks import generation_chunk
from langchain_unified.request import JsonObject
from langchain_unified.tools.names import give_caller_names
from langchain_unified.transport import AsyncEventStream, EventStream, Transport
from langchain_unified.wires import StreamDecoder
from langchain_unified.wires.openai_responses.versions import decoder_in_version


def read(
    transport: Transport, plan: Plan, run_manager: CallbackManagerForLLMRun | None
) -> Generator[ChatGenerationChunk]:
    """Make the call; its chunks, which the callbacks get as well."""
    if plan.gate is not None:
        yield from _read_gated(transport, plan, run_manager, plan.gate)
        return
    with plan.seen, transport.stream(plan.call) as events, StreamReader(plan, events) as reader:
        info = generation_info(events.headers)  # with the first chunk alone: chunks are added up
        events.complete_when(reader.decoder.has_finished)
        for event in events:
            for message in reader.feed(event):
                if message.chunk_position == "last":
                    info = {**(info or {}), **reader.complete(message)} or None
                reader.seen.append(message)
                chunk, info = generation_chunk(message, info), None
                reader.yielded = chunk
                if run_manager:
                    run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                yield chunk
        for message in reader.finish(ended=events.ended):
            yield ChatGenerationChunk(message=message, generation_info=reader.finish_info(message))


def _read_gated(
    transport: Transport, plan: Plan, run_manager: CallbackManagerForLLMRun | None, gate: Passage
) -> Generator[ChatGenerationChunk]:
    gate.enter()
    try:
        with contextlib.closing(read(transport, replace(plan, gate=None), run_manager)) as chunks:
            for chunk in chunks:
                gate.begun()
                yield chunk
    finally:
        gate.leave()


async def _aread(
    transport: Transport, plan: Plan, run_manager: AsyncCallbackManagerForLLMRun | None, readers: list[StreamReader]
) -> AsyncGenerator[ChatGenerationChunk]:
    """Async twin of `read`. `readers` gets the reader of the stream."""
    if plan.gate is not None:
        async with contextlib.aclosing(_aread_gated(transport, plan, run_manager, readers, plan.gate)) as chunks:
            async for chunk in chunks:
                yield chunk
        return
    async with (
        plan.seen,
        await transport.astream(plan.call) as events,
        StreamReader(plan, events) as reader,
    ):
        readers.append(reader)
        info = generation_info(events.headers)
        events.complete_when(reader.decoder.has_finished)
        async for event in events:
            for message in reader.feed(event):
                if message.chunk_position == "last":
                    info = {**(info or {}), **reader.complete(message)} or None
                reader.seen.append(message)
                chunk, info = generation_chunk(message, info), None
                reader.yielded = chunk
                if run_manager:
                    await run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                yield chunk
        for message in reader.finish(ended=events.ended):
            yield ChatGenerationChunk(message=message, generation_info=reader.finish_info(message))


async def _aread_gated(
    transport: Transport,
    plan: Plan,
    run_manager: AsyncCallbackManagerForLLMRun | None,
    readers: list[StreamReader],
    gate: Passage,
) -> AsyncGenerator[ChatGenerationChunk]:
    try:
        await gate.aenter()
        chunks = _aread(transport, replace(plan, gate=None), run_manager, readers)
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                gate.begun()
                yield chunk
    finally:
        gate.leave()


class AsyncChunks(AsyncIterator[ChatGenerationChunk]):
    """The chunks of an async stream, as `read` gives those of a sync one.

    An async generator that is dropped is closed later, by its event loop. LangChain has then reported the stream to the
    callbacks. So this object, which is dropped at once, marks what came as incomplete.
    """

    def __init__(self, transport: Transport, plan: Plan, run_manager: AsyncCallbackManagerForLLMRun | None) -> None:
        self._readers: list[StreamReader] = []
        self._chunks = _aread(transport, plan, run_manager, self._readers)

    def __anext__(self) -> Awaitable[ChatGenerationChunk]:
        return self._chunks.__anext__()

    async def aclose(self) -> None:
        await self._chunks.aclose()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            for reader in self._readers:
                reader.interrupt()


class StreamReader:
    """Decodes the events of one stream, cuts at the plan's stops, and completes the last chunk.

    `feed` gives the chunks of one event; `seen` are the chunks that the caller has got.
    """

    def __init__(self, plan: Plan, events: EventStream | AsyncEventStream) -> None:
        self.plan = plan
        self.attempts = events.attempts
        self.metadata = call_metadata(plan, events)
        self.wire_decoder = plan.wire.stream_decoder(plan.plain)
        self.decoder = self.wire_decoder
        if plan.output_version is not None and plan.wire.name == "openai_responses":
            self.decoder = decoder_in_version(self.decoder, plan.output_version)
        if plan.caller_names:
            self.decoder = _NamingDecoder(self.decoder, plan.caller_names)
        self.cutter = StreamCutter(plan.stops) if plan.stops else None
        self.seen: list[AIMessageChunk] = []
        plan.seen.begun(self.seen)
        self.yielded: ChatGenerationChunk | None = None
        """The last chunk that the caller has got; LangChain may have put another message into it."""
        self.rest: list[AIMessageChunk] | None = None
        """What the decoder still held at the end of the events."""
        self.interrupted = False
        self.feed: Callable[[JsonObject], Iterable[AIMessageChunk]] = (
            self._feed_and_cut if self.cutter else self.decoder.feed
        )

    def _feed_and_cut(self, event: JsonObject) -> list[AIMessageChunk]:
        return self._cut(self.decoder.feed(event))

    def _cut(self, chunks: Iterable[AIMessageChunk]) -> list[AIMessageChunk]:
        if self.cutter is None:
            return list(chunks)
        return [shown for chunk in chunks for shown in self.cutter.feed(chunk)]

    def complete(self, chunk: AIMessageChunk, before: Sequence[AIMessageChunk] = ()) -> JsonObject:
        """Add to the last chunk what only the call knows: request id, adjustments, the cache report, the parsed answer.

        `before`: the chunks between those that were `seen` and this one. Returned is its `generation_info`.
        """
        chunk.response_metadata.update(self.metadata)
        info = add_finish(chunk)
        add_cache_report(self.plan, chunk)
        if self.plan.writes_by_ttl:
            list_writes_by_ttl(chunk)
        if self.plan.target is not None:
            chunks = [*self.seen, *before, chunk]
            whole = message_chunk_to_message(add_ai_message_chunks(chunks[0], *chunks[1:]))
            try:
                add_parsed(chunk, cast("AIMessage", whole), self.plan.target)
            except UnifiedError:
                self.seen = chunks  # the answer is complete and has its usage, though it does not match
                raise
        return info

    def finish(self, *, ended: bool) -> list[AIMessageChunk]:
        """What is left when the events are over. Raises `IncompleteStreamError` when the final event never came.

        `ended`: the stream has said that it is over. A server whose dialect does not promise a final event gets a last
        chunk instead, which is marked `incomplete` if nothing says that the answer is complete.
        """
        rest = self.rest = self._cut(self.decoder.end(ended=ended))
        try:
            self.decoder.close()
        except IncompleteStreamError:
            if self.plan.route.dialect.must_finish:
                raise
            if not (rest and rest[-1].chunk_position == "last"):
                rest += self._cut([self._last(rest, complete=ended or self.decoder.has_finished())])
        for at, chunk in enumerate(rest):
            if chunk.chunk_position == "last":
                self.complete(chunk, rest[:at])
        self.seen += rest
        return rest

    @staticmethod
    def finish_info(chunk: AIMessageChunk) -> JsonObject | None:
        """The `generation_info` of a chunk that `finish` returned."""
        return (add_finish(chunk) or None) if chunk.chunk_position == "last" else None

    def _last(self, rest: list[AIMessageChunk], *, complete: bool) -> AIMessageChunk:
        before = (*self.seen, *rest)
        mark = {} if complete else {"incomplete": True}
        return AIMessageChunk(
            content="" if not before or isinstance(before[-1].content, str) else [],
            response_metadata={"model_provider": self.plan.wire.provider, **mark},
            chunk_position="last",
        )

    # --- the `with` block in which the stream is read ---

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """What ends the stream early is marked; an error of ours also says which call it was."""
        if isinstance(error, UnifiedError):
            error.attempts = error.attempts or self.attempts
            error.provider = error.provider or self.plan.route.provider
            error.model = error.model or self.plan.route.model
        if error is not None:
            self.interrupt(error if isinstance(error, HAVE_PARTIAL) else None)

    def interrupt(self, error: BaseException | None = None) -> None:
        """End the stream early. The message so far is `partial` of the error.

        It is marked `incomplete`, and has the usage that was reported until then. The chunk that the caller got last
        has the same: LangChain adds up the chunks for callbacks and traces.
        """
        if self.interrupted:
            return
        self.interrupted = True
        rest = [] if self.seen and self.seen[-1].chunk_position == "last" else self._rest()
        chunks = [*self.seen, *rest]
        if not self.seen and not any(chunk.usage_metadata for chunk in rest):
            return  # nothing came that is billed
        if rest:
            self._mark(chunks[-1])
        if error is not None:
            partial: Any = error  # any exception can have the attribute
            partial.partial = add_ai_message_chunks(chunks[0], *chunks[1:])
        if rest and self.yielded is not None:
            _add_end(cast("AIMessageChunk", self.yielded.message), rest)

    def _rest(self) -> list[AIMessageChunk]:
        """What no chunk has had: text that was held back, what makes an incomplete call invalid, ids and usage."""
        held = self.cutter.flush(self.seen[-1]) if self.cutter and self.seen else []
        if self.rest is None:
            self.rest = []
            with contextlib.suppress(UnifiedError):
                self.rest = self._cut(self.decoder.end())
        return [*held, *self.rest]

    def _mark(self, last: AIMessageChunk) -> None:
        last.response_metadata.update(self.metadata)
        if last.chunk_position is None or last.usage_metadata is None:
            last.response_metadata["incomplete"] = True
        # OpenAI may go on with an answer in the background: its id is asked for by `retrieve`.
        if reply_id := getattr(self.wire_decoder, "reply_id", None):
            last.response_metadata.setdefault("id", reply_id)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.__exit__(kind, error, trace)


HAVE_PARTIAL = (UnifiedError, asyncio.CancelledError, KeyboardInterrupt)
"""What ends a stream early and then has the message so far, as `partial`."""


def _add_end(message: AIMessageChunk, rest: Sequence[AIMessageChunk]) -> None:
    """Add to a chunk what ends its stream, without the content."""
    for chunk in rest:
        message.response_metadata = {**message.response_metadata, **chunk.response_metadata}
        message.usage_metadata = message.usage_metadata or chunk.usage_metadata
        message.tool_call_chunks = [*message.tool_call_chunks, *chunk.tool_call_chunks]
        message.chunk_position = message.chunk_position or chunk.chunk_position


class _NamingDecoder:
    """A stream decoder whose chunks name the tools as the caller does."""

    def __init__(self, decoder: StreamDecoder, names: Mapping[str, str]) -> None:
        self.decoder = decoder
        self.names = names
        self.close = decoder.close
        self.has_finished = decoder.has_finished

    def feed(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._named(self.decoder.feed(event))

    def end(self, *, ended: bool = False) -> Iterable[AIMessageChunk]:
        return self._named(self.decoder.end(ended=ended))

    def _named(self, chunks: Iterable[AIMessageChunk]) -> list[AIMessageChunk]:
        found = list(chunks)
        for chunk in found:
            give_caller_names(chunk, self.names)
        return found
