"""The turns of a client's body as the wire of another API takes them.

What only the client's API has becomes standard blocks, through the same translators as the messages of a chat model, or
text with a note; nothing of it goes out raw. Reasoning goes back with its proof, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from langchain_unified.gateway.crossing.proofs import is_seal
from langchain_unified.gateway.crossing.server_reasoning import opened_block
from langchain_unified.gateway.crossing.state import CrossingState, NotCrossingError
from langchain_unified.history.foreign import is_reasoning
from langchain_unified.messages.assistant import standard_blocks
from langchain_unified.messages.blocks import normalise, normalise_result, parsed_call
from langchain_unified.messages.cache_marks import mark_last
from langchain_unified.messages.json_text import data_text
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT
from langchain_unified.request import JsonObject, Request, Turn
from langchain_unified.request.blocks import Block, ToolResultBlock, changed, raw_value, without


def with_own_turns(request: Request, state: CrossingState) -> Request:
    """The request with turns of standard blocks, and of the upstream's own where a proof holds them."""
    turns = tuple(found for turn in request.turns for found in ROLES[turn.role](turn, state))
    return request if turns == request.turns else replace(request, turns=turns)


def _is_same_wire(state: CrossingState) -> bool:
    return state.client == state.upstream.name


# --- the model's turns ------------------------------------------------------------------------------------------------


def _assistant(turn: Turn, state: CrossingState) -> Iterator[Turn]:
    found: list[Block] = []
    for reasons, run in groupby(turn.blocks, is_reasoning):
        if reasons:
            found += _of_reasoning(list(run), state)
            continue
        for block in run:
            blocks = list(_of_answer(block, state))
            found += mark_last(blocks, block.get("mark")) if blocks else ()
    of_server = state.upstream.name == "openai_chat" and any(map(is_reasoning, found))
    # Of a turn that nobody's origin is known of, the reasoning stays.
    yield replace(turn, blocks=tuple(found), server=None, origin=None if of_server else turn.origin)


def _of_reasoning(run: list[Block], state: CrossingState) -> list[Block]:
    """Reasoning in a row. Beside a proof, blocks without one are parts of the summary that it proves."""
    proven = [block for block in run if is_seal(proof_in(block))]
    found: list[Block] = []
    for block in (each for each in run if not proven or proof_in(each)):
        found += (each for each in _proven(block, state) if each not in found[-1:])
    return found


def _proven(block: Block, state: CrossingState) -> Iterator[Block]:
    """A block of reasoning as its provider wrote it, by its proof."""
    proof = proof_in(block)
    if is_seal(proof):
        opened = state.proofs.open(proof)
        if opened.block is not None and state.upstream.name == "openai_chat":
            yield opened_block(opened.block, state.dialect)
        elif opened.block is not None:
            yield {"type": "native", "value": _as_input(opened.block)}
        else:
            state.lose("reasoning", f"{opened.why}: it was left out.")
    elif _is_same_wire(state) and _is_taken_back(proof, state):
        yield block
    elif proof or block["type"] == "reasoning":
        state.lose("reasoning", WITHOUT_PROOF)


def _is_taken_back(proof: str, state: CrossingState) -> bool:
    """Whether reasoning goes back to its own API as it came."""
    if state.client == "openai_chat":
        return state.dialect.reasoning_field is not None
    return bool(proof) or state.client == "openai_responses"


WITHOUT_PROOF = "No proof that this model takes came with it: it was left out."


def _as_input(block: JsonObject) -> JsonObject:
    """A block of reasoning as its API takes it back.

    Items of the Responses API that are not stored go without their ids: an id must be followed by the id of the next
    item, which clients of another API do not have. (vercel/ai#12869, bifrost#5410)
    """
    if block.get("type") != "reasoning":
        return block
    return {key: value for key, value in block.items() if key not in ("id", "status") and value is not None}


def proof_in(block: Block) -> str:
    """The proof in a block of reasoning of any API; empty without one."""
    value: Mapping[str, object] = raw_value(block) if block["type"] == "native" else block
    extras = value.get("extras")
    holders = [value, extras if isinstance(extras, Mapping) else {}]
    found = (holder.get(key) for key in PROOF_KEYS for holder in holders)
    return next((text for text in found if isinstance(text, str) and text), "")


PROOF_KEYS = ("signature", "encrypted_content", "data")
"""The keys of a proof: of thinking, of a reasoning item, of redacted thinking."""


def _of_answer(block: Block, state: CrossingState) -> Iterable[Block]:
    if _is_same_wire(state):
        return (block,)
    if block["type"] == "native":
        value = block["value"]
        reader = CALLS.get(str(value.get("type")))
        return (reader(value, state),) if reader else standard_blocks(value, state.client, state.upstream.name)
    if block["type"] == "tool_call" or block["type"] == "invalid_tool_call":
        extras: JsonObject = block.get("extras") or {}
        bare = without(block, "extras")
        if state.upstream.name != "openai_responses" and extras.get("namespace"):
            return (changed(bare, name=state.open_name(extras["namespace"], block["name"] or "")),)
        return (bare,)
    return (block,)


def _function_call(value: JsonObject, state: CrossingState) -> Block:
    name = state.open_name(value.get("namespace"), str(value.get("name") or ""))
    return parsed_call(value.get("call_id"), name, str(value.get("arguments") or ""))


def _custom_call(value: JsonObject, state: CrossingState) -> Block:
    name = state.open_name(value.get("namespace"), str(value.get("name") or ""))
    args = {CUSTOM_ARGUMENT: str(value.get("input") or "")}
    return {"type": "tool_call", "id": value.get("call_id"), "name": name, "args": args}


def _item_reference(value: JsonObject, state: CrossingState) -> Block:
    raise NotCrossingError(
        f"input: the item_reference {value.get('id')!r} names an item that OpenAI keeps, and this model is served by "
        "another API. Send the item itself.",
        "input",
    )


CALLS: Mapping[str, Callable[[JsonObject, CrossingState], Block]] = {
    "function_call": _function_call,
    "custom_tool_call": _custom_call,
    "item_reference": _item_reference,
}
"""The Responses API's own items that core's translators leave out."""

# --- the caller's turns -----------------------------------------------------------------------------------------------


def _caller(turn: Turn, state: CrossingState) -> Iterator[Turn]:
    """A user or system turn. A result among its blocks becomes a turn."""
    if _is_same_wire(state):
        yield turn
        return
    blocks = tuple(_of_caller(block, state) for block in _without_attribution(turn, state))
    if blocks == turn.blocks and not any(block["type"] == "tool_result" for block in blocks):
        yield turn
        return
    rest: list[Block] = []
    split = False
    for found in blocks:
        if found["type"] != "tool_result":
            rest.append(found)
            continue
        if rest:
            yield replace(turn, blocks=tuple(rest))
        yield _result_turn(found, turn)
        rest, split = [], True
    if rest or not (split or turn.blocks):
        yield replace(turn, blocks=tuple(rest))


ATTRIBUTION = "x-anthropic-billing-header:"
"""How the block begins that Claude Code puts before its system prompt, with a hash that differs at each request."""


def _without_attribution(turn: Turn, state: CrossingState) -> tuple[Block, ...]:
    """The blocks without Claude Code's attribution: Anthropic takes it out of the prompt, other providers would not,
    and cached nothing after it. (claude-code#68900)
    """
    if turn.role != "system" or not state.to_other_provider:
        return turn.blocks
    kept = tuple(block for block in turn.blocks if not str(block.get("text", "")).startswith(ATTRIBUTION))
    if len(kept) < len(turn.blocks):
        state.list("Claude Code's attribution", "It is for Anthropic's billing, and no part of the prompt.")
    return kept


def _result_turn(result: ToolResultBlock, turn: Turn) -> Turn:
    blocks = tuple(mark_last(result["content"], result.get("mark")))
    return Turn(
        "tool",
        blocks,
        tool_call_id=result["tool_call_id"],
        is_error=result["is_error"],
        position=turn.position,
    )


def _of_caller(block: Block, state: CrossingState) -> Block:
    if block["type"] != "native":
        return block
    value = block["value"]
    if value.get("type") == "compaction_trigger":
        raise NotCrossingError(NOT_COMPACTED, "input")
    found = normalise(value, state.upstream.name)
    if found["type"] in ("unknown", "native"):
        kind = str(value.get("type"))
        state.lose(f"the block {kind!r}", "The model's API does not have it: its JSON was sent as text.")
        found = {"type": "text", "text": f"[{kind}: {data_text(value)}]"}
    return mark_last([found], block.get("mark"))[0]


NOT_COMPACTED = (
    "input: the item 'compaction_trigger' asks OpenAI to compact the conversation, and this model is served by another "
    "API. Ask the model itself for a summary."
)


def _result(turn: Turn, state: CrossingState) -> Iterator[Turn]:
    """A tool result. What a provider's own tool returned becomes content that any API takes."""
    if _is_same_wire(state):
        yield turn
        return
    blocks = [found for block in turn.blocks for found in _of_result(block, state)]
    if turn.is_error and state.upstream.provider == "openai" and blocks:
        state.list("is_error of a tool result", "OpenAI's APIs have no such key: the content alone tells of it.")
    yield replace(turn, blocks=tuple(blocks), options={})


def _of_result(block: Block, state: CrossingState) -> list[Block]:
    if block["type"] != "native":
        return [block]
    value = block["value"]
    output = value.get("output") if str(value.get("type")).endswith("_output") else value
    items = output if isinstance(output, list) else [output]
    return mark_last([normalise_result(item, state.upstream.name) for item in items], block.get("mark"))


ROLES: Mapping[str, Callable[[Turn, CrossingState], Iterator[Turn]]] = {
    "system": _caller,
    "developer": _caller,
    "user": _caller,
    "assistant": _assistant,
    "tool": _result,
}
