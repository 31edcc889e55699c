"""A tool call while its fragments come, and what ends its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.messages.json_text import compact_json, json_object
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT
from langchain_unified.wires._wire import break_json_tail
from langchain_unified.wires.openai_chat.decode import args_object, holds_more_than_one


@dataclass(slots=True)
class StreamedCall:
    """A tool call that is not complete yet. `index` is its place among the calls of the message."""

    index: int
    id: str
    name: str = ""
    custom: bool = False
    fragments: list[str] = field(default_factory=list)
    given_id: str | None = None
    """The id that the server gave it; `None` where it gave none."""
    given_index: Any = None
    streams: bool = False
    """Whether its arguments go out as they come. They do from the `{` on: what begins otherwise waits for the end."""

    def args(self) -> str:
        """The arguments so far, as JSON text or, of a custom tool, as its input."""
        return "".join(self.fragments)

    def is_complete(self) -> bool:
        """Whether the arguments so far are one JSON object."""
        args = self.args()
        return bool(args.strip()) and args_object(args) is not None

    def add(self, fragment: str) -> str:
        """Add a fragment of the arguments. What of them can go out now."""
        self.fragments.append(fragment)
        if self.streams:
            return fragment
        if self.custom or not fragment:
            return ""
        args = self.args()
        self.streams = args.lstrip().startswith("{")
        return args if self.streams else ""


def unsent_part(call: StreamedCall, name: str, fragment: str) -> str:
    """The fragment without what the call has: some servers send all arguments so far, or all again at the end."""
    args = call.args()
    if name and fragment.startswith(args):
        return fragment[len(args) :]
    return "" if call.is_complete() and json_object(fragment) == json_object(args) else fragment


def goes_on(call: StreamedCall, fragment: str) -> bool:
    """Whether a fragment with another id goes on with the call: its arguments are open, and no others begin here."""
    if not fragment or call.is_complete():
        return False
    return not call.args().strip() or not fragment.lstrip().startswith("{")


def last_chunks(calls: Sequence[StreamedCall]) -> list[ToolCallChunk]:
    """What ends the arguments of each call: all of a custom tool's input, or what makes incomplete JSON invalid."""
    # Where one call has got the arguments of two, a call without arguments may be the one that misses them.
    misplaced = len(calls) > 1 and any(not call.custom and holds_more_than_one(call.args()) for call in calls)
    tails = [(call, "]" if misplaced and not call.args().strip() else _tail(call)) for call in calls]
    return [tool_call_chunk(args=tail, index=call.index) for call, tail in tails if tail]


def _tail(call: StreamedCall) -> str:
    args = call.args()
    if call.custom:
        return compact_json({CUSTOM_ARGUMENT: args})
    found = args_object(args)
    if call.streams or not args.strip():
        return "" if found is not None else break_json_tail(args)
    if found is None:
        return args + break_json_tail(args)
    return compact_json(found) if found else ""
