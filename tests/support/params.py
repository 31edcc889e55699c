"""One value of every parameter of a call, and what each wire makes of it.

A row here is the test of a parameter: `tests/params` runs it on every wire, from the constructor, `bind` and the call,
and the tests of the wires take their samples from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_unified import PromptCache
from langchain_unified.request import Params

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
EPHEMERAL = {"type": "ephemeral"}
CLOSED = {**SCHEMA, "additionalProperties": False}
TOOL = {"name": "get_weather", "description": "The weather.", "input_schema": SCHEMA}


@dataclass(frozen=True)
class Case:
    """A value, and for each wire what the body then holds, or the `what` of the adjustment where it is refused.

    `always`: further constructor arguments. `call`: what the call has beside the parameter.
    """

    value: Any
    anthropic_messages: Any
    openai_chat: Any
    openai_responses: Any
    always: Mapping[str, Any] | None = None
    call: Mapping[str, Any] | None = None
    stream: bool = False


class Http:
    """What is seen of the request beside its body."""

    def __init__(self, **parts: Any) -> None:
        self.parts = parts


TOOLS = {"tools": [TOOL]}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": CLOSED, "strict": True}}
AUDIO = {"voice": "alloy", "format": "wav"}
GUESS = {"type": "content", "content": "x"}

CASES: dict[str, Case] = {
    "max_tokens": Case(70, {"max_tokens": 70}, {"max_completion_tokens": 70}, {"max_output_tokens": 70}),
    "temperature": Case(0.5, {"temperature": 0.5}, {"temperature": 0.5}, {"temperature": 0.5}),
    "top_p": Case(0.5, {"top_p": 0.5}, {"top_p": 0.5}, {"top_p": 0.5}),
    "top_k": Case(5, {"top_k": 5}, "top_k", "top_k"),
    "stop": Case(["x"], {"stop_sequences": ["x"]}, {"stop": ["x"]}, "stop"),
    "n": Case(2, "n", {"n": 2}, "n"),
    "user": Case("u-1", {"metadata": {"user_id": "u-1"}}, {"user": "u-1"}, {"safety_identifier": "u-1"}),
    # Chat Completions takes it with `store` only.
    "metadata": Case({"team": "a"}, "metadata", "metadata", {"metadata": {"team": "a"}}),
    "request_metadata": Case({"team": "a"}, "metadata", "metadata", {"metadata": {"team": "a"}}),
    "service_tier": Case(
        "default", {"service_tier": "standard_only"}, {"service_tier": "default"}, {"service_tier": "default"}
    ),
    "parallel_tool_calls": Case(
        False,
        {"tool_choice": {"disable_parallel_tool_use": True}},
        {"parallel_tool_calls": False},
        {"parallel_tool_calls": False},
        call=TOOLS,
    ),
    "tool_choice": Case(
        "any", {"tool_choice": {"type": "any"}}, {"tool_choice": "required"}, {"tool_choice": "required"}, call=TOOLS
    ),
    "response_format": Case(
        FORM,
        {"output_config": {"format": {"type": "json_schema", "schema": CLOSED}}},
        {"response_format": FORM},
        {"text": {"format": {"type": "json_schema", "name": "answer", "schema": CLOSED, "strict": True}}},
    ),
    "reasoning_effort": Case(
        "low",
        {"output_config": {"effort": "low"}},
        {"reasoning_effort": "low"},
        {"reasoning": {"effort": "low"}},
        always={"openai_model": "gpt-5.1", "anthropic_model": "claude-opus-4-8"},
    ),
    "reasoning": Case(
        {"effort": "low"},
        {"output_config": {"effort": "low"}},
        {"reasoning_effort": "low"},
        {"reasoning": {"effort": "low"}},
        always={"openai_model": "gpt-5.1", "anthropic_model": "claude-opus-4-8"},
    ),
    "thinking": Case(
        {"type": "disabled"},
        {"thinking": {"type": "disabled"}},
        {"reasoning_effort": "none"},
        {"reasoning": {"effort": "none"}},
        always={"openai_model": "gpt-5.1"},
    ),
    "timeout": Case(0.1, *[Http(timeout=True)] * 3, always={"default_headers": {"x-slow": "1"}}),
    "extra_headers": Case({"x-mine": "1"}, *[Http(headers={"x-mine": "1"})] * 3),
    "extra_query": Case({"mine": "1"}, *[Http(query={"mine": "1"})] * 3),
    "extra_body": Case({"mine": [1]}, *[{"mine": [1]}] * 3),
    "seed": Case(7, "seed", {"seed": 7}, "seed"),
    "presence_penalty": Case(0.5, "presence_penalty", {"presence_penalty": 0.5}, "presence_penalty"),
    "frequency_penalty": Case(0.5, "frequency_penalty", {"frequency_penalty": 0.5}, "frequency_penalty"),
    "logit_bias": Case({"50256": -100}, "logit_bias", {"logit_bias": {"50256": -100}}, "logit_bias"),
    "logprobs": Case(True, "logprobs", {"logprobs": True}, {"include": ["message.output_text.logprobs"]}),
    "top_logprobs": Case(2, "top_logprobs", {"top_logprobs": 2, "logprobs": True}, {"top_logprobs": 2}),
    "verbosity": Case("low", "verbosity", {"verbosity": "low"}, {"text": {"verbosity": "low"}}),
    "modalities": Case(["text", "audio"], "modalities", {"modalities": ["text", "audio"]}, "modalities"),
    "audio": Case(AUDIO, "audio", {"audio": AUDIO}, "audio"),
    "prediction": Case(GUESS, "prediction", {"prediction": GUESS}, "prediction"),
    "store": Case(True, "store", {"store": True}, {"store": True}),
    "stream_options": Case(
        {"include_obfuscation": False},
        {},
        {"stream_options": {"include_usage": True, "include_obfuscation": False}},
        {"stream_options": {"include_obfuscation": False}},
        stream=True,
    ),
    "prompt_cache": Case(
        PromptCache(key="k", tail="always"),
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": EPHEMERAL}]}]},
        {"prompt_cache_key": "k"},
        {"prompt_cache_key": "k"},
    ),
    "prompt_cache_key": Case("k", "prompt_cache_key", {"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}),
    "prompt_cache_retention": Case(
        "24h", "prompt_cache_retention", {"prompt_cache_retention": "24h"}, {"prompt_cache_retention": "24h"}
    ),
    "prompt_cache_options": Case(
        {"mode": "implicit"},
        "prompt_cache_options",
        {"prompt_cache_options": {"mode": "implicit"}},
        {"prompt_cache_options": {"mode": "implicit"}},
        always={"openai_model": "gpt-5.6"},
    ),
}


SAMPLES: Mapping[str, Any] = {key: CASES[key].value for key in Params.__annotations__ if key in CASES}
"""One value of every neutral parameter."""
