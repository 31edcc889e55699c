"""OpenAI Batch for calls of Chat Completions."""

from __future__ import annotations

from langchain_unified.wires._openai.batch import batches

ENDPOINT = "/v1/chat/completions"

BATCHES = batches(ENDPOINT)
