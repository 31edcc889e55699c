"""How other servers answer that speak a provider's API: the fields, chunks and errors that are theirs.

`emulator(server="deepseek")` plays one of `SERVERS`. What a server refuses is in `rules/servers.py`. A quirk changes
the reply or the events that OpenAI would send; each names its source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from langchain_unified.errors import ConfigurationError
from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.rules.rule import Refusal, Rule, error_body
from langchain_unified.testing.emulation.rules.servers import server_rules, thinks
from langchain_unified.wires._completion import pieces

Events: TypeAlias = list[JsonObject]
ErrorWriter: TypeAlias = Callable[[Refusal], object]


@dataclass(frozen=True, slots=True)
class EmulatedServer:
    """A server that the emulator plays.

    `reasoning`: how a message shows what the model thought, as keys of it. `reasons`: whether it thinks without being
    asked. `events`: changes the chunks of a stream. `calls`: changes each tool call of a message. `error`: its error
    object.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    reasoning: Callable[[str], JsonObject] | None = None
    reasons: Callable[[JsonObject], bool] | None = None
    events: Callable[[Events], Events] = list
    calls: Callable[[JsonObject], JsonObject] = dict
    error: ErrorWriter | None = None

    def reply(self, reply: JsonObject, thoughts: Sequence[str]) -> JsonObject:
        """A reply of Chat Completions as this server sends it; `thoughts` has the reasoning of each choice."""
        choices = [self._choice(choice, thought) for choice, thought in zip(reply["choices"], thoughts, strict=False)]
        return {**_without_openais(reply), "choices": choices}

    def _choice(self, choice: JsonObject, thought: str) -> JsonObject:
        message = {key: value for key, value in choice["message"].items() if key not in OPENAI_MESSAGE_KEYS}
        if "tool_calls" in message:
            message["tool_calls"] = [self.calls(call) for call in message["tool_calls"]]
        if thought and self.reasoning is not None:
            message |= self.reasoning(thought)
        return {**choice, "message": message}

    def stream(self, events: Sequence[JsonObject], thought: str) -> Events:
        """The chunks of one answer as this server sends them."""
        chunks = [_chunk(event, self) for event in events]
        if thought and self.reasoning is not None:
            first, *rest = chunks
            start = {**first, "choices": [{**first["choices"][0], "delta": {"role": "assistant", "content": ""}}]}
            chunks = [start, *(_with_delta(first, self.reasoning(piece)) for piece in pieces(thought)), first, *rest]
        return self.events(chunks)


def readable(body: JsonObject) -> JsonObject:
    """A Chat body without what other servers take beyond OpenAI: the emulator answers the rest of it."""
    known = {key: value for key, value in body.items() if key not in SERVER_KEYS}
    effort = (body.get("reasoning") or {}).get("effort")
    if effort is not None:
        known.setdefault("reasoning_effort", effort)
    return {**known, "messages": [_readable_message(message) for message in body.get("messages") or ()]}


def _readable_message(message: JsonObject) -> JsonObject:
    known = {key: value for key, value in message.items() if key not in SERVER_MESSAGE_KEYS}
    if known.get("tool_calls"):
        calls = known["tool_calls"]
        known["tool_calls"] = [{key: each for key, each in call.items() if key != "extra_content"} for call in calls]
    if isinstance(known.get("content"), list):
        known["content"] = [_readable_part(part) for part in known["content"]]
    return known


def _readable_part(part: JsonObject) -> JsonObject:
    kind = part.get("type")
    if kind not in OPENAI_PART_TYPES:
        return {"type": "text", "text": f"[{kind}]"}
    return {key: value for key, value in part.items() if key != "cache_control"}


OPENAI_PART_TYPES = frozenset({"text", "refusal", "image_url", "input_audio", "file"})
SERVER_KEYS = frozenset({"reasoning", "thinking", "top_k"})
SERVER_MESSAGE_KEYS = frozenset({"reasoning", "reasoning_content", "reasoning_details"})
"""What other servers take in addition."""

OPENAI_KEYS = frozenset({"service_tier", "system_fingerprint", "obfuscation"})
OPENAI_MESSAGE_KEYS = frozenset({"annotations", "refusal"})
"""What OpenAI alone sends."""


def _without_openais(reply: JsonObject) -> JsonObject:
    return {key: value for key, value in reply.items() if key not in OPENAI_KEYS}


def _chunk(event: JsonObject, server: EmulatedServer) -> JsonObject:
    choices = []
    for choice in event["choices"]:
        delta = {key: value for key, value in choice["delta"].items() if key != "refusal"}
        if "tool_calls" in delta:
            delta["tool_calls"] = [server.calls(call) if "id" in call else call for call in delta["tool_calls"]]
        choices.append({**choice, "delta": delta})
    return {**_without_openais(event), "choices": choices}


def _with_delta(event: JsonObject, delta: JsonObject) -> JsonObject:
    return {**event, "choices": [{"index": 0, "delta": {"content": None, **delta}, "finish_reason": None}]}


# --- reasoning --------------------------------------------------------------------------------------------------------


def _reasoning_content(thought: str) -> JsonObject:
    """Source: api-docs.deepseek.com/guides/thinking_mode; llama.cpp: pypi.org/project/langchain-llama-cpp."""
    return {"reasoning_content": thought}


def _reasoning(thought: str) -> JsonObject:
    """Source: docs.vllm.ai/en/v0.26.0/features/reasoning_outputs."""
    return {"reasoning": thought}


def _reasoning_details(thought: str) -> JsonObject:
    """Source: the schemas of @openrouter/ai-sdk-provider 0.7.2 (`reasoning.text`, with `text` and `signature`)."""
    return {"reasoning": thought, "reasoning_details": [{"type": "reasoning.text", "text": thought, "index": 0}]}


# --- tool calls and chunks --------------------------------------------------------------------------------------------


def _null_arguments(call: JsonObject) -> JsonObject:
    """Groq: a call without arguments has the arguments `"null"`. Source: langchain-ai/langchain#33896."""
    function = call.get("function") or {}
    return {**call, "function": {**function, "arguments": "null"}} if function.get("arguments") == "{}" else call


def _nine_characters(call: JsonObject) -> JsonObject:
    """Mistral: an id has nine letters or digits. Source: langchain-ai/langchain#24668."""
    return {**call, "id": hashlib.sha256(call["id"].encode()).hexdigest()[:9]}


def _thought_signature(call: JsonObject) -> JsonObject:
    """Gemini: a signature on each call. Source: 0xsline/OpenChatCut#6."""
    return {**call, "extra_content": {"google": {"thought_signature": f"signature-of-{call['id']}"}}}


def _usage_in_choice(chunks: Events) -> Events:
    """Moonshot: the usage stands in the last choice, and in no chunk of its own. Source: earendil-works/pi#2017."""
    usage = next((chunk["usage"] for chunk in chunks if chunk.get("usage")), None)
    kept = [{key: value for key, value in chunk.items() if key != "usage"} for chunk in chunks if chunk["choices"]]
    if usage is not None:
        kept[-1] = {**kept[-1], "choices": [{**kept[-1]["choices"][0], "usage": usage}]}
    return kept


def _usage_in_each(chunks: Events) -> Events:
    """Databricks: each chunk has the usage so far. Source: databricks/databricks-ai-bridge#176."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return [{**chunk, "usage": chunk.get("usage") or usage} for chunk in chunks]


def _filter_chunks(chunks: Events) -> Events:
    """Azure: a first chunk without choices, and one of the content filter after the text.

    Source: murtaza-nasir/speakr#367 and the reports of empty choices on Azure; the fields are Azure's documented ones.
    """
    head = {**chunks[0], "choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}
    choice: JsonObject = {"index": 0, "finish_reason": None, "delta": {}, "content_filter_results": {}}
    return [head, *chunks, {**head, "choices": [choice]}]


# --- errors -----------------------------------------------------------------------------------------------------------


def _text_error(refusal: Refusal) -> object:
    """LM Studio. Source: lmstudio-ai/lmstudio-bug-tracker#670."""
    return {"error": refusal.message}


def _extra_forbidden(refusal: Refusal) -> object:
    """Mistral. Source: editor-code-assistant/eca#231; of another error nearai/ironclaw#1241."""
    if refusal.rule.code is not None:
        body = error_body("openai", "", refusal.rule.type, refusal.message, code=refusal.rule.code)
        return {"object": "error", **body["error"]}
    key = refusal.rule.name.partition(".")[2]
    detail = {"type": "extra_forbidden", "loc": ["body", key], "msg": "Extra inputs are not permitted", "input": None}
    kind = {"type": "invalid_request_error", "param": None, "code": None}
    return {"object": "error", "message": {"detail": [detail]}, **kind}


def _listed_error(refusal: Refusal) -> object:
    """Gemini: a list with one error. Source: Gitlawb/openclaude#67."""
    return [{"error": {"code": refusal.rule.status, "message": refusal.message, "status": "INVALID_ARGUMENT"}}]


def _databricks_error(refusal: Refusal) -> object:
    """Source: continuedev/continue#12936 (the words)."""
    return {"error_code": refusal.rule.type, "message": refusal.message}


def _numbered_error(refusal: Refusal) -> object:
    """OpenRouter, vLLM, llama.cpp: the status is the code. Source: NousResearch/hermes-agent#89502."""
    body = error_body("openai", "", refusal.rule.type, refusal.message, param=refusal.param)
    return {"error": {**body["error"], "code": refusal.rule.status}}


# --- the table --------------------------------------------------------------------------------------------------------


def _server(name: str, **quirks: object) -> EmulatedServer:
    return EmulatedServer(name, server_rules(name), **quirks)  # type: ignore[arg-type]


SERVERS: Mapping[str, EmulatedServer] = {
    server.name: server
    for server in (
        _server("azure", events=_filter_chunks),
        _server("databricks", events=_usage_in_each, error=_databricks_error),
        _server("deepseek", reasoning=_reasoning_content, reasons=thinks),
        _server("gemini", calls=_thought_signature, error=_listed_error),
        _server("groq", calls=_null_arguments),
        _server("litellm"),
        _server("llama.cpp", reasoning=_reasoning_content, error=_numbered_error),
        _server("lmstudio", error=_text_error),
        _server("mistral", calls=_nine_characters, error=_extra_forbidden),
        _server("moonshot", events=_usage_in_choice),
        _server("ollama"),
        _server("openrouter", reasoning=_reasoning_details, error=_numbered_error),
        _server("vllm", reasoning=_reasoning, error=_numbered_error),
    )
}
"""The servers that `emulator(server=…)` plays."""


def server_named(name: str) -> EmulatedServer:
    """One of `SERVERS`. Raises `ConfigurationError` for another name."""
    if name not in SERVERS:
        raise ConfigurationError(f"The emulator plays no server {name!r}. It plays {', '.join(SERVERS)}.")
    return SERVERS[name]
