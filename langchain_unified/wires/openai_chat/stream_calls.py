"""A tool call while its fragments come, and what ends its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.messages.json_text import arguments_object, compact_json, json_object
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT
from langchain_unified.wires._wire import ArgumentText, break_json_tail
from langchain_unified.wires.openai_chat.decode import holds_more_than_one


@dataclass(slots=True)
class StreamedCall(ArgumentText):
    """A tool call that is not complete yet. `index` is its place among the calls of the message.

    Of a custom tool, the arguments are its input.
    """

    index: int = 0
    id: str = ""
    name: str = ""
    custom: bool = False
    given_id: str | None = None
    """The id that the server gave it; `None` where it gave none."""
    given_index: Any = None

    def is_complete(self) -> bool:
        """Whether the arguments so far are one JSON object. Text that ends as none can is not parsed."""
        end = next((text[-1] for fragment in reversed(self.fragments) if (text := fragment.rstrip())), "")
        return end in COMPLETE_ENDS and arguments_object(self.args()) is not None


COMPLETE_ENDS = ("}", '"', "l")
"""How an object ends, one that is encoded twice, and the `null` that some servers send for none."""


def unsent_part(call: StreamedCall, name: str, fragment: str) -> str:
    """The fragment without what the call has: some servers send all arguments so far, or all again at the end."""
    if name and len(fragment) >= call.length and fragment.startswith(call.args()):
        return fragment[call.length :]
    return "" if call.is_complete() and json_object(fragment) == json_object(call.args()) else fragment


def goes_on(call: StreamedCall, fragment: str) -> bool:
    """Whether a fragment with another id goes on with the call: its arguments are open, and no others begin here."""
    if not fragment or call.is_complete():
        return False
    return not call.args().strip() or not fragment.lstrip().startswith("{")


def last_chunks(calls: Sequence[StreamedCall], *, complete: bool) -> list[ToolCallChunk]:
    """What ends the arguments of each call: all of a custom tool's input, or what makes incomplete JSON invalid.

    A call without arguments is invalid where they may be missing: the answer is not `complete` and ends with the call,
    or another call has got the arguments of two.
    """
    misplaced = len(calls) > 1 and any(not call.custom and holds_more_than_one(call.args()) for call in calls)
    tails = []
    for call in calls:
        missing = not call.args().strip() and not call.custom and (misplaced or not (complete or call is not calls[-1]))
        tails.append((call, "]" if missing else _tail(call)))
    return [tool_call_chunk(args=tail, index=call.index) for call, tail in tails if tail]


def _tail(call: StreamedCall) -> str:
    if not call.name:
        # Nobody can run a call without a name: it is an invalid one.
        return ("" if call.streams else call.args()) + break_json_tail(call.args())
    return compact_json({CUSTOM_ARGUMENT: call.args()}) if call.custom else call.tail()
