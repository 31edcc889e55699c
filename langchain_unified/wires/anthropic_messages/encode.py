"""A request -> the body of `POST /v1/messages`, and of the endpoint that counts its tokens.

A longer conversation keeps the blocks of a shorter one, byte for byte and in order. For that, content is always a list,
and consecutive turns of one role are one message, as the API itself merges them: one more user turn lengthens the last
message and changes none of its blocks. There are two exceptions, each reported as an adjustment: a prefill loses its
trailing whitespace, and a later system message moves where the API takes it (`placement.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import takewhile

from langchain_unified.errors import InvalidHistoryError, UnsupportedContentError
from langchain_unified.history.repair import ANSWER, CONTINUE
from langchain_unified.request import Adjustment, Encoded, JsonObject, Request, Turn
from langchain_unified.schemas.anthropic import output_schema
from langchain_unified.schemas.subset import schema_adjustment
from langchain_unified.wires._wire import write_params
from langchain_unified.wires.anthropic_messages.assistant import ASSISTANT
from langchain_unified.wires.anthropic_messages.betas import betas
from langchain_unified.wires.anthropic_messages.blocks import SYSTEM, USER, EncodeState, write_blocks, write_result
from langchain_unified.wires.anthropic_messages.caching import SYSTEM_ROLES, has_native_blocks, stays_in_messages
from langchain_unified.wires.anthropic_messages.citations import drop_citations
from langchain_unified.wires.anthropic_messages.params import (
    PARAMS,
    SAMPLING,
    SAMPLING_VERSION,
    max_tokens,
    set_output_config,
    write_native,
)
from langchain_unified.wires.anthropic_messages.placement import (
    THINKING,
    Part,
    append,
    append_at_end,
    append_before,
    moved_to_system,
    report_lost_options,
    without_final_thinking,
)
from langchain_unified.wires.anthropic_messages.reasoning import fit_effort, fit_thinking, tolerate_changed_prefix
from langchain_unified.wires.anthropic_messages.server_tools import with_paired_server_tools
from langchain_unified.wires.anthropic_messages.tools import encode_tool_choice, encode_tools, leave_out_server_tools

COUNT_KEYS = frozenset(
    {
        "messages",
        "model",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "cache_control",
        "speed",
        "billing_policy",
        "compaction",
        "context_management",
        "mcp_servers",
    }
)
"""The keys that the counting endpoint takes."""


def encode(request: Request) -> Encoded:
    """The body, its headers, and the adjustments. Raises a `RequestError` for what the API cannot take."""
    state = EncodeState()
    headers: dict[str, str] = {}
    messages, system = _conversation(request, state)
    body: JsonObject = {"model": request.model, "max_tokens": max_tokens(request), "messages": messages}
    write_native(body, headers, request, state.adjustments)
    write_params(body, request, PARAMS, state.adjustments)
    _write_system(body, system)
    _write_tools(body, request, state.adjustments)
    _write_output(body, request, state.adjustments)
    if body.get("output_config"):
        fit_effort(body, request, adjustments=state.adjustments)
    if "format" in (body.get("output_config") or {}):
        drop_citations(body, state.adjustments)
    fit_thinking(body, request, state.adjustments)
    if request.profile.binds_thinking:
        tolerate_changed_prefix(body)
    _check_prefill(body, request, state.adjustments)
    if request.stream:
        body["stream"] = True
    body.update(request.extra_body)
    return Encoded(body, headers | _required_headers(body, request), tuple(state.adjustments))


def encode_count(request: Request) -> Encoded:
    """The body for the counting endpoint: the same without its version and what it refuses."""
    encoded = encode(replace(request, stream=False))
    body = {key: value for key, value in encoded.body.items() if key in COUNT_KEYS}
    leave_out_server_tools(body)
    headers = {key: value for key, value in encoded.headers.items() if key != "anthropic-version"}
    return replace(encoded, body=body, headers=headers)


def _required_headers(body: JsonObject, request: Request) -> dict[str, str]:
    headers = {}
    names = betas(body, request.betas)
    if names:
        headers["anthropic-beta"] = ",".join(names)
    if any(key in body for key in SAMPLING):
        headers["anthropic-version"] = SAMPLING_VERSION
    return headers


# --- messages ---------------------------------------------------------------------------------------------------------


def _conversation(request: Request, state: EncodeState) -> tuple[list[JsonObject], list[JsonObject]]:
    """`messages`, and the text blocks of `system`."""
    leading = list(takewhile(_is_leading_system, request.turns))
    system = [block for turn in leading for block in write_blocks(turn, SYSTEM, state)]
    for turn in leading:
        if turn.options:
            report_lost_options(turn, state)
    messages: list[JsonObject] = []
    late: list[Part] = []
    for turn in request.turns[len(leading) :]:
        if turn.role in SYSTEM_ROLES and not stays_in_messages(request, turn):
            system += moved_to_system(turn, state)
        elif turn.role in SYSTEM_ROLES:
            late.append(Part(turn, write_blocks(turn, SYSTEM, state)))
        else:
            _append_turn(messages, late, turn, state)
    append_at_end(messages, late, state)
    if any(message["role"] == "assistant" for message in messages):
        messages = without_final_thinking(with_paired_server_tools(messages, state), state)
    if not messages:
        raise InvalidHistoryError(
            "Anthropic needs a message beside the system prompt, and none has content. Add a human message."
        )
    return messages, system


def _is_leading_system(turn: Turn) -> bool:
    return turn.role in SYSTEM_ROLES and not has_native_blocks(turn)


def _append_turn(messages: list[JsonObject], late: list[Part], turn: Turn, state: EncodeState) -> None:
    """Append one turn, and before it the system messages that wait for a place."""
    role, blocks = _message(turn, state)
    if late and blocks:
        late[:] = append_before(messages, late, role, state)
    append(messages, role, blocks)


def _message(turn: Turn, state: EncodeState) -> tuple[str, list[JsonObject]]:
    """The role and the blocks of one turn."""
    if turn.role == "tool":
        return "user", [write_result(turn, state)]
    if turn.role == "assistant":
        return "assistant", write_blocks(turn, ASSISTANT, state)
    blocks = write_blocks(turn, USER, state)
    if not blocks:
        why = "It has no content, which Anthropic refuses: it was left out."
        state.adjustments.append(Adjustment(what=f"message {turn.position} ({turn.role})", why=why))
    return "user", blocks


# --- prefill ----------------------------------------------------------------------------------------------------------


def _check_prefill(body: JsonObject, request: Request, adjustments: list[Adjustment]) -> None:
    """Claude continues an assistant message at the end, which not every model and call allows. Its end is trimmed."""
    last = body["messages"][-1]
    if last["role"] != "assistant" or not _is_prefill(last["content"]):
        return
    if not request.profile.prefill:
        raise UnsupportedContentError(
            f"The conversation ends with an assistant message, and {request.model} takes no prefill. "
            "Add a human message, or use response_format for the form of the answer."
        )
    obstacle = _prefill_obstacle(body, last["content"][0])
    if obstacle:
        why = f"Anthropic takes no prefill {obstacle}: a user message that asks for the answer was added."
        adjustments.append(Adjustment(what="trailing assistant message", why=why, lossless=True))
        text = CONTINUE if obstacle == WHILE_THINKING else ANSWER
        body["messages"] = [*body["messages"], {"role": "user", "content": [{"type": "text", "text": text}]}]
        return
    if (body.get("thinking") or {}).get("type") in (None, "disabled"):
        _drop_thinking(last, adjustments)
    block = last["content"][-1]
    trimmed = block["text"].rstrip()
    if trimmed != block["text"]:
        last["content"][-1] = {**block, "text": trimmed}
        why = "Anthropic refuses whitespace at the end of a prefill: it was cut off."
        adjustments.append(Adjustment(what="trailing whitespace", why=why))


def _drop_thinking(message: JsonObject, adjustments: list[Adjustment]) -> None:
    """Leave out the thinking of a prefill. (forgecode#1853: "When thinking is disabled, an `assistant` message in the
    final position cannot contain `thinking`".)
    """
    kept = [block for block in message["content"] if block.get("type") not in THINKING]
    if len(kept) < len(message["content"]):
        message["content"] = kept
        why = "Claude takes none in a started answer where it does not think: it was left out."
        adjustments.append(Adjustment(what="thinking of the last message", why=why, lossless=True))


WHILE_THINKING = "while Claude thinks within a budget"


def _prefill_obstacle(body: JsonObject, first: JsonObject) -> str | None:
    """What in the call forbids a prefill. (Guide to structured outputs; langgraph#4940; n8n#22550: "When `thinking` is
    enabled, a final `assistant` message must start with a thinking block".)
    """
    if (body.get("output_config") or {}).get("format"):
        return "with an output format"
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        return "with a forced tool call"
    thinks = (body.get("thinking") or {}).get("type") == "enabled"
    return WHILE_THINKING if thinks and first.get("type") not in ("thinking", "redacted_thinking") else None


def _is_prefill(blocks: list[JsonObject]) -> bool:
    """Whether an assistant message at the end is a prefill. One with server tools is a paused turn."""
    kinds = [str(block.get("type")) for block in blocks]
    paused = any(kind.endswith(("_tool_use", "_tool_result")) for kind in kinds)
    return kinds[-1] == "text" and not paused


# --- the rest of the body ---------------------------------------------------------------------------------------------


def _write_system(body: JsonObject, blocks: list[JsonObject]) -> None:
    """`system`: the caller's own value of this key, then the system messages. A `str` where it is one text."""
    joined = [*_system_blocks(body.pop("system", None)), *blocks]
    if len(joined) == 1 and joined[0].keys() == {"type", "text"}:
        body["system"] = joined[0]["text"]
    elif joined:
        body["system"] = joined


def _system_blocks(value: str | Iterable[JsonObject] | None) -> list[JsonObject]:
    if isinstance(value, str):
        return [{"type": "text", "text": value}] if value.strip() else []
    return list(value or [])


def _write_tools(body: JsonObject, request: Request, adjustments: list[Adjustment]) -> None:
    tools = encode_tools(request, adjustments)
    if tools:
        body["tools"] = tools
    _check_skills(body, tools, adjustments)
    choice = encode_tool_choice(request, body, adjustments)
    if choice is not None:
        body["tool_choice"] = choice


def _check_skills(body: JsonObject, tools: list[JsonObject], adjustments: list[Adjustment]) -> None:
    container = body.get("container")
    has_skills = isinstance(container, Mapping) and container.get("skills")
    if has_skills and not any(str(tool.get("type")).startswith("code_execution") for tool in tools):
        why = "Skills run in code execution, and the call has no such tool: bind a code execution tool."
        adjustments.append(Adjustment(what="container.skills", why=why))


NO_JSON_MODE: Mapping[bool, str] = {
    False: "Anthropic has no JSON mode: it was not sent. Give a schema (json_schema) to be sure of JSON",
    True: "Anthropic has no JSON mode: the answer is held to the schema instead",
}
"""Whether a `json_object` has a schema -> what the adjustment says."""


def _write_output(body: JsonObject, request: Request, adjustments: list[Adjustment]) -> None:
    output = request.output
    if output is None or output.kind == "text":
        return
    if not request.profile.structured_output:
        why = f"{request.model} has no output format: it was not sent. with_structured_output answers by a tool."
        adjustments.append(Adjustment(what="response_format", why=why))
        return
    if output.kind == "json_object":
        why, checked = NO_JSON_MODE[bool(output.schema)], bool(output.schema) and output.checked
        adjustments.append(schema_adjustment("response_format json_object", why, checked=checked))
        if not output.schema:
            return
    set_output_config(body, "format", {"type": "json_schema", "schema": output_schema(output, adjustments)})
