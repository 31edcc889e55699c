"""v3 events read back: the message that core assembles from them, and how that compares with the invoked one."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.chat_model_stream import ChatModelStream
from langchain_core.messages import AIMessage
from langchain_core.tracers._streaming import _V2StreamingCallbackHandler

from langchain_unified.chat_models._events import EventWriter
from langchain_unified.wires import Wire
from tests.support.streams import chunks_of

Event = dict[str, Any]
CALLS = ("tool_call", "invalid_tool_call")


class Listener(BaseCallbackHandler, _V2StreamingCallbackHandler):
    """What LangGraph attaches: with it, `invoke` goes by events."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.tokens: list[str] = []
        self.errors: list[BaseException] = []

    def on_stream_event(self, event: Any, **kwargs: Any) -> None:
        self.events.append(event)

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        self.tokens.append(token)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.errors.append(error)


def written(wire: Wire, events: Iterable[Any]) -> list[Event]:
    """The v3 events of a provider's events."""
    writer = EventWriter("asked-for")
    found = [event for chunk in chunks_of(wire, events) for event in writer.feed(chunk)]
    return copy.deepcopy([*found, *writer.close()])  # type: ignore[list-item]


def assembled(events: Iterable[Event]) -> AIMessage:
    """The message that core makes of the events."""
    stream = ChatModelStream()
    for event in events:
        stream.dispatch(event)
    assert stream.output_message is not None
    return stream.output_message


# --- the events -------------------------------------------------------------------------------------------------------


def check_lifecycle(events: list[Event]) -> None:
    """One start and one finish of each block, its deltas between them; those of a text are all of it."""
    assert [event["event"] for event in (events[0], events[-1])] == ["message-start", "message-finish"]
    starts = [event for event in events if event["event"] == "content-block-start"]
    assert [event["index"] for event in starts] == list(range(len(starts)))
    streamed: dict[int, str] = {}
    for event in events[1:-1]:
        index, kind = event["index"], event["event"].removeprefix("content-block-")
        if kind == "start":
            assert index not in streamed
            streamed[index] = ""
            if event["content"]["type"] == "tool_call_chunk":
                assert event["content"]["name"]
                assert event["content"]["args"] == ""
        elif kind == "delta":
            delta = event["delta"]
            streamed[index] += next(delta[key] for key in ("text", "reasoning", "args") if key in delta)
        else:
            _check_finish(streamed.pop(index), event["content"])
    assert streamed == {}


def _check_finish(streamed: str, block: Any) -> None:
    for kind in ("text", "reasoning"):
        if block["type"] == kind:
            assert streamed == block.get(kind, "")
    if block["type"] == "invalid_tool_call":
        # A custom tool's text streams inside a JSON string, and is shown without it.
        assert streamed == block["args"] or streamed.startswith('{"__arg1": "')


# --- the law ----------------------------------------------------------------------------------------------------------


def check_equal(message: AIMessage, invoked: AIMessage) -> None:
    """The v3 message equals the invoked one but for its id."""
    for name in ("tool_calls", "usage_metadata", "additional_kwargs"):
        assert getattr(message, name) == getattr(invoked, name), name
    assert _broken(message) == _broken(invoked)
    metadata = dict(message.response_metadata)
    assert metadata.pop("output_version") == "v1"
    assert metadata == invoked.response_metadata
    check_blocks(message, invoked)


def _broken(message: AIMessage) -> list[Any]:
    return [(call["id"], call["name"], call["args"] or None) for call in message.invalid_tool_calls]


def check_blocks(message: AIMessage, invoked: AIMessage) -> None:
    """The v3 message's blocks are the invoked one's `content_blocks`, but for what these do not show.

    Chat Completions' refusal, which stands beside the content, is a block. The calls are those of `tool_calls` and
    `invalid_tool_calls` (core's translators leave out some of them), after the call itself where core shows it as a
    block that is no call. A lone text of the Responses API keeps its id, which `str` content cannot hold. Newer
    versions of core make a block of Anthropic's reason to stop; here that stands in `response_metadata` alone.
    """
    found, expected = _others(message.content_blocks), _others(copy.deepcopy(invoked).content_blocks)
    if invoked.response_metadata["model_provider"] == "anthropic":
        found, expected = ([b for b in one if b.get("value", {}).get("type") != "refusal"] for one in (found, expected))
    refusal = invoked.additional_kwargs.get("refusal")
    shown = {"type": "non_standard", "value": {"type": "refusal", "refusal": refusal}}
    if refusal and shown not in expected:  # newer versions of core show it themselves
        expected.append(shown)
    if isinstance(invoked.content, str) and len(found) == 1 and not refusal:
        found = [{key: value for key, value in block.items() if key not in ("id", "status")} for block in found]
    assert found == expected
    calls = [block for block in message.content_blocks if block["type"] in CALLS]
    ids = [block["id"] for block in calls]
    assert sorted(ids, key=str) == sorted(
        [call["id"] for call in (*invoked.tool_calls, *invoked.invalid_tool_calls)], key=str
    )
    extras = {b["id"]: b.get("extras") for b in copy.deepcopy(invoked).content_blocks if b["type"] in CALLS}
    if not invoked.invalid_tool_calls:
        assert {block["id"]: block.get("extras") for block in calls if block["id"] in extras} == extras


def _others(blocks: Iterable[Any]) -> list[Any]:
    """The blocks that are no calls and no empty texts, without their index. A refusal is `non_standard`.

    Empty annotations, which `responses/v1` has beside each text, are left out.
    """
    plain = [
        {key: value for key, value in block.items() if key != "index" and (key, value) != ("annotations", [])}
        for block in blocks
    ]
    plain = [{"type": "non_standard", "value": block} if block["type"] == "refusal" else block for block in plain]
    return [block for block in plain if block["type"] not in CALLS and block.get("text") != ""]
