"""The Chat Completions wire: parameters and native keys."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified.request import Dialect, Params, Profile, ToolSpec
from langchain_unified.wires.openai_chat import WIRE
from langchain_unified.wires.openai_chat.params import NATIVE_KEYS, PARAMS
from tests.support.params import SAMPLES
from tests.wires.openai_chat.helpers import body, request


def params(profile: Profile | None = None, /, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """The keys that parameters add to a body, and the names of what could not be said."""
    others = {key: fields.pop(key) for key in ("stream", "tools", "dialect", "native") if key in fields}
    found = WIRE.encode(request(HumanMessage("Hi"), params=Params(**fields), profile=profile or Profile(), **others))
    added = {key: value for key, value in found.body.items() if key not in ("model", "messages", "tools", "stream")}
    assert all(note["why"] for note in found.adjustments)
    return added, [note["what"] for note in found.adjustments]


EVERY_PARAM: dict[str, Any] = {
    **SAMPLES,
    "max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "top_k": 3, "stop": ["a"], "seed": 1, "n": 2,
    "presence_penalty": 0.1, "frequency_penalty": 0.2, "logit_bias": {"7": 1}, "logprobs": True, "top_logprobs": 2,
    "user": "u", "metadata": {"k": "v"}, "service_tier": "flex", "parallel_tool_calls": False,
    "reasoning_effort": "none", "reasoning": {"effort": "none"}, "thinking": {"type": "disabled"}, "verbosity": "low",
    "modalities": ["text"], "audio": {"format": "wav", "voice": "alloy"},
    "prediction": {"type": "content", "content": "x"}, "store": True, "stream_options": {"include_obfuscation": False},
    "prompt_cache_key": "k", "prompt_cache_retention": "24h", "prompt_cache_options": {"mode": "implicit"},
}  # fmt: skip


def test_every_param_has_a_row_and_is_sent_or_refused_by_name(oracle):
    assert set(PARAMS) == set(Params.__annotations__) == set(EVERY_PARAM)
    renamed = {"max_tokens": "max_completion_tokens", "reasoning": "reasoning_effort", "thinking": "reasoning_effort"}
    for key, value in EVERY_PARAM.items():
        added, refused = params(
            Profile(effort_levels=("none", "low")),
            stream=key == "stream_options",
            tools=(ToolSpec("add"),),
            **{key: value},
        )
        assert (renamed.get(key, key) in added) != (refused == [key]), key
    assert params(**{**EVERY_PARAM, "n": 1})[1] == ["top_k"]
    assert oracle.validate("chat", body(HumanMessage("Hi"), params=EVERY_PARAM, tools=(ToolSpec("add"),))) == []


def test_max_tokens_goes_under_the_servers_key():
    assert params(max_tokens=5)[0] == {"max_completion_tokens": 5}
    assert params(max_tokens=5, dialect=Dialect(max_tokens_key="max_tokens"))[0] == {"max_tokens": 5}


def test_stop_has_a_limit_and_models_that_refuse_it():
    assert params(stop=["a", "b", "c", "d", "e"]) == ({"stop": ["a", "b", "c", "d"]}, ["stop"])
    assert params(Profile(stop=False), stop=["a"]) == ({}, ["stop"])
    assert params(stop=[]) == ({}, [])


SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs")


@pytest.mark.parametrize(
    "profile, extra, taken",
    [
        (Profile(), {}, True),
        (Profile(sampling="never"), {}, False),
        (Profile(sampling="without_reasoning"), {}, True),
        (Profile(sampling="without_reasoning", effort_default="none"), {}, True),
        (Profile(sampling="without_reasoning", effort_default="medium"), {}, False),
        (Profile(sampling="without_reasoning", effort_default="medium"), {"reasoning_effort": "none"}, True),
        (Profile(sampling="without_reasoning", effort_default="none"), {"reasoning_effort": "low"}, False),
        (Profile(sampling="without_reasoning", effort_default="none"), {"reasoning": {"effort": "low"}}, False),
        (
            Profile(sampling="without_reasoning", effort_default="medium", effort_levels=("none", "low")),
            {"thinking": {"type": "disabled"}},
            True,
        ),
        (
            Profile(sampling="without_reasoning", effort_default="medium", effort_levels=("low", "high")),
            {"reasoning_effort": "none"},
            False,
        ),
    ],
)
def test_sampling_follows_the_model_and_its_effort(profile, extra, taken):
    values = {key: EVERY_PARAM[key] for key in SAMPLING}
    added, refused = params(profile, **values, **extra)
    assert set(SAMPLING) & set(added) == (set(SAMPLING) if taken else set())
    assert set(SAMPLING) & set(refused) == (set() if taken else set(SAMPLING))


@pytest.mark.parametrize(
    "levels, asked, level",
    [
        ((), "max", "max"),
        (("low", "medium", "high"), "low", "low"),
        (("low", "medium", "high"), "none", "low"),
        (("none", "low", "high"), "minimal", "low"),
        (("none", "low", "high"), "max", "high"),
    ],
)
def test_an_effort_the_model_lacks_becomes_the_nearest(levels, asked, level):
    added, refused = params(Profile(effort_levels=levels), reasoning_effort=asked)
    assert added == {"reasoning_effort": level}
    assert refused == ([] if asked == level else ["reasoning_effort"])


def test_reasoning_of_the_other_apis():
    levels = Profile(effort_levels=("none", "low"))
    assert params(reasoning={"effort": "low", "summary": "auto"}) == (
        {"reasoning_effort": "low"},
        ["reasoning.summary"],
    )
    assert params(thinking={"type": "enabled", "budget_tokens": 2000}) == ({}, ["thinking"])
    assert params(levels, thinking={"type": "disabled"}) == ({"reasoning_effort": "none"}, [])
    assert params(levels, thinking={"type": "disabled"}, reasoning_effort="low") == (
        {"reasoning_effort": "low"},
        ["thinking"],
    )


def test_small_translations():
    assert params(user="u")[0] == {"user": "u"}
    assert params(Profile(reasoning=True), user="u")[0] == {"safety_identifier": "u"}
    assert params(service_tier="standard_only") == ({"service_tier": "default"}, [])
    assert params(service_tier="ultrafast") == ({}, ["service_tier"])
    assert params(top_logprobs=2)[0] == {"top_logprobs": 2, "logprobs": True}
    assert params(parallel_tool_calls=False) == ({}, [])
    assert params(n=3)[0] == {"n": 3}
    assert params(n=3, stream=True, dialect=Dialect(stream_usage=False)) == ({}, ["n"])


def test_cache_parameters():
    both = {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}, "prompt_cache_retention": "24h"}
    added = {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}}
    assert params(**both) == (added, ["prompt_cache_retention"])
    assert params(prompt_cache_options={"ttl": "12h", "prewarm": True}) == (
        {},
        ["prompt_cache_options.ttl, prompt_cache_options.prewarm"],
    )
    assert params(Profile(cache_breakpoints=False), prompt_cache_options={"mode": "explicit"})[1] == [
        "prompt_cache_options"
    ]


def test_streaming_asks_for_usage():
    assert body(HumanMessage("Hi"), stream=True)["stream_options"] == {"include_usage": True}
    asked = {"include_obfuscation": False}
    assert params(stream=True, stream_options=asked)[0]["stream_options"] == {"include_usage": True, **asked}
    assert "stream_options" not in body(HumanMessage("Hi"), stream=True, dialect=Dialect(stream_usage=False))
    whole = body(HumanMessage("Hi"), params={"stream_options": asked})
    assert "stream" not in whole
    assert "stream_options" not in whole


def test_native_keys_and_extra_body():
    found = WIRE.encode(
        request(
            HumanMessage("Hi"),
            params={"seed": 1},
            native={"web_search_options": {}, "moderation": None, "container": "c"},
            extra_body={"seed": 2, "top_k": 4},
            betas=("x",),
        )
    )
    assert {key: found.body[key] for key in ("web_search_options", "seed", "top_k")} == {
        "web_search_options": {}, "seed": 2, "top_k": 4,
    }  # fmt: skip
    assert "moderation" not in found.body
    assert {note["what"] for note in found.adjustments} == {"container", "betas"}


def test_every_key_of_the_api_has_a_place():
    from openai.types.chat import completion_create_params as sdk

    own = {"messages", "model", "tools", "tool_choice", "response_format", "stream"}
    known = own | set(Params.__annotations__) | NATIVE_KEYS
    assert (
        set(sdk.CompletionCreateParamsNonStreaming.__annotations__)
        | set(sdk.CompletionCreateParamsBase.__annotations__)
        <= known
    )


def test_citations_are_named_as_not_possible():
    document = {"type": "document", "source": {"type": "text", "data": "a"}, "citations": {"enabled": True}}
    assert [note["what"] for note in WIRE.encode(request(HumanMessage([document]))).adjustments] == ["citations"]


def test_a_default_that_a_reasoning_model_refuses_is_no_loss():
    for key, value, lossless in (("temperature", 1, True), ("temperature", 0.5, False), ("presence_penalty", 0, True)):
        found = WIRE.encode(request(HumanMessage("Hi"), params={key: value}, profile=Profile(sampling="never")))
        assert [item.get("lossless", False) for item in found.adjustments] == [lossless]
