"""The Responses wire: parameters, native keys and output formats."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.request import OutputFormat, Params, Profile
from langchain_unified.wires.openai_responses.params import NATIVE_KEYS, PARAMS
from tests.support.params import CASES, SAMPLES
from tests.wires.openai_responses.helpers import body, encode, refused

EVERY_PARAM: dict[str, Any] = {
    **SAMPLES,
    "max_tokens": 5, "temperature": 0.0, "top_p": 0.5, "top_k": 3, "stop": ["x"], "seed": 1, "n": 2,
    "presence_penalty": 0.1, "frequency_penalty": 0.1, "logit_bias": {"5": 1.0}, "logprobs": True, "top_logprobs": 2,
    "user": "u", "metadata": {"a": "b"}, "service_tier": "flex", "parallel_tool_calls": False,
    "reasoning_effort": "low", "reasoning": {"summary": "auto"}, "thinking": {"type": "enabled", "budget_tokens": 9},
    "verbosity": "low", "modalities": ["audio"], "audio": {"voice": "v"}, "prediction": {"content": "c"},
    "store": True, "stream_options": {"include_obfuscation": False}, "prompt_cache_key": "k",
    "prompt_cache_retention": "24h", "prompt_cache_options": {"mode": "explicit", "ttl": "12h"},
}  # fmt: skip
REFUSED = {key for key in EVERY_PARAM if isinstance(CASES[key].openai_responses, str)}


def test_every_parameter_has_a_row():
    assert PARAMS.keys() == Params.__annotations__.keys() == EVERY_PARAM.keys()
    assert not NATIVE_KEYS & PARAMS.keys()


@pytest.mark.parametrize("key", EVERY_PARAM)
def test_every_parameter_is_sent_or_refused_by_name(oracle, key):
    bare = body(HumanMessage("hi"), stream=True)
    found = encode(HumanMessage("hi"), params={key: EVERY_PARAM[key]}, stream=True)
    said = found.body != bare
    named = [adjustment["what"] for adjustment in found.adjustments]
    assert (said, named) == ((False, [key]) if key in REFUSED else (key != "thinking", named))
    assert said or any(key in what for what in named)
    assert oracle.validate("responses", found.body) == []


def params(profile: Profile | None = None, **values: Any) -> dict[str, Any]:
    found = body(HumanMessage("hi"), params=values, profile=profile or Profile())
    return {key: value for key, value in found.items() if key not in ("model", "input")}


def test_zero_tokens_are_refused():
    with pytest.raises(UnsupportedParameterError, match="max_tokens"):
        params(max_tokens=0)


def test_parameters():
    assert params(max_tokens=50, user="u") == {"max_output_tokens": 50, "safety_identifier": "u"}
    assert params(verbosity="low") == {"text": {"verbosity": "low"}}
    assert params(logprobs=True, top_logprobs=3) == {"include": ["message.output_text.logprobs"], "top_logprobs": 3}
    assert params(logprobs=False) == {}
    assert params(service_tier="standard_only") == {"service_tier": "default"}
    assert params(temperature=0.0) == {"temperature": 0.0}
    assert params(stream_options={"include_usage": True}) == {}
    assert refused(params={"stream_options": {"include_usage": True, "x": 1}}) == ["stream_options.x"]
    both = {"prompt_cache_options": {"ttl": "30m"}, "prompt_cache_retention": "24h"}
    assert params(**both) == {"prompt_cache_options": {"ttl": "30m"}}
    assert refused(params=both) == ["prompt_cache_retention"]
    assert refused(params={"prompt_cache_options": {}}, profile=Profile(cache_breakpoints=False)) == [
        "prompt_cache_options"
    ]


def test_reasoning_is_merged_whatever_the_order():
    for values in (
        {"reasoning_effort": "low", "reasoning": {"summary": "concise"}, "thinking": {"type": "adaptive"}},
        {"thinking": {"type": "adaptive"}, "reasoning": {"summary": "concise"}, "reasoning_effort": "low"},
    ):
        assert params(**values) == {"reasoning": {"summary": "concise", "effort": "low"}}
    said = {"reasoning_effort": "low", "reasoning": {"effort": "high"}}
    assert params(**said) == {"reasoning": {"effort": "high"}}
    assert refused(params=said) == ["reasoning_effort"]
    assert params(thinking={"type": "adaptive", "display": "summarized"}) == {"reasoning": {"summary": "auto"}}


def test_thinking_is_switched_off_where_the_model_can():
    off = {"thinking": {"type": "disabled"}}
    levels = Profile(effort_levels=("none", "low"))
    assert params(levels, **off) == {"reasoning": {"effort": "none"}}
    assert refused(params=off, profile=Profile(effort_levels=("low",))) == ["thinking"]
    assert refused(params={"thinking": {"type": "enabled", "budget_tokens": 5}}) == ["thinking"]
    assert refused(params={"thinking": {"type": "between_tools"}}) == ["thinking"]


def test_an_effort_that_the_model_lacks_becomes_the_nearest():
    levels = Profile(effort_levels=("low", "medium", "high"))
    assert params(levels, reasoning_effort="minimal") == {"reasoning": {"effort": "low"}}
    assert params(levels, reasoning={"effort": "max"}) == {"reasoning": {"effort": "high"}}
    for key, value in {"reasoning_effort": "max", "reasoning": {"effort": "max"}}.items():
        found = encode(HumanMessage("hi"), params={key: value}, profile=levels)
        assert found.adjustments == ({"what": key, "why": "gpt-test has no effort 'max': 'high' was sent."},)
    assert refused(params={"reasoning_effort": "low"}, profile=levels) == []


SAMPLING = {"temperature": 0.5, "top_p": 0.5, "top_logprobs": 2, "logprobs": True}


@pytest.mark.parametrize(
    "profile,effort,taken",
    [
        (Profile(), None, True),
        (Profile(sampling="never"), None, False),
        (Profile(sampling="without_reasoning"), None, True),
        (Profile(sampling="without_reasoning", effort_default="none"), None, True),
        (Profile(sampling="without_reasoning", effort_default="medium"), None, False),
        (Profile(sampling="without_reasoning", effort_default="medium"), "none", True),
        (Profile(sampling="without_reasoning"), "low", False),
    ],
)
def test_sampling_is_sent_only_to_a_model_that_takes_it(profile, effort, taken):
    values = dict(SAMPLING) if effort is None else {**SAMPLING, "reasoning_effort": effort}
    assert set(refused(params=values, profile=profile)) == (set() if taken else set(SAMPLING))
    assert ("temperature" in params(profile, **values)) == taken


def test_native_keys():
    native = {"truncation": "auto", "previous_response_id": "resp_0", "text": {"verbosity": "low"}, "background": None}
    found = encode(HumanMessage("hi"), native=native, output=OutputFormat("json_object"))
    assert found.body == {
        "model": "gpt-test",
        "input": [{"role": "user", "content": "hi"}],
        "truncation": "auto",
        "previous_response_id": "resp_0",
        "text": {"verbosity": "low", "format": {"type": "json_object"}},
    }
    assert native["text"] == {"verbosity": "low"}
    assert refused(native={"container": "c"}) == ["container"]
    assert refused(betas=("x-2026",)) == ["betas"]


def test_extra_body_is_merged_last():
    found = body(HumanMessage("hi"), params=Params(max_tokens=5), extra_body={"max_output_tokens": 6, "new": None})
    assert (found["max_output_tokens"], found["new"]) == (6, None)


def test_output_formats():
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    strict = OutputFormat("json_schema", schema, "answer", "What it is", strict=True)
    assert body(HumanMessage("hi"), output=strict, params=Params(verbosity="low"))["text"] == {
        "verbosity": "low",
        "format": {
            "type": "json_schema", "name": "answer", "schema": schema, "description": "What it is", "strict": True,
        },
    }  # fmt: skip
    loose = body(HumanMessage("hi"), output=OutputFormat("json_schema", schema))["text"]["format"]
    assert loose == {"type": "json_schema", "name": "response", "schema": schema}


def test_the_api_takes_no_answer_limit_below_16():
    encoded = encode(HumanMessage("hi"), params={"max_tokens": 5})
    assert encoded.body["max_output_tokens"] == 16
    assert [item["what"] for item in encoded.adjustments] == ["max_tokens"]


def test_a_model_that_does_not_reason_gets_no_effort():
    known = Profile(reasoning=False)
    encoded = encode(HumanMessage("hi"), params={"reasoning_effort": "low"}, profile=known)
    assert "reasoning" not in encoded.body
    assert [item["what"] for item in encoded.adjustments] == ["reasoning_effort"]
    unknown = encode(HumanMessage("hi"), params={"reasoning_effort": "low"})
    assert unknown.body["reasoning"] == {"effort": "low"}


def test_a_model_that_does_not_reason_gets_no_reasoning_summary_either():
    known = Profile(reasoning=False)
    encoded = encode(HumanMessage("hi"), params={"reasoning": {"summary": "auto"}}, profile=known)
    assert "reasoning" not in encoded.body
    assert [item["what"] for item in encoded.adjustments] == ["reasoning"]
    off = encode(HumanMessage("hi"), params={"reasoning_effort": "none"}, profile=known)
    assert "reasoning" not in off.body
    assert off.adjustments == ()
