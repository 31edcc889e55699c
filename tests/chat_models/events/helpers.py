"""What the tests of v3 events share."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.wires import WIRES

each_wire = pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)


def anthropic_stream(*blocks: tuple[dict[str, Any], list[dict[str, Any]]]) -> list[Any]:
    """Events of the Messages API: each block as it starts, with its deltas."""
    made: list[Any] = [{"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {}}}]
    for index, (block, deltas) in enumerate(blocks):
        made.append({"type": "content_block_start", "index": index, "content_block": block})
        made += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        made.append({"type": "content_block_stop", "index": index})
    return [*made, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]


def text_delta(text: str) -> dict[str, Any]:
    return {"type": "text_delta", "text": text}


def citation(number: int) -> dict[str, Any]:
    where = {"document_index": 0, "start_char_index": number, "end_char_index": number + 1}
    return {"type": "char_location", "cited_text": f"quote {number}", "document_title": "Doc", **where}
