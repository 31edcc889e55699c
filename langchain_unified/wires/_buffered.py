"""A renderer that waits for the whole answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_unified.errors import UnifiedError
from langchain_unified.request import Adjustment, JsonObject
from langchain_unified.wires._completion import Completion, completed
from langchain_unified.wires._door import StreamSettings
from langchain_unified.wires._shown import View, ending_blocks


@dataclass(slots=True)
class BufferedRenderer:
    """Renders all events at the end."""

    body: JsonObject
    settings: StreamSettings
    view: View
    render: Callable[[Completion, JsonObject], Iterator[JsonObject]]
    error: Callable[[UnifiedError], JsonObject]
    blocks: dict[int, list[Any]] = field(default_factory=dict)
    end: Any = None

    @property
    def notes(self) -> list[Adjustment]:
        """What is not shown."""
        return self.view.notes

    @notes.setter
    def notes(self, value: list[Adjustment]) -> None:
        self.view.notes = value

    def feed(self, event: Any) -> Iterable[JsonObject]:
        """Nothing."""
        if event["event"] == "message-start":
            self.view.provider = event["metadata"].get("provider", "")
        elif event["event"] == "content-block-finish":
            self.blocks[event["index"]] = list(self.view.blocks(event["content"]))
        elif event["event"] == "message-finish":
            self.end = event
        return ()

    def close(self) -> Iterable[JsonObject]:
        """All events."""
        end = self.end or {"metadata": {}}
        blocks = [block for index in sorted(self.blocks) for block in self.blocks[index]]
        refused = any(block["type"] == "refusal" for block in blocks)
        blocks += ending_blocks(end.get("additional_kwargs") or {}, end["metadata"], self.view, refused)
        settings = self.settings
        completion = completed(end["metadata"], end.get("usage"))
        named = replace(completion, id=settings.reply_id, model=settings.model, created=settings.created)
        return self.render(replace(named, blocks=tuple(blocks)), self.body)

    def fail(self, error: UnifiedError) -> Iterable[JsonObject]:
        """One event."""
        return (self.error(error),)
