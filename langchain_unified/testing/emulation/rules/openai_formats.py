"""What both APIs of OpenAI refuse in the format of the answer."""

from __future__ import annotations

import json
import re
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import CHAT, OPENAI, RESPONSES
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.schemas import arrays_without_items, root_errors, strict_schema_errors

FORMAT_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _format(call: EmulatedCall) -> JsonObject:
    chosen = call.body.get("response_format") or (call.body.get("text") or {}).get("format")
    return chosen if isinstance(chosen, dict) else {}


def _json_schema_format(call: EmulatedCall) -> JsonObject:
    """The requested JSON schema format: `name`, `schema`, `strict`; empty if there is none."""
    chosen = _format(call)
    return (chosen.get("json_schema") or chosen) if chosen.get("type") == "json_schema" else {}


def _invalid_format_name(call: EmulatedCall) -> Violations:
    chosen = _json_schema_format(call)
    if chosen and not FORMAT_NAME.fullmatch(str(chosen.get("name") or "")):
        yield {"place": "response_format.json_schema.name" if call.endpoint == CHAT else "text.format.name"}


def _format_schema(call: EmulatedCall) -> Violations:
    form = _json_schema_format(call)
    place = "response_format" if call.endpoint == CHAT else "text.format.schema"
    schema = form.get("schema")
    errors = (
        *root_errors(schema),
        *arrays_without_items(schema),
        *(strict_schema_errors(schema) if form.get("strict") else ()),
    )
    for where, what in errors if schema is not None else ():
        yield {"place": place, "name": form.get("name"), "where": where, "what": what}


def _format_without_schema(call: EmulatedCall) -> Violations:
    chosen = _format(call)
    if chosen.get("type") == "json_schema":
        if call.endpoint == CHAT and not isinstance(chosen.get("json_schema"), dict):
            yield {"place": "response_format.json_schema"}
        if call.endpoint != CHAT and not isinstance(chosen.get("schema"), dict):
            yield {"place": "text.format.schema"}


def _unknown_format(call: EmulatedCall) -> Violations:
    chosen = _format(call)
    if chosen and chosen.get("type") not in ("text", "json_object", "json_schema"):
        place = "response_format.type" if call.endpoint == CHAT else "text.format.type"
        yield {"place": place, "kind": chosen.get("type")}


def _json_not_mentioned(call: EmulatedCall) -> Violations:
    stored = any(call.body.get(key) for key in ("previous_response_id", "conversation", "prompt"))
    if _format(call).get("type") == "json_object" and not stored:
        texts = [call.body.get(key) for key in ("messages", "input", "instructions")]
        if "json" not in json.dumps(texts).lower():
            yield {"key": "messages" if call.endpoint == CHAT else "input"}


def _rule(
    name: str, check: RuleCheck, message: str, source: str, endpoints: frozenset[str] = OPENAI, **more: Any
) -> Rule:
    return Rule(f"openai.{name}", endpoints, check, message, source, **more)


FORMATS: tuple[Rule, ...] = (
    _rule(
        "format type",
        _unknown_format,
        "Invalid value: '{kind}'. Supported values are: 'text', 'json_object', and 'json_schema'.",
        "SDK types",
        code="invalid_value",
        param="{place}",
    ),
    _rule(
        "format without schema",
        _format_without_schema,
        "Missing required parameter: '{place}'.",
        "SDK types",
        code="missing_required_parameter",
        param="{place}",
    ),
    _rule(
        "json not mentioned",
        _json_not_mentioned,
        "'{key}' must contain the word 'json' in some form, to use a format of type 'json_object'.",
        "mem0ai/mem0#3008, StefanBratanov/jvm-openai#15",
        frozenset({CHAT, RESPONSES}),
        param="{key}",
    ),
    _rule(
        "format name",
        _invalid_format_name,
        "Invalid '{place}': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.",
        "SDK docstring; reports",
        code="invalid_value",
        param="{place}",
    ),
    _rule(
        "format schema",
        _format_schema,
        "Invalid schema for response_format '{name}': In context=({where}), {what}.",
        "structured outputs guide; reports",
        code="invalid_json_schema",
        param="{place}",
    ),
)
