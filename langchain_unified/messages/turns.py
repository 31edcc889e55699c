"""LangChain messages, with content in any mix of dialects -> turns, whose blocks `request.Block` lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import cast

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_unified.errors import InvalidHistoryError
from langchain_unified.messages.assistant import assistant_turn, origin_of
from langchain_unified.messages.blocks import content_items, normalise, normalise_result
from langchain_unified.messages.cache_marks import mark_last, mark_of
from langchain_unified.messages.tool_calls import tool_result_in
from langchain_unified.request import Role, Turn, WireName
from langchain_unified.request.blocks import Block, ToolResultBlock


def turns(messages: Sequence[BaseMessage], wire: WireName) -> tuple[Turn, ...]:
    """The messages as turns for `wire`. Raises `InvalidHistoryError` for a message that no model call can hold."""
    result: list[Turn] = []
    for position, message in enumerate(messages):
        plain = _plain_turn(message, position)
        if plain is None:
            result.extend(_turns_of(message, wire, position))
        else:
            result.append(plain)
    return tuple(result)


def _plain_turn(message: BaseMessage, position: int) -> Turn | None:
    """Fast path: the turn of a message that holds one text and nothing else; `None` for any other message."""
    content, role = message.content, PLAIN_ROLES.get(type(message))
    if role is None or not content or not isinstance(content, str) or message.additional_kwargs:
        return None
    blocks: tuple[Block, ...] = ({"type": "text", "text": content},)
    if not isinstance(message, AIMessage):
        return Turn(role, blocks, name=message.name, position=position)
    if message.tool_calls or message.invalid_tool_calls:
        return None
    model = message.response_metadata.get("model_name")
    return Turn(role, blocks, name=message.name, origin=origin_of(message), model=model, position=position)


PLAIN_ROLES: Mapping[type[BaseMessage], Role] = {HumanMessage: "user", SystemMessage: "system", AIMessage: "assistant"}


def _turns_of(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    for kind, reader in MESSAGES:
        if isinstance(message, kind):
            return reader(message, wire, position)
    raise InvalidHistoryError(
        f"Message {position} is a {type(message).__name__}, which no model call can hold. "
        "Send System, Human, AI or Tool messages."
    )


# --- messages ---------------------------------------------------------------------------------------------------------


def _human(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    """A user turn. Callers of both providers put tool results among its blocks: each becomes a separate turn."""
    rest: list[Block] = []
    for block in _input_blocks(message, wire):
        result = block if block["type"] == "tool_result" else tool_result_in(block)
        if result is None:
            rest.append(block)
            continue
        if rest:
            yield Turn("user", tuple(rest), name=message.name, position=position)
            rest = []
        yield _result_turn(result, position)
    if rest or not message.content:
        yield Turn("user", tuple(rest), name=message.name, position=position)


def _result_turn(result: ToolResultBlock, position: int) -> Turn:
    return Turn(
        "tool",
        tuple(mark_last(result["content"], result.get("mark"))),
        tool_call_id=result["tool_call_id"],
        is_error=result["is_error"],
        options=result.get("options", {}),
        position=position,
    )


def _system(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    role: Role = "developer" if message.additional_kwargs.get("__openai_role__") == "developer" else "system"
    options = {key: message.additional_kwargs[key] for key in SYSTEM_OPTIONS if message.additional_kwargs.get(key)}
    yield Turn(role, tuple(_input_blocks(message, wire)), name=message.name, options=options, position=position)


SYSTEM_OPTIONS = ("clear_at", "output_config")
"""Keys of Anthropic's system messages that stand between other messages (SDK: `BetaSystemMessageParam`)."""


def _assistant(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    yield assistant_turn(cast(AIMessage, message), wire, position)


def _tool(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    message = cast(ToolMessage, message)
    options = {key: message.additional_kwargs[key] for key in RESULT_OPTIONS if key in message.additional_kwargs}
    yield Turn(
        "tool",
        tuple(_result_blocks(message, wire)),
        name=message.name,
        tool_call_id=message.tool_call_id,
        is_error=message.status == "error",
        options=options,
        position=position,
    )


RESULT_OPTIONS = ("type", "acknowledged_safety_checks", "status")


def _function(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    # The deprecated function role has no call id: the name is the only link to its call.
    blocks = tuple(_result_blocks(message, wire))
    yield Turn("tool", blocks, name=message.name, tool_call_id=message.name, position=position)


def _chat(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    role = CHAT_ROLES.get(cast(ChatMessage, message).role)
    if role is None:
        raise InvalidHistoryError(
            f"Message {position} is a ChatMessage with the role {cast(ChatMessage, message).role!r}. "
            f"Known roles: {', '.join(CHAT_ROLES)}."
        )
    yield Turn(role, tuple(_input_blocks(message, wire)), name=message.name, position=position)


CHAT_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
}


def _removed(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    raise InvalidHistoryError(
        f"Message {position} is a RemoveMessage, which changes a graph's state. Apply it before the call."
    )


MESSAGES: tuple[tuple[type[BaseMessage], Callable[[BaseMessage, WireName, int], Iterator[Turn]]], ...] = (
    (HumanMessage, _human),
    (AIMessage, _assistant),
    (ToolMessage, _tool),
    (SystemMessage, _system),
    (RemoveMessage, _removed),
    (FunctionMessage, _function),
    (ChatMessage, _chat),
)


def _input_blocks(message: BaseMessage, wire: WireName) -> list[Block]:
    """The blocks of a message that no model wrote. A mark on the message itself moves to the last of them."""
    blocks: Iterable[Block] = (normalise(item, wire) for item in content_items(message.content))
    return mark_last([*blocks], mark_of(message.additional_kwargs))


def _result_blocks(message: BaseMessage, wire: WireName) -> list[Block]:
    blocks = [normalise_result(item, wire) for item in content_items(message.content)]
    return mark_last(blocks, mark_of(message.additional_kwargs))
