"""Every parameter with every model of the table: what `check` lets pass, the provider takes.

The bodies are held to the emulator's rules and to the field rules. What is advised is tried as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, PromptCache
from langchain_unified.chat_models import _plan
from langchain_unified.errors import ConfigurationError, RequestError
from langchain_unified.profiles import known_models, profile_for
from langchain_unified.request import Adjustment
from langchain_unified.testing.emulation.rules import refusals
from langchain_unified.testing.emulation.rules.rule import EmulatedCall
from tests.support import field_rules
from tests.support.corpus import ENDPOINT_OF

HEADERS = {"x-api-key": "any", "authorization": "Bearer any", "anthropic-version": "2023-06-01"}
QUESTION = [HumanMessage("Answer in JSON, please.")]

CITY = {"type": "string"}
SCHEMA = {"type": "object", "properties": {"city": CITY}, "required": ["city"], "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather.", "parameters": SCHEMA}}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
SEARCH = {"type": "web_search"}
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "extreme")
THOUGHTS: tuple[dict[str, Any], ...] = (
    {"type": "disabled"},
    {"type": "adaptive"},
    {"type": "adaptive", "display": "summarized"},
    {"type": "enabled"},
    {"type": "enabled", "budget_tokens": 100},
    {"type": "enabled", "budget_tokens": 2000},
    {"type": "between_tools"},
)

Keywords = Mapping[str, Any]

OF_MODELS: tuple[Keywords, ...] = (
    *({"reasoning_effort": effort} for effort in EFFORTS),
    *({"reasoning_effort": effort, "tools": [TOOL]} for effort in EFFORTS),
    *({"reasoning_effort": effort, "temperature": 0.5} for effort in ("none", "low")),
    {"reasoning": {"effort": "low", "summary": "auto"}},
    {"reasoning": {"summary": "auto"}},
    *({"thinking": thought} for thought in THOUGHTS),
    *({"thinking": thought, "reasoning_effort": effort} for thought in THOUGHTS for effort in ("none", "low", "max")),
    *({"thinking": thought, "temperature": 0.5, "max_tokens": 5000} for thought in THOUGHTS),
    *({"thinking": thought, "max_tokens": 1000} for thought in THOUGHTS),
    *({"thinking": thought, "tools": [TOOL], "tool_choice": "any"} for thought in THOUGHTS),
    *({"thinking": thought, "response_format": FORM} for thought in THOUGHTS[:2]),
    {"thinking": {"type": "disabled"}, "output_config": {"effort": "xhigh"}},
    {"reasoning_effort": "none", "output_config": {"effort": "max"}},
    *({"max_tokens": limit} for limit in (1, 15, 10**7)),
    {"temperature": 0.5},
    {"temperature": 1, "top_p": 1},
    {"temperature": 0.5, "top_p": 0.5},
    {"top_k": 5},
    {"presence_penalty": 0.5, "frequency_penalty": 0.5},
    {"logprobs": True, "top_logprobs": 3},
    {"top_logprobs": 3},
    {"logit_bias": {"1": 5}},
    {"stop": ["a"]},
    {"user": "u" * 100},
    {"tools": [TOOL]},
    {"tools": [TOOL], "tool_choice": "any"},
    {"tools": [TOOL], "strict": True},
    {"tools": [TOOL], "response_format": FORM},
    {"tools": [SEARCH]},
    {"tools": [SEARCH], "reasoning_effort": "minimal"},
    {"response_format": FORM},
    {"verbosity": "low"},
    {"store": False},
    {"system": "Be brief."},
    {"web_search_options": {}},
    {"include": ["reasoning.encrypted_content"]},
    {"include": ["message.output_text.logprobs"]},
    {"prompt_cache_retention": "24h"},
    {"prompt_cache_options": {"mode": "explicit", "ttl": "12h"}},
    {"prompt_cache": PromptCache(ttl="1h", key="k", tail="always")},
)  # fmt: skip
"""What models take or not, each by its profile."""

OF_APIS: tuple[Keywords, ...] = (
    *({"temperature": value} for value in (-1, 0, 1.5, 3)),
    *({"top_p": value} for value in (-1, 0, 2)),
    {"top_k": -1},
    *({key: value} for key in ("presence_penalty", "frequency_penalty") for value in (-3, 3)),
    {"top_logprobs": 30},
    {"logprobs": False, "top_logprobs": 3},
    {"n": 200},
    {"stop": list("abcde")},
    {"stop": [" "]},
    {"user": "u" * 1000},
    {"safety_identifier": "u" * 200},
    *({"metadata": value} for value in ({"user_id": "u" * 600}, {"a": "b"}, {"a": 5}, {"a" * 100: "b"})),
    {"metadata": {str(n): "b" for n in range(20)}, "store": True},
    *({"service_tier": tier} for tier in ("auto", "flex", "fast", "ultrafast", "standard_only", "other")),
    {"parallel_tool_calls": False},
    *({"tools": [TOOL], "tool_choice": choice} for choice in ("auto", "none", "get_weather")),
    {"tools": [{**TOOL, "function": {**TOOL["function"], "name": f"f{n}"}} for n in range(25)], "strict": True},
    {"response_format": {"type": "json_object"}},
    {"verbosity": "other"},
    {"modalities": ["text"]},
    {"stream_options": {"include_usage": True}},
    {"prompt_cache_key": "k" * 100},
    {"prompt_cache_retention": "other"},
    {"prompt_cache_options": {"ttl": "1h"}},
    {"include": ["other"]},
    {"truncation": "auto"},
    {"truncation": "other"},
    {"background": True},
    {"background": True, "store": False},
    {"previous_response_id": "resp_1", "conversation": "conv_1"},
    {"text": {"verbosity": "other"}},
    {"context_management": {"edits": []}},
    {"context_management": [{"type": "compaction", "compact_threshold": 5000}]},
    {"speed": "fast"},
    {"betas": ["x"]},
)  # fmt: skip
"""What an API takes or not, on every model."""


def distinct(provider: Any) -> list[str]:
    """One model of the table for each different profile."""
    return list({repr(profile_for(provider, name)): name for name in known_models(provider)}.values())


def builds(name: str) -> Iterator[Any]:
    fields: dict[str, Any] = {"api_key": "any", "on_unsupported": "ignore"}
    if name in known_models("anthropic"):
        yield ChatAnthropic(name, **fields)
        return
    yield ChatUnified(f"openai/{name}", **fields)
    yield ChatOpenAI(name, use_responses_api=True, **fields)
    if profile_for("openai", name).responses_only == "no":  # the caller's own choice is not overruled
        yield ChatOpenAI(name, use_responses_api=False, **fields)


MISJUDGED = {("chat.web_search_model", "gpt-5-search-api")}
"""Where the field rules know less than OpenAI's guide to web search: this model is made for the option."""


def refused(model: Any, keywords: Keywords) -> tuple[list[str], str, tuple[Adjustment, ...]]:
    """Why the provider refuses the call (empty: it takes it, or we refused it), our refusal, and what was adjusted."""
    try:
        plan = _plan.make(model, QUESTION, dict(keywords), stream=False)
    except (RequestError, ConfigurationError) as error:
        return [], str(error), ()
    call = EmulatedCall(
        ENDPOINT_OF[plan.wire.name],
        json.loads(json.dumps(plan.call.body)),
        {**HEADERS, **plan.call.headers},
        stored_responses=frozenset({"resp_1"}),
    )
    found = [refusal.message for refusal in refusals(call)]
    if field_rules.available():
        violations = field_rules.violations(call.endpoint, call.body, call.headers)
        found += [f"{each.rule}: {each.what}" for each in violations if (each.rule, plan.route.model) not in MISJUDGED]
    return found, "", plan.adjustments


# --- what is advised --------------------------------------------------------------------------------------------------

REASONING = ("thinking", "reasoning", "reasoning_effort", "output_config")

Remedy = Callable[[re.Match[str], Keywords], Iterator[Keywords]]


def without(keywords: Keywords, *names: str) -> dict[str, Any]:
    return {key: value for key, value in keywords.items() if key not in names}


def with_effort(match: re.Match[str], keywords: Keywords) -> Iterator[Keywords]:
    yield {**without(keywords, *REASONING), "reasoning_effort": match[1]}


def any_effort(match: re.Match[str], keywords: Keywords) -> Iterator[Keywords]:
    yield {**without(keywords, *REASONING, "tools", "tool_choice"), "reasoning_effort": "low"}


def each_effort(match: re.Match[str], keywords: Keywords) -> Iterator[Keywords]:
    for effort in match[1].split(", "):
        yield {"reasoning_effort": effort}


def replacing(*names: str, **values: Any) -> Remedy:
    """The same call, with `values` in the place of `names`."""

    def call(match: re.Match[str], keywords: Keywords) -> Iterator[Keywords]:
        yield {**without(keywords, *names), **values}

    return call


def one_of(*calls: Keywords) -> Remedy:
    def each(match: re.Match[str], keywords: Keywords) -> Iterator[Keywords]:
        yield from calls

    return each


def without_each(*names: str) -> Remedy:
    def each(match: re.Match[str], keywords: Keywords) -> Iterator[Keywords]:
        for name in names:
            yield without(keywords, name)

    return each


def lower_budget(match: re.Match[str], keywords: Keywords) -> Iterator[Keywords]:
    yield {**keywords, "thinking": {**keywords["thinking"], "budget_tokens": int(match[1]) - 1}}


def listed_values(match: re.Match[str], keywords: Keywords) -> Iterator[Keywords]:
    (key,) = [key for key, value in keywords.items() if value == "other"] or [None]
    for value in re.split(", | and ", match[1]) if key else ():
        yield {**keywords, key: value}


REMEDIES: tuple[tuple[str, Remedy], ...] = (
    (r"only with reasoning_effort='(\w+)'", with_effort),
    (r"Use reasoning_effort", any_effort),
    (r"takes the efforts ([\w, ]+): '\w+' was not sent", each_effort),
    (r"top_p is the nearest", replacing("top_k", top_p=0.5)),
    (r"Bind the tool web_search", replacing("web_search_options", tools=[SEARCH])),
    (r"Give a schema \(json_schema\)", replacing(response_format=FORM)),
    (r"Give `previous_response_id` or `conversation`", without_each("previous_response_id", "conversation")),
    (r"raise the one or lower the other", replacing(max_tokens=5000)),
    (r"must be below max_tokens \((\d+)\):.* or lower", lower_budget),
    (r"leaves no room to think: it must be over", replacing(max_tokens=5000)),
    (r"leave out store=False, or background", without_each("store", "background")),
    (r"It has auto, default and fast", one_of(*({"service_tier": tier} for tier in ("auto", "default", "fast")))),
    (r"takes an object with `edits`", replacing(context_management={"edits": []})),
    (r"takes `prompt_cache_options` in its place", one_of({"prompt_cache_options": {"mode": "explicit"}})),
    (r"only with store=True", replacing(store=True)),
    (r"OpenAI takes ([\w, -]+): (?:the verbosity )?'other'", listed_values),
)
"""What a text advises -> the calls that follow it. Each must go out, without the same advice."""

BY_RESPONSES = "Use the Responses API (use_responses_api=True)"


def assert_agrees(model: Any, keywords: Keywords, followed: set[str]) -> None:
    """`followed`: the texts whose advice was tried with this model."""
    found, refusal, adjustments = refused(model, keywords)
    assert found == [], keywords
    for words in {refusal, *(item["why"] for item in adjustments)} - followed:
        followed.add(words)
        for pattern, remedy in REMEDIES:
            match = re.search(pattern, words)
            for call in remedy(match, keywords) if match else ():
                assert_taken(model, call, pattern, (keywords, words))
        if BY_RESPONSES in words:
            assert_taken(by_responses(model), keywords, "Use the Responses API", (keywords, words))


def assert_taken(model: Any, call: Keywords, pattern: str, why: object) -> None:
    found, refusal, adjustments = refused(model, call)
    if BY_RESPONSES in refusal:
        model = by_responses(model)
        found, refusal, adjustments = refused(model, call)
    assert (found, refusal) == ([], ""), (why, call)
    assert [item for item in adjustments if re.search(pattern, item["why"])] == [], (why, call)


def by_responses(model: Any) -> Any:
    return model.model_copy(update={"use_responses_api": True})


@pytest.mark.parametrize("name", [*distinct("anthropic"), *distinct("openai")])
def test_what_passes_is_taken_by_each_model(name: str) -> None:
    for model in builds(name):
        followed: set[str] = set()
        for keywords in OF_MODELS:
            assert_agrees(model, keywords, followed)


@pytest.mark.parametrize("name", ["claude-sonnet-4-5", "claude-opus-5-5", "gpt-4o", "gpt-5", "gpt-5.6", "gpt-6.2-sol"])
def test_what_passes_is_taken_by_each_api(name: str) -> None:
    for model in builds(name):
        followed: set[str] = set()
        for keywords in OF_APIS:
            assert_agrees(model, keywords, followed)


def test_every_advice_of_the_table_is_given() -> None:
    """A row that no text matches any more tests nothing."""
    texts: set[str] = set()
    for name in ("claude-3-haiku", "claude-haiku-4-5", "claude-opus-5-5", "gpt-4o", "gpt-5.1", "gpt-5.6"):
        for model in builds(name):
            for keywords in (*OF_MODELS, *OF_APIS):
                _, refusal, adjustments = refused(model, keywords)
                texts |= {refusal, *(item["why"] for item in adjustments)}
    assert [pattern for pattern, _ in REMEDIES if not any(re.search(pattern, text) for text in texts)] == []


@pytest.mark.parametrize(
    "name", [name for name in known_models("anthropic") if not profile_for("anthropic", name).structured_output]
)
def test_a_model_without_an_output_format_answers_by_a_tool(name: str) -> None:
    """What its adjustment advises: `with_structured_output`."""
    model = ChatAnthropic(name, api_key="any", on_unsupported="raise")
    report = model.with_structured_output(SCHEMA | {"title": "Place", "description": "A place."}).check(QUESTION)
    assert report.ok
    assert report.body["tools"][0]["name"] == "Place"


def test_another_server_gets_the_values_as_they_are() -> None:
    model = ChatOpenAI("llama", base_url="http://vllm.example/v1", api_key="any")
    given = {"temperature": 3, "user": "u" * 100, "service_tier": "other"}
    body = model.check(QUESTION, **given).body
    assert {key: body[key] for key in given} == given
