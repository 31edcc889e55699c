"""JSON schemas in the subset that constrained decoding takes, as `anthropic.transform_schema` writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import Adjustment, JsonObject, OutputFormat
from langchain_unified.schemas.subset import (
    CHOICES,
    DEFINITIONS,
    PRIMITIVES,
    Adapted,
    is_recursive,
    parts,
    place_of,
    tuple_items,
)
from langchain_unified.schemas.wellformed import check_schema

FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
)


def adapt_schema(schema: Mapping[str, Any]) -> Adapted:
    """The schema for `output_config.format` and for strict tools: every object closed, bounds and patterns told.

    A schema that refers to itself is an obstacle, and so is one of too many choices: the API answers 400.
    """
    adapted = Adapted()
    everything = [part for _, part in parts(schema, definitions=True)]
    for part in everything:
        reference = part.get("$ref")
        if isinstance(reference, str) and is_recursive(reference, schema):
            adapted.block(f"{reference.rsplit('/', 1)[-1].lstrip('#') or 'the root'} refers to itself")
    for what, most, count in LIMITS:
        found = sum(map(count, everything))
        if found > most:
            adapted.limits.append(f"it has {found} {what} ({most} is the most)")
    adapted.schema = _adapt(schema, "", adapted)
    return adapted


def _optional(schema: Mapping[str, Any]) -> int:
    return len((schema.get("properties") or {}).keys() - {*(schema.get("required") or ())})


def _union(schema: Mapping[str, Any]) -> int:
    return isinstance(schema.get("type"), list) or any(schema.get(key) for key in ("anyOf", "oneOf"))


LIMITS: tuple[tuple[str, int, Callable[[Mapping[str, Any]], int]], ...] = (
    ("optional properties", 24, _optional),
    ("choices among types", 16, _union),
)
"""What the API compiles only so many of in a request."""


def answer_schema(output: OutputFormat, adjustments: list[Adjustment]) -> JsonObject:
    """The schema for `output_config.format`.

    Raises `InvalidToolError`, with the field, for what the API has no form of. A map goes out as an object without
    keys, which is all that can be said, and is an adjustment.
    """
    name = f"response_format {output.name!r}"
    check_schema(output.schema, name)
    adapted = adapt_schema(output.schema)
    if adapted.obstacles:
        raise InvalidToolError(
            f"Anthropic cannot hold an answer to the schema {output.name!r}: {'; '.join(adapted.obstacles)}. "
            "Use a tool (method='function_calling'), or give the field a type."
        )
    if adapted.maps:
        why = f"{'; '.join(adapted.maps)}: Anthropic takes none, and the answer holds it empty. A tool can say it."
        adjustments.append(Adjustment(what=f"the schema of {name}", why=why))
    adapted.note_loose(name, "Anthropic", adjustments, checked=output.checked)
    described = {"description": output.description} if output.description else {}
    return {**described, **adapted.schema}


def _adapt(schema: Any, path: str, adapted: Adapted) -> Any:
    left = dict(schema) if isinstance(schema, Mapping) else {}
    definitions = {
        key: {name: _adapt(each, name, adapted) for name, each in left.pop(key).items()}
        for key in DEFINITIONS
        if key in left
    }
    if len(left.get("allOf") or ()) == 1:
        left |= left.pop("allOf")[0]
    if "$ref" in left:
        return {**definitions, "$ref": left["$ref"]}
    left |= {"items": items} if (items := tuple_items(left)) else {}
    adapted.look_at(left, path)
    written, kinds = _said(left, path, adapted)
    written |= {key: left.pop(key) for key in ("description", "title") if key in left}
    for kind in kinds:
        if kind in KINDS:
            written |= KINDS[kind](left, path, adapted)
    return {**definitions, **adapted.tell(written, left, path)}


def _said(left: JsonObject, path: str, adapted: Adapted) -> tuple[JsonObject, list[str]]:
    """Literals, else alternatives, else the type; and the types whose keywords are meant."""
    kind = left.pop("type", None)
    written: JsonObject = {}
    if left.get("enum") and all(isinstance(value, PRIMITIVES) for value in left["enum"]):
        written["enum"] = left.pop("enum")
    if isinstance(left.get("const", ()), PRIMITIVES):
        written["const"] = left.pop("const")
    literal = bool(written)
    chosen = next((key for key in CHOICES if isinstance(left.get(key), list)), None)
    alternatives = {key: left.pop(key, None) for key in CHOICES}
    adapted.loose += [f"{key} of {place_of(path)}" for key in CHOICES if key != chosen and alternatives[key]]
    if chosen == "allOf" and any("$ref" in each for each in alternatives[chosen]):
        adapted.block(f"{place_of(path)} joins a reference with other schemas (allOf)")
    if chosen is not None:
        written["allOf" if chosen == "allOf" else "anyOf"] = [
            _adapt(each, path, adapted) for each in alternatives[chosen] or ()
        ]
    elif not literal and kind is not None:
        written["type"] = kind
    return written, [] if literal else kind if isinstance(kind, list) else [kind] if kind else []


def _object(left: JsonObject, path: str, adapted: Adapted) -> JsonObject:
    properties = left.pop("properties", {})
    others = left.pop("additionalProperties", False)
    if properties and others is not False:
        adapted.loose.append(f"additionalProperties of {place_of(path)}")
    written = {name: _adapt(each, f"{path}.{name}", adapted) for name, each in properties.items()}
    required = {"required": left.pop("required")} if left.get("required") is not None else {}
    return {"properties": written, "additionalProperties": False, **required}


def _string(left: JsonObject, path: str, adapted: Adapted) -> JsonObject:
    return _kept(left, "format", lambda value: value in FORMATS)


def _array(left: JsonObject, path: str, adapted: Adapted) -> JsonObject:
    items = {"items": _adapt(left.pop("items"), f"{path}[]", adapted)} if "items" in left else {}
    return items | _kept(left, "minItems", lambda value: value in (0, 1))


def _kept(left: JsonObject, key: str, takes: Callable[[Any], bool]) -> JsonObject:
    """The keyword, taken out of `left`, where the API takes its value; else it is the last of what is told."""
    if key not in left:
        return {}
    value = left.pop(key)
    if takes(value):
        return {key: value}
    left[key] = value
    return {}


KINDS: Mapping[str, Callable[[JsonObject, str, Adapted], JsonObject]] = {
    "object": _object,
    "string": _string,
    "array": _array,
}
