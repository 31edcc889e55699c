"""What a server for clients reads beyond the provider's own rules: a body as the provider takes it, and the notes.

The lenient reader of a wire rewrites what clients spell otherwise, then the strict reader reads it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_unified.errors import RequestError
from langchain_unified.messages.json_text import data_text
from langchain_unified.request import Adjustment, JsonObject, Request
from langchain_unified.wires._door import Reading
from langchain_unified.wires._shapes import FOREIGN

Reader: TypeAlias = Callable[[JsonObject, Mapping[str, str]], Reading]
"""A body and its headers -> what they ask for."""

Rewrite: TypeAlias = "Callable[[JsonObject, Notes], JsonObject]"
"""One object of a body -> the same as the provider takes it; the same object where nothing changes."""


@dataclass(slots=True)
class Notes:
    """What was read in another form than it was written, each once."""

    items: list[Adjustment] = field(default_factory=list)

    def list(self, what: str, why: str) -> None:
        """Note a change by which nothing is lost."""
        self._add({"what": what, "why": why, "lossless": True})

    def lose(self, what: str, why: str) -> None:
        """Note something that is not taken over."""
        self._add({"what": what, "why": why})

    def _add(self, note: Adjustment) -> None:
        if note not in self.items:
            self.items.append(note)


def or_refused(lenient: Reader, strict: Callable[[JsonObject, Mapping[str, str]], Request]) -> Reader:
    """The lenient reader, which for a damaged body raises the `RequestError` of the strict one."""

    def read(body: JsonObject, headers: Mapping[str, str]) -> Reading:
        try:
            return lenient(body, headers)
        except RequestError:
            raise
        except FOREIGN as error:
            with contextlib.suppress(*FOREIGN):
                strict(body, headers)
            raise RequestError(f"The body cannot be read: {type(error).__name__} in one of its values.") from error

    return read


def each(value: Any, rewrite: Rewrite, notes: Notes) -> Any:
    """A list with its objects rewritten; anything else as it is, for the strict reader to refuse."""
    if not isinstance(value, list):
        return value
    return [rewrite(item, notes) if isinstance(item, dict) else item for item in value]


def keep_keys(holder: JsonObject, keys: Container[str], of: str, notes: Notes) -> JsonObject:
    """The object without other keys than `keys`, which are noted."""
    unknown = [key for key, value in holder.items() if key not in keys and value is not None]
    for key in unknown:
        notes.lose(f"{key} of {of}", "The API has no such key: it was left out.")
    return {key: value for key, value in holder.items() if key not in unknown} if unknown else holder


def as_text(value: Any) -> str:
    """A value as the text that stands for it: a string as it is, nothing as an empty one, anything else as JSON."""
    return value if isinstance(value, str) else "" if value is None else data_text(value)


def renamed(holder: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """The object with other names of some keys. A key that is there under its right name wins."""
    found = {key: value for key, value in holder.items() if key not in names}
    for old, new in names.items():
        if holder.get(old) is not None:
            found.setdefault(new, holder[old])
    return found


def flat_tool(tool: JsonObject) -> JsonObject:
    """A tool of any API with its name, description and schema beside its type."""
    kind = tool.get("type") or "function"
    inner = tool.get(str(kind))
    if kind in NESTED and isinstance(inner, dict):
        outer = {key: value for key, value in tool.items() if key != kind}
        tool = {**outer, **inner, "type": kind}
    if kind in NESTED and isinstance(tool.get("input_schema"), dict):
        tool = {**renamed(tool, {"input_schema": "parameters"}), "type": "function"}
    return tool if tool.get("type") else {**tool, "type": kind}


NESTED = frozenset({"function", "custom"})


def texts_of(parts: Iterable[Any]) -> str:
    """The texts of parts in a row."""
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))
