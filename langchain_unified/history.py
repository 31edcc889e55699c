"""What a history must be before it is encoded: every tool result belongs to a call made before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from langchain_unified.content import call_id_of
from langchain_unified.errors import InvalidHistoryError
from langchain_unified.request import Turn


def check_results(turns: Sequence[Turn]) -> None:
    """Raise `InvalidHistoryError` for a tool result whose call is not in an assistant message before it."""
    made: set[str | None] = set()
    for turn in turns:
        if turn.role == "assistant":
            made.update(_calls(turn))
        elif turn.role == "tool" and turn.tool_call_id not in made:
            raise InvalidHistoryError(
                f"Message {turn.position} is a result for the tool call {turn.tool_call_id!r}, "
                "which no message before it makes. Keep the assistant message with that call, or leave the result out."
            )


def _calls(turn: Turn) -> Iterable[str | None]:
    for block in turn.blocks:
        call_id = call_id_of(block)
        if call_id is not None:
            yield call_id
        elif block["type"] == "native":
            yield from (block["value"].get(key) for key in ("call_id", "id"))
