"""Request -> body of `POST /chat/completions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from langchain_unified.request import Adjustment, Block, Encoded, JsonObject, OutputFormat, Request, Role, Turn
from langchain_unified.schemas.openai import output_schema
from langchain_unified.wires._openai.caching import as_breakpoint
from langchain_unified.wires._wire import write_params
from langchain_unified.wires.openai_chat import blocks
from langchain_unified.wires.openai_chat.assistant import ASSISTANT, Said
from langchain_unified.wires.openai_chat.params import PARAMS, write_native
from langchain_unified.wires.openai_chat.tools import custom_names, encode_tool_choice, encode_tools


def encode(request: Request) -> Encoded:
    """The body, and what could not be said as written. Raises for a block or a tool that the API cannot take."""
    adjustments = _notes(request)
    body: JsonObject = {"model": request.model, "messages": _messages(request)}
    if tools := encode_tools(request, adjustments):
        body["tools"] = tools
    choice = encode_tool_choice(request)
    if choice is not None:
        body["tool_choice"] = choice
    if request.output is not None:
        body["response_format"] = _response_format(request.output, adjustments)
    if request.stream:
        body["stream"] = True
        if request.dialect.stream_usage:
            body["stream_options"] = {"include_usage": True}
    write_params(body, request, PARAMS, adjustments)
    write_native(body, request, adjustments)
    return Encoded({**body, **request.extra_body}, adjustments=tuple(adjustments))


def _notes(request: Request) -> list[Adjustment]:
    notes: list[Adjustment] = []
    if request.betas:
        notes.append(Adjustment(what="betas", why="Beta headers are Anthropic's: they were not sent."))
    if any(_wants_citations(block) for turn in request.turns for block in turn.blocks):
        notes.append(Adjustment(what="citations", why="Chat Completions does not cite the documents it is given."))
    return notes


def _wants_citations(block: Block) -> bool:
    wish = block.get("citations")
    return isinstance(wish, dict) and bool(wish.get("enabled"))


def _response_format(output: OutputFormat, adjustments: list[Adjustment]) -> JsonObject:
    if output.kind != "json_schema":
        return {"type": output.kind}
    asked, strict = output_schema(output, adjustments)
    schema: JsonObject = {"name": output.name, "schema": asked}
    if output.description is not None:
        schema["description"] = output.description
    if strict is not None:
        schema["strict"] = strict
    return {"type": "json_schema", "json_schema": schema}


# --- messages ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Draft:
    """What the messages of one request share. `parts`: whether a lone text stays in a list."""

    system: Role
    custom: frozenset[str]
    parts: bool


def _messages(request: Request) -> list[JsonObject]:
    draft = _Draft(
        system="developer" if request.profile.reasoning else "system",
        custom=custom_names(request.tools),
        parts=request.parts,
    )
    return [TURNS[turn.role](turn, draft) for turn in request.turns]


def _system(turn: Turn, draft: _Draft) -> JsonObject:
    role = draft.system if turn.role == "system" else turn.role
    return _named(turn, {"role": role, "content": _content(turn, draft, blocks.SYSTEM, blocks.SYSTEM_REMEDY)})


def _user(turn: Turn, draft: _Draft) -> JsonObject:
    return _named(turn, {"role": "user", "content": _content(turn, draft, blocks.USER, blocks.USER_REMEDY)})


def _tool(turn: Turn, draft: _Draft) -> JsonObject:
    content = _content(turn, draft, blocks.TOOL, blocks.TOOL_REMEDY)
    # The API has no flag for a failed call: the text says it.
    content = content or ("error" if turn.is_error else "")
    return {"role": "tool", "tool_call_id": turn.tool_call_id or "", "content": content}


def _assistant(turn: Turn, draft: _Draft) -> JsonObject:
    said = Said(draft.custom)
    for block in turn.blocks:
        ASSISTANT.get(block["type"], _misplaced)(said, block, turn)
    message: JsonObject = {"role": "assistant"}
    # Without calls or audio the API wants a content, be it empty.
    if said.parts or not (said.tool_calls or said.audio):
        message["content"] = _folded(said.parts) if said.parts else ""
    if said.refusal:
        message["refusal"] = said.refusal
    if said.audio:
        message["audio"] = said.audio
    if said.tool_calls:
        message["tool_calls"] = said.tool_calls
    return _named(turn, message)


def _misplaced(said: Said, block: Block, turn: Turn) -> None:
    blocks.refuse(block, turn, "An assistant message has no place for it. Put it in a user message.")


TURNS: Mapping[Role, Callable[[Turn, _Draft], JsonObject]] = {
    "system": _system,
    "developer": _system,
    "user": _user,
    "assistant": _assistant,
    "tool": _tool,
}

Content: TypeAlias = "str | list[JsonObject]"


def _named(turn: Turn, message: JsonObject) -> JsonObject:
    return {**message, "name": turn.name} if turn.name else message


def _content(turn: Turn, draft: _Draft, table: Mapping[str, blocks.PartWriter], remedy: str) -> Content:
    parts: list[JsonObject] = []
    for block in turn.blocks:
        written = blocks.writer_for(table, block, turn, remedy)
        if "mark" in block and written:
            written[-1]["prompt_cache_breakpoint"] = as_breakpoint(block["mark"])
        parts.extend(written)
    folded = _folded(parts)
    return parts if draft.parts and folded else folded


def _folded(parts: list[JsonObject]) -> Content:
    """Parts as the API takes them: a plain `str` for one bare text or for nothing."""
    if not parts:
        return ""
    if len(parts) == 1 and parts[0].get("type") == "text" and parts[0].keys() == {"type", "text"}:
        return str(parts[0]["text"])
    return parts
