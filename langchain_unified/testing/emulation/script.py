"""Scripted answers, in forms that are short to write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from langchain_unified.request import Request
from langchain_unified.request.blocks import Block, TextBlock
from langchain_unified.testing.emulation.assistant import answer, call_id, completion, cut_to_limits, reasoning_block
from langchain_unified.testing.emulation.faults import Fault
from langchain_unified.wires._completion import Completion

ScriptedAnswer: TypeAlias = "str | Mapping[str, Any] | Completion | Fault"
"""One answer: a text; `{"content": …, "tool_calls": [{"name", "args", "id"?}], "reasoning"?, "refusal"?}`; a
`Completion`; or a `Fault`."""

AnswerFunction: TypeAlias = "Callable[[Request], ScriptedAnswer]"
Script: TypeAlias = "Iterable[ScriptedAnswer | AnswerFunction] | AnswerFunction | None"

ANSWER_KEYS = ("content", "tool_calls", "reasoning", "refusal")
"""The keys of a scripted answer that is a mapping."""


class ScriptEndedError(Exception):
    """A request came after the last answer of the script."""


class AnswerSource:
    """Gives the answer to each request: the next one of a list, the result of a function, or the assistant's."""

    def __init__(self, script: Script = None) -> None:
        self._function = script if callable(script) else None
        self._list = None if script is None or callable(script) else list(script)
        self._given = 0
        self._lock = threading.Lock()

    @property
    def scripted(self) -> bool:
        """Whether there is a script."""
        return self._function is not None or self._list is not None

    @property
    def may_block(self) -> bool:
        """Whether a function of the script is called, which may take long."""
        return self._function is not None or any(map(callable, self._list or ()))

    @property
    def remaining(self) -> int | None:
        """The number of answers that are left in the list; `None` without a list."""
        return None if self._list is None else len(self._list)

    def next(self, request: Request) -> list[Completion] | Fault:
        """The completions for a request, as many as its `n`; or a fault of the script."""
        if not self.scripted:
            return assistant_answers(request)
        scripted = self._next_scripted(request)
        return scripted if isinstance(scripted, Fault) else [scripted] * _choices(request)

    def _next_scripted(self, request: Request) -> Completion | Fault:
        item: Any = self._function
        if self._list is not None:
            with self._lock:
                if not self._list:
                    raise ScriptEndedError(
                        f"The script has no answer left: all {self._given} answers are used. Add one for this request."
                    )
                item = self._list.pop(0)
                self._given += 1
        return as_completion(item(request) if callable(item) else item, request)


def assistant_answers(request: Request) -> list[Completion]:
    """The answers of the built-in assistant, as many as the request's `n`."""
    return [answer(request, choice) for choice in range(_choices(request))]


def _choices(request: Request) -> int:
    return max(1, int(request.params.get("n") or 1))


def as_completion(item: ScriptedAnswer, request: Request) -> Completion | Fault:
    """A scripted answer as a completion, cut at `stop` and `max_tokens`. Completions and faults are unchanged."""
    if isinstance(item, Completion | Fault):
        return item
    if isinstance(item, str):
        item = {"content": item}
    if not isinstance(item, Mapping):
        raise TypeError(f"An answer of a script is a text, a dict, a Completion or a Fault, not {type(item).__name__}.")
    return cut_to_limits(completion(list(_blocks(item, request)), request), request)


def _blocks(item: Mapping[str, Any], request: Request) -> Iterable[Block]:
    unknown = sorted(item.keys() - set(ANSWER_KEYS))
    if unknown:
        raise TypeError(
            f"A scripted answer has no key {', '.join(map(repr, unknown))}. Its keys are {', '.join(ANSWER_KEYS)}."
        )
    if item.get("reasoning"):
        yield reasoning_block(request, str(item["reasoning"]))
    content = item.get("content") or []
    yield from [TextBlock(type="text", text=content)] if isinstance(content, str) else content
    if item.get("refusal"):
        yield {"type": "refusal", "refusal": item["refusal"]}
    for at, call in enumerate(item.get("tool_calls") or ()):
        given_id = call.get("id") or call_id(request, at)
        yield {"type": "tool_call", "id": given_id, "name": call["name"], "args": call.get("args", {})}
