"""Request -> body of `POST /responses`, and of the endpoint that counts its tokens.

Turns become input items in their order: a message for each user and system turn, an output item for each tool result,
and the assistant's items. An earlier turn never depends on a later one: a longer conversation keeps the prefix of the
shorter one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.request import Adjustment, Encoded, JsonObject, Request, Role, Turn
from langchain_unified.request.blocks import Block
from langchain_unified.wires._openai.caching import as_breakpoint
from langchain_unified.wires._wire import cannot_carry, write_params
from langchain_unified.wires.openai_responses.assistant import encode_assistant
from langchain_unified.wires.openai_responses.assistant_tools import NAMES_ITS_CALL, RESULT_TYPES, encode_result
from langchain_unified.wires.openai_responses.blocks import WIRE, encode_parts, item_in
from langchain_unified.wires.openai_responses.params import PARAMS, write_native, write_output
from langchain_unified.wires.openai_responses.tools import encode_tool_choice, encode_tools

COUNT_KEYS = frozenset(
    {
        "conversation", "input", "instructions", "model", "parallel_tool_calls", "personality", "previous_response_id",
        "reasoning", "text", "tool_choice", "tools", "truncation",
    }
)  # fmt: skip
"""What the counting endpoint takes: it refuses what has no influence on the input."""


def encode(request: Request) -> Encoded:
    """The body and the adjustments. Raises `RequestError` for what the API cannot take."""
    adjustments: list[Adjustment] = []
    body: JsonObject = {"model": request.model, "input": encode_input(request)}
    write_native(body, request, adjustments)
    write_params(body, request, PARAMS, adjustments)
    write_output(body, request.output, adjustments)
    if request.tools:
        body["tools"] = encode_tools(request, adjustments)
    choice = encode_tool_choice(request)
    if choice is not None:
        body["tool_choice"] = choice
    if request.betas:
        adjustments.append(Adjustment(what="betas", why="Beta headers are Anthropic's: they were not sent."))
    if request.stream:
        body["stream"] = True
    body.update(request.extra_body)
    return Encoded(body, adjustments=tuple(adjustments))


def encode_count(request: Request) -> Encoded:
    """The body of `POST /responses/input_tokens`: the keys that have an influence on the input."""
    encoded = encode(request)
    return Encoded({key: value for key, value in encoded.body.items() if key in COUNT_KEYS})


def encode_input(request: Request) -> list[JsonObject]:
    """The input items of all turns."""
    stored = request.extra_body.get("store", request.params.get("store")) is not False
    encoder = _InputEncoder(keep_parts=request.parts, stored=stored)
    return [item for turn in request.turns for item in TURNS[turn.role](encoder, turn)]


@dataclass(slots=True)
class _InputEncoder:
    """What the turns of one request have in common.

    `keep_parts`: a text alone stays in a list of parts. `stored`: the provider keeps its replies.
    """

    keep_parts: bool
    stored: bool
    result_types: dict[str, str] = field(default_factory=dict)
    """Call id -> the type of item that answers the call, where it is not `function_call_output`."""

    def message(self, turn: Turn) -> list[JsonObject]:
        """A user or system turn: one message, or several with the items between them."""
        items: list[JsonObject] = []
        blocks: list[Block] = []
        for block in turn.blocks:
            item = item_in(block)
            if item is None:
                blocks.append(block)
                continue
            items.extend(self._message_of(blocks, turn))
            items.append(item)
            blocks = []
        if blocks or not turn.blocks:
            items.extend(self._message_of(blocks, turn) or [{"role": turn.role, "content": ""}])
        return items

    def _message_of(self, blocks: list[Block], turn: Turn) -> list[JsonObject]:
        content = self.content(blocks, turn)
        return [{"role": turn.role, "content": content}] if content else []

    def content(self, blocks: list[Block], turn: Turn) -> str | list[JsonObject]:
        """A text alone as a `str`, else the parts, the marked ones with their breakpoint."""
        parts: list[JsonObject] = []
        for block in blocks:
            found = encode_parts(block, turn)
            if "mark" in block and found:
                found[-1]["prompt_cache_breakpoint"] = as_breakpoint(block["mark"])
            parts.extend(found)
        if not parts:
            return ""
        is_text = len(parts) == 1 and parts[0].keys() == {"type", "text"}
        return str(parts[0]["text"]) if is_text and not (self.keep_parts and parts[0]["text"]) else parts

    def assistant(self, turn: Turn) -> list[JsonObject]:
        """The items of an assistant turn."""
        items = encode_assistant(turn, stored=self.stored)
        for item in items:
            if item.get("type") in RESULT_TYPES:
                self.result_types[str(item.get("call_id"))] = RESULT_TYPES[item["type"]]
        return items

    def result(self, turn: Turn) -> list[JsonObject]:
        """A tool result, as the item that answers its call."""
        item = next((found for block in turn.blocks if (found := item_in(block)) is not None), None)
        if item is not None:
            if not answers_call(item):
                remedy = "It is an item that answers no call: put it into a message of its own."
                raise cannot_carry({"type": item.get("type")}, turn, WIRE, remedy)
            return [{"call_id": turn.tool_call_id, **item} if item["type"] in NAMES_ITS_CALL else item]
        kind = turn.options.get("type") or self.result_types.get(turn.tool_call_id or "", "function_call_output")
        output = self.content(list(turn.blocks), turn)
        if turn.is_error and not output:
            output = "error"
        return [encode_result(kind, output, turn)]


TURNS: Mapping[Role, Callable[[_InputEncoder, Turn], list[JsonObject]]] = {
    "system": _InputEncoder.message,
    "developer": _InputEncoder.message,
    "user": _InputEncoder.message,
    "assistant": _InputEncoder.assistant,
    "tool": _InputEncoder.result,
}


def answers_call(item: JsonObject) -> bool:
    """Whether an item can be a tool result. Of a type that is not known here it is assumed."""
    return wire_of_type(str(item.get("type"))) is None or str(item["type"]).endswith(("_output", "_response"))
