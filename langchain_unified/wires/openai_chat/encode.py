"""Request -> body of `POST /chat/completions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from langchain_unified.messages.server_reasoning import CONTENT, SIGNATURE, TEXT
from langchain_unified.request import Adjustment, Dialect, Encoded, JsonObject, OutputFormat, Request, Role, Turn
from langchain_unified.schemas.openai import output_schema
from langchain_unified.wires._openai.caching import marked_part
from langchain_unified.wires._openai.limits import within_limits
from langchain_unified.wires._openai.unsent import report_unsent_fields
from langchain_unified.wires._wire import write_params
from langchain_unified.wires.openai_chat import blocks
from langchain_unified.wires.openai_chat.assistant import SIGNATURES, AssistantDraft, draft_of
from langchain_unified.wires.openai_chat.params import NATIVE_LIMITS, PARAM_LIMITS, PARAMS, write_native
from langchain_unified.wires.openai_chat.tools import custom_names, encode_tool_choice, encode_tools


def encode(request: Request) -> Encoded:
    """The body and the adjustments. Raises `RequestError` for a block or a tool that the API cannot take."""
    adjustments = _unsupported_features(request)
    request = within_limits(request, PARAM_LIMITS, NATIVE_LIMITS, adjustments)
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


def _unsupported_features(request: Request) -> list[Adjustment]:
    adjustments: list[Adjustment] = []
    if request.betas:
        adjustments.append(Adjustment(what="betas", why="Beta headers are Anthropic's: they were not sent."))
    report_unsent_fields(request, adjustments)
    return adjustments


def _response_format(output: OutputFormat, adjustments: list[Adjustment]) -> JsonObject:
    if output.kind != "json_schema":
        return {"type": output.kind}
    adapted, strict = output_schema(output, adjustments)
    schema: JsonObject = {"name": output.name, "schema": adapted}
    if output.description is not None:
        schema["description"] = output.description
    if strict is not None:
        schema["strict"] = strict
    return {"type": "json_schema", "json_schema": schema}


# --- messages ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Messages:
    """What the messages of one request have in common."""

    dialect: Dialect
    system_role: Role
    custom: frozenset[str]
    """The names of the tools whose calls are free-form text."""
    keep_parts: bool
    """Whether a text alone stays in a list of parts."""


def _messages(request: Request) -> list[JsonObject]:
    dialect = request.dialect
    common = _Messages(
        dialect=dialect,
        system_role=_system_role(request),
        custom=custom_names(request.tools),
        keep_parts=request.parts,
    )
    return [TURNS[turn.role](turn, common) for turn in request.turns]


def _system_role(request: Request) -> Role:
    """The role of system messages. The first reasoning models (o1-preview, o1-mini) take none but `user`."""
    profile = request.profile
    if profile.reasoning and profile.inputs and not profile.system_in_messages:
        return "user"
    return "developer" if profile.reasoning and request.dialect.developer_role else "system"


def _system(turn: Turn, common: _Messages) -> JsonObject:
    keeps_role = turn.role == "developer" and common.dialect.developer_role and common.system_role != "user"
    role = turn.role if keeps_role else common.system_role
    content = _content(turn, common, blocks.SYSTEM, blocks.SYSTEM_REMEDY)
    return _with_name(turn, {"role": role, "content": content})


def _user(turn: Turn, common: _Messages) -> JsonObject:
    table = blocks.user_writers(common.dialect.content_parts)
    return _with_name(turn, {"role": "user", "content": _content(turn, common, table, blocks.USER_REMEDY)})


def _tool(turn: Turn, common: _Messages) -> JsonObject:
    content = _content(turn, common, blocks.TOOL, blocks.TOOL_REMEDY)
    # The API has no flag for a failed call: an empty error needs a text.
    content = content or ("error" if turn.is_error else "")
    return {"role": "tool", "tool_call_id": turn.tool_call_id or "", "content": content}


def _assistant(turn: Turn, common: _Messages) -> JsonObject:
    draft = draft_of(turn, common.custom)
    message: JsonObject = {"role": "assistant"}
    # Without calls or audio the API requires a content, which may be empty.
    if draft.parts or not (draft.tool_calls or draft.audio):
        message["content"] = _folded(draft.parts)
    elif draft.tool_calls and common.dialect.call_content != "omitted":
        message["content"] = EMPTY_CONTENT[common.dialect.call_content]
    if draft.reasoning and _takes_reasoning(draft, common.dialect):
        message |= draft.reasoning
        if CONTENT in draft.reasoning:
            message[CONTENT] = [*draft.reasoning[CONTENT], *draft.parts]
    elif draft.tool_calls and common.dialect.other_calls != "as_they_are":
        _complete_calls(message, draft, common.dialect)
    if draft.refusal:
        message["refusal"] = draft.refusal
    if draft.audio:
        message["audio"] = draft.audio
    if draft.tool_calls:
        message["tool_calls"] = draft.tool_calls
    return _with_name(turn, message)


NO_REASONING = "(The reasoning of this turn is not known.)"
NO_SIGNATURE = "skip_thought_signature_validator"
"""Gemini's word for a call that another model made: https://ai.google.dev/gemini-api/docs/thought-signatures"""


def _complete_calls(message: JsonObject, draft: AssistantDraft, dialect: Dialect) -> None:
    """Add what the server requires beside calls, where another server made them. `completed_calls` lists it."""
    if dialect.other_calls == "with_reasoning":
        message[dialect.reasoning_field or TEXT] = NO_REASONING
    elif not any(key in call for call in draft.tool_calls for key in SIGNATURES):
        # One signature is enough for calls side by side: the model gives one itself.
        draft.tool_calls[0][SIGNATURE] = {"google": {"thought_signature": NO_SIGNATURE}}


def _takes_reasoning(draft: AssistantDraft, dialect: Dialect) -> bool:
    replay = dialect.reasoning_replay
    return replay == "as_received" or (replay == "with_tool_calls" and bool(draft.tool_calls))


EMPTY_CONTENT = {"null": None, "empty": ""}

TURNS: Mapping[Role, Callable[[Turn, _Messages], JsonObject]] = {
    "system": _system,
    "developer": _system,
    "user": _user,
    "assistant": _assistant,
    "tool": _tool,
}

Content: TypeAlias = "str | list[JsonObject]"


def _with_name(turn: Turn, message: JsonObject) -> JsonObject:
    return {**message, "name": turn.name} if turn.name else message


def _content(turn: Turn, common: _Messages, table: Mapping[str, blocks.PartWriter], remedy: str) -> Content:
    parts: list[JsonObject] = []
    for block in turn.blocks:
        written = blocks.encode_parts(table, block, turn, remedy)
        if "mark" in block and written:
            written[-1] |= marked_part(block["mark"], common.dialect)
        parts.extend(written)
    folded = _folded(parts)
    return parts if common.keep_parts and folded else folded


def _folded(parts: list[JsonObject]) -> Content:
    """The parts as the API takes them: a plain `str` for a text alone or for nothing."""
    if not parts:
        return ""
    if len(parts) == 1 and parts[0].get("type") == "text" and parts[0].keys() == {"type", "text"}:
        return str(parts[0]["text"])
    return parts
