"""`anyOf`, `oneOf` and `allOf` at the root of a tool's schema -> one object without them.

Both providers refuse these keywords at the root and take them anywhere below it. The alternatives are folded into the
root object: all properties of all alternatives, and required is what each of them requires. `FoldedRoot.lost` names
what the object does not express; it is empty where both schemas allow the same arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_unified.request import Adjustment, JsonObject
from langchain_unified.schemas.check import resolve
from langchain_unified.schemas.subset import ANNOTATIONS, COMBINATIONS, DEFINITIONS, has_type

MERGED = frozenset({"type", "properties", "required", "additionalProperties", *DEFINITIONS, *ANNOTATIONS})
"""The keywords of an alternative that the root object can have for it."""


@dataclass(frozen=True, slots=True)
class FoldedRoot:
    """A schema without combinators at its root, and the keywords that it does not express."""

    schema: JsonObject
    lost: tuple[str, ...] = ()


def without_root_keywords(
    schema: JsonObject, refused: Sequence[str], tool: str, provider: str, adjustments: list[Adjustment]
) -> JsonObject:
    """The schema of a tool without the keywords that the provider refuses at its root.

    What cannot be folded into the root object is dropped: an adjustment names it, and the description shows it.
    """
    folded = fold_root(schema)
    others = [key for key in refused if key in folded.schema]
    lost = [*folded.lost, *others]
    if not lost:
        return folded.schema
    names = ", ".join(f"`{key}`" for key in dict.fromkeys(lost))
    why = f"{provider} takes no {names} at the root of a tool's schema: it was sent without, and is not enforced."
    adjustments.append(Adjustment(what=f"the schema of tool {tool!r}", why=why))
    result = {key: value for key, value in folded.schema.items() if key not in others}
    hint = _hint(schema, lost)
    return {**result, "description": "\n\n".join(filter(None, [result.get("description"), hint]))}


def _hint(schema: Mapping[str, Any], lost: Iterable[str]) -> str:
    """The lost keywords for the model, as the strict subsets describe them."""
    found = {key: schema[key] for key in dict.fromkeys(lost) if key in schema}
    return "{" + ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in found.items()) + "}"


def fold_root(schema: Mapping[str, Any]) -> FoldedRoot:
    """The schema with the combinators at its root folded into one object."""
    return _fold(schema, schema, ())


def _fold(schema: Mapping[str, Any], root: Mapping[str, Any], seen: tuple[str, ...]) -> FoldedRoot:
    result: JsonObject = {key: value for key, value in schema.items() if key not in COMBINATIONS}
    result["type"] = "object"
    lost: list[str] = []
    for key in COMBINATIONS:
        if key not in schema:
            continue
        branches = [_branch(each, root, seen) for each in schema[key]]
        objects = [branch for branch in branches if branch is not None]
        if not objects or (key == "allOf" and len(objects) < len(branches)):
            lost.append(key)
        if any(branch.lost for branch in objects):
            lost.append(key)
        if key == "allOf" or len(objects) < 2:
            joined = [_join(result, branch.schema) for branch in objects]
            exact = all(joined)
        else:
            exact = _unite(result, [branch.schema for branch in objects]) and key == "anyOf"
        if not exact:
            lost.append(key)
    return FoldedRoot(result, tuple(dict.fromkeys(lost)))


def _branch(schema: Any, root: Mapping[str, Any], seen: tuple[str, ...]) -> FoldedRoot | None:
    """One alternative with its reference resolved; `None` for one that allows no object: arguments are one."""
    if schema is True:
        return FoldedRoot({"type": "object"})
    if not isinstance(schema, Mapping):
        return None
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference in seen:
            return FoldedRoot({"type": "object"}, ("$ref",))
        found = resolve(reference, root)
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        return _branch({**found, **siblings} if isinstance(found, Mapping) else siblings, root, (*seen, reference))
    if "type" in schema and not has_type(schema, "object"):
        return None
    return _fold(schema, root, seen)


# --- all of them ------------------------------------------------------------------------------------------------------


def _join(result: JsonObject, branch: Mapping[str, Any]) -> bool:
    """Add to `result` what `branch` requires as well; whether `result` then expresses both."""
    properties, added = result.get("properties") or {}, branch.get("properties") or {}
    exact = _opens(result, added.keys() - properties.keys()) and not (
        branch.get("additionalProperties") is False and properties.keys() - added.keys()
    )
    merged = {**properties, **added}
    merged |= {name: _both(properties[name], added[name]) for name in properties if name in added}
    if merged:
        result["properties"] = merged
    required = list(dict.fromkeys([*(result.get("required") or ()), *(branch.get("required") or ())]))
    if required:
        result["required"] = required
    for key, value in branch.items():
        if key in DEFINITIONS:
            result[key] = {**value, **result.get(key, {})}
        elif key == "additionalProperties" and value is False and not exact:
            continue
        elif key not in result:
            result[key] = value
        elif key not in MERGED and result[key] != value:
            exact = False
    return exact


def _opens(result: JsonObject, added: Iterable[str]) -> bool:
    """Let a closed object take further properties; whether it did so already."""
    if not added or result.get("additionalProperties", True) is True:
        return True
    del result["additionalProperties"]
    return False


def _both(one: Any, other: Any) -> Any:
    """The schema of a property that must satisfy both."""
    if one == other or other is True:
        return one
    if one is True:
        return other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        restricting = {key for key in one if key not in ANNOTATIONS}
        if all(other.get(key) == one[key] for key in restricting):
            return {**one, **other}
    return {"allOf": [one, other]}


# --- one of them ------------------------------------------------------------------------------------------------------


def _unite(result: JsonObject, branches: Sequence[Mapping[str, Any]]) -> bool:
    """Let `result` take what any of the branches allows; whether it then allows nothing else."""
    found: dict[str, list[Any]] = {}
    for branch in branches:
        for name, schema in (branch.get("properties") or {}).items():
            if schema not in found.setdefault(name, []):
                found[name].append(schema)
    added = {name: each[0] if len(each) == 1 else {"anyOf": each} for name, each in found.items()}
    requirements = [set(branch.get("required") or ()) for branch in branches]
    common = set.intersection(*requirements) if requirements else set()
    closed = {branch.get("additionalProperties") is False for branch in branches}
    same_properties = all(
        (branch.get("properties") or {}) == (branches[0].get("properties") or {}) for branch in branches
    )
    only_merged = all(branch.keys() <= MERGED for branch in branches)
    order: Sequence[str] = branches[0].get("required") or ()
    required = [name for name in order if name in common]
    united: JsonObject = {"type": "object", "properties": added, "required": required}
    if closed == {True}:
        united["additionalProperties"] = False
    exact = same_properties and common in requirements and len(closed) == 1 and only_merged
    if not required:
        del united["required"]
    return _join(result, united) and exact
