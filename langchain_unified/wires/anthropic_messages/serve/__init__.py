"""The server side of the Messages API: bodies are parsed into requests, completions become replies and events."""

from __future__ import annotations

from langchain_unified.wires.anthropic_messages.serve.read import read_request
from langchain_unified.wires.anthropic_messages.serve.render import render_events, render_reply

__all__ = ["read_request", "render_events", "render_reply"]
