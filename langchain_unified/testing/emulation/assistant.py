"""The built-in assistant, which answers without a script: a pure function of the request.

It calls the tools that it must call or that the user asks for ("use get_weather for Paris"), answers with JSON if JSON
is requested, quotes tool results and documents with citations, and otherwise repeats the last message.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_unified.caching.tokens import CHARACTERS
from langchain_unified.request import JsonObject, Request, ToolSpec, Turn
from langchain_unified.request.blocks import (
    Block,
    FileBlock,
    InvalidToolCallBlock,
    PlainTextBlock,
    build,
    changed,
    without,
)
from langchain_unified.testing.emulation.schema_values import instance
from langchain_unified.testing.emulation.tokens import arguments_text, block_tokens
from langchain_unified.usage import FinishReason
from langchain_unified.wires._completion import Completion

MAX_QUOTED_CHARACTERS = 500
"""The longest part of a text that an answer repeats."""

CUSTOM_TOOL_ARGUMENT = "__arg1"
"""The argument with the free-form text of a custom tool."""

_VERBS = frozenset({"get", "set", "find", "look", "up", "search", "fetch", "read", "write", "list", "run", "tool"})
_ASKS_FOR_CALL = re.compile(r"\b(us(e|ing)|call(ing)?|invoke|run)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")


def answer(request: Request, choice: int = 0) -> Completion:
    """The answer, without id and tokens. `choice`: its index among the answers to one request with `n`."""
    blocks = next(blocks for blocks in (writer(request) for writer in WRITERS) if blocks)
    if choice:
        blocks = [_variant(block, choice) for block in blocks]
    return cut_to_limits(completion([*_reasoning(request), *blocks], request), request)


def completion(blocks: Sequence[Block], request: Request) -> Completion:
    """A completion of `blocks`, with its finish reason; not cut to the request's limits."""
    calls = any(block["type"] == "tool_call" for block in blocks)
    refuses = any(block["type"] == "refusal" for block in blocks)
    reason: FinishReason = "tool_calls" if calls else "refusal" if refuses else "stop"
    return Completion("", request.model, tuple(blocks), reason)


def _variant(block: Block, choice: int) -> Block:
    return changed(block, text=f"{block['text']} (answer {choice + 1})") if block["type"] == "text" else block


# --- the conversation -------------------------------------------------------------------------------------------------


def _last_turn(request: Request) -> Turn:
    """The last turn that is not a system message; an empty one if there is none."""
    return next((turn for turn in reversed(request.turns) if turn.role not in ("system", "developer")), Turn("user"))


def text_of(turn: Turn) -> str:
    """The text blocks of a turn, joined."""
    return " ".join(str(block["text"]) for block in turn.blocks if block["type"] == "text")


def _user_text(request: Request) -> str:
    """The text of the last user turn that has one."""
    texts = (text_of(turn) for turn in reversed(request.turns) if turn.role == "user")
    return next((text for text in texts if text), "")


def _trailing_results(request: Request) -> list[Turn]:
    """The tool results at the end of the conversation."""
    ending: list[Turn] = []
    for turn in reversed(request.turns):
        if turn.role != "tool":
            break
        ending.insert(0, turn)
    return ending


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_QUOTED_CHARACTERS else f"{text[:MAX_QUOTED_CHARACTERS]}…"


# --- writers: each gives the blocks of an answer, or an empty list ----------------------------------------------------


def _forced_calls(request: Request) -> list[Block]:
    chosen = request.tool_choice
    if chosen is None or not (chosen.mode in ("any", "tool") or chosen.required):
        return []
    allowed = _callable_tools(request)
    return _calls(request, _requested_tools(request, allowed) or allowed[:1])


def _calls_by_name(request: Request) -> list[Block]:
    """Calls of the tools that the last message asks for."""
    if _last_turn(request).role != "user":
        return []
    return _calls(request, _requested_tools(request, _callable_tools(request)))


def _json_answer(request: Request) -> list[Block]:
    if request.output is None or request.output.kind == "text":
        return []
    text = _user_text(request)
    schema = request.output.schema if request.output.kind == "json_schema" else None
    value = _any_object(text) if schema is None else instance(schema, text)
    return [{"type": "text", "text": json.dumps(value, ensure_ascii=False)}]


def _any_object(text: str) -> dict[str, str]:
    """A JSON object: with the keys that the text has in quotes, else with the key `answer`."""
    keys = re.findall(r"'([A-Za-z_]\w*)'", text)
    return dict.fromkeys(keys, _shortened(text)) if keys else {"answer": _shortened(text)}


def _quoted_results(request: Request) -> list[Block]:
    names = {call["id"]: call["name"] for turn in request.turns for call in turn.blocks if call["type"] == "tool_call"}
    lines = []
    for turn in _trailing_results(request):
        verb = "failed" if turn.is_error else "answered"
        name = turn.name or names.get(turn.tool_call_id) or "The tool"
        lines.append(f"{name} {verb}: {_shortened(text_of(turn)) or 'nothing'}")
    return [{"type": "text", "text": "\n".join(lines)}] if lines else []


def _cited(request: Request) -> list[Block]:
    question = _user_text(request)
    for index, document in enumerate(_documents(request)):
        if not (document.get("citations") or {}).get("enabled") or not _document_text(document):
            continue
        quote, start = _sentence(_document_text(document), question)
        where = {"document_index": index, "start_char_index": start, "end_char_index": start + len(quote)}
        citation: JsonObject = {"type": "citation", "cited_text": quote, "extras": {"type": "char_location", **where}}
        if document.get("title"):
            citation["title"] = document["title"]
        cited: Block = {"type": "text", "text": quote.strip(), "annotations": [citation]}
        return [{"type": "text", "text": "The document says: "}, cited]
    return []


def _echo(request: Request) -> list[Block]:
    last = _last_turn(request)
    text = text_of(last)
    if text:
        return [{"type": "text", "text": f"You said: {_shortened(text)}"}]
    kinds = ", ".join(dict.fromkeys(block["type"] for block in last.blocks)) or "nothing"
    return [{"type": "text", "text": f"You sent: {kinds}"}]


WRITERS: Sequence[Callable[[Request], list[Block]]] = (
    _forced_calls,
    _calls_by_name,
    _json_answer,
    _quoted_results,
    _cited,
    _echo,
)


# --- tools ------------------------------------------------------------------------------------------------------------


def _callable_tools(request: Request) -> list[ToolSpec]:
    """The tools that the caller runs and that the tool choice allows."""
    chosen = request.tool_choice
    tools = [tool for tool in request.tools if tool.kind != "native"]
    if chosen is None or chosen.mode in ("auto", "any"):
        return tools
    return [tool for tool in tools if tool.name in chosen.names]


def _requested_tools(request: Request, tools: Sequence[ToolSpec]) -> list[ToolSpec]:
    """The tools that the last user text asks for: by name, in its order; else those that its question is about."""
    text = _user_text(request)
    if _ASKS_FOR_CALL.search(text):
        named = _tools_named_in(text, tools)
        if named:
            return named
    return [tool for tool in tools if _is_about(text, tool)] if "?" in text else []


def _is_about(text: str, tool: ToolSpec) -> bool:
    """Whether a text has every word of the tool's name except its verbs: `weather` for `get_weather`.

    False if the text has the name itself, as it then asks about the tool.
    """
    if tool.name in text:
        return False
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tool.name).lower())) - _VERBS
    return bool(words) and words <= set(re.findall(r"[a-z]+", text.lower()))


def _tools_named_in(text: str, tools: Sequence[ToolSpec]) -> list[ToolSpec]:
    places = {tool.name: re.search(rf"(?<![\w-]){re.escape(tool.name)}(?![\w-])", text) for tool in tools}
    named = [(place.start(), tool) for tool in tools if (place := places[tool.name])]
    return [tool for _, tool in sorted(named, key=lambda each: each[0])]


def _calls(request: Request, tools: Sequence[ToolSpec]) -> list[Block]:
    if request.params.get("parallel_tool_calls") is False:
        tools = tools[:1]
    return [
        {"type": "tool_call", "id": call_id(request, at), "name": tool.name, "args": _arguments(request, tool)}
        for at, tool in enumerate(tools)
    ]


def call_id(request: Request, at: int) -> str:
    """The id of the call with index `at` in the answer, unique in the conversation."""
    before = sum(block["type"] == "tool_call" for turn in request.turns for block in turn.blocks)
    return f"call_{before + at + 1:06d}"


def _arguments(request: Request, tool: ToolSpec) -> Any:
    text = _user_text(request)
    if tool.kind == "custom":
        return {CUSTOM_TOOL_ARGUMENT: _shortened(text)}
    made = instance(tool.parameters or {"type": "object"}, text)
    return made if isinstance(made, dict) else {}


# --- documents --------------------------------------------------------------------------------------------------------


def _documents(request: Request) -> Iterator[FileBlock | PlainTextBlock]:
    for turn in request.turns:
        for block in turn.blocks:
            if turn.role in ("user", "tool") and (block["type"] == "file" or block["type"] == "text-plain"):
                yield block


def _document_text(block: Mapping[str, Any]) -> str:
    content = block.get("text") or block.get("content") or ""
    return content if isinstance(content, str) else ""


def _sentence(text: str, question: str) -> tuple[str, int]:
    """The sentence that shares most words with the question, and its start; the first one of equals."""
    wanted = set(re.findall(r"\w+", question.lower()))
    found = [match for match in _SENTENCE.finditer(text) if match[0].strip()]
    best = max(found, key=lambda match: len(wanted & set(re.findall(r"\w+", match[0].lower()))), default=None)
    return (best[0], best.start()) if best else (text, 0)


# --- reasoning --------------------------------------------------------------------------------------------------------


def _reasoning(request: Request) -> list[Block]:
    if not asks_for_reasoning(request):
        return []
    return [reasoning_block(request, f"The last message is: {_shortened(text_of(_last_turn(request)))}")]


def reasoning_block(request: Request, text: str) -> Block:
    """A reasoning block with a signature and encrypted content: made up, the same for the same text.

    Its id is another one for each turn of a conversation: no two items of a conversation have one id.
    """
    signature = base64.b64encode(hashlib.sha256(f"{request.model} {text}".encode()).digest()).decode()
    name = hashlib.sha256(f"{len(request.turns)} {signature}".encode()).hexdigest()[:24]
    extras = {"signature": signature, "encrypted_content": signature}
    return {"type": "reasoning", "reasoning": text, "id": f"rs_{name}", "extras": extras}


def asks_for_reasoning(request: Request) -> bool:
    """Whether the request asks for reasoning, by `thinking` or by a reasoning effort."""
    thinking = (request.params.get("thinking") or {}).get("type")
    if thinking is not None:
        return thinking in ("enabled", "adaptive")
    effort = request.params.get("reasoning_effort") or (request.params.get("reasoning") or {}).get("effort")
    return effort not in (None, "none")


# --- limits -----------------------------------------------------------------------------------------------------------


def cut_to_limits(given: Completion, request: Request) -> Completion:
    """The completion, cut at the first stop sequence and at `max_tokens`."""
    return _cut_at_max_tokens(_cut_at_stop(given, request.params.get("stop") or []), request.params.get("max_tokens"))


def _cut_at_stop(given: Completion, stops: Sequence[str]) -> Completion:
    for at, block in enumerate(given.blocks):
        if block["type"] != "text":
            continue
        found = [(place, stop) for stop in stops if (place := block["text"].find(stop)) >= 0]
        if found:
            place, stop = min(found)
            before = [changed(block, text=block["text"][:place])] if place else []
            return replace(given, blocks=(*given.blocks[:at], *before), finish_reason="stop", stop_sequence=stop)
    return given


def _cut_at_max_tokens(given: Completion, limit: int | None) -> Completion:
    if limit is None:
        return given
    blocks: list[Block] = []
    for block in given.blocks:
        left = limit - sum(map(block_tokens, blocks))
        if block_tokens(block) > left:
            blocks += [_cut_block(block, left * CHARACTERS)] if left > 0 else []
            return replace(given, blocks=tuple(blocks), finish_reason="length", stop_sequence=None)
        blocks.append(block)
    return given if limit else replace(given, finish_reason="length")


def _cut_block(block: Block, length: int) -> Block:
    """The first `length` characters of a block. A tool call becomes an `invalid_tool_call`, its arguments text."""
    if block["type"] == "tool_call":
        arguments = arguments_text(block)[: max(0, length - len(block["name"]))]
        return build(InvalidToolCallBlock, **{**block, "type": "invalid_tool_call", "args": arguments})
    key = {"reasoning": "reasoning", "refusal": "refusal"}.get(block["type"], "text")
    return without(changed(block, **{key: str(block.get(key, ""))[:length]}), "annotations")
