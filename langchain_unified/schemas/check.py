"""Whether a value satisfies a JSON Schema. All keywords that tools and output formats use are checked but `format`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Any
"""A JSON Schema: an object, or `True`/`False`."""


def valid(schema: Schema, value: Any, root: Schema = None) -> bool:
    """Whether `value` satisfies `schema`. References are resolved in `root`, by default `schema` itself."""
    root = schema if root is None else root
    if isinstance(schema, bool):
        return schema
    return all(check(schema[key], value, schema, root) for key, check in CHECKS.items() if key in schema)


def resolve(reference: str, root: Schema) -> Schema:
    """The schema at `#/…`; `True`, which allows any value, where there is none."""
    found = root
    for part in reference.lstrip("#").strip("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if key and isinstance(found, list):
            found = found[int(key)] if key.isdigit() and int(key) < len(found) else True
        elif key:
            found = found.get(key, True) if isinstance(found, Mapping) else True
    return found


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` occurs in `text`; `True` for a pattern that Python cannot compile."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _number(value) and float(value).is_integer(),
    "number": _number,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


Check: TypeAlias = Callable[[Any, Any, Schema, Schema], bool]
"""`(keyword's value, value, the schema with the keyword, the root) -> whether the value passes`."""


def _type(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
    return any(TYPES[name](value) for name in ([wanted] if isinstance(wanted, str) else wanted) if name in TYPES)


def _equal(one: Any, other: Any) -> bool:
    """Equality in JSON: `True` is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(item, other[key]) for key, item in one.items())
    return bool(one == other)


def _multiple(step: Any, value: Any) -> bool:
    ratio = value / step
    return math.isclose(ratio, round(ratio), abs_tol=1e-9)


def _if_type(name: str, test: Callable[[Any, Any], bool]) -> Check:
    """A check of values of one type; all others pass."""

    def check(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
        return not TYPES[name](value) or test(wanted, value)

    return check


def _subschema(test: Callable[[Any, Any, Schema], bool]) -> Check:
    """A check by the schemas in a keyword, which needs the root for references."""

    def check(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
        return test(wanted, value, root)

    return check


def _const(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
    return _equal(wanted, value)


def _enum(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
    return any(_equal(item, value) for item in wanted)


def _unique(wanted: Any, value: Any) -> bool:
    return not wanted or not any(_equal(one, other) for at, one in enumerate(value) for other in value[:at])


def _properties(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
    if not isinstance(value, dict):
        return True
    return all(valid(wanted[key], value[key], root) for key in wanted if key in value)


def _pattern_properties(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
    if not isinstance(value, dict):
        return True
    return all(valid(inner, value[key], root) for name, inner in wanted.items() for key in value if matches(name, key))


def _additional(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
    if not isinstance(value, dict):
        return True
    named, patterns = schema.get("properties") or {}, schema.get("patternProperties") or {}
    others = (key for key in value if key not in named and not any(matches(name, key) for name in patterns))
    return all(valid(wanted, value[key], root) for key in others)


def _prefix_items(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
    pairs = zip(wanted, value, strict=False) if isinstance(value, list) else ()
    return all(valid(inner, item, root) for inner, item in pairs)


def _items(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
    if not isinstance(value, list):
        return True
    return all(valid(wanted, item, root) for item in value[len(schema.get("prefixItems") or ()) :])


def _contains(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
    if not isinstance(value, list):
        return True
    count = sum(valid(wanted, item, root) for item in value)
    return bool(schema.get("minContains", 1) <= count <= schema.get("maxContains", math.inf))


def _if(wanted: Any, value: Any, schema: Schema, root: Schema) -> bool:
    return valid(schema.get("then" if valid(wanted, value, root) else "else", True), value, root)


def _dependent(wanted: Any, value: Any) -> bool:
    return all(name in value for key, names in wanted.items() if key in value for name in names)


CHECKS: Mapping[str, Check] = {
    "$ref": _subschema(lambda wanted, value, root: valid(resolve(wanted, root), value, root)),
    "type": _type,
    "const": _const,
    "enum": _enum,
    "minimum": _if_type("number", lambda wanted, value: value >= wanted),
    "maximum": _if_type("number", lambda wanted, value: value <= wanted),
    "exclusiveMinimum": _if_type("number", lambda wanted, value: value > wanted),
    "exclusiveMaximum": _if_type("number", lambda wanted, value: value < wanted),
    "multipleOf": _if_type("number", _multiple),
    "minLength": _if_type("string", lambda wanted, value: len(value) >= wanted),
    "maxLength": _if_type("string", lambda wanted, value: len(value) <= wanted),
    "pattern": _if_type("string", matches),
    "minItems": _if_type("array", lambda wanted, value: len(value) >= wanted),
    "maxItems": _if_type("array", lambda wanted, value: len(value) <= wanted),
    "uniqueItems": _if_type("array", _unique),
    "prefixItems": _prefix_items,
    "items": _items,
    "contains": _contains,
    "minProperties": _if_type("object", lambda wanted, value: len(value) >= wanted),
    "maxProperties": _if_type("object", lambda wanted, value: len(value) <= wanted),
    "required": _if_type("object", lambda wanted, value: all(key in value for key in wanted)),
    "dependentRequired": _if_type("object", _dependent),
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "allOf": _subschema(lambda wanted, value, root: all(valid(each, value, root) for each in wanted)),
    "anyOf": _subschema(lambda wanted, value, root: any(valid(each, value, root) for each in wanted)),
    "oneOf": _subschema(lambda wanted, value, root: sum(valid(each, value, root) for each in wanted) == 1),
    "not": _subschema(lambda wanted, value, root: not valid(wanted, value, root)),
    "if": _if,
}


# --- errors -----------------------------------------------------------------------------------------------------------


def problem(schema: Schema, value: Any, root: Schema = None, path: str = "") -> str | None:
    """What is wrong with `value`, at the first and innermost place that fails; `None` where it satisfies `schema`."""
    root = schema if root is None else root
    if valid(schema, value, root):
        return None
    schema = _resolved(schema, root)
    for step, inner, item in _parts(schema, value):
        found = problem(inner, item, root, f"{path}{step}")
        if found:
            return found
    place = path.lstrip(".") or "the answer"
    if isinstance(schema, bool):
        return f"{place} is not allowed"
    failed = next(key for key, check in CHECKS.items() if key in schema and not check(schema[key], value, schema, root))
    if failed == "required":
        return f"{place} has no {', '.join(repr(key) for key in schema['required'] if key not in value)}"
    return f"{place} is {short(value)}, which fails {failed}: {short(schema[failed])}"


def _resolved(schema: Schema, root: Schema) -> Schema:
    """The schema that a reference points at, merged with the reference's siblings; any other schema as it is."""
    seen: set[str] = set()
    while isinstance(schema, Mapping) and "$ref" in schema and schema["$ref"] not in seen:
        seen.add(schema["$ref"])
        found = resolve(schema["$ref"], root)
        rest = {key: item for key, item in schema.items() if key != "$ref"}
        schema = {**found, **rest} if isinstance(found, Mapping) else found
    return schema


def _parts(schema: Schema, value: Any) -> Iterator[tuple[str, Schema, Any]]:
    """The named properties and the items of a value, each as `(step of the path, schema, value)`."""
    if isinstance(schema, bool):
        return
    if isinstance(value, dict):
        named = schema.get("properties") or {}
        yield from ((f".{key}", named[key], item) for key, item in value.items() if key in named)
    if isinstance(value, list) and "items" in schema:
        yield from ((f"[{at}]", schema["items"], item) for at, item in enumerate(value))


def short(value: Any) -> str:
    """The `repr` of a value for an error message, at most 80 characters long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


# --- nulls of absent properties ---------------------------------------------------------------------------------------


def without_nulls(schema: Schema, value: Any, root: Schema = None) -> Any:
    """`value` without the nulls that stand for absent properties: of optional ones whose schema allows no null."""
    root = schema if root is None else root
    schema = _resolved(schema, root)
    if isinstance(schema, bool):
        return value
    branches = [*(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())]
    if branches:
        tried = (without_nulls(branch, value, root) for branch in branches)
        value = next((each for each in tried if valid(schema, each, root)), value)
    for part in schema.get("allOf") or ():
        value = without_nulls(part, value, root)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [without_nulls(schema["items"], item, root) for item in value]
    return _without_null_properties(schema, value, root) if isinstance(value, dict) else value


def _without_null_properties(schema: Mapping[str, Any], value: dict[str, Any], root: Schema) -> dict[str, Any]:
    named, required = schema.get("properties") or {}, schema.get("required") or ()
    result = {}
    for key, item in value.items():
        inner = named.get(key, True)
        if item is None and key in named and key not in required and not valid(inner, None, root):
            continue
        result[key] = without_nulls(inner, item, root)
    return result
