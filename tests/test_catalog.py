"""A model's name -> provider, model, dialect; a call -> the wire that carries it."""

from __future__ import annotations

import pytest

from langchain_unified.catalog import RoutingFacts, resolve, wire_for, wire_reason
from langchain_unified.errors import UnknownModelError
from langchain_unified.profiles import profile_for
from langchain_unified.request import Dialect, ToolSpec

# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, provider, model",
    [
        ("anthropic/claude-opus-5-5", "anthropic", "claude-opus-5-5"),
        ("anthropic:claude-opus-5-5", "anthropic", "claude-opus-5-5"),
        ("Anthropic/claude-opus-5-5", "anthropic", "claude-opus-5-5"),
        ("anthropic/my-private-model", "anthropic", "my-private-model"),
        ("openai/gpt-5.6", "openai", "gpt-5.6"),
        ("openai:gpt-5.6", "openai", "gpt-5.6"),
        ("openai/ft:gpt-4o:org::id", "openai", "ft:gpt-4o:org::id"),
        ("openai:ft:gpt-4o:org::id", "openai", "ft:gpt-4o:org::id"),
        ("openai/meta-llama/llama-4:free", "openai", "meta-llama/llama-4:free"),
        ("ft:gpt-4o:org::id", "openai", "ft:gpt-4o:org::id"),
        ("claude-sonnet-4-5-20250929", "anthropic", "claude-sonnet-4-5-20250929"),
        (" gpt-5.6 ", "openai", "gpt-5.6"),
        ("o3", "openai", "o3"),
        ("chatgpt-4o-latest", "openai", "chatgpt-4o-latest"),
    ],
)
def test_accepted_names(name, provider, model):
    route = resolve(name)
    assert (route.provider, route.model) == (provider, model)
    assert route.profile == profile_for(provider, model)
    assert route.dialect == Dialect()


@pytest.mark.parametrize(
    "name, provider, model",
    [
        ("claude-opus-5-5", "anthropic", "claude-opus-5-5"),
        ("anthropic/claude-opus-5-5", "anthropic", "claude-opus-5-5"),
        ("anything", "anthropic", "anything"),
        ("meta-llama/llama-4", "openai", "meta-llama/llama-4"),
        ("openai:gpt-4o", "openai", "gpt-4o"),
        ("claude-via-a-gateway", "openai", "claude-via-a-gateway"),
        ("vendor:model", "openai", "vendor:model"),
    ],
)
def test_a_pinned_provider_takes_any_id(name, provider, model):
    route = resolve(name, provider)
    assert (route.provider, route.model) == (provider, model)


@pytest.mark.parametrize(
    "name, provider, message",
    [
        ("openai/gpt-4o", "anthropic", "ChatAnthropic speaks to anthropic only. Use ChatOpenAI, or ChatUnified"),
        ("anthropic:claude-opus-5", "openai", "ChatOpenAI speaks to openai only. Use ChatAnthropic, or ChatUnified"),
    ],
)
def test_the_other_providers_prefix_is_refused(name, provider, message):
    with pytest.raises(UnknownModelError) as caught:
        resolve(name, provider)
    assert message in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    "name, suggestion",
    [
        ("anthropc/claude-opus-5-5", "Did you mean 'anthropic/claude-opus-5-5'?"),
        ("open-ai:gpt-4o", "Did you mean 'openai:gpt-4o'?"),
        ("cluade-opus-5-5", "Did you mean 'claude-opus-5-5'?"),
        ("gtp-4o", "Did you mean 'gpt-4o'?"),
        ("llama-4-maverick", None),
        ("google/gemini-3", None),
    ],
)
def test_unknown_names_list_the_accepted_forms(name, suggestion):
    with pytest.raises(UnknownModelError) as caught:
        resolve(name)
    text = str(caught.value)
    assert name in text
    assert '"anthropic/<model>", "anthropic:<model>", "openai/<model>", "openai:<model>"' in text
    assert ("Did you mean" in text) == (suggestion is not None)
    assert (suggestion or "") in text


@pytest.mark.parametrize(
    "name, provider", [("", None), ("openai/", None), (" ", "openai"), ("anthropic:", "anthropic")]
)
def test_empty_names_are_refused(name, provider):
    with pytest.raises(UnknownModelError):
        resolve(name, provider)


# --- ids and dialects -------------------------------------------------------------------------------------------------


def test_the_route_carries_the_servers_dialect():
    assert resolve("gpt-4o", "openai", "https://openrouter.ai/api/v1").dialect.max_tokens_key == "max_tokens"


# --- wires ------------------------------------------------------------------------------------------------------------

FUNCTION = ToolSpec("get_weather", parameters={"type": "object"})
CUSTOM = ToolSpec("sql", kind="custom")
NATIVE = ToolSpec("web_search", kind="native", definition={"type": "web_search"})
FOREIGN = "https://gateway.example/v1"

# model, arguments, wire for ChatUnified, wire for ChatOpenAI
ROUTING = [
    ("gpt-4o", {}, "chat", "chat"),
    ("gpt-5.6", {}, "responses", "chat"),
    ("gpt-4o", {"use_responses_api": True}, "responses", "responses"),
    # These models have no effort "none": they reason at the next level, and take tools by Responses only.
    ("gpt-6-astra", {"tools": [FUNCTION], "params": {"reasoning_effort": "none"}}, "responses", "responses"),
    ("gpt-6.1-sol", {"tools": [FUNCTION], "params": {"thinking": {"type": "disabled"}}}, "responses", "responses"),
    ("gpt-6-sol", {"tools": [FUNCTION], "params": {"reasoning_effort": "none"}}, "responses", "chat"),
    ("gpt-6.1-terra", {"tools": [FUNCTION], "params": {"reasoning_effort": "none"}}, "responses", "chat"),
    ("gpt-5.6", {"use_responses_api": False}, "chat", "chat"),
    ("gpt-5-pro", {"use_responses_api": False}, "chat", "chat"),
    ("gpt-4o", {"tools": [FUNCTION, CUSTOM]}, "chat", "responses"),
    ("gpt-4o", {"output_version": "responses/v1"}, "responses", "responses"),
    ("gpt-4o", {"output_version": "responses/v1", "use_responses_api": False}, "chat", "chat"),
    ("gpt-4o", {"output_version": "v0"}, "chat", "chat"),
    ("gpt-4o", {"use_previous_response_id": True}, "responses", "responses"),
    ("gpt-4o", {"tools": [FUNCTION, NATIVE]}, "responses", "responses"),
    ("gpt-4o", {"native": {"include": ["reasoning.encrypted_content"]}}, "responses", "responses"),
    ("gpt-4o", {"native": {"truncation": "auto"}}, "responses", "responses"),
    ("gpt-4o", {"native": {"context_management": []}}, "responses", "responses"),
    ("gpt-4o", {"native": {"previous_response_id": "resp_1"}}, "responses", "responses"),
    ("gpt-4o", {"native": {"text": {}}}, "responses", "responses"),
    ("gpt-4o", {"native": {"background": False}}, "responses", "responses"),
    ("gpt-4o", {"native": {"truncation": None}}, "chat", "chat"),
    ("gpt-4o", {"native": {"moderation": {}}}, "chat", "chat"),
    ("gpt-4o", {"params": {"reasoning": {"effort": "low"}}}, "responses", "responses"),
    ("gpt-5", {"params": {"reasoning_effort": "low"}}, "responses", "chat"),
    ("gpt-5-pro", {}, "responses", "responses"),
    ("gpt-5.3-codex", {}, "responses", "responses"),
    ("o3-deep-research", {}, "responses", "responses"),
    ("gpt-6-sol", {"tools": [FUNCTION]}, "responses", "responses"),
    ("gpt-6-astra", {"tools": [FUNCTION]}, "responses", "responses"),
    ("gpt-6-sol", {}, "responses", "chat"),
    ("gpt-5.6-terra", {"tools": [FUNCTION]}, "responses", "responses"),
    ("gpt-5.6-terra", {"tools": [FUNCTION], "params": {"reasoning_effort": "none"}}, "responses", "chat"),
    ("gpt-5.4", {"tools": [FUNCTION]}, "responses", "chat"),
    ("gpt-5.4", {"tools": [FUNCTION], "params": {"reasoning_effort": "low"}}, "responses", "responses"),
    ("gpt-5.6", {"params": {"seed": 1}}, "chat", "chat"),
    ("gpt-5.6", {"params": {"stop": ["x"]}}, "responses", "chat"),
    ("gpt-4o", {"params": {"stop": ["x"]}}, "chat", "chat"),
    ("gpt-5.6", {"params": {"n": 2}}, "chat", "chat"),
    ("gpt-5.6", {"params": {"stop": None}}, "responses", "chat"),
    ("gpt-5.6", {"params": {"temperature": 0.5}}, "responses", "chat"),
    ("gpt-4o-search-preview", {"native": {"web_search_options": {}}}, "chat", "chat"),
    ("gpt-4o", {"params": {"seed": 1}, "tools": [NATIVE]}, "responses", "responses"),
    ("gpt-6-sol", {"params": {"stop": ["x"]}, "tools": [FUNCTION]}, "responses", "responses"),
    ("gpt-5.6", {"base_url": FOREIGN}, "chat", "chat"),
    ("gpt-5.6", {"base_url": FOREIGN, "params": {"reasoning": {}}}, "responses", "responses"),
    ("gpt-5.6", {"base_url": "https://openrouter.ai/api/v1", "params": {"reasoning": {}}}, "chat", "chat"),
    ("gpt-5.6", {"base_url": "http://127.0.0.1:9/v1"}, "responses", "chat"),
    ("some-new-model", {}, "chat", "chat"),
]


@pytest.mark.parametrize("model, arguments, unified, drop_in", ROUTING)
def test_openai_routing(model, arguments, unified, drop_in):
    base_url = arguments.get("base_url")
    arguments = {key: value for key, value in arguments.items() if key != "base_url"}
    route = resolve(model, "openai", base_url)
    assert wire_for(route, **arguments) == f"openai_{unified}"
    assert wire_for(route, **arguments, drop_in=True) == f"openai_{drop_in}"


@pytest.mark.parametrize("arguments", [{}, {"use_responses_api": True}, {"tools": [NATIVE]}])
def test_anthropic_has_one_wire(arguments):
    assert wire_for(resolve("claude-opus-5-5"), **arguments) == "anthropic_messages"


@pytest.mark.parametrize(
    "model, arguments, reason",
    [
        ("gpt-5.6", {}, "a reasoning model"),
        ("gpt-4o", {}, "the default"),
        ("gpt-4o", {"drop_in": True}, "ChatOpenAI, as in langchain-openai"),
        ("gpt-4o", {"tools": [NATIVE]}, "a tool that the provider defines"),
        ("gpt-5-pro", {"params": {"seed": 1}}, "the model is served by the Responses API only"),
        ("gpt-5.6", {"base_url": FOREIGN}, "the server is not OpenAI's"),
        ("claude-opus-5", {}, "Anthropic has one API"),
    ],
)
def test_the_reason_is_named(model, arguments, reason):
    base_url = arguments.get("base_url")
    arguments = {key: value for key, value in arguments.items() if key != "base_url"}
    assert wire_reason(RoutingFacts(resolve(model, base_url=base_url), **arguments))[1] == reason


def test_drop_in_agrees_with_the_partner_on_what_flips_to_responses():
    base = pytest.importorskip("langchain_openai.chat_models.base")
    function = {"type": "function", "function": {"name": "f", "parameters": {}}}
    cases = [
        ("gpt-4o", {}, {}),
        ("gpt-5.1", {"tools": [function]}, {"tools": [FUNCTION]}),
        ("gpt-6-sol", {"tools": [function]}, {"tools": [FUNCTION]}),
        ("gpt-5.2-pro", {}, {}),
        ("gpt-5.1-codex", {}, {}),
        ("gpt-4o", {"tools": [{"type": "web_search"}]}, {"tools": [NATIVE]}),
        *(("gpt-4o", {key: "x"}, {"native": {key: "x"}}) for key in ("include", "text", "truncation")),
        ("gpt-4o", {"previous_response_id": "x"}, {"native": {"previous_response_id": "x"}}),
        ("gpt-4o", {"context_management": "x"}, {"native": {"context_management": "x"}}),
        ("gpt-4o", {"reasoning": {"effort": "low"}}, {"params": {"reasoning": {"effort": "low"}}}),
    ]
    for model, payload, arguments in cases:
        partner = base.ChatOpenAI(model=model, api_key="made-up")._use_responses_api(payload)
        ours = wire_for(resolve(model, "openai"), **arguments, drop_in=True) == "openai_responses"
        assert ours == partner, (model, payload)
