"""Checks that an API accepts the history of a body: the SDKs' types, and tool calls paired with their results."""

from __future__ import annotations

from typing import Any

from langchain_unified.history import repair as history
from langchain_unified.request import Adjustment, Turn, WireName
from langchain_unified.wires import WIRES
from tests.support.oracle import ENDPOINTS, load_oracle

# Keys that the APIs return and accept back, and that the SDKs' request types lack.
BEYOND_THE_TYPES = (".code_execution_result.abort_reason:", ".action.search.sources[0].")


def repair(
    turns: tuple[Turn, ...], *, wire: WireName, **options: Any
) -> tuple[tuple[Turn, ...], tuple[Adjustment, ...]]:
    """`history.repair` with the call ids that the wire takes."""
    return history.repair(turns, wire=wire, ids=WIRES[wire].call_ids, **options)


def problems(wire: str, body: dict[str, Any]) -> list[str]:
    """What is wrong with the types and the pairing of a body; empty when the API accepts it."""
    found = load_oracle().validate(ENDPOINTS[wire], body)
    typed = [problem for problem in found if not any(key in problem for key in BEYOND_THE_TYPES)]
    return [*typed, *PAIRING[wire](body)]


def _anthropic(body: dict[str, Any]) -> list[str]:
    found: list[str] = []
    used: list[str] = []
    waiting: list[str] = []
    for at, message in enumerate(body["messages"]):
        blocks = message["content"] if isinstance(message["content"], list) else []
        kinds = [block["type"] for block in blocks]
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if message["role"] == "user" and kinds[: len(results)] != ["tool_result"] * len(results):
            found.append(f"messages[{at}]: results do not come first")
        if sorted(results) != sorted(waiting):
            found.append(f"messages[{at}]: results {results} for calls {waiting}")
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        used += waiting
        if any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            found.append(f"messages[{at}]: blank text")
    roles = [message["role"] for message in body["messages"]]
    found += [f"messages[{at}]: twice {role}" for at, role in enumerate(roles[1:], 1) if roles[at - 1] == role]
    return found + ["calls without results at the end"] * bool(waiting) + _ids(used, 64, alphabet=True)


def _chat(body: dict[str, Any]) -> list[str]:
    found: list[str] = []
    used: list[str] = []
    waiting: set[str] = set()
    for at, message in enumerate(body["messages"]):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                found.append(f"messages[{at}]: no call {message['tool_call_id']} waits")
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            found.append(f"messages[{at}]: calls {sorted(waiting)} are not answered before it")
        calls = [call["id"] for call in message.get("tool_calls", ())]
        used += calls
        waiting = set(calls)
        if message["role"] != "assistant" and not message["content"] and not _is_empty_prompt(body["messages"]):
            found.append(f"messages[{at}]: no content")
    return found + ["calls without results at the end"] * bool(waiting) + _ids(used, 40)


def _responses(body: dict[str, Any]) -> list[str]:
    found: list[str] = []
    used: list[str] = []
    waiting: set[str] = set()
    for at, item in enumerate(body["input"]):
        kind = item.get("type")
        if kind in ("function_call", "custom_tool_call"):
            used.append(item["call_id"])
            waiting.add(item["call_id"])
        elif kind in ("function_call_output", "custom_tool_call_output"):
            if item["call_id"] not in waiting:
                found.append(f"input[{at}]: no call {item['call_id']} waits")
            waiting.discard(item["call_id"])
        elif item.get("role") in ("user", "system", "developer") and waiting:
            found.append(f"input[{at}]: calls {sorted(waiting)} are not answered before it")
        if "role" in item and not item["content"] and not _is_empty_prompt(body["input"]):
            found.append(f"input[{at}]: no content")
    return found + ["calls without results at the end"] * bool(waiting) + _ids(used, 64)


def _is_empty_prompt(messages: list[dict[str, Any]]) -> bool:
    """Whether no message has content, and a user's is among them: OpenAI answers it (recorded)."""
    roles = {message.get("role") for message in messages}
    empty = all(isinstance(each.get("content"), str) and not each["content"].strip() for each in messages)
    return empty and "user" in roles and roles <= {"user", "system", "developer"}


def _ids(used: list[str], most: int, *, alphabet: bool = False) -> list[str]:
    bad = [each for each in used if not each or len(each) > most or (alphabet and set(each) - LETTERS)]
    return [f"ids {bad}"] * bool(bad) + ["an id stands for two calls"] * (len(set(used)) < len(used))


LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")

PAIRING = {"anthropic_messages": _anthropic, "openai_chat": _chat, "openai_responses": _responses}
