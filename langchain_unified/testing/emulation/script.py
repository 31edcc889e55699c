"""Answers from a script, in the forms that are short to write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from langchain_unified.request import Block, Request
from langchain_unified.testing.emulation.assistant import answer, call_id, completion, limited, thought
from langchain_unified.testing.emulation.faults import Fault
from langchain_unified.wires._completion import Completion

Scripted: TypeAlias = "str | Mapping[str, Any] | Completion | Fault"
"""One answer: a text; `{"content": …, "tool_calls": [{"name", "args", "id"?}], "reasoning"?, "refusal"?}`; a whole
`Completion`; or a `Fault`."""

Answering: TypeAlias = "Callable[[Request], Scripted]"
Script: TypeAlias = "Iterable[Scripted | Answering] | Answering | None"


class ScriptEndedError(Exception):
    """A request came after the last answer of the script."""


class Answers:
    """Hands out answers: one of a list to each request, or what a function says, or the default assistant's."""

    def __init__(self, script: Script = None) -> None:
        self._function = script if callable(script) else None
        self._left = None if script is None or callable(script) else list(script)
        self._given = 0
        self._lock = threading.Lock()

    @property
    def scripted(self) -> bool:
        """Whether there is a script at all."""
        return self._function is not None or self._left is not None

    @property
    def may_block(self) -> bool:
        """Whether a function of the script may take its time."""
        return self._function is not None or any(map(callable, self._left or ()))

    @property
    def remaining(self) -> int | None:
        """How many answers the list still holds; `None` without a list."""
        return None if self._left is None else len(self._left)

    def next(self, request: Request) -> list[Completion] | Fault:
        """The answers to a request: one, or as many as its `n`."""
        wanted = max(1, int(request.params.get("n") or 1))
        if not self.scripted:
            return [answer(request, choice) for choice in range(wanted)]
        said = self._take(request)
        return said if isinstance(said, Fault) else [said] * wanted

    def _take(self, request: Request) -> Completion | Fault:
        item: Any = self._function
        if self._left is not None:
            with self._lock:
                if not self._left:
                    raise ScriptEndedError(f"The script has no answer left: it held {self._given}.")
                item = self._left.pop(0)
                self._given += 1
        return said(item(request) if callable(item) else item, request)


def said(item: Scripted, request: Request) -> Completion | Fault:
    """A scripted item as a completion, cut at `stop` and `max_tokens`; a `Completion` is left as it is."""
    if isinstance(item, Completion | Fault):
        return item
    if isinstance(item, str):
        item = {"content": item}
    if not isinstance(item, Mapping):
        raise TypeError(f"A script holds texts, dicts, Completions and Faults, not {type(item).__name__}.")
    return limited(completion(list(_blocks(item, request)), request), request)


KEYS = ("content", "tool_calls", "reasoning", "refusal")


def _blocks(item: Mapping[str, Any], request: Request) -> Iterable[Block]:
    unknown = sorted(item.keys() - set(KEYS))
    if unknown:
        raise TypeError(f"A scripted answer has {', '.join(KEYS)}, but no {', '.join(unknown)}.")
    if item.get("reasoning"):
        yield thought(request, str(item["reasoning"]))
    content = item.get("content") or []
    yield from [{"type": "text", "text": content}] if isinstance(content, str) else content
    if item.get("refusal"):
        yield {"type": "refusal", "refusal": item["refusal"]}
    for at, call in enumerate(item.get("tool_calls") or ()):
        known = call.get("id") or call_id(request, at)
        yield {"type": "tool_call", "id": known, "name": call["name"], "args": call.get("args", {})}
