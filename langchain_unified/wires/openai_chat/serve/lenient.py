"""Bodies of `POST /chat/completions` as clients write them, beyond what the API takes.

LiteLLM's clients mark messages for the cache, give images as bare strings and send back `reasoning_content` and
`thinking_blocks`. Cursor sends bodies of the Responses API, and flat tools beside nested ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from langchain_unified.request import JsonObject, Params, Request, Turn
from langchain_unified.request.blocks import Block, ReasoningBlock
from langchain_unified.wires._door import Reading
from langchain_unified.wires._lenient import NESTED, Notes, as_text, each, flat_tool, keep_keys, or_refused
from langchain_unified.wires.openai_chat.serve.read import MAX_TOKENS, OUTER_KEYS, read_request
from langchain_unified.wires.openai_chat.serve.responses_form import as_chat_body
from langchain_unified.wires.openai_chat.serve.turns import ROLES


def _read(body: JsonObject, headers: Mapping[str, str]) -> Reading:
    if not isinstance(body, dict):
        return Reading(read_request(body, headers))
    draft = _Draft()
    body = dict(as_chat_body(body, draft.notes) if "input" in body and "messages" not in body else body)
    _one_limit(body, draft.notes)
    beside = {key: body.pop(key) for key in BESIDE if isinstance(body.get(key), BESIDE[key])}
    if isinstance(body.get("messages"), list):
        body["messages"] = [draft.message(item, at) for at, item in enumerate(body["messages"])]
    if isinstance(body.get("tools"), list):
        body["tools"] = each(body["tools"], _tool, draft.notes)
    if isinstance(body.get("tool_choice"), dict):
        body["tool_choice"] = _choice(body["tool_choice"])
    request = read_request(body, headers)
    if beside or draft.reasoning:
        params = cast(Params, {**request.params, **beside})
        request = replace(request, params=params, turns=draft.with_reasoning(request))
    return Reading(request, tuple(draft.notes.items))


BESIDE: Mapping[str, type] = {"thinking": dict, "reasoning": dict, "top_k": int}
"""Parameters of other APIs that LiteLLM and OpenRouter take in these bodies, with the type of their values."""


def _one_limit(body: JsonObject, notes: Notes) -> None:
    if all(body.get(key) is not None for key in MAX_TOKENS):
        del body["max_tokens"]
        notes.list("max_tokens", "`max_completion_tokens` was given as well, and counts.")


# --- messages ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Draft:
    """What is read beside the body that the strict reader takes."""

    notes: Notes = field(default_factory=Notes)
    reasoning: dict[int, list[Block]] = field(default_factory=dict)
    """Position of an assistant message -> its reasoning."""

    def message(self, message: Any, position: int) -> Any:
        """A message as the API takes it. Its reasoning is put aside."""
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            return message
        role = message["role"]
        if role == "assistant":
            blocks = list(_reasoning_in(message))
            if blocks:
                self.reasoning[position] = blocks
        found = {key: value for key, value in message.items() if key not in REASONING_KEYS}
        found = _with_mark(found)
        found = keep_keys(found, ROLES[role][1], "a message", self.notes)
        return WRITERS.get(role, _content)(found, self.notes)

    def with_reasoning(self, request: Request) -> tuple[Turn, ...]:
        """The turns with their reasoning before everything else."""
        return tuple(
            replace(turn, blocks=(*self.reasoning[turn.position], *turn.blocks), server="")
            if turn.position in self.reasoning
            else turn
            for turn in request.turns
        )


REASONING_KEYS = frozenset({"reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"})


def _reasoning_in(message: JsonObject) -> Iterator[Block]:
    """The blocks that have a proof; where there are none, the text as its server takes it back."""
    thinking = message.get("thinking_blocks")
    proven = [block for block in map(_thinking, thinking) if block] if isinstance(thinking, list) else []
    yield from proven
    fields = {key: message[key] for key in ("reasoning_content", "reasoning", "reasoning_details") if message.get(key)}
    if proven or not fields:
        return
    text = next((value for value in fields.values() if isinstance(value, str)), "")
    sent = {key: fields[key] for key in ("reasoning_details",) if key in fields} or dict(list(fields.items())[:1])
    yield ReasoningBlock(type="reasoning", reasoning=text, extras={"fields": sent})


def _thinking(block: Any) -> Block | None:
    """One of LiteLLM's `thinking_blocks`, which have Anthropic's form."""
    if not isinstance(block, dict):
        return None
    proof = block.get("signature") or block.get("data")
    if not isinstance(proof, str):
        return None
    return {"type": "reasoning", "reasoning": as_text(block.get("thinking")), "extras": {"signature": proof}}


def _with_mark(message: JsonObject) -> JsonObject:
    """The message with its cache mark on its last part, where the API takes one."""
    mark, content = message.get("cache_control"), message.get("content")
    if mark is None:
        return message
    found = {key: value for key, value in message.items() if key != "cache_control"}
    parts = [{"type": "text", "text": content}] if isinstance(content, str) and content else content
    if not isinstance(parts, list) or not parts or not isinstance(parts[-1], dict):
        return found
    return {**found, "content": [*parts[:-1], {"cache_control": mark, **parts[-1]}]}


def _content(message: JsonObject, notes: Notes) -> JsonObject:
    content = message.get("content")
    return {**message, "content": each(content, _part, notes) if isinstance(content, list) else as_text(content)}


def _assistant(message: JsonObject, notes: Notes) -> JsonObject:
    found = _content(message, notes)
    if isinstance(message.get("tool_calls"), list):
        found["tool_calls"] = each(message["tool_calls"], _call, notes)
    return found


WRITERS = {"assistant": _assistant}


def _part(part: JsonObject, notes: Notes) -> JsonObject:
    """A part of a message. LiteLLM's clients give an image, or a PDF, as a bare string."""
    kind = part.get("type")
    if kind in RESPONSES_TEXTS:
        return {**part, "type": "text"}
    if kind == "image_url" and isinstance(part.get("image_url"), str):
        return {**part, "image_url": {"url": part["image_url"]}}
    image = part.get("image_url")
    if kind == "image_url" and isinstance(image, dict) and image.keys() - {"url", "detail"}:
        return {**part, "image_url": keep_keys(image, ("url", "detail"), "an image_url", notes)}
    return part


RESPONSES_TEXTS = frozenset({"input_text", "output_text"})


def _call(call: JsonObject, notes: Notes) -> JsonObject:
    inner = call.get("function")
    if call.get("type") in (None, "function") and isinstance(inner, dict):
        arguments = inner.get("arguments")
        text = arguments if isinstance(arguments, str) else as_text(arguments or {})
        return {"id": call.get("id"), "type": "function", "function": {"name": inner.get("name"), "arguments": text}}
    return {key: value for key, value in call.items() if key != "index"}


# --- tools ------------------------------------------------------------------------------------------------------------


def _tool(tool: JsonObject, notes: Notes) -> JsonObject:
    """A function or custom tool in this API's nested form; any other tool as it is."""
    kind = tool.get("type") or "function"
    if kind not in NESTED or isinstance(tool.get(str(kind)), dict):
        return tool
    notes.list("flat tools", "They were read in the nested form of this API.")
    flat = flat_tool(tool)
    outer = {key: value for key, value in flat.items() if key in OUTER_KEYS - {"format"}}
    inner = {key: value for key, value in flat.items() if key not in outer and key != "id"}
    return {**outer, str(flat["type"]): inner}


def _choice(choice: JsonObject) -> JsonObject:
    """A choice of one function in the flat form of the Responses API, nested."""
    kind = str(choice.get("type"))
    if kind in NESTED and kind not in choice and "name" in choice:
        return {"type": kind, kind: {"name": choice["name"]}}
    return choice


read_lenient = or_refused(_read, read_request)
"""The request of a body, and what of it was read otherwise than it was written.

Raises `RequestError` for what cannot be a request.
"""
