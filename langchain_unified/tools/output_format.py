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

# --- response_format --------------------------------------------------------------------------------------------------


def parse_output_format(value: Any, strict: bool | None = None) -> OutputFormat | None:
    """`response_format` in either OpenAI form, a bare JSON schema, or a pydantic class or TypedDict.

    Raises `InvalidToolError` for what has no schema.
    """
    if value is None or isinstance(value, OutputFormat):
        return value
    if not isinstance(value, Mapping):
        function = converted(value)["function"]
        return _of_schema(function.get("parameters") or {}, function["name"], strict)
    kind = value.get("type")
    if kind == "json_object" and isinstance(value.get("json_schema"), Mapping):
        return replace(_json_schema(value["json_schema"], None), kind="json_object")  # for who has no JSON mode
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
    said, described = holder.get("strict"), holder.get("description")
    name = str(holder.get("name") or schema.get("title") or "response")
    return _of_schema(schema, name, strict if said is None else bool(said), described)


def _of_schema(
    schema: Mapping[str, Any], name: str, strict: bool | None, description: str | None = None
) -> OutputFormat:
    whole = without_root_reference(schema) if "$ref" in schema else schema
    checked = checked_schema(whole, f"response_format {name!r}")
    return OutputFormat("json_schema", checked, format_name(name), description, strict)


def format_name(name: str) -> str:
    """The name of an answer's form as OpenAI takes it. It is a label: nobody gets it back."""
    if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        return name
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_")[:64] or "response"
