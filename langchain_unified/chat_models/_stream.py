"""One stream of one call: events in, LangChain's chunks out, for the sync and the async loop alike."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.outputs import ChatGenerationChunk

from langchain_unified.chat_models._report import add_cache_report
from langchain_unified.chat_models._stops import StreamCutter
from langchain_unified.errors import IncompleteStreamError, UnifiedError
from langchain_unified.request import JsonObject

if TYPE_CHECKING:
    from langchain_unified.chat_models._plan import Plan


CallMetadata: TypeAlias = Callable[["str | None", Mapping[str, str]], JsonObject]
"""The answer's request id and headers -> what the call itself adds to `response_metadata`."""


def read(
    plan: Plan, about: CallMetadata, run_manager: CallbackManagerForLLMRun | None
) -> Generator[ChatGenerationChunk]:
    """Make the call; its chunks, each told to the callbacks as well."""
    with plan.transport.stream(plan.call) as events:
        reader = StreamReader(plan, about(events.request_id, events.headers))
        with reader.attaching_partial():
            for event in events:
                for chunk in reader.feed(event):
                    if run_manager:
                        run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                    yield chunk
            for chunk in reader.finish():
                yield chunk


async def aread(
    plan: Plan, about: CallMetadata, run_manager: AsyncCallbackManagerForLLMRun | None
) -> AsyncGenerator[ChatGenerationChunk]:
    """Async twin of `read`."""
    async with await plan.transport.astream(plan.call) as events:
        reader = StreamReader(plan, about(events.request_id, events.headers))
        with reader.attaching_partial():
            async for event in events:
                for chunk in reader.feed(event):
                    if run_manager:
                        await run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                    yield chunk
            for chunk in reader.finish():
                yield chunk


class StreamReader:
    """Feeds a wire's decoder and adds to the last chunk what only the call knows (`request_id`, `adjustments`)."""

    def __init__(self, plan: Plan, metadata: JsonObject) -> None:
        """`metadata` goes into the last chunk's `response_metadata`."""
        self.plan = plan
        self.decoder = plan.wire.stream_decoder(plan.plain)
        self.metadata = metadata
        self.cutter = StreamCutter(plan.stops) if plan.stops else None
        self.seen: list[AIMessageChunk] = []

    def feed(self, event: JsonObject) -> list[ChatGenerationChunk]:
        """The chunks of one event."""
        return self._out(self.decoder.feed(event))

    def finish(self) -> list[ChatGenerationChunk]:
        """What is left when the events are over. Raises `IncompleteStreamError` when the final event never came.

        A server whose dialect does not promise a final event gets a last chunk marked `incomplete` instead.
        """
        rest = self._out(self.decoder.end())
        try:
            self.decoder.close()
        except IncompleteStreamError:
            if self.plan.route.dialect.must_finish:
                raise
            last = AIMessageChunk(
                content="" if not self.seen or isinstance(self.seen[-1].content, str) else [],
                response_metadata={"model_provider": self.plan.wire.provider, "incomplete": True},
                chunk_position="last",
            )
            rest += self._out([last])
        return rest

    def _out(self, chunks: Iterable[AIMessageChunk]) -> list[ChatGenerationChunk]:
        result = []
        for chunk in chunks if self.cutter is None else self._cut(self.cutter, chunks):
            if chunk.chunk_position == "last":
                chunk.response_metadata.update(self.metadata)
                add_cache_report(self.plan, chunk)
            self.seen.append(chunk)
            result.append(ChatGenerationChunk(message=chunk))
        return result

    @staticmethod
    def _cut(cutter: StreamCutter, chunks: Iterable[AIMessageChunk]) -> Iterator[AIMessageChunk]:
        for chunk in chunks:
            yield from cutter.feed(chunk)

    @contextmanager
    def attaching_partial(self) -> Iterator[None]:
        """Errors that end a stream carry what had come, and which call it was."""
        try:
            yield
        except UnifiedError as error:
            if self.cutter is not None and self.seen:
                self.seen += self.cutter.flush(self.seen[-1])
            if self.seen:
                error.partial = add_ai_message_chunks(self.seen[0], *self.seen[1:])
            error.provider = error.provider or self.plan.route.provider
            error.model = error.model or self.plan.route.model
            raise
