"""A request -> the body of `POST /v1/messages`, and of the endpoint that counts its tokens.

A longer conversation keeps the shorter one's blocks, byte for byte and in order: content is always a list, ids depend
on nothing that follows, and turns of one role that stand together become one message, as the API itself would make
them. So a further user turn may lengthen the last message, but changes none of its blocks. Two exceptions, each
reported as an adjustment: the end of a prefill loses its trailing whitespace, and a later system message is folded into
`system` for models that take none between messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

from langchain_unified.errors import InvalidHistoryError, UnsupportedContentError
from langchain_unified.request import Adjustment, Encoded, JsonObject, Request, Turn
from langchain_unified.schemas.anthropic import output_schema
from langchain_unified.schemas.subset import schema_adjustment
from langchain_unified.wires._wire import write_params
from langchain_unified.wires.anthropic_messages.assistant import ASSISTANT
from langchain_unified.wires.anthropic_messages.betas import betas
from langchain_unified.wires.anthropic_messages.blocks import SYSTEM, USER, Job, write_blocks, write_result
from langchain_unified.wires.anthropic_messages.caching import SYSTEM_ROLES, has_own, stays
from langchain_unified.wires.anthropic_messages.params import (
    PARAMS,
    SAMPLING,
    SAMPLING_VERSION,
    configure,
    max_tokens,
    write_native,
)
from langchain_unified.wires.anthropic_messages.tools import encode_tool_choice, encode_tools

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
"""What the counting endpoint takes."""


def encode(request: Request) -> Encoded:
    """The body, its headers, and what could not be said as written. Raises our `RequestError`s."""
    job = Job()
    headers: dict[str, str] = {}
    messages, system = _conversation(request, job)
    body: JsonObject = {"model": request.model, "max_tokens": max_tokens(request), "messages": messages}
    write_native(body, headers, request, job.adjustments)
    write_params(body, request, PARAMS, job.adjustments)
    _write_system(body, system)
    _write_tools(body, request, job.adjustments)
    _write_output(body, request, job.adjustments)
    if request.stream:
        body["stream"] = True
    body.update(request.extra_body)
    return Encoded(body, headers | _needed_headers(body, request), tuple(job.adjustments))


def encode_count(request: Request) -> Encoded:
    """The same body with the keys alone that count: the caller's own betas and adjustments stay."""
    encoded = encode(replace(request, stream=False))
    body = {key: value for key, value in encoded.body.items() if key in COUNT_KEYS}
    headers = {key: value for key, value in encoded.headers.items() if key != "anthropic-version"}
    return replace(encoded, body=body, headers=headers)


def _needed_headers(body: JsonObject, request: Request) -> dict[str, str]:
    headers = {}
    names = betas(body, request.betas)
    if names:
        headers["anthropic-beta"] = ",".join(names)
    if any(key in body for key in SAMPLING):
        headers["anthropic-version"] = SAMPLING_VERSION
    return headers


# --- messages ---------------------------------------------------------------------------------------------------------


def _conversation(request: Request, job: Job) -> tuple[list[JsonObject], list[JsonObject]]:
    """`messages`, and the text blocks of `system`."""
    leading = list(takewhile(_leads, request.turns))
    system = [block for turn in leading for block in write_blocks(turn, SYSTEM, job)]
    messages: list[JsonObject] = []
    for turn in request.turns[len(leading) :]:
        if turn.role in SYSTEM_ROLES and not stays(request, turn):
            system += _folded(turn, job)
        else:
            _append(messages, *_written(turn, job))
    if not messages:
        raise InvalidHistoryError(
            "Anthropic needs a message beside the system prompt, and none has content. Add a human message."
        )
    _settle_prefill(messages, request, job.adjustments)
    return messages, system


def _leads(turn: Turn) -> bool:
    """Whether a turn at the start goes into `system`, which holds only text."""
    return turn.role in SYSTEM_ROLES and not has_own(turn)


def _folded(turn: Turn, job: Job) -> list[JsonObject]:
    blocks = write_blocks(turn, SYSTEM, job)
    if not blocks:
        return []
    why = (
        "This model takes system messages only at the start: the text was added to the end of `system`. "
        "This moves the cached prefix: nothing before it is read from the cache."
    )
    job.adjustments.append(Adjustment(what=f"system message {turn.position}", why=why))
    return blocks


def _written(turn: Turn, job: Job) -> tuple[str, list[JsonObject]]:
    """The role and the blocks of one turn."""
    if turn.role == "tool":
        return "user", [write_result(turn, job)]
    if turn.role == "assistant":
        job.ids.next_turn()
        return "assistant", write_blocks(turn, ASSISTANT, job)
    if turn.role in SYSTEM_ROLES:
        return "system", write_blocks(turn, SYSTEM, job)
    blocks = write_blocks(turn, USER, job)
    if not blocks:
        why = "It has no content, which Anthropic refuses: it was left out."
        job.adjustments.append(Adjustment(what=f"message {turn.position} ({turn.role})", why=why))
    return "user", blocks


def _append(messages: list[JsonObject], role: str, blocks: list[JsonObject]) -> None:
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"] += blocks
    elif blocks:
        messages.append({"role": role, "content": blocks})


# --- prefill ----------------------------------------------------------------------------------------------------------


def _settle_prefill(messages: Sequence[JsonObject], request: Request, adjustments: list[Adjustment]) -> None:
    """A conversation that ends with the assistant's words asks Claude to go on from them."""
    last = messages[-1]
    if last["role"] != "assistant" or not _is_prefill(last["content"]):
        return
    if not request.profile.prefill:
        raise UnsupportedContentError(
            f"The conversation ends with an assistant message, and {request.model} does not take a started answer. "
            "Add a human message, or ask for the form of the answer with response_format."
        )
    block = last["content"][-1]
    bare = block["text"].rstrip()
    if bare != block["text"]:
        last["content"][-1] = {**block, "text": bare}
        why = "Anthropic refuses whitespace at the end of a started answer: it was cut off."
        adjustments.append(Adjustment(what="trailing whitespace", why=why))


def _is_prefill(blocks: list[JsonObject]) -> bool:
    """Whether an assistant message at the end is a started answer. One with server tools is a paused turn."""
    kinds = [str(block.get("type")) for block in blocks]
    paused = any(kind.endswith(("_tool_use", "_tool_result")) for kind in kinds)
    return kinds[-1] == "text" and not paused


# --- the rest of the body ---------------------------------------------------------------------------------------------


def _write_system(body: JsonObject, blocks: list[JsonObject]) -> None:
    """The caller's own `system` text stands before the conversation's."""
    together = [*_as_blocks(body.pop("system", None)), *blocks]
    if len(together) == 1 and together[0].keys() == {"type", "text"}:
        body["system"] = together[0]["text"]
    elif together:
        body["system"] = together


def _as_blocks(own: Any) -> list[JsonObject]:
    if isinstance(own, str):
        return [{"type": "text", "text": own}] if own.strip() else []
    return list(own or [])


def _write_tools(body: JsonObject, request: Request, adjustments: list[Adjustment]) -> None:
    tools = encode_tools(request, adjustments)
    if tools:
        body["tools"] = tools
    choice = encode_tool_choice(request, body, adjustments)
    if choice is not None:
        body["tool_choice"] = choice


NO_JSON_MODE = {
    False: "Anthropic has no JSON mode: it was not sent. Give a schema (json_schema) to be sure of JSON",
    True: "Anthropic has no JSON mode: the answer is held to the schema instead",
}
"""What is said of a `json_object` without and with a schema."""


def _write_output(body: JsonObject, request: Request, adjustments: list[Adjustment]) -> None:
    output = request.output
    if output is None or output.kind == "text":
        return
    if output.kind == "json_object":
        why, checked = NO_JSON_MODE[bool(output.schema)], bool(output.schema) and output.checked
        adjustments.append(schema_adjustment("response_format json_object", why, checked=checked))
        if not output.schema:
            return
    configure(body, "format", {"type": "json_schema", "schema": output_schema(output, adjustments)})
