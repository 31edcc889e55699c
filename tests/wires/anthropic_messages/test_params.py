"""The Messages wire: parameters, native keys and betas."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.profiles import profile_for
from langchain_unified.request import OutputFormat, Params, Profile, ToolSpec
from langchain_unified.wires.anthropic_messages.params import PARAMS
from tests.support.params import CASES, SAMPLES
from tests.wires.anthropic_messages.helpers import ADAPTIVE, EPHEMERAL, HI, encode, problems, whats

BUDGET = Profile(thinking="budget", sampling="without_reasoning", max_output_tokens=64000)


def with_params(profile: Profile | None = None, **params: Any) -> Any:
    return encode(HumanMessage("hi"), params=params, **({"profile": profile} if profile else {}))


def test_every_parameter_has_a_row():
    assert set(PARAMS) == set(Params.__annotations__)


UNKNOWN = Profile(effort_levels=("low", "medium", "high"))

WRITTEN: list[tuple[dict[str, Any], Profile, dict[str, Any]]] = [
    ({"max_tokens": 7}, UNKNOWN, {"max_tokens": 7}),
    ({"max_tokens": 0}, UNKNOWN, {"max_tokens": 0}),
    ({}, Profile(max_output_tokens=64000), {"max_tokens": 64000}),
    ({"temperature": 0.0}, UNKNOWN, {"temperature": 0.0}),
    ({"top_p": 0.9, "top_k": 5}, UNKNOWN, {"top_p": 0.9, "top_k": 5}),
    ({"stop": ["END"]}, UNKNOWN, {"stop_sequences": ["END"]}),
    ({"stop": []}, UNKNOWN, {}),
    ({"n": 1, "stream_options": {}, "store": False, "logprobs": False, "modalities": ["text"]}, UNKNOWN, {}),
    ({"user": "u"}, UNKNOWN, {"metadata": {"user_id": "u"}}),
    ({"metadata": {"user_id": "m"}}, UNKNOWN, {"metadata": {"user_id": "m"}}),
    ({"metadata": {"user_id": "m"}, "user": "u"}, UNKNOWN, {"metadata": {"user_id": "u"}}),
    ({"user": "u", "metadata": {"user_id": "m"}}, UNKNOWN, {"metadata": {"user_id": "u"}}),
    ({"service_tier": "auto"}, UNKNOWN, {"service_tier": "auto"}),
    ({"service_tier": "default"}, UNKNOWN, {"service_tier": "standard_only"}),
    ({"service_tier": "standard_only"}, UNKNOWN, {"service_tier": "standard_only"}),
    ({"service_tier": "fast"}, UNKNOWN, {"speed": "fast"}),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        BUDGET,
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    ),
    ({"thinking": {"type": "disabled"}}, ADAPTIVE, {"thinking": {"type": "disabled"}}),
    ({"reasoning_effort": "high"}, UNKNOWN, {"output_config": {"effort": "high"}}),
    ({"reasoning_effort": "minimal"}, UNKNOWN, {"output_config": {"effort": "low"}}),
    (
        {"reasoning_effort": "max"},
        ADAPTIVE,
        {"output_config": {"effort": "max"}, "thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    (
        {"reasoning_effort": "low", "thinking": {"type": "adaptive"}},
        ADAPTIVE,
        {"output_config": {"effort": "low"}, "thinking": {"type": "adaptive"}},
    ),
    ({"reasoning_effort": "none"}, ADAPTIVE, {"thinking": {"type": "disabled"}}),
    ({"reasoning_effort": "none"}, BUDGET, {}),
    ({"reasoning_effort": "low"}, BUDGET, {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
    (
        {"reasoning_effort": "max", "max_tokens": 4000},
        BUDGET,
        {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
    ),
    (
        {"reasoning_effort": "high", "max_tokens": 1500},
        BUDGET,
        {"max_tokens": 1500, "thinking": {"type": "enabled", "budget_tokens": 1024}},
    ),
    (
        {"reasoning": {"effort": "medium", "summary": "auto"}},
        ADAPTIVE,
        {"output_config": {"effort": "medium"}, "thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    ({"reasoning": {"summary": "auto"}}, ADAPTIVE, {"thinking": {"type": "adaptive", "display": "summarized"}}),
    (
        {"reasoning": {"effort": "low", "summary": "detailed"}},
        BUDGET,
        {"thinking": {"type": "enabled", "budget_tokens": 2048, "display": "summarized"}},
    ),
]


@pytest.mark.parametrize("params, profile, expected", WRITTEN, ids=[json.dumps(case[0]) for case in WRITTEN])
def test_parameter_is_written(params: dict[str, Any], profile: Profile, expected: dict[str, Any], oracle: ModuleType):
    encoded = encode(HumanMessage("hi"), params=params, profile=profile)
    assert encoded.body == {**HI, "max_tokens": profile.max_output_tokens or 4096, **expected}
    assert encoded.adjustments == ()
    assert problems(oracle, encoded.body) == []


ADJUSTED: list[tuple[dict[str, Any], Profile, dict[str, Any]]] = [
    ({"temperature": 1.5}, UNKNOWN, {"temperature": 1.0}),
    ({"temperature": 0.5}, ADAPTIVE, {}),
    ({"top_p": 0.5}, ADAPTIVE, {}),
    ({"top_k": 5}, ADAPTIVE, {}),
    ({"stop": [" \n", "END"]}, UNKNOWN, {"stop_sequences": ["END"]}),
    ({"stop": ["END"]}, Profile(stop=False), {}),
    ({"metadata": {"user_id": "m", "run": "1"}}, UNKNOWN, {"metadata": {"user_id": "m"}}),
    ({"service_tier": "flex"}, UNKNOWN, {}),
    (
        {"reasoning_effort": "xhigh"},
        ADAPTIVE,
        {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    ({"reasoning_effort": "huge"}, ADAPTIVE, {}),
    ({"reasoning_effort": "none", "thinking": {"type": "adaptive"}}, ADAPTIVE, {"thinking": {"type": "adaptive"}}),
    ({"reasoning_effort": "high"}, Profile(), {}),
    ({"reasoning_effort": "high", "max_tokens": 1024}, BUDGET, {"max_tokens": 1024}),
    ({"reasoning": {"summary": "auto"}}, UNKNOWN, {}),
    ({"reasoning": {"context": "all_turns"}}, UNKNOWN, {}),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, ADAPTIVE, {"thinking": {"type": "adaptive"}}),
    ({"n": 2}, UNKNOWN, {}),
    ({"logprobs": True}, UNKNOWN, {}),
    ({"top_logprobs": 3}, UNKNOWN, {}),
    ({"seed": 1}, UNKNOWN, {}),
    ({"presence_penalty": 0.1}, UNKNOWN, {}),
    ({"frequency_penalty": 0.1}, UNKNOWN, {}),
    ({"logit_bias": {"1": 1.0}}, UNKNOWN, {}),
    ({"verbosity": "low"}, UNKNOWN, {}),
    ({"modalities": ["text", "audio"]}, UNKNOWN, {}),
    ({"audio": {"voice": "v"}}, UNKNOWN, {}),
    ({"prediction": {"type": "content"}}, UNKNOWN, {}),
    ({"store": True}, UNKNOWN, {}),
    ({"prompt_cache_key": "k"}, UNKNOWN, {}),
    ({"prompt_cache_retention": "24h"}, UNKNOWN, {}),
    ({"prompt_cache_options": {"ttl": "30m"}}, UNKNOWN, {}),
]


@pytest.mark.parametrize("params, profile, expected", ADJUSTED, ids=[json.dumps(case[0]) for case in ADJUSTED])
def test_parameter_is_adjusted_by_name(params: dict[str, Any], profile: Profile, expected: dict[str, Any]):
    encoded = encode(HumanMessage("hi"), params=params, profile=profile)
    assert encoded.body == {**HI, "max_tokens": profile.max_output_tokens or 4096, **expected}
    assert whats(encoded) == [next(iter(params))]
    assert len(encoded.adjustments[0]["why"]) > 20


def test_every_parameter_is_tried():
    tried = {key for params, _, _ in WRITTEN + ADJUSTED for key in params}
    assert tried | SAMPLES.keys() == set(Params.__annotations__)


@pytest.mark.parametrize("key", SAMPLES)
def test_a_parameter_is_sent_or_refused_by_name(key: str):
    case = CASES[key]
    encoded = encode(HumanMessage("hi"), params={key: case.value}, profile=UNKNOWN)
    refused = isinstance(case.anthropic_messages, str)
    assert whats(encoded) == ([key] if refused else [])
    if refused and key != "metadata":
        assert encoded.body == {**HI, "max_tokens": 4096}


def test_sampling_needs_the_older_version_of_the_api():
    assert with_params(temperature=0.5).headers == {"anthropic-version": "2023-06-01"}
    assert with_params(temperature=0.5, profile=ADAPTIVE).headers == {}
    assert encode(HumanMessage("hi"), extra_body={"top_k": 3}).headers == {"anthropic-version": "2023-06-01"}


def test_sampling_is_refused_while_the_model_thinks():
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    for params in (
        {"temperature": 0.5, **thinking},
        {**thinking, "temperature": 0.5},
        {"temperature": 0.5, "reasoning_effort": "low"},
    ):
        encoded = encode(HumanMessage("hi"), params=params, profile=BUDGET)
        assert "temperature" not in encoded.body
        assert whats(encoded) == ["temperature"]
    assert encode(HumanMessage("hi"), params={"temperature": 0.5}, profile=BUDGET).body["temperature"] == 0.5


@pytest.mark.parametrize(
    "model, thinking, effort",
    [
        ("claude-opus-5", {"type": "disabled"}, None),
        ("claude-sonnet-5-5", {"type": "between_tools"}, None),
        ("claude-opus-4-7", None, None),
        ("claude-opus-5-5", None, "low"),
        ("claude-fable-5-1", None, "low"),
    ],
)
def test_how_models_are_kept_from_thinking(model: str, thinking: Any, effort: str | None):
    profile = replace(ADAPTIVE, thinking_off=profile_for("anthropic", model).thinking_off)
    encoded = encode(HumanMessage("hi"), model=model, params={"reasoning_effort": "none"}, profile=profile)
    assert encoded.body.get("thinking") == thinking
    assert encoded.body.get("output_config") == ({"effort": effort} if effort else None)
    assert whats(encoded) == (["reasoning_effort"] if effort else [])


@pytest.mark.parametrize(
    "params, stream",
    [
        ({"max_tokens": -1}, False),
        ({"max_tokens": 0}, True),
        ({"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 2000}}, False),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, False),
    ],
)
def test_parameters_that_raise(params: dict[str, Any], stream: bool):
    with pytest.raises(UnsupportedParameterError, match="max_tokens"):
        encode(HumanMessage("hi"), params=params, stream=stream)


def test_interleaved_thinking_may_spend_more():
    thinking = {"type": "enabled", "budget_tokens": 9000}
    encoded = encode(HumanMessage("hi"), params={"thinking": thinking}, betas=("interleaved-thinking-2025-05-14",))
    assert encoded.body["thinking"] == thinking


def test_own_keys():
    native = {
        "container": "c",
        "cache_control": EPHEMERAL,
        "output_config": {"effort": "low", "task_budget": {"type": "tokens", "total": 9}},
        "inference_geo": None,
        "workspace_id": "w",
        "user_profile_id": "p",
        "stop_sequences": ["B"],
    }
    encoded = encode(
        HumanMessage("hi"),
        native=native,
        params={"stop": ["A"]},
        output=OutputFormat("json_schema", {"type": "string"}),
    )
    assert encoded.body == {
        **HI,
        "container": "c",
        "cache_control": EPHEMERAL,
        "output_config": {
            "effort": "low",
            "task_budget": {"type": "tokens", "total": 9},
            "format": {"type": "json_schema", "schema": {"type": "string"}},
        },
        "stop_sequences": ["A", "B"],
    }
    assert encoded.headers == {
        "anthropic-workspace-id": "w",
        "anthropic-user-profile-id": "p",
        "anthropic-beta": "task-budgets-2026-03-13",
    }


def test_keys_of_others_are_named():
    encoded = encode(HumanMessage("hi"), native={"truncation": "auto"})
    assert (encoded.body, whats(encoded)) == (HI, ["truncation"])


def test_the_old_name_of_the_output_format():
    form = {"type": "json_schema", "schema": {"type": "object"}}
    native = {"output_config": {"effort": "low"}, "output_format": form}
    found = encode(HumanMessage("hi"), native=native)
    assert found.body["output_config"] == {"effort": "low", "format": form}
    assert [item["what"] for item in found.adjustments] == ["output_format"]


def test_extra_body_is_merged_last():
    assert encode(HumanMessage("hi"), extra_body={"max_tokens": 1, "x": None}).body == {
        **HI,
        "max_tokens": 1,
        "x": None,
    }


@pytest.mark.parametrize(
    "native, beta",
    [
        ({"mcp_servers": [{"type": "url", "name": "m", "url": "https://x.test"}]}, "mcp-client-2025-11-20"),
        ({"mcp_servers": [{"type": "url", "name": "m", "tool_configuration": {}}]}, "mcp-client-2025-04-04"),
        ({"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}, "context-management-2025-06-27"),
        (
            {"context_management": {"edits": [{"type": "compact_20260112"}]}},
            "context-management-2025-06-27,compact-2026-01-12",
        ),
        ({"compaction": {"type": "summarize"}}, "compact-2026-09-04"),
        ({"fallbacks": "default"}, "server-side-fallback-2026-07-01"),
        ({"fallback_credit_token": "t"}, "fallback-credit-2026-07-01"),
        ({"thread": {"type": "create"}}, "message-threads-2026-08-12"),
        ({"billing_policy": {"type": "billing_policy", "bill_to": "self"}}, "user-profiles-billing-2026-10-01"),
        ({"speed": "fast"}, "fast-mode-2026-02-01"),
        ({"diagnostics": {"previous_message_id": None}}, None),
    ],
)
def test_betas_of_keys(native: dict[str, Any], beta: str | None):
    encoded = encode(HumanMessage("hi"), native=native)
    assert encoded.headers.get("anthropic-beta") == beta
    assert encoded.body == {**HI, **native}


def test_betas_are_joined_once_each_the_callers_first():
    server = {"type": "url", "name": "m", "url": "https://x.test"}
    toolset = ToolSpec("m", kind="native", definition={"type": "mcp_toolset", "mcp_server_name": "m"})
    fields = {"tools": (toolset,), "native": {"mcp_servers": [server]}, "params": {"service_tier": "fast"}}
    assert encode(HumanMessage("hi"), betas=("z", "a"), **fields).headers["anthropic-beta"] == (
        "z,a,mcp-client-2025-11-20,fast-mode-2026-02-01"
    )
    newer = encode(HumanMessage("hi"), betas=("mcp-client-2026-09-15",), **fields).headers["anthropic-beta"]
    assert newer == "mcp-client-2026-09-15,fast-mode-2026-02-01"


def test_betas_of_thinking():
    assert with_params(thinking={"type": "adaptive", "display": "updates"}).headers == {
        "anthropic-beta": "thinking-display-updates-2026-08-18"
    }
    binding = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    assert with_params(thinking=binding).headers == {"anthropic-beta": "thinking-binding-controls-2026-08-01"}
