"""JSON schemas as the providers hold answers to them, and what each provider does not enforce.

Both decode by a subset of JSON Schema. What is outside of it goes into descriptions, where the model may read it, and
is named in `Adapted.loose`. What cannot be said at all (a map of open keys, a value of any type) is named in
`Adapted.obstacles`.

`for_openai` is here for OpenAI's two wires; Anthropic's wire has its own (`anthropic_messages/schema.py`). The results
are those of the SDKs' own helpers (`to_strict_json_schema` of the OpenAI SDK, `anthropic.transform_schema`) on what
these take; the wires cannot call them, because they know no SDK.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import Adjustment, JsonObject
from langchain_unified.schema_check import TYPES, resolve, short, valid

PRIMITIVES = (str, int, float, bool, type(None))

ANNOTATIONS = frozenset(
    {
        "$anchor", "$comment", "$id", "$schema", "default", "deprecated", "description", "discriminator", "examples",
        "readOnly", "title", "writeOnly",
    }
)  # fmt: skip
"""Keywords that restrict nothing."""

SAYS_WHAT = ("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref")
"""A schema has one of these, or it takes values of any type."""


@dataclass(slots=True)
class Adapted:
    """A schema in a provider's subset.

    `loose`: the keywords that are told and not enforced, with their place (`minimum of age`). `maps` and `obstacles`:
    why answers cannot be held to the schema, in words that follow "because".
    """

    schema: JsonObject = field(default_factory=dict)
    loose: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> list[str]:
        """All that keeps the provider from holding an answer to the schema; empty where it does."""
        return [*self.obstacles, *self.maps]

    def look_at(self, schema: Mapping[str, Any], path: str) -> None:
        """Note what neither provider's decoding can say of a schema by itself."""
        if not any(key in schema for key in SAYS_WHAT):
            self.block(f"{place_of(path)} may be of any type")
        # An object at the root about which nothing else is said is one without fields, as for a tool without arguments.
        if is_map(schema) and (path or schema.keys() - ANNOTATIONS != {"type"}):
            self.maps.append(f"{place_of(path)} is a map of open keys")

    def note_loose(self, what: str, provider: str, adjustments: list[Adjustment]) -> None:
        """Add an adjustment that names what is told only, where there is any."""
        if self.loose:
            why = f"{provider} does not enforce {', '.join(self.loose)}: descriptions tell the model."
            adjustments.append(Adjustment(what=what, why=why))

    def note_open(self, what: str, provider: str, adjustments: list[Adjustment]) -> None:
        """Add an adjustment that says why `strict` was not sent."""
        why = f"{provider} cannot hold the model to the schema, because {'; '.join(self.reasons)}: sent as not strict."
        adjustments.append(Adjustment(what=what, why=why))

    def tell(self, schema: JsonObject, told: Mapping[str, Any], path: str) -> JsonObject:
        """The schema with the keywords in `told` moved into its description."""
        self.loose += [f"{key} of {place_of(path)}" for key in told if key not in ANNOTATIONS]
        if not told:
            return schema
        hint = "{" + ", ".join(f"{key}: {value}" for key, value in told.items()) + "}"
        return {**schema, "description": "\n\n".join(filter(None, [schema.get("description"), hint]))}

    def block(self, why: str) -> None:
        if why not in self.obstacles:
            self.obstacles.append(why)


def place_of(path: str) -> str:
    return path.lstrip(".") or "the answer"


def is_map(schema: Mapping[str, Any]) -> bool:
    """Whether a schema is of an object that has no named properties, and takes others."""
    kinds = schema.get("type")
    named = "object" in (kinds if isinstance(kinds, list) else [kinds])
    closed = schema.get("additionalProperties", "properties" not in schema) is False
    return named and not schema.get("properties") and not closed


def is_object(schema: Mapping[str, Any]) -> bool:
    """Whether a schema is an object's, and no choice among several."""
    return schema.get("type") == "object" and not any(key in schema for key in ("anyOf", "oneOf"))


def is_recursive(reference: str, root: Any) -> bool:
    """Whether what `reference` points at leads back to it."""
    seen: set[str] = set()
    todo = [*_references(resolve(reference, root))]
    while todo:
        found = todo.pop()
        if found == reference:
            return True
        if found not in seen:
            seen.add(found)
            todo += _references(resolve(found, root))
    return False


def _references(schema: Any) -> Iterator[str]:
    """The references inside a schema; its definitions are no part of it."""
    for _, each in parts(schema):
        if isinstance(each.get("$ref"), str):
            yield each["$ref"]


SEVERAL = ("properties", "patternProperties", "dependentSchemas")
ONE = (
    "items",
    "additionalProperties",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedProperties",
)
CHOICES = ("anyOf", "oneOf", "allOf")
LISTS = (*CHOICES, "prefixItems")
DEFINITIONS = ("$defs", "definitions")


def parts(schema: Any, path: str = "", *, definitions: bool = False) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A schema and all that are inside it, with their places, its definitions only where they are asked for."""
    if not isinstance(schema, Mapping):
        return
    yield path, schema
    for key in (*SEVERAL, *(DEFINITIONS if definitions else ())):
        named = schema.get(key)
        for name, inner in named.items() if isinstance(named, Mapping) else ():
            place = name if key in DEFINITIONS else f"{path}.{name}"
            yield from parts(inner, place, definitions=definitions)
    for key in ONE:
        yield from parts(schema.get(key), f"{path}[]" if key == "items" else path, definitions=definitions)
    for key in LISTS:
        listed = schema.get(key)
        for inner in listed if isinstance(listed, list) else ():
            yield from parts(inner, path, definitions=definitions)


def check_schema(schema: Mapping[str, Any], name: str) -> None:
    """Raise `InvalidToolError`, with the field, for what is no JSON Schema or points outside of itself."""
    for path, part in parts(schema, definitions=True):
        for key, sound in SOUND.items():
            if key in part and not sound(part[key], schema):
                found = f"an unusable `{key}` at {place_of(path)}: {short(part[key])}"
                raise InvalidToolError(f"The schema of {name} has {found}. {HINTS[key]}")


def _is_type(value: Any, root: Any) -> bool:
    kinds = value if isinstance(value, list) and value else [value]
    return all(isinstance(kind, str) and kind in TYPES for kind in kinds)


def _is_reference(value: Any, root: Any) -> bool:
    return isinstance(value, str) and value.startswith("#") and isinstance(resolve(value, root), Mapping)


def _is_enum(value: Any, root: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _is_schema(value: Any, root: Any) -> bool:
    return isinstance(value, Mapping | bool)


def _are_names(value: Any, root: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _are_named(value: Any, root: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, Mapping | bool) for each in value.values())


def _is_choice(value: Any, root: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping | bool) for each in value)


SOUND: Mapping[str, Callable[[Any, Any], bool]] = {
    "type": _is_type,
    "$ref": _is_reference,
    "enum": _is_enum,
    **dict.fromkeys((*SEVERAL, *DEFINITIONS), _are_named),
    **dict.fromkeys(ONE, _is_schema),
    "required": _are_names,
    **dict.fromkeys(LISTS, _is_choice),
}
HINTS: Mapping[str, str] = {
    "type": f"Types are {', '.join(TYPES)}.",
    "$ref": "A reference points into the schema itself: '#/$defs/…'.",
    "enum": "It lists at least one value.",
    **dict.fromkeys((*SEVERAL, *DEFINITIONS), "It maps names to schemas."),
    **dict.fromkeys(ONE, "It is a schema."),
    "required": "It lists names.",
    **dict.fromkeys(LISTS, "It lists at least one schema."),
}


# --- OpenAI -----------------------------------------------------------------------------------------------------------

OPENAI_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
OPENAI_KEYWORDS = frozenset(
    {
        "type", "title", "description", "enum", "const", "default", "multipleOf", "maximum", "exclusiveMaximum",
        "minimum", "exclusiveMinimum", "minItems", "maxItems",
    }
)  # fmt: skip
_LOOKS_AROUND = re.compile(r"\(\?<?[=!]")
_SILENT = frozenset({"$anchor", "$comment", "$id", "$schema", "discriminator"})


def for_openai(schema: Mapping[str, Any]) -> Adapted:
    """The schema for `strict: true`: objects closed, every property required, references without siblings."""
    adapted = Adapted()
    adapted.schema = _openai(schema, "", adapted, schema)
    return adapted


def strict_schema(schema: JsonObject, what: str, adjustments: list[Adjustment]) -> tuple[JsonObject, bool]:
    """The schema for OpenAI, and whether it can be strict. One that cannot goes out as it is. `what` names it."""
    check_schema(schema, what)
    adapted = for_openai(schema)
    if adapted.reasons:
        adapted.note_open(what, "OpenAI", adjustments)
        return schema, False
    adapted.note_loose(what, "OpenAI", adjustments)
    return adapted.schema, True


def _openai(schema: Any, path: str, adapted: Adapted, root: Mapping[str, Any]) -> Any:
    left = dict(schema) if isinstance(schema, Mapping) else {}
    kept: JsonObject = {
        key: {name: _openai(each, name, adapted, root) for name, each in left.pop(key).items()}
        for key in DEFINITIONS
        if key in left
    }
    if "$ref" in left:
        return {**kept, **_openai_reference(left, path, adapted, root)}
    if len(left.get("allOf") or ()) == 1:
        (only,) = left.pop("allOf")
        inner = _openai({**left, **only}, path, adapted, root)
        return {**kept, **inner}
    _look_at(left, path, adapted)
    for key in CHOICES:
        if key in left:
            each = [_openai(inner, path, adapted, root) for inner in left.pop(key)]
            kept["allOf" if key == "allOf" else "anyOf"] = each
    if "items" in left:
        kept["items"] = _openai(left.pop("items"), f"{path}[]", adapted, root)
    kept |= _openai_object(left, path, adapted, root)
    if left.get("default", ()) is None:
        del left["default"]
    kept |= {key: left.pop(key) for key in [*left] if _openai_takes(key, left[key])}
    return adapted.tell(kept, {key: value for key, value in left.items() if key not in _SILENT}, path)


def _openai_takes(key: str, value: Any) -> bool:
    if key == "format":
        return value in OPENAI_FORMATS
    if key == "pattern":
        return not _LOOKS_AROUND.search(str(value))
    return key in OPENAI_KEYWORDS


def _look_at(schema: Mapping[str, Any], path: str, adapted: Adapted) -> None:
    adapted.look_at(schema, path)
    if schema.get("type") == "array" and "items" not in schema:
        adapted.block(f"the items of {place_of(path)} may be of any type")
    if schema.get("allOf"):
        adapted.block(f"{place_of(path)} joins several schemas (allOf)")


def _openai_object(left: JsonObject, path: str, adapted: Adapted, root: Mapping[str, Any]) -> JsonObject:
    kinds = left.get("type")
    if "properties" not in left and "object" not in (kinds if isinstance(kinds, list) else [kinds]):
        return {}
    properties = left.pop("properties", None)
    if left.pop("additionalProperties", False) is not False and properties:
        adapted.loose.append(f"additionalProperties of {place_of(path)}")
    required = left.pop("required", None) or []
    written: JsonObject = {"additionalProperties": False}
    if properties is not None:
        each = {name: _openai(inner, f"{path}.{name}", adapted, root) for name, inner in properties.items()}
        written |= {"properties": each, "required": required if {*required} == {*properties} else [*properties]}
    return written


def _openai_reference(left: JsonObject, path: str, adapted: Adapted, root: Mapping[str, Any]) -> JsonObject:
    """A reference alone, or what it refers to with its siblings: the API takes no other keyword beside a reference."""
    reference = left.pop("$ref")
    found = resolve(reference, root)
    if left.get("default", ()) is None:
        del left["default"]
    at_root = not path and is_root(reference, root)
    if not isinstance(found, Mapping) or not (left or at_root) or (is_recursive(reference, root) and not at_root):
        return {"$ref": reference}
    inner: JsonObject = _openai({**found, **left}, path, adapted, root)
    return inner


def is_root(reference: str, root: Mapping[str, Any]) -> bool:
    """Whether a schema is nothing but this reference and its definitions: the API wants an object there."""
    return root.get("$ref") == reference


def nullable(schema: Any, root: Any = None) -> Any:
    """The schema with every optional property nullable, unless it has a default.

    Where every property is required, the model can then say that one is absent; `without_nulls` takes that back.
    """
    if isinstance(schema, list):
        return [nullable(each, root) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    root = schema if root is None else root
    result = dict(schema)
    for key in (*SEVERAL, *DEFINITIONS):
        if isinstance(schema.get(key), Mapping):
            result[key] = {name: nullable(each, root) for name, each in schema[key].items()}
    for key in (*ONE, *LISTS):
        if key in schema:
            result[key] = nullable(schema[key], root)
    required = schema.get("required") or ()
    for name, each in (result.get("properties") or {}).items():
        if name not in required and isinstance(each, Mapping) and "default" not in each:
            result["properties"][name] = _or_null(each, root)
    return result


def _or_null(schema: Mapping[str, Any], root: Any) -> JsonObject:
    return dict(schema) if valid(schema, None, root) else {"anyOf": [schema, {"type": "null"}]}
