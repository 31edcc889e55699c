"""What both of OpenAI's APIs refuse, and what their rules share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.rules.openai_caching import MARKS
from langchain_unified.testing.emulation.rules.rule import (
    CHAT,
    INPUT_TOKENS,
    ITEMS,
    OPENAI,
    RESPONSES,
    Call,
    Finder,
    Found,
    Rule,
    dicts,
    missing,
    no_key,
    out_of_range,
    outside,
    too_long,
    unknown_model,
    wrong_key,
)
from langchain_unified.testing.emulation.rules.schemas import loose, misshapen, unlisted

ON_CHAT, ON_RESPONSES, ON_COUNT = frozenset({CHAT}), frozenset({RESPONSES}), frozenset({INPUT_TOKENS})
GENERATE = ON_CHAT | ON_RESPONSES

CHAT_KEYS = frozenset(
    {
        "messages", "model", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
        "max_completion_tokens", "max_tokens", "metadata", "modalities", "moderation", "n", "parallel_tool_calls",
        "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
        "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity",
        "web_search_options",
    }
)  # fmt: skip
RESPONSES_KEYS = frozenset(
    {
        "model", "input", "instructions", "access_programs", "background", "context_management", "conversation",
        "image", "include", "max_output_tokens", "max_tool_calls", "metadata", "moderation", "parallel_tool_calls",
        "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        "reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text",
        "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
    }
)  # fmt: skip
COUNT_KEYS = frozenset(
    {
        "input", "model", "instructions", "tools", "tool_choice", "text", "reasoning", "truncation",
        "previous_response_id", "conversation", "parallel_tool_calls", "personality",
    }
)  # fmt: skip

SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs")
NEUTRAL: Mapping[str, Any] = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
"""Values that say nothing: every model takes them."""

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def effort_of(call: Call) -> str | None:
    """The effort that the call reasons with: the one asked for, else the model's own."""
    asked = call.body.get("reasoning_effort") or (call.body.get("reasoning") or {}).get("effort")
    return asked or call.profile.effort_default


def functions(call: Call) -> Iterator[tuple[str, JsonObject]]:
    """The function tools with where they stand, from inside their wrapping."""
    for at, tool in enumerate(dicts(call.body.get("tools"))):
        if tool.get("type") == "function":
            inner = tool.get("function") if call.endpoint == CHAT else tool
            yield f"tools[{at}]" + (".function" if call.endpoint == CHAT else ""), inner or {}


# --- finders ----------------------------------------------------------------------------------------------------------


def _sampling(call: Call) -> Found:
    reasons = call.profile.sampling == "never" or (
        call.profile.sampling == "without_reasoning" and effort_of(call) not in (None, "none")
    )
    for key in SAMPLING if reasons else ():
        value = call.body.get(key)
        if value not in (None, False) and value != NEUTRAL.get(key):
            yield {"key": key}


def _effort(call: Call) -> Found:
    asked = call.body.get("reasoning_effort") or (call.body.get("reasoning") or {}).get("effort")
    levels = call.profile.effort_levels
    if asked and levels and asked not in levels:
        key = "reasoning_effort" if call.endpoint == CHAT else "reasoning.effort"
        yield {"key": key, "value": asked, "levels": ", ".join(f"'{level}'" for level in levels)}


def _effort_at_all(call: Call) -> Found:
    key = "reasoning_effort" if call.endpoint == CHAT else "reasoning"
    asked = call.body.get("reasoning_effort") or (call.body.get("reasoning") or {}).get("effort")
    if asked and not call.profile.reasoning:
        yield {"key": key if call.endpoint == CHAT else "reasoning.effort"}


def _tool_name(call: Call) -> Found:
    for place, tool in functions(call):
        if not TOOL_NAME.fullmatch(str(tool.get("name", ""))):
            yield {"place": f"{place}.name"}


def _choice_alone(call: Call) -> Found:
    for key in ("tool_choice", "parallel_tool_calls") if call.endpoint == CHAT else ():
        tools = call.body.get("tools") or call.body.get("functions")
        # "none" and "auto" are what a call without tools has anyway.
        if call.body.get(key) not in (None, "none", "auto") and not tools:
            yield {"key": key}


def _unknown_choice(call: Call) -> Found:
    chosen = call.body.get("tool_choice")
    if isinstance(chosen, dict) and chosen.get("type") == "function":
        name = (chosen.get("function") or chosen).get("name")
        if name not in {tool.get("name") for _, tool in functions(call)}:
            yield {"name": name}


def _functions(call: Call) -> Found:
    for place, tool in functions(call):
        for where, what in misshapen(tool["parameters"]) if "parameters" in tool else ():
            yield {"place": f"{place}.parameters", "name": tool.get("name"), "where": where, "what": what}


def _strict_tools(call: Call) -> Found:
    for place, tool in functions(call):
        if tool.get("strict"):
            for where, what in loose(tool.get("parameters")):
                yield {"place": f"{place}.parameters", "name": tool.get("name"), "where": where, "what": what}


def _form(call: Call) -> JsonObject:
    """The JSON schema that the answer must have, with its name; empty where none is asked for."""
    chosen = call.body.get("response_format") or (call.body.get("text") or {}).get("format") or {}
    return (chosen.get("json_schema") or chosen) if chosen.get("type") == "json_schema" else {}


def _format_name(call: Call) -> Found:
    name = _form(call).get("name")
    if isinstance(name, str) and not TOOL_NAME.fullmatch(name):
        yield {"place": "response_format.json_schema.name" if call.endpoint == CHAT else "text.format.name"}


def _format(call: Call) -> Found:
    form = _form(call)
    place = "response_format" if call.endpoint == CHAT else "text.format.schema"
    schema = form.get("schema")
    for where, what in (*unlisted(schema), *(loose(schema) if form.get("strict") else ())):
        yield {"place": place, "name": form.get("name"), "where": where, "what": what}


def _metadata(call: Call) -> Found:
    given = call.body.get("metadata") or {}
    too_many = len(given) > 16
    if too_many or any(len(key) > 64 or len(str(value)) > 512 for key, value in given.items()):
        yield {"found": len(given)}


def _identifier(call: Call) -> Found:
    found = len(str(call.body.get("safety_identifier") or ""))
    if found > 128:
        yield {"found": found}


def _stream_options(call: Call) -> Found:
    if call.body.get("stream_options") is not None and not call.body.get("stream"):
        yield {}


def _row(name: str, find: Finder, message: str, source: str, endpoints: frozenset[str] = OPENAI, **more: Any) -> Rule:
    return Rule(f"openai.{name}", endpoints, find, message, source, **more)


_unauthorized: Mapping[str, Any] = {"status": 401, "code": "invalid_api_key"}
_missing: Mapping[str, Any] = {"code": "missing_required_parameter", "param": "{key}"}
_unknown: Mapping[str, Any] = {"code": "unknown_parameter", "param": "{key}"}
_unsupported: Mapping[str, Any] = {"code": "unsupported_parameter", "param": "{key}"}

UNKNOWN = "Unknown parameter: '{key}'."

RULES: tuple[Rule, ...] = (
    _row("no key", no_key, "You didn't provide an API key.", "API reference", status=401),
    _row("wrong key", wrong_key, "Incorrect API key provided.", "error codes guide", **_unauthorized),
    _row("no model", missing("model"), "Missing required parameter: '{key}'.", "API reference", **_missing),
    _row("no messages", missing("messages"), "Missing required parameter: '{key}'.", "SDK types", ON_CHAT, **_missing),
    _row(
        "unknown model on chat",
        unknown_model,
        "The model `{model}` does not exist or you do not have access to it.",
        "recorded 404",
        ON_CHAT,
        status=404,
        code="model_not_found",
    ),
    _row(
        "unknown model",
        unknown_model,
        "The requested model '{model}' does not exist.",
        "recorded 400",
        ITEMS,
        code="model_not_found",
        param="model",
    ),
    _row("chat key", outside(CHAT_KEYS), UNKNOWN, "SDK types; reports", ON_CHAT, **_unknown),
    _row("responses key", outside(RESPONSES_KEYS), UNKNOWN, "SDK types; reports", ON_RESPONSES, **_unknown),
    _row("count key", outside(COUNT_KEYS), UNKNOWN, "SDK types", ON_COUNT, **_unknown),
    *(
        _row(
            f"range of {key}",
            out_of_range(key, low, high),
            f"Invalid '{{key}}': number {{side}} value. Expected a value between {low} and {high}, but got {{value}}.",
            "API reference",
            code="number_out_of_range",
            param="{key}",
        )
        for key, low, high in (
            ("temperature", 0, 2),
            ("top_p", 0, 1),
            ("presence_penalty", -2, 2),
            ("frequency_penalty", -2, 2),
            ("top_logprobs", 0, 20),
        )
    ),
    _row(
        "sampling",
        _sampling,
        "Unsupported parameter: '{key}' is not supported with this model.",
        "reasoning guide; reports",
        GENERATE,
        **_unsupported,
    ),
    _row(
        "effort level",
        _effort,
        "Unsupported value: '{key}' does not support '{value}' with this model. Supported values are: {levels}.",
        "reasoning guide",
        code="unsupported_value",
        param="{key}",
    ),
    _row(
        "no effort",
        _effort_at_all,
        "Unsupported parameter: '{key}' is not supported with this model.",
        "reasoning guide",
        **_unsupported,
    ),
    _row(
        "tool name",
        _tool_name,
        "Invalid '{place}': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]{{1,64}}$'.",
        "API reference",
        code="invalid_value",
        param="{place}",
    ),
    _row(
        "tool choice alone",
        _choice_alone,
        "Invalid value for '{key}': '{key}' is only allowed when 'tools' are specified.",
        "reports",
        param="{key}",
    ),
    _row(
        "unknown tool",
        _unknown_choice,
        "Tool choice 'function' not found in 'tools' parameter: '{name}'.",
        "API reference",
        param="tool_choice",
    ),
    _row(
        "function schema",
        _functions,
        "Invalid schema for function '{name}': In context=({where}), {what}.",
        "reports",
        code="invalid_function_parameters",
        param="{place}",
    ),
    _row(
        "strict tool",
        _strict_tools,
        "Invalid schema for function '{name}': In context=({where}), {what}.",
        "recorded 400",
        code="invalid_function_parameters",
        param="{place}",
    ),
    _row(
        "format name",
        _format_name,
        "Invalid '{place}': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.",
        "SDK docstring; reports",
        code="invalid_value",
        param="{place}",
    ),
    _row(
        "format schema",
        _format,
        "Invalid schema for response_format '{name}': In context=({where}), {what}.",
        "structured outputs guide; reports",
        code="invalid_json_schema",
        param="{place}",
    ),
    _row(
        "metadata",
        _metadata,
        "Invalid 'metadata': at most 16 keys of 64 and values of 512 characters.",
        "SDK docstring",
        param="metadata",
    ),
    _row(
        "safety identifier",
        _identifier,
        "Invalid 'safety_identifier': string too long. Expected a string with maximum length 128, but got a string "
        "with length {found} instead.",
        "SDK docstring",
        code="string_above_max_length",
        param="safety_identifier",
    ),
    _row(
        "stream options",
        _stream_options,
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        "SDK docstring",
        GENERATE,
        param="stream_options",
    ),
    *MARKS,
    _row(
        "too long",
        too_long,
        "This model's maximum context length is {limit} tokens. However, your messages resulted in {tokens} tokens.",
        "reports",
        GENERATE,
        code="context_length_exceeded",
        param="messages",
    ),
)
