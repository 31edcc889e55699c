"""Any message content -> turns of one dialect.

Callers write in any mix of dialects; `blocks.py` lists the block types that an encoder meets after `turns`. A reply's
own blocks come back as `native` on the wire that produced them, byte for byte; on every other wire they come as
standard blocks, through LangChain core's translators. `message.tool_calls` decides which calls a message makes: callers
edit it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

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
from langchain_unified.messages.blocks import normalise, unstreamed, wire_of_type
from langchain_unified.messages.cache_marks import mark_of, marked_end, unmarked, with_mark
from langchain_unified.messages.tool_calls import call_output, with_listed_calls, with_tool_calls
from langchain_unified.request import Block, Role, Turn, WireName


def turns(messages: Sequence[BaseMessage], wire: WireName) -> tuple[Turn, ...]:
    """The messages as turns for `wire`. Raises `InvalidHistoryError` for a message that has no place in a call."""
    result: list[Turn] = []
    for position, message in enumerate(messages):
        bare = _bare(message, position)
        if bare is None:
            result.extend(_turns_of(message, wire, position))
        else:
            result.append(bare)
    return tuple(result)


def _bare(message: BaseMessage, position: int) -> Turn | None:
    """The turn of a message that is nothing but text, as most of a long history is; `None` for any other."""
    content, role = message.content, BARE.get(type(message))
    if role is None or not content or not isinstance(content, str) or message.additional_kwargs:
        return None
    blocks: tuple[Block, ...] = ({"type": "text", "text": content},)
    if not isinstance(message, AIMessage):
        return Turn(role, blocks, name=message.name, position=position)
    if message.tool_calls or message.invalid_tool_calls:
        return None
    named = message.response_metadata.get("model_name")
    return Turn(role, blocks, name=message.name, origin=origin_of(message), model=named, position=position)


BARE: Mapping[type[BaseMessage], Role] = {HumanMessage: "user", SystemMessage: "system", AIMessage: "assistant"}


def _turns_of(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    for kind, reader in MESSAGES:
        if isinstance(message, kind):
            return reader(message, wire, position)
    raise InvalidHistoryError(
        f"Message {position} is a {type(message).__name__}, which has no place in a call to a model. "
        "Send System, Human, AI or Tool messages."
    )


# --- messages ---------------------------------------------------------------------------------------------------------


def _human(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    blocks = (call_output(block) or block for block in _input_blocks(message, wire))
    yield from _split_results("user", blocks, message, position)


def _system(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    role: Role = "developer" if message.additional_kwargs.get("__openai_role__") == "developer" else "system"
    yield Turn(role, tuple(_input_blocks(message, wire)), name=message.name, position=position)


def _tool(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    message = cast(ToolMessage, message)
    options = {key: message.additional_kwargs[key] for key in RESULT_OPTIONS if key in message.additional_kwargs}
    yield Turn(
        "tool",
        tuple(_input_blocks(message, wire)),
        name=message.name,
        tool_call_id=message.tool_call_id,
        is_error=message.status == "error",
        options=options,
        position=position,
    )


RESULT_OPTIONS = ("type", "acknowledged_safety_checks", "status")


def _function(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    # The deprecated function role has no call id: the name is the only link to its call.
    blocks = tuple(_input_blocks(message, wire))
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
        f"Message {position} is a RemoveMessage: an order to a graph's state, not a message. Apply it before the call."
    )


def _assistant(message: BaseMessage, wire: WireName, position: int) -> Iterator[Turn]:
    message = with_listed_calls(cast(AIMessage, message))
    origin = origin_of(message)
    verbatim = origin == wire and not _is_v1(message)
    blocks = list(_own_blocks(message, wire) if verbatim else _assistant_blocks(message, wire, origin))
    blocks.extend(list(_beside(message, wire, blocks)))
    blocks = with_tool_calls(blocks, message)
    yield Turn(
        "assistant",
        tuple(marked_end(blocks, mark_of(message.additional_kwargs))),
        name=message.name,
        origin=origin,
        model=message.response_metadata.get("model_name"),
        position=position,
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


def _split_results(role: Role, blocks: Iterable[Block], message: BaseMessage, position: int) -> Iterator[Turn]:
    """Callers of both providers put tool results inside a user message; here each is a turn of its own."""
    rest: list[Block] = []
    for block in blocks:
        if block["type"] != "tool_result":
            rest.append(block)
            continue
        if rest:
            yield Turn(role, tuple(rest), name=message.name, position=position)
            rest = []
        yield Turn(
            "tool",
            tuple(marked_end(block["content"], block.get("mark"))),
            tool_call_id=block["tool_call_id"],
            is_error=block["is_error"],
            options=block.get("options", {}),
            position=position,
        )
    if rest or not message.content:
        yield Turn(role, tuple(rest), name=message.name, position=position)


# --- where an assistant message came from -----------------------------------------------------------------------------


def origin_of(message: AIMessage) -> WireName | None:
    """The wire that produced an assistant message, as its metadata tells; `None` where it tells nothing."""
    provider = message.response_metadata.get("model_provider")
    if provider == "anthropic":
        return "anthropic_messages"
    if provider != "openai":
        return None
    responses = isinstance(message.content, list) or (message.id or "").startswith("resp_")
    return "openai_responses" if responses else "openai_chat"


def _is_v1(message: AIMessage) -> bool:
    return message.response_metadata.get("output_version") == "v1" and isinstance(message.content, list)


def _own_blocks(message: AIMessage, wire: WireName) -> Iterator[Block]:
    """The blocks of a reply that goes back to the wire it came from: as they came, stream marks removed."""
    for item in _items(message):
        block = {"type": "text", "text": item} if isinstance(item, str) else item
        if block.get("type") in STANDARD_ONLY:
            yield normalise(block, wire)
        else:
            yield with_mark({"type": "native", "value": unstreamed(block)}, block)


# Types that no wire uses for its own blocks: a caller (or LangChain) put them there.
STANDARD_ONLY = frozenset({"tool_call", "invalid_tool_call", "tool_call_chunk", "server_tool_call",
                           "server_tool_result", "non_standard", "image_url"})  # fmt: skip


def _assistant_blocks(message: AIMessage, wire: WireName, origin: WireName | None) -> Iterator[Block]:
    """The blocks of an assistant message that another wire, or nobody we know, produced."""
    items = _items(message) if origin is None else _standard_items(message)
    elsewhere = origin is not None and origin != wire
    for item in items:
        block = {"type": "text", "text": item} if isinstance(item, str) else item
        if elsewhere and block.get("type") == "non_standard":
            yield with_mark(_foreign(block.get("value")), block)
            continue
        home = _home_of(block)
        if home is None:
            own = origin == wire == "openai_responses"
            yield {**normalise(block, wire), **(_identity(block) if own else _caption(block))}
        elif home == wire:
            yield with_mark({"type": "native", "value": unstreamed(block)}, block)
        else:
            yield from standard(block, home, wire)


def _home_of(block: Mapping[str, Any]) -> WireName | None:
    # Both providers have texts: the key under which they cite tells them apart.
    cites = block.get("type") == "text" and block.get("citations")
    return "anthropic_messages" if cites else wire_of_type(str(block.get("type")))


def _identity(block: Mapping[str, Any]) -> Block:
    """What the Responses API needs to know its own texts and images again; LangChain's invented ids are not its own."""
    if block.get("type") not in ("text", "image") or str(block.get("id", "lc_")).startswith("lc_"):
        return {}
    return {key: block[key] for key in ("id", "phase", "status", "logprobs", "extras") if block.get(key)}


def _caption(block: Mapping[str, Any]) -> Block:
    """What a generated image shows, in words; the rest of what its maker says of it only its maker reads."""
    prompt = (block.get("extras") or {}).get("revised_prompt") if block.get("type") == "image" else None
    return {"extras": {"revised_prompt": prompt}} if prompt else {}


def _beside(message: AIMessage, wire: WireName, blocks: Iterable[Block]) -> Iterator[Block]:
    """What Chat Completions says beside its content: a refusal, a spoken answer, its sources.

    Its own wire refers to the spoken answer by id, and takes no sources back; the others read the transcript and them.
    """
    refusal, audio = (message.additional_kwargs.get(key) for key in ("refusal", "audio"))
    if refusal and not any(_refuses(block) for block in blocks):
        yield {"type": "refusal", "refusal": refusal}
    if isinstance(audio, dict) and wire == "openai_chat" and audio.get("id"):
        yield {"type": "native", "value": {"type": "audio", "id": audio["id"]}}
    elif isinstance(audio, dict) and audio.get("transcript"):
        yield {"type": "text", "text": audio["transcript"]}
    if message.additional_kwargs.get("annotations") and wire != "openai_chat":
        yield {"type": "text", "text": "", "annotations": message.additional_kwargs["annotations"]}


def _refuses(block: Block) -> bool:
    value = block.get("value")
    return block["type"] == "refusal" or (isinstance(value, dict) and value.get("type") == "refusal")


def _standard_items(message: AIMessage) -> list[Any]:
    """A reply's blocks in LangChain's standard form. Core drops the marks of some: each ends what its block becomes."""
    items = _translated(message, message.content)
    for at, item in enumerate(message.content):
        mark = mark_of(item) if isinstance(item, dict) else None
        ended = 0 if mark is None else len(_translated(message, message.content[: at + 1]))
        if mark is not None and 0 < ended <= len(items):
            items[ended - 1] = {**items[ended - 1], "cache_control": {"type": "ephemeral", **mark}}
    return items


def _translated(message: AIMessage, content: Any) -> list[Any]:
    # core's translators take "index" out of the blocks they are given: they get copies.
    copies = content if isinstance(content, str) else [dict(i) if isinstance(i, dict) else i for i in content]
    return cast("list[Any]", message.model_copy(update={"content": copies}).content_blocks)


def standard(block: Mapping[str, Any], home: WireName, wire: WireName) -> Iterator[Block]:
    """A block of `home`'s own as the standard blocks that another wire reads; `foreign` for what has no such form."""
    provider = "anthropic" if home == "anthropic_messages" else "openai"
    carrier = AIMessage(content=[dict(block)], response_metadata={"model_provider": provider})
    blocks = [_settled(cast(Block, item), wire) for item in carrier.content_blocks]
    yield from marked_end(blocks, mark_of(block) if blocks else None)


def _settled(item: Block, wire: WireName) -> Block:
    if item["type"] == "non_standard":
        return with_mark(_foreign(item["value"]), item)
    return {**normalise(item, wire), **_caption(item)}


def _foreign(value: Any) -> Block:
    bare, mark = unmarked(value) if isinstance(value, Mapping) else (value, {})
    return {"type": "foreign", "value": bare, **mark}


# --- content ---------------------------------------------------------------------------------------------------------


def _items(message: BaseMessage) -> list[Any]:
    content = message.content
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content


def _input_blocks(message: BaseMessage, wire: WireName) -> list[Block]:
    """The blocks of a message that no model wrote. A mark on the message itself stands on the last of them."""
    return marked_end([normalise(item, wire) for item in _items(message)], mark_of(message.additional_kwargs))
