"""Request -> body of `POST /responses`, and of the endpoint that counts its tokens.

Turns become input items in their order: a message for each user and system turn, an output item for each tool result,
and the assistant's items. An earlier turn never depends on a later one: a longer conversation keeps the prefix of the
shorter one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from langchain_unified.request import Adjustment, Encoded, JsonObject, Request, Role, Turn
from langchain_unified.request.blocks import Block
from langchain_unified.wires._openai.caching import marked_part
from langchain_unified.wires._openai.limits import within_limits
from langchain_unified.wires._openai.unsent import report_unsent_fields
from langchain_unified.wires._wire import write_params
from langchain_unified.wires.openai_responses.assistant import encode_assistant
from langchain_unified.wires.openai_responses.assistant_tools import encode_result
from langchain_unified.wires.openai_responses.blocks import encode_parts, item_in
from langchain_unified.wires.openai_responses.input_items import Answers, result_blocks, result_item, user_item
from langchain_unified.wires.openai_responses.params import (
    NATIVE_LIMITS,
    PARAM_LIMITS,
    PARAMS,
    write_native,
    write_output,
)
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
    request = within_limits(request, PARAM_LIMITS, NATIVE_LIMITS, adjustments)
    body: JsonObject = {"model": request.model, "input": encode_input(request, adjustments)}
    write_native(body, request, adjustments)
    write_params(body, request, PARAMS, adjustments)
    write_output(body, request.output, adjustments)
    if request.tools:
        body["tools"] = encode_tools(request, adjustments)
    choice = encode_tool_choice(request)
    if choice is not None:
        body["tool_choice"] = choice
    report_unsent_fields(request, adjustments)
    if request.betas:
        adjustments.append(Adjustment(what="betas", why="Beta headers are Anthropic's: they were not sent."))
    if request.stream:
        body["stream"] = True
    body.update(request.extra_body)
    return Encoded(body, adjustments=tuple(adjustments))


def encode_count(request: Request) -> Encoded:
    """The body of `POST /responses/input_tokens`: the keys that have an influence on the input."""
    counted = {key: value for key, value in request.native.items() if key != "background"}
    encoded = encode(replace(request, native=counted))
    return Encoded({key: value for key, value in encoded.body.items() if key in COUNT_KEYS})


def encode_input(request: Request, adjustments: list[Adjustment]) -> list[JsonObject]:
    """The input items of all turns."""
    stored = request.extra_body.get("store", request.params.get("store")) is not False
    held = any(request.native.get(key) or request.extra_body.get(key) for key in SERVER_STATE)
    encoder = _InputEncoder(request.parts, stored, Answers(server_state=held), adjustments)
    return [item for turn in request.turns for item in TURNS[turn.role](encoder, turn)]


SERVER_STATE = ("previous_response_id", "conversation")
"""Keys with which the server holds earlier turns: an output may answer a call that is not in the input."""


@dataclass(slots=True)
class _InputEncoder:
    """What the turns of one request have in common.

    `keep_parts`: a text alone stays in a list of parts. `stored`: the provider keeps its replies.
    """

    keep_parts: bool
    stored: bool
    answers: Answers
    adjustments: list[Adjustment]
    sent_ids: set[str] = field(default_factory=set)
    """The ids of the items so far: the API refuses an item that is there twice."""

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
            items.append(user_item(item, turn, self.answers) if turn.role == "user" else item)
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
                found[-1] |= marked_part(block["mark"])
            parts.extend(found)
        if not parts:
            return ""
        is_text = len(parts) == 1 and parts[0].keys() == {"type", "text"}
        return str(parts[0]["text"]) if is_text and not (self.keep_parts and parts[0]["text"]) else parts

    def assistant(self, turn: Turn) -> list[JsonObject]:
        """The items of an assistant turn."""
        items = encode_assistant(turn, stored=self.stored)
        items = [sent for item in items if (sent := self._sent_once(item, turn)) is not None]
        self.answers.add_calls(items)
        return items

    def _sent_once(self, item: JsonObject, turn: Turn) -> JsonObject | None:
        """The item, `None` for one that was sent before; a call that got another call id loses its item id."""
        item_id = item.get("id")
        if not isinstance(item_id, str) or str(item.get("type")).endswith("_output"):
            return item
        if item_id not in self.sent_ids:
            self.sent_ids.add(item_id)
            return item
        if item.get("call_id") and item["call_id"] not in self.answers.types:
            return {key: value for key, value in item.items() if key != "id"}
        why = "The conversation holds it twice, which the API refuses: it was sent once."
        what = f"{item['type']} {item_id!r} in message {turn.position}"
        self.adjustments.append(Adjustment(what=what, why=why, lossless=True))
        return None

    def result(self, turn: Turn) -> list[JsonObject]:
        """A tool result, as the item that answers its call."""
        item = result_item(turn, self.answers)
        if item is not None:
            return [item]
        kind = self.answers.output_type(turn)
        output = self.content(result_blocks(turn, self.adjustments), turn)
        if turn.is_error and not output:
            output = "error"
        return [encode_result(kind, output, turn) | self.answers.returned_keys(turn.tool_call_id or "")]


TURNS: Mapping[Role, Callable[[_InputEncoder, Turn], list[JsonObject]]] = {
    "system": _InputEncoder.message,
    "developer": _InputEncoder.message,
    "user": _InputEncoder.message,
    "assistant": _InputEncoder.assistant,
    "tool": _InputEncoder.result,
}
