"""The types that a decoder relies on, as data: a fast check of a reply or an event, and a copy without what is wrong.

Servers send `null`, numbers and objects where an API has a text. A decoder checks each reply and each event with one
call of pydantic's validator (`Shape.fits`). What does not fit is left out of a copy (`Shape.readable`), as little as
possible, and listed: the rest of a paid answer is read. A key that no shape names may have any value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypedDict

from langchain_core.messages import AIMessage
from pydantic_core import CoreSchema, SchemaValidator
from pydantic_core import core_schema as cs

from langchain_unified.errors import ReplyError

NOT_READABLE = object()
"""Stands for a value that does not fit, and that nothing can be read of."""

FOREIGN = (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError)
"""What a decoder may raise where a reply is of another form than its shape can say."""

MAX_SHOWN = 200
"""Characters that are kept of a value that was left out."""


class LeftOut(TypedDict):
    """A part of a reply that could not be read: where it was, and its beginning."""

    place: str
    value: str


class Shape:
    """What a value has to be. `None` fits everywhere but where it is needed."""

    def schema(self) -> CoreSchema:
        """The shape for pydantic's validator."""
        raise NotImplementedError

    def read(self, value: Any, place: str, left_out: list[LeftOut]) -> Any:
        """The value, or a copy without what does not fit, or `NOT_READABLE`."""
        raise NotImplementedError

    @cached_property
    def fits(self) -> Callable[[Any], bool]:
        """Whether a value fits: a function in C."""
        return SchemaValidator(self.schema()).isinstance_python

    def readable(self, value: Any) -> tuple[Any, list[LeftOut]]:
        """The value without what does not fit, and what that was; the value itself where nothing can be read of it."""
        left_out: list[LeftOut] = []
        found = self.read(value, "", left_out)
        return (value, []) if found is NOT_READABLE else (found, left_out)

    def event(self, value: Any) -> Any:
        """An event without what does not fit. Raises `ReplyError` for one whose content cannot be read."""
        left_out: list[LeftOut] = []
        found = self.read(value, "", left_out)
        if found is NOT_READABLE:
            kind = value.get("type") if isinstance(value, dict) else None
            places = ", ".join(item["place"] for item in left_out[:3]) or "its form"
            raise ReplyError(f"An event of the stream ({str(kind)[:60]}) cannot be read: {places}.")
        return found


def _leave_out(value: Any, place: str, left_out: list[LeftOut]) -> Any:
    try:
        text = repr(value)
    except RecursionError:
        text = type(value).__name__
    left_out.append(LeftOut(place=place or "the whole", value=text[:MAX_SHOWN]))
    return NOT_READABLE


@dataclass(frozen=True)
class Plain(Shape):
    """A text, a number, or an object or list with anything in it."""

    kind: type
    of: CoreSchema

    def schema(self) -> CoreSchema:
        return self.of

    def read(self, value: Any, place: str, left_out: list[LeftOut]) -> Any:
        if isinstance(value, self.kind) and not (self.kind is int and isinstance(value, bool)):
            return value
        if self.kind is int and isinstance(value, float) and value.is_integer():
            return int(value)
        return _leave_out(value, place, left_out)


TEXT = Plain(str, cs.str_schema(strict=True))
INT = Plain(int, cs.int_schema(strict=True))
OBJECT = Plain(dict, cs.is_instance_schema(dict))


class _Any(Shape):
    def schema(self) -> CoreSchema:
        return cs.any_schema()

    def read(self, value: Any, place: str, left_out: list[LeftOut]) -> Any:
        return value


ANY = _Any()


@dataclass(frozen=True)
class ListOf(Shape):
    """A list. Items that do not fit are left out. `or_text`: some servers send one text, which a decoder reads."""

    item: Shape
    or_text: bool = False

    def schema(self) -> CoreSchema:
        return cs.list_schema(self.item.schema(), strict=True)

    def read(self, value: Any, place: str, left_out: list[LeftOut]) -> Any:
        if self.or_text and isinstance(value, str):
            return value
        if not isinstance(value, list):
            return _leave_out(value, place, left_out)
        found = [self.item.read(item, f"{place}[{at}]", left_out) for at, item in enumerate(value)]
        if all(new is old for new, old in zip(found, value, strict=True)):
            return value
        return [item for item in found if item is not NOT_READABLE]


@dataclass(frozen=True)
class Fields(Shape):
    """An object with some keys of known shapes. It cannot be read where one that it `needs` is missing or wrong."""

    known: Mapping[str, Shape] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def schema(self) -> CoreSchema:
        fields = {name: cs.typed_dict_field(self._field(name, shape)) for name, shape in self.known.items()}
        for name, item in fields.items():
            item["required"] = name in self.needs
        return cs.typed_dict_schema(fields, strict=True, extra_behavior="ignore")

    def _field(self, name: str, shape: Shape) -> CoreSchema:
        return shape.schema() if name in self.needs else cs.nullable_schema(shape.schema())

    def read(self, value: Any, place: str, left_out: list[LeftOut]) -> Any:
        if not isinstance(value, dict):
            return _leave_out(value, place, left_out)
        found = value
        for name, shape in self.known.items():
            if (old := value.get(name)) is None:
                continue
            new = shape.read(old, f"{place}.{name}" if place else name, left_out)
            if new is not old:
                found = {key: item for key, item in found.items() if key != name or new is not NOT_READABLE}
                if new is not NOT_READABLE:
                    found[name] = new
        missing = [name for name in self.needs if found.get(name) is None]
        if not missing:
            return found
        return _leave_out(value, f"{place}.{missing[0]}" if place else missing[0], left_out)


@dataclass(frozen=True)
class ByType(Shape):
    """An object whose `type` says which shape it has. Of other types, `other` is known."""

    shapes: Mapping[str, Fields]
    other: Fields = field(default_factory=Fields)

    def schema(self) -> CoreSchema:
        choices: dict[Any, CoreSchema] = {name: shape.schema() for name, shape in self.shapes.items()}
        return cs.tagged_union_schema(choices, discriminator="type")

    def read(self, value: Any, place: str, left_out: list[LeftOut]) -> Any:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind is not None and not isinstance(kind, str):
            return _leave_out(value, f"{place}.type" if place else "type", left_out)
        return self.shapes.get(kind or "", self.other).read(value, place, left_out)


def texts(names: str, needs: str = "", **others: Shape) -> Fields:
    """An object with texts under `names`, those in `needs` being needed, and other shapes by name."""
    needed = tuple(needs.split())
    return Fields({**dict.fromkeys((*names.split(), *needed), TEXT), **others}, (*needed,))


def needing(shape: Fields, *names: str) -> Fields:
    """The shape with further keys that it needs."""
    return Fields(shape.known, (*shape.needs, *names))


# --- for decoders -----------------------------------------------------------------------------------------------------


def list_left_out(message: AIMessage, left_out: list[LeftOut]) -> None:
    """Write into `response_metadata["unreadable"]` what of a reply could not be read.

    Raises `ReplyError` where nothing of the answer is left.
    """
    if not (message.content or message.tool_calls or message.invalid_tool_calls or message.additional_kwargs):
        first = left_out[0]
        raise ReplyError(f"The reply holds no answer that can be read: {first['place']} is {first['value']}.")
    message.response_metadata["unreadable"] = left_out


def not_readable(what: str, error: Exception) -> ReplyError:
    """The error for a reply or an event that a decoder cannot read."""
    lines = " ".join(str(error).split())
    return ReplyError(f"{what} cannot be read: {type(error).__name__} at {lines[:MAX_SHOWN]}.")
