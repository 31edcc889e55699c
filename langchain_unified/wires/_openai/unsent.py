"""What callers write for Anthropic beside the content, and OpenAI's APIs have no form for."""

from __future__ import annotations

from langchain_unified.request import Adjustment, Request
from langchain_unified.request.blocks import Block


def report_unsent_fields(request: Request, adjustments: list[Adjustment]) -> None:
    """List the fields of blocks and system messages that the request has and neither API takes, each once."""
    found: dict[str, str] = {}
    for turn in request.turns:
        for block in turn.blocks:
            if block["type"] in WITH_FIELDS:
                _note_fields(block, found)
        if turn.options and turn.role == "system":
            for key in turn.options:
                found[f"{key} of a system message"] = "OpenAI's APIs have no such key: it was not sent."
    adjustments.extend(Adjustment(what=what, why=why) for what, why in found.items())


WITH_FIELDS = frozenset({"image", "file", "text-plain", "search_result"})


def _note_fields(block: Block, found: dict[str, str]) -> None:
    citations = block.get("citations")
    if citations is True or (isinstance(citations, dict) and citations.get("enabled")):
        found["citations"] = "OpenAI's APIs do not cite the documents that they are given."
    if block.get("transformations"):
        found["transformations of an image"] = "OpenAI's APIs have no such setting: it was not sent."
