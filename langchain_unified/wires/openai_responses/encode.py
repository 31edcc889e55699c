"""A request -> the body of `POST /responses`.

Turns become input items in their order: a message for each user and system turn, an output item for each tool result,
and the assistant's own items. An earlier turn never depends on a later one, so that a conversation keeps its prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.request import Adjustment, Encoded, JsonObject, Request, Role, Turn
from langchain_unified.request.blocks import AnyBlock as Block
from langchain_unified.wires._openai.caching import as_breakpoint
from langchain_unified.wires._wire import cannot_carry, write_params
from langchain_unified.wires.openai_responses.assistant import encode_assistant
from langchain_unified.wires.openai_responses.assistant_tools import NAMES_ITS_CALL, RESULT_TYPES, encode_result
from langchain_unified.wires.openai_responses.blocks import WIRE, encode_parts, item_in
from langchain_unified.wires.openai_responses.params import PARAMS, write_native, write_output
from langchain_unified.wires.openai_responses.tools import encode_tool_choice, encode_tools

# The counting endpoint refuses what has no influence on the input.
COUNT_KEYS = frozenset(
    {
        "conversation", "input", "instructions", "model", "parallel_tool_calls", "personality", "previous_response_id",
        "reasoning", "text", "tool_choice", "tools", "truncation",
    }
)  # fmt: skip


def encode(request: Request) -> Encoded:
    """The body. Raises `RequestError` for what the API cannot take; what was adjusted is in `adjustments`."""
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
        adjustments.append(Adjustment(what="betas", why="only Anthropic has beta headers"))
    if request.stream:
        body["stream"] = True
    body.update(request.extra_body)
    return Encoded(body, adjustments=tuple(adjustments))


def encode_count(request: Request) -> Encoded:
    """The body of `POST /responses/input_tokens`: what of the same request has an influence on the input."""
    encoded = encode(request)
    return Encoded({key: value for key, value in encoded.body.items() if key in COUNT_KEYS})


def encode_input(request: Request) -> list[JsonObject]:
    """The input items of all turns."""
    stored = request.extra_body.get("store", request.params.get("store")) is not False
    writer = _Input(parts=request.parts, stored=stored)
    for turn in request.turns:
        writer.items.extend(TURNS[turn.role](writer, turn))
    return writer.items


@dataclass(slots=True)
class _Input:
    """What one pass over the turns gathers."""

    parts: bool
    """Whether a lone text stays in a list."""
    stored: bool
    items: list[JsonObject] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    """Call id -> the type of item that answers it, where it is not `function_call_output`."""

    def message(self, turn: Turn) -> list[JsonObject]:
        """A user or system turn: one message, split where an item of its own stands between the parts."""
        items: list[JsonObject] = []
        run: list[Block] = []
        for block in turn.blocks:
            item = item_in(block)
            if item is None:
                run.append(block)
                continue
            items.extend(self._message_of(run, turn))
            items.append(item)
            run = []
        if run or not turn.blocks:
            items.extend(self._message_of(run, turn) or [{"role": turn.role, "content": ""}])
        return items

    def _message_of(self, blocks: list[Block], turn: Turn) -> list[JsonObject]:
        content = self.content(blocks, turn)
        return [{"role": turn.role, "content": content}] if content else []

    def content(self, blocks: list[Block], turn: Turn) -> str | list[JsonObject]:
        """A bare text as a `str`, else the parts, the marked ones with their breakpoint."""
        parts: list[JsonObject] = []
        for block in blocks:
            found = encode_parts(block, turn)
            if "mark" in block and found:
                found[-1]["prompt_cache_breakpoint"] = as_breakpoint(block["mark"])
            parts.extend(found)
        if not parts:
            return ""
        bare = len(parts) == 1 and parts[0].keys() == {"type", "text"}
        return str(parts[0]["text"]) if bare and not (self.parts and parts[0]["text"]) else parts

    def assistant(self, turn: Turn) -> list[JsonObject]:
        items = encode_assistant(turn, stored=self.stored)
        for item in items:
            if item.get("type") in RESULT_TYPES:
                self.answers[str(item.get("call_id"))] = RESULT_TYPES[item["type"]]
        return items

    def result(self, turn: Turn) -> list[JsonObject]:
        """A tool result, in the form that its call asks for."""
        whole = next((item for block in turn.blocks if (item := item_in(block)) is not None), None)
        if whole is not None:
            if not answers_call(whole):
                raise cannot_carry({"type": whole.get("type")}, turn, WIRE, NO_ANSWER)
            return [{"call_id": turn.tool_call_id, **whole} if whole["type"] in NAMES_ITS_CALL else whole]
        call_id = turn.tool_call_id or ""
        kind = turn.options.get("type") or self.answers.get(call_id, "function_call_output")
        output = self.content(list(turn.blocks), turn)
        if turn.is_error and not output:
            output = "error"
        return [encode_result(kind, output, turn)]


TURNS: Mapping[Role, Callable[[_Input, Turn], list[JsonObject]]] = {
    "system": _Input.message,
    "developer": _Input.message,
    "user": _Input.message,
    "assistant": _Input.assistant,
    "tool": _Input.result,
}


NO_ANSWER = "It is an item that answers no call: put it into a message of its own."


def answers_call(item: JsonObject) -> bool:
    """Whether an item can stand for a tool result. Of types that are not known here nothing can be said."""
    return wire_of_type(str(item.get("type"))) is None or str(item["type"]).endswith(("_output", "_response"))
