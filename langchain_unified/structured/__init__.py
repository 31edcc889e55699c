"""Structured output: a requested type -> its JSON schema, and an answer, complete or streamed, -> the type."""
