"""A requested type or JSON schema -> `Form`, which holds the schema to send and turns a JSON value into the type.

It may be a pydantic class (v2 or v1), a TypedDict, a dataclass, anything else that pydantic's `TypeAdapter` takes
(unions, lists, enums), a function, or a dict: a JSON schema, or either provider's dict of a tool or an output format.
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
from pydantic import BaseModel, TypeAdapter
from pydantic.v1 import BaseModel as BaseModelV1
from typing_extensions import is_typeddict

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject
from langchain_unified.schemas.check import problem, short, without_nulls
from langchain_unified.schemas.subset import TYPE_KEYWORDS, subschemas, without_root_reference
from langchain_unified.structured.partial import Memo, fields_of, load_partial
from langchain_unified.tools.spec import tool_spec


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer must be.

    `load` turns a complete JSON value into the requested type, or raises `ValueError`. `load_partial` turns an
    incomplete one into an instance, or returns `MISSING`. `strict` is the one of the dict; `None` where it had none.
    """

    name: str
    schema: JsonObject
    load: Callable[[Any], Any]
    load_partial: Callable[[Any, Memo | None], Any]
    strict: bool | None = None


def form_of(asked: Any) -> Form:
    """The form for whatever `with_structured_output` was given. Raises `InvalidToolError`, with the field."""
    if isinstance(asked, Mapping):
        return _dict_form(asked)
    if _needs_own_writer(asked):
        return _written_form(asked)
    if not isinstance(asked, type) and (inspect.isroutine(asked) or hasattr(asked, "args_schema")):
        spec = tool_spec(asked)
        return _schema_form(spec.name, {"description": spec.description, **spec.parameters})
    return _type_form(asked)


def _needs_own_writer(hint: Any) -> bool:
    """Whether `write_schema`, not pydantic, writes the schema: of TypedDicts, of v1 classes, and of types with them."""
    own = is_typeddict(hint) or (isinstance(hint, type) and issubclass(hint, BaseModelV1))
    return own or any(map(_needs_own_writer, get_args(hint)))


# --- dicts ------------------------------------------------------------------------------------------------------------


def _dict_form(asked: Mapping[str, Any]) -> Form:
    holder: Any = asked
    for key in ("function", "json_schema"):
        holder = holder[key] if isinstance(holder.get(key), Mapping) else holder
    inner = next((holder[key] for key in ("parameters", "input_schema", "schema") if key in holder), None)
    if isinstance(inner, Mapping) and holder.get("name"):
        described = {"description": holder["description"]} if holder.get("description") else {}
        return _schema_form(str(holder["name"]), {**described, **inner}, holder.get("strict"))
    if not any(key in asked for key in (*TYPE_KEYWORDS, "properties")):
        raise InvalidToolError(
            f"The schema {short(asked)} allows any answer. Give a JSON schema with a `type` and `properties`, "
            "a pydantic class, a TypedDict or a dataclass."
        )
    return _schema_form(str(asked.get("title") or "response"), asked)


def _schema_form(name: str, schema: Mapping[str, Any], strict: bool | None = None) -> Form:
    schema = {key: value for key, value in schema.items() if value is not None}
    if "properties" in schema:
        schema = {"type": "object", **schema}
    return Form(name, schema, partial(_checked, schema), unchanged, strict)


def unchanged(value: Any, memo: Memo | None = None) -> Any:
    """The `load_partial` of forms whose values stay plain JSON."""
    return value


def _checked(schema: JsonObject, value: Any) -> Any:
    value = without_nulls(schema, value)
    error = problem(schema, value)
    if error:
        raise ValueError(error)
    return value


# --- types ------------------------------------------------------------------------------------------------------------


def _type_form(hint: Any) -> Form:
    if isinstance(hint, BaseModel):  # the `TypeAdapter` of pydantic 2.10 accepts an instance
        raise InvalidToolError(_no_type_error(hint))
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        schema = adapter.json_schema()
    except Exception as exc:  # pydantic names the core schema, not the field
        raise InvalidToolError(_no_schema_error(hint, exc)) from exc
    return Form(_name(hint), schema, partial(_validated, adapter, schema), partial(load_partial, hint))


def _no_schema_error(hint: Any, exc: Exception) -> str:
    if isinstance(hint, type) or get_origin(hint) is not None:
        name = hint.__name__ if isinstance(hint, type) else short(hint)
        return f"{name} has no JSON schema{_at_field(hint)}: {exc}"
    return _no_type_error(hint)


def _no_type_error(hint: Any) -> str:
    forms = "a pydantic class, a TypedDict, a dataclass, another type or a JSON schema"
    return f"{short(hint)} cannot be a schema. Give {forms}."


def _validated(adapter: TypeAdapter[Any], schema: JsonObject, value: Any) -> Any:
    return adapter.validate_json(json.dumps(without_nulls(schema, value)))


def _name(hint: Any) -> str:
    return str(hint.__name__) if isinstance(hint, type) else "response"


def _at_field(hint: Any) -> str:
    """` at field 'x'` for the first field without a schema; an empty string where none is found."""
    for name, field in getattr(hint, "model_fields", {}).items():
        try:
            TypeAdapter(field.annotation).json_schema()
        except Exception:  # noqa: BLE001 - pydantic has several kinds
            return f" at field {name!r}"
    return ""


# --- TypedDicts and v1 classes: the schema is written here ------------------------------------------------------------


def _written_form(hint: Any) -> Form:
    definitions: JsonObject = {}
    try:
        schema = write_schema(hint, definitions)
    except InvalidToolError:
        raise
    except Exception as exc:
        raise InvalidToolError(f"{short(hint)} cannot be a schema: {exc}") from exc
    schema = _rooted(schema, definitions)
    return Form(_name(hint), schema, partial(_checked_and_loaded, hint, schema), partial(load_partial, hint))


def _rooted(schema: JsonObject, definitions: JsonObject) -> JsonObject:
    """The schema with those of the definitions that it refers to; its root is no reference."""
    if "$ref" in schema:
        schema = without_root_reference({**schema, "$defs": definitions})
        schema.pop("$defs")
    used: JsonObject = {}
    todo = [schema]
    while todo:
        for _, part in subschemas(todo.pop()):
            name = str(part.get("$ref", "")).removeprefix("#/$defs/")
            if name in definitions and name not in used:
                used[name] = definitions[name]
                todo.append(definitions[name])
    return {**schema, "$defs": {name: definitions[name] for name in definitions if name in used}} if used else schema


def write_schema(hint: Any, definitions: JsonObject) -> JsonObject:
    """The JSON schema of a type. Named types go into `definitions`, once."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # so that a type may refer to itself
            definitions[hint.__name__] = _typed_dict(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if isinstance(hint, type) and issubclass(hint, BaseModelV1):
        return _v1_schema(hint, definitions)
    if origin in WRITERS:
        return WRITERS[origin](arguments, definitions)
    schema = TypeAdapter(hint).json_schema()
    definitions.update(schema.pop("$defs", {}))
    return schema


WRITERS: Mapping[Any, Callable[[tuple[Any, ...], JsonObject], JsonObject]] = {
    Union: lambda types_, definitions: {"anyOf": [write_schema(each, definitions) for each in types_]},
    list: lambda types_, definitions: {"type": "array", "items": write_schema(types_[0], definitions)},
    dict: lambda types_, definitions: {"type": "object", "additionalProperties": write_schema(types_[1], definitions)},
}
WRITERS = {**WRITERS, types.UnionType: WRITERS[Union]}


def _typed_dict(hint: Any, definitions: JsonObject) -> JsonObject:
    fields = typing_extensions.get_type_hints(hint, include_extras=True)
    about, descriptions = _docstring_parts(hint, fields)
    properties: JsonObject = {}
    required = []
    for name, annotation in fields.items():
        field = _Field.of(annotation, name in hint.__required_keys__)
        schema = write_schema(field.hint, definitions)
        description = field.description or descriptions.get(name)
        properties[name] = {**schema, **({"description": description} if description else {}), **field.default}
        if field.required:
            required.append(name)
    described = {"description": about} if about else {}
    return {"title": hint.__name__, **described, "type": "object", "properties": properties, "required": required}


def _docstring_parts(hint: Any, names: Iterable[str]) -> tuple[str | None, Mapping[str, str]]:
    """The summary of the docstring, and its `Args:` as descriptions of fields, both as LangChain core parses them."""
    if not hint.__doc__:
        return None, {}
    # Core knows fewer types than `write_schema`, so it gets the docstring on a class whose fields are all `str`.
    plain: Any = typing_extensions.TypedDict(hint.__name__, dict.fromkeys(names, str))  # type: ignore[misc]
    plain.__doc__ = hint.__doc__
    parsed = convert_to_json_schema(plain)
    found = {name: each.get("description") for name, each in parsed.get("properties", {}).items()}
    return parsed.get("description"), {name: description for name, description in found.items() if description}


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a TypedDict, without its qualifiers and without LangChain's `Annotated[type, default, "description"]`.

    `default` is `{}` or `{"default": …}`, to be merged into the field's schema.
    """

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
            if origin is Annotated and not _is_langchain_metadata(more):
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


def _is_langchain_metadata(metadata: list[Any]) -> bool:
    return all(each is ... or each is None or isinstance(each, str | int | float | list | dict) for each in metadata)


def _v1_schema(hint: type[BaseModelV1], definitions: JsonObject) -> JsonObject:
    schema: JsonObject = _with_modern_keywords(hint.schema())
    definitions.update(schema.pop("definitions", {}))
    return schema


def _with_modern_keywords(schema: Any) -> Any:
    """A v1 schema with `$defs`, with `prefixItems` for tuples, and without an `allOf` around a single reference."""
    if isinstance(schema, list):
        return [_with_modern_keywords(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _with_modern_keywords(value) for key, value in schema.items()}
    if isinstance(found.get("$ref"), str):
        found["$ref"] = found["$ref"].replace("#/definitions/", "#/$defs/")
    if isinstance(found.get("items"), list):
        found["prefixItems"] = found.pop("items")
    if isinstance(found.get("allOf"), list) and len(found["allOf"]) == 1:
        (only,) = found.pop("allOf")
        found |= only
    return found


# --- values -----------------------------------------------------------------------------------------------------------


def _checked_and_loaded(hint: Any, schema: JsonObject, value: Any) -> Any:
    return load(hint, _checked(schema, value))


def load(hint: Any, value: Any) -> Any:
    """A JSON value that satisfies the schema of a type, as that type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        return value
    if isinstance(hint, type) and issubclass(hint, BaseModelV1):
        return hint.parse_obj(value)
    if origin in (Union, types.UnionType):
        return _load_union(arguments, value)
    if origin is list:
        return [load(arguments[0], each) for each in value]
    if origin is dict:
        return {key: load(arguments[1], each) for key, each in value.items()}
    return TypeAdapter(hint).validate_json(json.dumps(value))


def _load_union(members: tuple[Any, ...], value: Any) -> Any:
    """The value as the first member of the union that takes it. Members with fields for all its keys come first."""
    for member in sorted(members, key=lambda each: not _has_keys(each, value)):
        definitions: JsonObject = {}
        schema = write_schema(member, definitions)
        if problem({**schema, "$defs": definitions}, value) is None:
            return load(member, value)
    raise ValueError("no member of the union takes the answer")


def _has_keys(hint: Any, value: Any) -> bool:
    return isinstance(value, dict) and value.keys() <= fields_of(hint).keys()
