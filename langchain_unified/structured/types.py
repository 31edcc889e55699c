"""What an answer may be asked for as, and back: a type or a JSON schema -> `Form`, a JSON value -> the type.

Forms are pydantic classes (v2 and v1), TypedDicts, dataclasses, anything else that pydantic's `TypeAdapter` takes
(unions, lists, enums), functions, and dicts: a JSON schema, or either provider's dict of a tool or an output format.
"""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Union, get_args, get_origin

import typing_extensions
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import TypeAdapter
from pydantic.v1 import BaseModel as BaseModelV1
from typing_extensions import is_typeddict

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject
from langchain_unified.schemas.check import problem, short, without_nulls
from langchain_unified.schemas.subset import SAYS_WHAT
from langchain_unified.structured.partial import fields_of, grow
from langchain_unified.tools.spec import tool_spec


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer is to be. `load` makes a whole JSON value what was asked for, or raises `ValueError`.

    `grow` makes the best of an incomplete one: an instance of the type, or `MISSING`. `strict` is what the dict said.
    """

    name: str
    schema: JsonObject
    load: Callable[[Any], Any]
    grow: Callable[[Any], Any]
    strict: bool | None = None


def form_of(asked: Any) -> Form:
    """The form for whatever `with_structured_output` was given. Raises `InvalidToolError`, with the field."""
    if isinstance(asked, Mapping):
        return _dict_form(asked)
    if _is_own(asked):
        return _written(asked)
    if not isinstance(asked, type) and (inspect.isroutine(asked) or hasattr(asked, "args_schema")):
        spec = tool_spec(asked)
        return _plain_form(spec.name, {"description": spec.description, **spec.parameters})
    return _type_form(asked)


def _is_own(hint: Any) -> bool:
    """Whether the schema of a type is written here: a TypedDict or a v1 class, or one of these inside."""
    named = is_typeddict(hint) or (isinstance(hint, type) and issubclass(hint, BaseModelV1))
    return named or any(map(_is_own, get_args(hint)))


# --- dicts ------------------------------------------------------------------------------------------------------------


def _dict_form(asked: Mapping[str, Any]) -> Form:
    holder: Any = asked
    for key in ("function", "json_schema"):
        holder = holder[key] if isinstance(holder.get(key), Mapping) else holder
    inner = next((holder[key] for key in ("parameters", "input_schema", "schema") if key in holder), None)
    if isinstance(inner, Mapping) and holder.get("name"):
        described = {"description": holder["description"]} if holder.get("description") else {}
        return _plain_form(str(holder["name"]), {**described, **inner}, holder.get("strict"))
    if not any(key in asked for key in (*SAYS_WHAT, "properties")):
        raise InvalidToolError(
            f"The schema {short(asked)} says nothing about the answer. Give a JSON schema with a `type` and "
            "`properties`, a pydantic class, a TypedDict or a dataclass."
        )
    return _plain_form(str(asked.get("title") or "response"), asked)


def _plain_form(name: str, schema: Mapping[str, Any], strict: bool | None = None) -> Form:
    whole = {key: value for key, value in schema.items() if value is not None}
    if "properties" in whole:
        whole = {"type": "object", **whole}
    return Form(name, whole, partial(_checked, whole), _as_it_is, strict)


def _checked(schema: JsonObject, value: Any) -> Any:
    value = without_nulls(schema, value)
    wrong = problem(schema, value)
    if wrong:
        raise ValueError(wrong)
    return value


def _as_it_is(value: Any) -> Any:
    return value


# --- types ------------------------------------------------------------------------------------------------------------


def _type_form(hint: Any) -> Form:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        schema = adapter.json_schema()
    except Exception as exc:  # pydantic names the core schema, not the field
        raise InvalidToolError(_no_schema(hint, exc)) from exc
    return Form(_name(hint), schema, partial(_validated, adapter, schema), partial(grow, hint))


def _no_schema(hint: Any, exc: Exception) -> str:
    if isinstance(hint, type) or get_origin(hint) is not None:
        named = hint.__name__ if isinstance(hint, type) else short(hint)
        return f"{named} has no JSON schema{_at_field(hint)}: {exc}"
    forms = "a pydantic class, a TypedDict, a dataclass, another type or a JSON schema"
    return f"{short(hint)} cannot be a schema. Give {forms}."


def _validated(adapter: TypeAdapter[Any], schema: JsonObject, value: Any) -> Any:
    return adapter.validate_json(json.dumps(without_nulls(schema, value)))


def _name(hint: Any) -> str:
    return str(hint.__name__) if isinstance(hint, type) else "response"


def _at_field(hint: Any) -> str:
    """` at field 'x'` for the first field that has no schema by itself; an empty string where none is known."""
    for name, field in getattr(hint, "model_fields", {}).items():
        try:
            TypeAdapter(field.annotation).json_schema()
        except Exception:  # noqa: BLE001 - pydantic has several kinds
            return f" at field {name!r}"
    return ""


# --- types that pydantic does not take: the schema is written here ----------------------------------------------------


def _written(hint: Any) -> Form:
    definitions: JsonObject = {}
    try:
        schema = write(hint, definitions)
    except InvalidToolError:
        raise
    except Exception as exc:
        raise InvalidToolError(f"{short(hint)} cannot be a schema: {exc}") from exc
    whole = {**schema, "$defs": definitions} if definitions else schema
    return Form(_name(hint), whole, partial(_loaded, hint, whole), partial(grow, hint))


def write(hint: Any, definitions: JsonObject) -> JsonObject:
    """The JSON schema of a type. What has a name goes into `definitions`, once."""
    origin, inner = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # so that a type may refer to itself
            definitions[hint.__name__] = _typed_dict(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if isinstance(hint, type) and issubclass(hint, BaseModelV1):
        return _of_v1(hint, definitions)
    if origin in WRITERS:
        return WRITERS[origin](inner, definitions)
    schema = TypeAdapter(hint).json_schema()
    definitions.update(schema.pop("$defs", {}))
    return schema


WRITERS: Mapping[Any, Callable[[tuple[Any, ...], JsonObject], JsonObject]] = {
    Union: lambda inner, definitions: {"anyOf": [write(each, definitions) for each in inner]},
    list: lambda inner, definitions: {"type": "array", "items": write(inner[0], definitions)},
    dict: lambda inner, definitions: {"type": "object", "additionalProperties": write(inner[1], definitions)},
}
WRITERS = {**WRITERS, types.UnionType: WRITERS[Union]}


def _typed_dict(hint: Any, definitions: JsonObject) -> JsonObject:
    fields = typing_extensions.get_type_hints(hint, include_extras=True)
    about, told = _told(hint, fields)
    properties: JsonObject = {}
    required = []
    for name, annotation in fields.items():
        field = _Field.of(annotation, name in hint.__required_keys__)
        written = write(field.hint, definitions)
        description = field.description or told.get(name)
        properties[name] = {**written, **({"description": description} if description else {}), **field.default}
        if field.required:
            required.append(name)
    described = {"description": about} if about else {}
    return {"title": hint.__name__, **described, "type": "object", "properties": properties, "required": required}


def _told(hint: Any, names: Iterable[str]) -> tuple[str | None, Mapping[str, str]]:
    """What the docstring says, of the whole and of the fields in its `Args:`, as LangChain core reads it."""
    if not hint.__doc__:
        return None, {}
    # Core reads fewer types than are written here, so it gets the docstring with plain fields.
    plain: Any = typing_extensions.TypedDict(hint.__name__, dict.fromkeys(names, str))  # type: ignore[misc]
    plain.__doc__ = hint.__doc__
    read = convert_to_json_schema(plain)
    told = {name: each.get("description") for name, each in read.get("properties", {}).items()}
    return read.get("description"), {name: words for name, words in told.items() if words}


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a TypedDict, its qualifiers and LangChain's `Annotated[type, default, "description"]` taken apart."""

    hint: Any
    required: bool
    default: JsonObject
    description: str | None = None

    @classmethod
    def of(cls, annotation: Any, required: bool) -> _Field:
        default: JsonObject = {}
        description = None
        while (origin := get_origin(annotation)) in (*QUALIFIERS, Annotated):
            annotation, *more = get_args(annotation)
            required = QUALIFIERS.get(origin, required)
            if origin is Annotated and not _is_langchains(more):
                if not is_typeddict(annotation):
                    annotation = Annotated[(annotation, *more)]
                break
            if len(more) == 1 and isinstance(more[0], str):
                description = more[0]
            elif more:
                description = more[1] if len(more) > 1 else None
                required = required and more[0] is ...
                default = {} if more[0] in (..., None) else {"default": more[0]}
        return cls(annotation, required, default, description)


QUALIFIERS: Mapping[Any, bool] = {
    typing.Required: True,
    typing.NotRequired: False,
    typing_extensions.Required: True,
    typing_extensions.NotRequired: False,
}


def _is_langchains(metadata: list[Any]) -> bool:
    return all(each is ... or each is None or isinstance(each, str | int | float | list | dict) for each in metadata)


def _of_v1(hint: type[BaseModelV1], definitions: JsonObject) -> JsonObject:
    schema: JsonObject = _renamed(hint.schema())
    definitions.update(schema.pop("definitions", {}))
    return schema


def _renamed(schema: Any) -> Any:
    """v1's schema in today's words: `$defs`, a tuple's `prefixItems`, and a reference instead of an `allOf` of one."""
    if isinstance(schema, list):
        return [_renamed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _renamed(value) for key, value in schema.items()}
    if isinstance(found.get("$ref"), str):
        found["$ref"] = found["$ref"].replace("#/definitions/", "#/$defs/")
    if isinstance(found.get("items"), list):
        found["prefixItems"] = found.pop("items")
    if isinstance(found.get("allOf"), list) and len(found["allOf"]) == 1:
        (only,) = found.pop("allOf")
        found |= only
    return found


# --- values -----------------------------------------------------------------------------------------------------------


def _loaded(hint: Any, schema: JsonObject, value: Any) -> Any:
    return load(hint, _checked(schema, value))


def load(hint: Any, value: Any) -> Any:
    """A JSON value, of which the schema is satisfied, as the type."""
    origin, inner = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        return value
    if isinstance(hint, type) and issubclass(hint, BaseModelV1):
        return hint.parse_obj(value)
    if origin in (Union, types.UnionType):
        return _member(inner, value)
    if origin is list:
        return [load(inner[0], each) for each in value]
    if origin is dict:
        return {key: load(inner[1], each) for key, each in value.items()}
    return TypeAdapter(hint).validate_json(json.dumps(value))


def _member(members: tuple[Any, ...], value: Any) -> Any:
    """The value as the member of a union that has all of its keys, else as the first that takes it."""
    for member in sorted(members, key=lambda each: not _has_keys(each, value)):
        definitions: JsonObject = {}
        schema = write(member, definitions)
        if problem({**schema, "$defs": definitions}, value) is None:
            return load(member, value)
    raise ValueError("no member of the union takes the answer")


def _has_keys(hint: Any, value: Any) -> bool:
    return isinstance(value, dict) and value.keys() <= fields_of(hint).keys()
