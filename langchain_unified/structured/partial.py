"""Incomplete JSON values as types, for answers that are still coming.

A class gets an instance that holds what has come. Fields that have not come hold their default, else `None`; pydantic's
`model_fields_set` names those that have.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import warnings
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typing_extensions
from pydantic import BaseModel, TypeAdapter
from pydantic.v1 import BaseModel as BaseModelV1
from typing_extensions import is_typeddict

MISSING: Any = object()
"""What `grow` returns when too little has come to say what it will be."""


def grow(hint: Any, value: Any) -> Any:
    """The best that can be made of an incomplete `value`: the whole type where it fits already, else a part of it."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return grow(inner[0], value)
    if origin in (Union, types.UnionType) and isinstance(value, dict):
        likely = [member for member in inner if _fits(member, value)]
        return grow(likely[0], value) if len(likely) == 1 else MISSING
    if is_typeddict(hint):
        return value
    whole = _whole(hint, value)
    if whole is not MISSING:
        return whole
    if origin is list and isinstance(value, list):
        return [item for item in (grow(inner[0], each) for each in value) if item is not MISSING]
    maker = next((make for holds, make in MAKERS if holds(hint)), None)
    return maker(hint, value) if maker and isinstance(value, dict) else MISSING


@functools.lru_cache(maxsize=256)
def _adapter(hint: Any) -> TypeAdapter[Any]:
    with warnings.catch_warnings(action="ignore"):  # of v1's classes inside of other types
        return TypeAdapter(hint)


def _whole(hint: Any, value: Any) -> Any:
    try:
        if _is_v1(hint):
            return hint.parse_obj(value)
        return _adapter(hint).validate_json(json.dumps(value))
    except Exception:  # noqa: BLE001 - not yet whole, or of a type that pydantic does not know
        return MISSING


def fields_of(hint: Any) -> Mapping[str, tuple[str, Any]]:
    """The name under which each field is sent -> its own name and its type; empty for what is no class with fields."""
    if is_typeddict(hint):
        return {name: (name, each) for name, each in typing_extensions.get_type_hints(hint).items()}
    reader = next((read for holds, read in READERS if holds(hint)), None)
    return reader(hint) if reader else {}


def _fits(hint: Any, value: Mapping[str, Any]) -> bool:
    """Whether an object may become this member of a union: it has no other fields, and its literals agree."""
    hint = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    fields = fields_of(hint)
    if not fields or not value.keys() <= fields.keys():
        return False
    literal = (key for key in value if _is_literal(fields[key][1]))
    return all(_whole(fields[key][1], value[key]) is not MISSING for key in literal)


def _is_literal(hint: Any) -> bool:
    return get_origin(hint) is typing_extensions.Literal or (isinstance(hint, type) and hasattr(hint, "__members__"))


# --- classes ----------------------------------------------------------------------------------------------------------


def _is_v2(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def _is_v1(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModelV1)


def _is_dataclass(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def _fields_v2(hint: Any) -> Mapping[str, tuple[str, Any]]:
    found = {}
    for name, field in hint.model_fields.items():
        alias = field.validation_alias if isinstance(field.validation_alias, str) else field.alias
        found[alias or name] = (name, field.annotation)
    return found


def _fields_v1(hint: Any) -> Mapping[str, tuple[str, Any]]:
    return {field.alias: (name, field.outer_type_) for name, field in hint.__fields__.items()}


def _fields_dataclass(hint: Any) -> Mapping[str, tuple[str, Any]]:
    hints = get_type_hints(hint)
    return {field.name: (field.name, hints[field.name]) for field in dataclasses.fields(hint)}


READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Mapping[str, tuple[str, Any]]]], ...] = (
    (_is_v2, _fields_v2),
    (_is_v1, _fields_v1),
    (_is_dataclass, _fields_dataclass),
)


def _grown(hint: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have come, by their own names."""
    fields = fields_of(hint)
    grown = {name: grow(each, value[key]) for key, (name, each) in fields.items() if key in value}
    return {name: item for name, item in grown.items() if item is not MISSING}


def _make_v2(hint: Any, value: Mapping[str, Any]) -> Any:
    come = _grown(hint, value)
    absent = {name: None for name, field in hint.model_fields.items() if field.is_required() and name not in come}
    return hint.model_construct(_fields_set={*come}, **come, **absent)


def _make_v1(hint: Any, value: Mapping[str, Any]) -> Any:
    come = _grown(hint, value)
    absent = {name: None for name, field in hint.__fields__.items() if field.required and name not in come}
    return hint.construct(_fields_set={*come}, **come, **absent)


def _make_dataclass(hint: Any, value: Mapping[str, Any]) -> Any:
    come = _grown(hint, value)
    made = object.__new__(hint)
    for field in dataclasses.fields(hint):
        object.__setattr__(made, field.name, come.get(field.name, _default(field)))
    return made


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


MAKERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Mapping[str, Any]], Any]], ...] = (
    (_is_v2, _make_v2),
    (_is_v1, _make_v1),
    (_is_dataclass, _make_dataclass),
)
