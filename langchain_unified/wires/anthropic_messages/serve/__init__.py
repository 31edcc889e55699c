"""The mirror codec: bodies are read, replies and events are rendered."""

from __future__ import annotations

from langchain_unified.wires.anthropic_messages.serve.read import read_request
from langchain_unified.wires.anthropic_messages.serve.render import render_events, render_reply

__all__ = ["read_request", "render_events", "render_reply"]
