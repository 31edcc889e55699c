"""What the emulator refuses of a body, without a server."""

from __future__ import annotations

from typing import Any

from langchain_unified.testing.emulation.rules import refusals
from langchain_unified.testing.emulation.rules.rule import EmulatedCall

HEADERS = {"x-api-key": "any", "authorization": "Bearer any", "anthropic-version": "2026-10-21"}


def refused(endpoint: str, body: dict[str, Any]) -> list[str]:
    """Why the emulator refuses `body` at `endpoint` (`anthropic.messages`, `openai.chat`, …); empty if it accepts."""
    return [str(found.message) for found in refusals(EmulatedCall(endpoint, body, HEADERS))]
