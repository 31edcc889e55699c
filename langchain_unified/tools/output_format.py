"""`response_format` in any spelling -> `OutputFormat`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import OutputFormat
from langchain_unified.schemas.check import short
from langchain_unified.schemas.subset import without_root_reference
from langchain_unified.schemas.wellformed import checked_schema
from langchain_unified.tools.spec import SCHEMA_TYPES, converted


def parse_output_format(value: Any, strict: bool | None = None) -> OutputFormat | None:
    """`response_format` as an OpenAI dict (of either API), a JSON schema, a pydantic class or a TypedDict.

    `strict` applies where the value does not set it. Raises `InvalidToolError` for a value without a schema.
    """
    if value is None or isinstance(value, OutputFormat):
        return value
    if not isinstance(value, Mapping):
        function = converted(value)["function"]
        return _of_schema(function.get("parameters") or {}, function["name"], strict)
    kind = value.get("type")
    if kind == "json_object" and isinstance(value.get("json_schema"), Mapping):
        # The schema is for wires without a JSON mode.
        return replace(_json_schema(value["json_schema"], None), kind="json_object")
    if kind in ("text", "json_object"):
        return OutputFormat(kind)
    if kind == "json_schema":
        inner = value.get("json_schema")
        return _json_schema(inner if isinstance(inner, Mapping) else value, strict)
    if "properties" in value or kind in SCHEMA_TYPES or "$defs" in value:
        return _of_schema(value, str(value.get("title") or "response"), strict)
    raise InvalidToolError(f"response_format {short(value)} is not understood: give a JSON schema or OpenAI's form.")


def _json_schema(holder: Mapping[str, Any], strict: bool | None) -> OutputFormat:
    schema = holder.get("schema")
    if not isinstance(schema, Mapping):
        raise InvalidToolError("response_format of type json_schema has no `schema` object.")
    given = holder.get("strict")
    name = str(holder.get("name") or schema.get("title") or "response")
    return _of_schema(schema, name, strict if given is None else bool(given), holder.get("description"))


def _of_schema(
    schema: Mapping[str, Any], name: str, strict: bool | None, description: str | None = None
) -> OutputFormat:
    rooted = without_root_reference(schema) if "$ref" in schema else schema
    checked = checked_schema(rooted, f"response_format {name!r}")
    return OutputFormat("json_schema", checked, format_name(name), description, strict)


def format_name(name: str) -> str:
    """The name of a format as OpenAI takes it. It is a label that no reply holds."""
    if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        return name
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_")[:64] or "response"
