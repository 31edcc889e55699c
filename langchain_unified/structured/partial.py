"""Incomplete JSON values as types, for answers that still stream.

A class becomes an instance that holds the fields received so far. Fields not received hold their default, else `None`;
pydantic's `model_fields_set` names the received ones.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import warnings
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin, get_type_hints

import typing_extensions
from pydantic import BaseModel, TypeAdapter
from pydantic.v1 import BaseModel as BaseModelV1
from pydantic_core import to_json
from typing_extensions import is_typeddict

from langchain_unified.structured.partial_json import MISSING


@dataclasses.dataclass(slots=True, eq=False)
class Memo:
    """What was made of the previous, shorter value of one answer. What has not changed since is taken from here.

    Successive results of one memo share their unchanged parts.
    """

    hint: Any = None
    value: Any = MISSING
    result: Any = MISSING
    inner: dict[Any, Memo] = dataclasses.field(default_factory=dict)
    """By field name or list index."""
    items: list[Any] = dataclasses.field(default_factory=list)
    """Of a list, all items but the last one, which alone can still change."""
    results: list[Any] = dataclasses.field(default_factory=list)
    """What was made of `items`."""
    open_ids: set[int] = dataclasses.field(default_factory=set)
    """The `id` of each object and list that may still grow, of `PartialJson`. It is one set for all inner memos."""
    was_open: bool = False

    def at(self, key: Any) -> Memo:
        found = self.inner.get(key)
        if found is None:
            found = self.inner[key] = Memo(open_ids=self.open_ids)
        return found


def load_partial(hint: Any, value: Any, memo: Memo | None = None) -> Any:
    """The best instance that an incomplete `value` makes: the complete type where it validates, else a part of it.

    `MISSING` where none can be made. Give the same `memo` for all values of one stream. An object that may still grow
    is a part, and is validated once, when it ends: else an answer would be validated again for each of its pieces.
    """
    memo = memo or Memo()
    is_open = id(value) in memo.open_ids
    if memo.hint != hint:
        memo.hint, memo.value, memo.inner, memo.items, memo.results = hint, MISSING, {}, [], []
    if memo.value is MISSING or memo.was_open != is_open or memo.value != value:
        memo.value, memo.was_open = value, is_open
        memo.result = _load_new(hint, value, memo)
    return memo.result


def _load_new(hint: Any, value: Any, memo: Memo) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return load_partial(arguments[0], value, memo.at(origin))
    if origin in (Union, types.UnionType) and isinstance(value, dict):
        likely = [member for member in arguments if _fits(member, value)]
        return load_partial(likely[0], value, memo.at(origin)) if len(likely) == 1 else MISSING
    if is_typeddict(hint) or (hint is str and value.__class__ is str):
        return value
    if origin is list and isinstance(value, list):
        return _load_items(arguments[0], value, memo)  # each item is validated once
    maker = _maker(hint) if isinstance(value, dict) else None
    complete = MISSING if maker and memo.was_open else _validated(hint, value)
    return maker(hint, value, memo) if complete is MISSING and maker else complete


def _load_items(hint: Any, value: list[Any], memo: Memo) -> list[Any]:
    if len(memo.items) >= len(value) or value[: len(memo.items)] != memo.items:
        memo.items, memo.results = [], []
    for at, item in enumerate(value[len(memo.items) : -1], len(memo.items)):
        memo.items.append(item)
        memo.results.append(load_partial(hint, item, memo.inner.pop(at, None)))
    last = [load_partial(hint, value[-1], memo.at(len(value) - 1))] if value else []
    return [result for result in (*memo.results, *last) if result is not MISSING]


@functools.lru_cache(maxsize=256)
def _adapter(hint: Any) -> TypeAdapter[Any]:
    with warnings.catch_warnings(action="ignore"):  # of v1's classes inside other types
        return TypeAdapter(hint)


def _validated(hint: Any, value: Any) -> Any:
    """The complete type; `MISSING` where the value does not validate."""
    try:
        if _is_v1(hint):
            return hint.parse_obj(value)
        return _adapter(hint).validate_json(to_json(value))
    except Exception:  # noqa: BLE001 - incomplete, or of a type that pydantic does not know
        return MISSING


Fields: TypeAlias = Mapping[str, tuple[str, Any]]
"""JSON key -> the field's Python name and its type."""


def fields_of(hint: Any) -> Fields:
    """The fields of a class or TypedDict; empty for any other type."""
    return _fields_of_class(hint) if isinstance(hint, type) else {}


@functools.lru_cache(maxsize=256)
def _fields_of_class(hint: type) -> Fields:
    reader = next((read for holds, read in READERS if holds(hint)), None)
    return reader(hint) if reader else {}


def _fits(hint: Any, value: Mapping[str, Any]) -> bool:
    """Whether an object may become this member of a union: no other fields, and its literals validate."""
    hint = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    fields = fields_of(hint)
    if not fields or not value.keys() <= fields.keys():
        return False
    literals = (key for key in value if _is_literal(fields[key][1]))
    return all(_validated(fields[key][1], value[key]) is not MISSING for key in literals)


def _is_literal(hint: Any) -> bool:
    return get_origin(hint) is typing_extensions.Literal or (isinstance(hint, type) and hasattr(hint, "__members__"))


# --- classes ----------------------------------------------------------------------------------------------------------


def _is_v2(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def _is_v1(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModelV1)


def _is_dataclass(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def _fields_v2(hint: Any) -> Fields:
    found = {}
    for name, field in hint.model_fields.items():
        alias = field.validation_alias if isinstance(field.validation_alias, str) else field.alias
        found[alias or name] = (name, field.annotation)
    return found


def _fields_v1(hint: Any) -> Fields:
    return {field.alias: (name, field.outer_type_) for name, field in hint.__fields__.items()}


def _fields_dataclass(hint: Any) -> Fields:
    hints = get_type_hints(hint)
    return {field.name: (field.name, hints[field.name]) for field in dataclasses.fields(hint)}


def _fields_typed_dict(hint: Any) -> Fields:
    return {name: (name, each) for name, each in typing_extensions.get_type_hints(hint).items()}


READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Fields]], ...] = (
    (is_typeddict, _fields_typed_dict),
    (_is_v2, _fields_v2),
    (_is_v1, _fields_v1),
    (_is_dataclass, _fields_dataclass),
)


def _received(hint: Any, value: Mapping[str, Any], memo: Memo) -> dict[str, Any]:
    """The fields received so far, by their Python names."""
    fields = fields_of(hint)
    loaded = {
        name: load_partial(each, value[key], memo.at(name)) for key, (name, each) in fields.items() if key in value
    }
    return {name: result for name, result in loaded.items() if result is not MISSING}


def _make_v2(hint: Any, value: Mapping[str, Any], memo: Memo) -> Any:
    received = _received(hint, value, memo)
    absent = {name: None for name, field in hint.model_fields.items() if field.is_required() and name not in received}
    return hint.model_construct(_fields_set={*received}, **received, **absent)


def _make_v1(hint: Any, value: Mapping[str, Any], memo: Memo) -> Any:
    received = _received(hint, value, memo)
    absent = {name: None for name, field in hint.__fields__.items() if field.required and name not in received}
    return hint.construct(_fields_set={*received}, **received, **absent)


def _make_dataclass(hint: Any, value: Mapping[str, Any], memo: Memo) -> Any:
    received = _received(hint, value, memo)
    made = object.__new__(hint)
    for field in dataclasses.fields(hint):
        object.__setattr__(made, field.name, received.get(field.name, _default(field)))
    return made


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


Maker: TypeAlias = Callable[[Any, Mapping[str, Any], Memo], Any]

MAKERS: tuple[tuple[Callable[[Any], bool], Maker], ...] = (
    (_is_v2, _make_v2),
    (_is_v1, _make_v1),
    (_is_dataclass, _make_dataclass),
)


def _maker(hint: Any) -> Maker | None:
    """What makes an instance of a class from some of its fields; `None` for any other type."""
    return next((make for holds, make in MAKERS if holds(hint)), None)
