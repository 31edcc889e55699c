"""What the Anthropic Messages API refuses in the order of turns: system messages, server tools, prefill and thinking.

A turn is all consecutive messages of one role: the API joins them.
"""

from __future__ import annotations

import itertools
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import ANTHROPIC, MESSAGES
from langchain_unified.testing.emulation.rules.anthropic_history import (
    is_server_result,
    is_server_use,
    prefill_of,
    turns_of,
)
from langchain_unified.testing.emulation.rules.anthropic_tools import forces_tool_use
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations

GENERATE = frozenset({MESSAGES})
THINKING = ("thinking", "redacted_thinking")


def _is_thinking(block: JsonObject) -> bool:
    return block.get("type") in THINKING


def _has_type(blocks: list[JsonObject], kind: str) -> bool:
    return any(block.get("type") == kind for block in blocks)


def _thinking_type(call: EmulatedCall) -> str | None:
    thinking = call.body.get("thinking")
    return thinking.get("type") if isinstance(thinking, dict) else None


# --- system messages --------------------------------------------------------------------------------------------------


def _system_first(call: EmulatedCall) -> Violations:
    turns = turns_of(call)
    if turns and turns[0][1] == "system" and turns[0][2]:
        yield {}


def _system_before_other_than_assistant(call: EmulatedCall) -> Violations:
    for (first, role, blocks), (_, after, _) in itertools.pairwise(turns_of(call)):
        if role == "system" and blocks and after != "assistant":
            yield {"at": first}


def _system_after_assistant(call: EmulatedCall) -> Violations:
    for (_, before, said), (first, role, blocks) in itertools.pairwise(turns_of(call)):
        ends_in_server_tool = said and (is_server_use(said[-1]) or is_server_result(said[-1]))
        if role == "system" and blocks and before == "assistant" and not ends_in_server_tool:
            yield {"at": first}


# --- server tools -----------------------------------------------------------------------------------------------------


def _server_results_without_use(call: EmulatedCall) -> Violations:
    used: set[Any] = set()
    for first, _, blocks in turns_of(call):
        for index, block in enumerate(blocks):
            if is_server_use(block):
                used.add(block.get("id"))
            if is_server_result(block) and block.get("type") != "tool_result" and block.get("tool_use_id") not in used:
                place = f"messages.{first}.content.{index}"
                yield {"place": place, "id": block.get("tool_use_id"), "kind": block["type"]}


def _server_uses_without_result(call: EmulatedCall) -> Violations:
    """A use may be open in the last turn, and where nothing but results of the caller's tools follows."""
    turns = turns_of(call)
    for at, (_, role, blocks) in enumerate(turns):
        later = turns[at + 1 :]
        only_results = len(later) == 1 and all(block.get("type") == "tool_result" for block in later[0][2])
        if role != "assistant" or not later or (only_results and later[0][1] == "user" and later[0][2]):
            continue
        # A turn that was paused goes on in the next assistant turn.
        resumed = [block for _, _, more in later[1:2] for block in more]
        done = {block.get("tool_use_id") for block in (*blocks, *resumed) if is_server_result(block)}
        for block in blocks:
            if is_server_use(block) and block.get("id") not in done:
                yield {"name": block.get("name"), "id": block.get("id")}


def _no_container(call: EmulatedCall) -> Violations:
    """A code execution that called a tool waits in its container for the tool's result."""
    answers = [blocks for _, role, blocks in turns_of(call) if role == "assistant"]
    if not answers or call.body.get("container"):
        return
    done = {block.get("tool_use_id") for block in answers[-1] if is_server_result(block)}
    pending = {block.get("id") for block in answers[-1] if is_server_use(block)} - done
    for block in answers[-1]:
        caller = block.get("caller")
        if isinstance(caller, dict) and caller.get("tool_id") in pending and not is_server_result(block):
            yield {}


# --- prefill ----------------------------------------------------------------------------------------------------------


def _prefill_with_forced_tool(call: EmulatedCall) -> Violations:
    if prefill_of(call) and forces_tool_use(call):
        yield {}


def _prefill_with_format(call: EmulatedCall) -> Violations:
    output_format = (call.body.get("output_config") or {}).get("format") or call.body.get("output_format")
    if prefill_of(call) and output_format:
        yield {}


def _prefill_while_thinking(call: EmulatedCall) -> Violations:
    blocks = prefill_of(call)
    if blocks and _thinking_type(call) == "enabled" and not _is_thinking(blocks[0]):
        yield {"kind": blocks[0].get("type")}


def _thinking_in_prefill(call: EmulatedCall) -> Violations:
    blocks = prefill_of(call)
    off = _thinking_type(call) in (None, "disabled")
    if off and call.profile.prefill and any(map(_is_thinking, blocks)):
        yield {}


# --- thinking ---------------------------------------------------------------------------------------------------------


def _thinking_last(call: EmulatedCall) -> Violations:
    for first, role, blocks in turns_of(call):
        if role == "assistant" and blocks and _is_thinking(blocks[-1]):
            yield {"at": first, "kind": blocks[-1]["type"]}


def _tool_loop_without_thinking(call: EmulatedCall) -> Violations:
    """With a budget, the assistant's turns of an open tool loop begin with thinking.

    Models from 4.6 on answer without thinking instead (extended thinking guide).
    """
    turns = turns_of(call)
    if _thinking_type(call) != "enabled" or call.profile.thinking != "budget" or len(turns) < 2:
        return
    if turns[-1][1] != "user" or not _has_type(turns[-1][2], "tool_result"):
        return
    begin: tuple[int, str, list[JsonObject]] | None = None
    for turn in reversed(turns[:-1]):
        if turn[1] == "assistant":
            begin = turn
        elif not _has_type(turn[2], "tool_result"):
            break
    if begin and begin[2] and not _is_thinking(begin[2][0]):
        yield {"at": begin[0], "kind": begin[2][0].get("type")}


def _rule(
    name: str, check: RuleCheck, message: str, source: str, endpoints: frozenset[str] = ANTHROPIC, **more: Any
) -> Rule:
    return Rule(f"anthropic.{name}", endpoints, check, message, source, **more)


MID_CONVERSATION = "guide to system messages in mid-conversation"
EXPECTED_THINKING = "messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{kind}`."

TURNS: tuple[Rule, ...] = (
    _rule(
        "system first",
        _system_first,
        "messages.0: use the top-level 'system' parameter for the initial system prompt",
        "OmniRoute#13072",
    ),
    _rule(
        "system before user",
        _system_before_other_than_assistant,
        "messages.{at}: role 'system' must precede an 'assistant' message or end the array",
        f"claude-code#73821; {MID_CONVERSATION}",
    ),
    _rule(
        "system after assistant",
        _system_after_assistant,
        "messages.{at}: role 'system' must follow a 'user' message, or an 'assistant' message that ends in a server "
        "tool",
        f"{MID_CONVERSATION}, quoted in bifrost#3945",
    ),
    _rule(
        "server result without use",
        _server_results_without_use,
        "{place}: unexpected `tool_use_id` found in `{kind}` blocks: {id}. Each `{kind}` block must have a "
        "corresponding `server_tool_use` block before it.",
        "claude-code#64383, claude-code#80439",
    ),
    _rule(
        "server use without result",
        _server_uses_without_result,
        "`{name}` tool use with id `{id}` was found without a corresponding `{name}_tool_result` block",
        "lisette#108",
    ),
    _rule(
        "no container",
        _no_container,
        "container_id is required when there are pending tool uses generated by code execution with tools.",
        "anthropic-sdk-typescript#1114, anthropic-sdk-python#1801",
        GENERATE,
    ),
    _rule(
        "prefill with forced tool",
        _prefill_with_forced_tool,
        "When using tools, pre-filling the `assistant` response is not supported.",
        "langgraph#4940",
        GENERATE,
    ),
    _rule(
        "prefill with format",
        _prefill_with_format,
        "Message prefilling is incompatible with an output format.",
        "structured outputs guide; mastra#12800",
        GENERATE,
    ),
    _rule(
        "prefill while thinking",
        _prefill_while_thinking,
        "Expected `thinking` or `redacted_thinking`, but found `{kind}`. When `thinking` is enabled, a final "
        "`assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and "
        "`tool_result` blocks).",
        "n8n#22550, opencode#3077",
        GENERATE,
    ),
    _rule(
        "thinking last",
        _thinking_last,
        "messages.{at}: The final block in an assistant message cannot be `{kind}`.",
        "forgecode#2107, hermes-agent#13010",
    ),
    _rule(
        "thinking in prefill",
        _thinking_in_prefill,
        "When thinking is disabled, an `assistant` message in the final position cannot contain `thinking`.",
        "forgecode#1853",
        GENERATE,
    ),
    _rule(
        "tool loop without thinking",
        _tool_loop_without_thinking,
        f"{EXPECTED_THINKING} When `thinking` is enabled, a final `assistant` message must start with a thinking "
        "block.",
        "opencode#3077, claude-code#20705; extended thinking guide",
    ),
)
