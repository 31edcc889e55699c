"""OpenAI Batch for calls of Responses."""

from __future__ import annotations

from langchain_unified.wires._openai.batch import batches

ENDPOINT = "/v1/responses"

BATCHES = batches(ENDPOINT)
