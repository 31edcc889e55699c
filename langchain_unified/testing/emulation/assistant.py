"""The model that answers when nothing is scripted: a pure function of the request, the same answer every time.

It calls the tools that it must call or is asked to call by name ("use get_weather for Paris"), answers JSON where JSON
is asked for, quotes tool results and cited documents, and else repeats what it was told.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from langchain_unified.caching.tokens import CHARACTERS
from langchain_unified.request import Block, Request, ToolSpec, Turn
from langchain_unified.testing.emulation.schema import instance
from langchain_unified.testing.emulation.tokens import arguments_text, block_tokens
from langchain_unified.usage import FinishReason
from langchain_unified.wires._completion import Completion

QUOTE = 500
"""How many characters of a text are repeated in an answer."""

CUSTOM_ARGUMENT = "__arg1"
"""The argument that holds a custom tool's free-form text."""

_VERBS = frozenset({"get", "set", "find", "look", "up", "search", "fetch", "read", "write", "list", "run", "tool"})
_ASKS = re.compile(r"\b(us(e|ing)|call(ing)?|invoke|run)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")


def answer(request: Request, choice: int = 0) -> Completion:
    """What the model says: blocks without an id or tokens. `choice` counts the answers to one request, from 0."""
    said = next(blocks for blocks in (writer(request) for writer in WRITERS) if blocks)
    if choice:
        said = [_other(block, choice) for block in said]
    return limited(completion([*_reasoning(request), *said], request), request)


def completion(blocks: Sequence[Block], request: Request) -> Completion:
    """Blocks as an answer to `request`, not yet limited."""
    calls = any(block["type"] == "tool_call" for block in blocks)
    refuses = any(block["type"] == "refusal" for block in blocks)
    reason: FinishReason = "tool_calls" if calls else "refusal" if refuses else "stop"
    return Completion("", request.model, tuple(blocks), reason)


def _other(block: Block, choice: int) -> Block:
    return {**block, "text": f"{block['text']} (answer {choice + 1})"} if block["type"] == "text" else block


# --- what was said --------------------------------------------------------------------------------------------------


def _last(request: Request) -> Turn:
    """The last turn that is not a system message; an empty one where there is none."""
    return next((turn for turn in reversed(request.turns) if turn.role not in ("system", "developer")), Turn("user"))


def text_of(turn: Turn) -> str:
    """A turn's text blocks, joined."""
    return " ".join(str(block["text"]) for block in turn.blocks if block["type"] == "text")


def _user_text(request: Request) -> str:
    """The text of the last user turn that has one."""
    texts = (text_of(turn) for turn in reversed(request.turns) if turn.role == "user")
    return next((text for text in texts if text), "")


def _results(request: Request) -> list[Turn]:
    """The tool results that the conversation ends with."""
    ending: list[Turn] = []
    for turn in reversed(request.turns):
        if turn.role != "tool":
            break
        ending.insert(0, turn)
    return ending


def _brief(text: str) -> str:
    return text if len(text) <= QUOTE else f"{text[:QUOTE]}…"


# --- writers: each gives the blocks of an answer, or none -----------------------------------------------------------


def _forced(request: Request) -> list[Block]:
    chosen = request.tool_choice
    if chosen is None or not (chosen.mode in ("any", "tool") or chosen.required):
        return []
    allowed = _callable(request)
    return _calls(request, _asked(request, allowed) or allowed[:1])


def _by_name(request: Request) -> list[Block]:
    """Calls of the tools that the last message asks for by name."""
    if _last(request).role != "user":
        return []
    return _calls(request, _asked(request, _callable(request)))


def _structured(request: Request) -> list[Block]:
    if request.output is None or request.output.kind == "text":
        return []
    text = _user_text(request)
    schema = request.output.schema if request.output.kind == "json_schema" else None
    value = _object(text) if schema is None else instance(schema, text)
    return [{"type": "text", "text": json.dumps(value, ensure_ascii=False)}]


def _object(text: str) -> dict[str, str]:
    """Some JSON object: with the keys that the text names in quotes, else with an answer."""
    keys = re.findall(r"'([A-Za-z_]\w*)'", text)
    return dict.fromkeys(keys, _brief(text)) if keys else {"answer": _brief(text)}


def _quoted_results(request: Request) -> list[Block]:
    names = {call["id"]: call["name"] for turn in request.turns for call in turn.blocks if call["type"] == "tool_call"}
    lines = []
    for turn in _results(request):
        verb = "failed" if turn.is_error else "answered"
        name = turn.name or names.get(turn.tool_call_id) or "The tool"
        lines.append(f"{name} {verb}: {_brief(text_of(turn)) or 'nothing'}")
    return [{"type": "text", "text": "\n".join(lines)}] if lines else []


def _cited(request: Request) -> list[Block]:
    question = _user_text(request)
    for index, document in enumerate(_documents(request)):
        if not (document.get("citations") or {}).get("enabled") or not _document_text(document):
            continue
        quote, start = _sentence(_document_text(document), question)
        where = {"document_index": index, "start_char_index": start, "end_char_index": start + len(quote)}
        citation: Block = {"type": "citation", "cited_text": quote, "extras": {"type": "char_location", **where}}
        if document.get("title"):
            citation["title"] = document["title"]
        cited: Block = {"type": "text", "text": quote.strip(), "annotations": [citation]}
        return [{"type": "text", "text": "The document says: "}, cited]
    return []


def _echo(request: Request) -> list[Block]:
    last = _last(request)
    text = text_of(last)
    if text:
        return [{"type": "text", "text": f"You said: {_brief(text)}"}]
    kinds = ", ".join(dict.fromkeys(block["type"] for block in last.blocks)) or "nothing"
    return [{"type": "text", "text": f"You sent: {kinds}"}]


WRITERS: Sequence[Callable[[Request], list[Block]]] = (_forced, _by_name, _structured, _quoted_results, _cited, _echo)


# --- tools ----------------------------------------------------------------------------------------------------------


def _callable(request: Request) -> list[ToolSpec]:
    """The tools that the caller runs and that the tool choice leaves open."""
    chosen = request.tool_choice
    tools = [tool for tool in request.tools if tool.kind != "native"]
    if chosen is None or chosen.mode in ("auto", "any"):
        return tools
    return [tool for tool in tools if tool.name in chosen.names]


def _asked(request: Request, tools: Sequence[ToolSpec]) -> list[ToolSpec]:
    """Those tools that the last user text asks for: by name, in its order, else those that its question is about."""
    text = _user_text(request)
    if _ASKS.search(text):
        named = _named(text, tools)
        if named:
            return named
    return [tool for tool in tools if _is_about(text, tool)] if "?" in text else []


def _is_about(text: str, tool: ToolSpec) -> bool:
    """Whether a text has every word of a tool's name that is not a mere verb: `weather` for `get_weather`.

    A text with the name itself is about the tool, not about what it does.
    """
    if tool.name in text:
        return False
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tool.name).lower())) - _VERBS
    return bool(words) and words <= set(re.findall(r"[a-z]+", text.lower()))


def _named(text: str, tools: Sequence[ToolSpec]) -> list[ToolSpec]:
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
    """The id of the answer's call number `at`, counted from 0: no other call of the conversation has it."""
    before = sum(block["type"] == "tool_call" for turn in request.turns for block in turn.blocks)
    return f"call_{before + at + 1:06d}"


def _arguments(request: Request, tool: ToolSpec) -> Any:
    text = _user_text(request)
    if tool.kind == "custom":
        return {CUSTOM_ARGUMENT: _brief(text)}
    made = instance(tool.parameters or {"type": "object"}, text)
    return made if isinstance(made, dict) else {}


# --- documents ------------------------------------------------------------------------------------------------------


def _documents(request: Request) -> Iterator[Block]:
    for turn in request.turns:
        for block in turn.blocks:
            if turn.role in ("user", "tool") and block["type"] in ("file", "text-plain"):
                yield block


def _document_text(block: Block) -> str:
    content = block.get("text") or block.get("content") or ""
    return content if isinstance(content, str) else ""


def _sentence(text: str, question: str) -> tuple[str, int]:
    """The sentence that shares most words with the question, and where it starts; the first of equals."""
    wanted = set(re.findall(r"\w+", question.lower()))
    found = [match for match in _SENTENCE.finditer(text) if match[0].strip()]
    best = max(found, key=lambda match: len(wanted & set(re.findall(r"\w+", match[0].lower()))), default=None)
    return (best[0], best.start()) if best else (text, 0)


# --- reasoning ------------------------------------------------------------------------------------------------------


def _reasoning(request: Request) -> list[Block]:
    if not reasons(request):
        return []
    return [thought(request, f"The last message is: {_brief(text_of(_last(request)))}")]


def thought(request: Request, text: str) -> Block:
    """A reasoning block with the proofs of origin that the providers give: made up, the same for the same text."""
    proof = base64.b64encode(hashlib.sha256(f"{request.model} {text}".encode()).digest()).decode()
    name = hashlib.sha256(proof.encode()).hexdigest()[:24]
    extras = {"signature": proof, "encrypted_content": proof}
    return {"type": "reasoning", "reasoning": text, "id": f"rs_{name}", "extras": extras}


def reasons(request: Request) -> bool:
    """Whether the request asks for reasoning, by `thinking` or by an effort."""
    thinking = (request.params.get("thinking") or {}).get("type")
    if thinking is not None:
        return thinking in ("enabled", "adaptive")
    effort = request.params.get("reasoning_effort") or (request.params.get("reasoning") or {}).get("effort")
    return effort not in (None, "none")


# --- limits ---------------------------------------------------------------------------------------------------------


def limited(said: Completion, request: Request) -> Completion:
    """The answer cut at the first stop sequence, and at `max_tokens`."""
    return _within(_stopped(said, request.params.get("stop") or []), request.params.get("max_tokens"))


def _stopped(said: Completion, stops: Sequence[str]) -> Completion:
    for at, block in enumerate(said.blocks):
        if block["type"] != "text":
            continue
        found = [(place, stop) for stop in stops if (place := block["text"].find(stop)) >= 0]
        if found:
            place, stop = min(found)
            kept = [{**block, "text": block["text"][:place]}] if place else []
            return replace(said, blocks=(*said.blocks[:at], *kept), finish_reason="stop", stop_sequence=stop)
    return said


def _within(said: Completion, limit: int | None) -> Completion:
    if limit is None:
        return said
    kept: list[Block] = []
    for block in said.blocks:
        room = limit - sum(map(block_tokens, kept))
        if block_tokens(block) > room:
            kept += [_cut(block, room * CHARACTERS)] if room > 0 else []
            return replace(said, blocks=tuple(kept), finish_reason="length", stop_sequence=None)
        kept.append(block)
    return said if limit else replace(said, finish_reason="length")


def _cut(block: Block, room: int) -> Block:
    """A block's first `room` characters. A call that is cut is an `invalid_tool_call`, its arguments text."""
    if block["type"] == "tool_call":
        kept = max(0, room - len(block["name"]))
        return {**block, "type": "invalid_tool_call", "args": arguments_text(block)[:kept]}
    key = {"reasoning": "reasoning", "refusal": "refusal"}.get(block["type"], "text")
    cut = {**block, key: str(block.get(key, ""))[:room]}
    return {name: item for name, item in cut.items() if name != "annotations"}
