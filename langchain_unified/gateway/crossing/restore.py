"""An answer of the upstream in the client's terms: its names of tools, and proofs that its API can replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_unified.gateway.crossing.proofs import Proofs
from langchain_unified.gateway.crossing.server_reasoning import SealedStream, sealed_message
from langchain_unified.request import JsonObject
from langchain_unified.tools.names import give_caller_names

Message = TypeVar("Message", bound=AIMessage)


@dataclass(slots=True)
class Restore:
    """Gives answers the client's names and sealed proofs. One object serves the replies, or the stream, of one call.

    `proofs`: `None` where the client's API is the upstream's, which replays its own proofs.
    """

    names: Mapping[str, str]
    proofs: Proofs | None
    streamed: dict[object, JsonObject] = field(default_factory=dict)
    """The reasoning of a stream so far, by the index of its block."""
    server: SealedStream | None = None
    """The reasoning of a stream of Chat Completions."""

    def fresh(self) -> Restore:
        """Another one, for another stream of the same call."""
        return Restore(self.names, self.proofs)

    def __call__(self, message: Message) -> Message:
        """The message or chunk as the client must see it. It is changed in place where names differ."""
        if self.names:
            give_caller_names(message, self.names)
        if self.proofs is None:
            return message
        if self.proofs.wire == "openai_chat":
            return self._of_server(message, self.proofs)
        if not isinstance(message.content, list):
            return message
        content = [self._block(block) for block in message.content]
        if all(new is old for new, old in zip(content, message.content, strict=True)):
            return message
        return message.model_copy(update={"content": content})

    def _of_server(self, message: Message, proofs: Proofs) -> Message:
        """Reasoning beside the content of Chat Completions as a block with a proof."""
        if not isinstance(message, AIMessageChunk):
            return cast(Message, sealed_message(message, proofs))
        if self.server is None:
            self.server = SealedStream(proofs)
        return cast(Message, self.server.feed(message))

    def _block(self, block: Any) -> Any:
        if not isinstance(block, dict) or block.get("type") not in SEALED:
            return block
        key = SEALED[block["type"]]
        whole = self._whole(block)
        if not block.get(key):
            return block
        sealed = cast(Proofs, self.proofs).seal(whole)
        return {**{name: value for name, value in block.items() if name != key}, **({key: sealed} if sealed else {})}

    def _whole(self, block: JsonObject) -> JsonObject:
        """The block with all that came of it in this stream."""
        if "index" not in block:
            return block
        known = self.streamed.setdefault(block["index"], {})
        _merge(known, block)
        return {key: value for key, value in known.items() if key != "index"}


def _merge(known: JsonObject, block: JsonObject) -> None:
    for name, value in block.items():
        if name in ("thinking", "signature", "reasoning"):
            known[name] = known.get(name, "") + value
        elif name == "summary" and isinstance(value, list):
            known[name] = _summary(known.get(name, []), value)
        else:
            known[name] = value


def _summary(known: list[JsonObject], parts: list[JsonObject]) -> list[JsonObject]:
    """The parts of a summary with those that came: each has its index, and its text comes in pieces."""
    found = [dict(part) for part in known]
    for part in parts:
        at = part.get("index", len(found))
        while len(found) <= at:
            found.append({"type": "summary_text", "text": ""})
        found[at]["text"] += part.get("text") or ""
    return found


SEALED: Mapping[str, str] = {
    "thinking": "signature",
    "redacted_thinking": "data",
    "reasoning": "encrypted_content",
}
"""Type of a block of reasoning -> the key of its proof."""
