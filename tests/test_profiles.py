"""What is known about models, pinned; how unknown ones find their family; overrides."""

from __future__ import annotations

import inspect
import re
import warnings
from datetime import date
from importlib import metadata
from typing import get_args

import pytest
from langchain_core.language_models import model_profile as core

from langchain_unified import profiles
from langchain_unified.errors import ConfigurationError
from langchain_unified.profiles import (
    known_models,
    model_inside,
    model_profile,
    profile_for,
    provider_of,
    register_profile,
)
from langchain_unified.request import Profile


@pytest.fixture
def overrides(monkeypatch):
    """Registered facts last for one test."""
    monkeypatch.setattr(profiles, "_overrides", {})
    yield
    profiles.profile_for.cache_clear()
    profiles._model_profile.cache_clear()


FIVE = ("low", "medium", "high", "xhigh", "max")

# provider, model, facts that the provider's documentation or a recorded reply shows
FACTS = [
    ("anthropic", "claude-opus-5-5", {"sampling": "never", "forced_tool_choice": False, "max_output_tokens": 128_000}),
    ("anthropic", "claude-opus-5-5", {"effort_levels": FIVE, "effort_default": "medium", "thinking": "adaptive"}),
    ("anthropic", "claude-opus-5-5", {"cache_minimum": 512, "system_in_messages": True, "prefill": False}),
    ("anthropic", "claude-opus-5-5", {"thinking_off": "never", "thinking_off_max_effort": None}),
    ("anthropic", "claude-opus-5", {"thinking_off": "disabled", "thinking_off_max_effort": "high"}),
    ("anthropic", "claude-haiku-5-5", {"thinking_off": "disabled", "thinking_off_max_effort": "high"}),
    ("anthropic", "claude-sonnet-5-5", {"thinking_off": "between_tools"}),
    ("anthropic", "claude-fable-5-2", {"thinking_off": "never"}),
    ("anthropic", "claude-mythos-preview", {"thinking_off": "never"}),
    ("anthropic", "claude-opus-4-7", {"thinking_off": "omitted"}),
    ("anthropic", "claude-sonnet-4-5", {"drops_earlier_thinking": True, "temperature_with_top_p": False}),
    ("anthropic", "claude-haiku-4-5", {"drops_earlier_thinking": True, "temperature_with_top_p": False}),
    ("anthropic", "claude-opus-4-5", {"drops_earlier_thinking": False}),
    ("anthropic", "claude-opus-5-5", {"binds_thinking": True}),
    ("anthropic", "claude-fable-5-1", {"binds_thinking": True}),
    ("anthropic", "claude-fable-5", {"binds_thinking": False}),
    ("anthropic", "claude-sonnet-4-6", {"drops_earlier_thinking": False}),
    ("anthropic", "claude-opus-5", {"forced_tool_choice": True, "sampling": "never", "effort_default": "high"}),
    ("anthropic", "claude-sonnet-5-5", {"forced_tool_choice": False, "system_in_messages": True, "cache_minimum": 512}),
    ("anthropic", "claude-sonnet-5", {"system_in_messages": False, "forced_tool_choice": True, "cache_minimum": 1024}),
    ("anthropic", "claude-haiku-5-5", {"forced_tool_choice": True, "effort_default": "medium", "cache_minimum": 512}),
    ("anthropic", "claude-fable-5", {"forced_tool_choice": False, "sampling": "never"}),
    ("anthropic", "claude-fable-5-2", {"forced_tool_choice": False, "max_output_tokens": 128_000}),
    ("anthropic", "claude-mythos-5", {"max_input_tokens": 1_000_000, "max_output_tokens": 128_000}),
    ("anthropic", "claude-mythos-preview", {"forced_tool_choice": False, "max_output_tokens": None}),
    ("anthropic", "claude-opus-4-8", {"cache_minimum": 1024, "system_in_messages": True, "thinking": "adaptive"}),
    ("anthropic", "claude-opus-4-7", {"cache_minimum": 2048, "sampling": "never", "system_in_messages": False}),
    ("anthropic", "claude-opus-4-6", {"effort_levels": ("low", "medium", "high", "max"), "prefill": False}),
    ("anthropic", "claude-opus-4-6", {"cache_minimum": 4096, "sampling": "without_reasoning"}),
    ("anthropic", "claude-opus-4-5", {"effort_levels": ("low", "medium", "high"), "thinking": "budget"}),
    ("anthropic", "claude-sonnet-4-5", {"prefill": True, "thinking": "budget", "effort_levels": ()}),
    ("anthropic", "claude-sonnet-4-5", {"max_input_tokens": 200_000, "max_output_tokens": 64_000}),
    ("anthropic", "claude-haiku-4-5", {"cache_minimum": 4096, "forced_tool_choice": True}),
    ("anthropic", "claude-opus-4-1", {"max_output_tokens": 32_000, "thinking": "budget"}),
    ("anthropic", "claude-3-5-haiku", {"thinking": "none", "sampling": "always", "max_output_tokens": 8192}),
    ("anthropic", "claude-3-opus", {"max_input_tokens": 200_000, "max_output_tokens": 4096}),
    ("openai", "gpt-5.6", {"sampling": "without_reasoning", "effort_default": "medium", "responses_only": "tools"}),
    ("openai", "gpt-5.6", {"effort_levels": ("none", *FIVE), "cache_breakpoints": True, "stop": False}),
    ("openai", "gpt-5.5", {"cache_retention": "24h", "legacy_max_tokens": False}),
    ("openai", "gpt-5.5-pro", {"cache_retention": "24h"}),
    ("openai", "gpt-5.4", {"cache_retention": "in_memory"}),
    ("openai", "gpt-5-chat-latest", {"legacy_max_tokens": False, "web_search_options": False}),
    ("openai", "gpt-4o", {"cache_retention": "in_memory", "legacy_max_tokens": True, "web_search_options": False}),
    ("openai", "gpt-4o-mini-search-preview", {"web_search_options": True, "legacy_max_tokens": True}),
    ("openai", "gpt-5-search-api", {"web_search_options": True, "legacy_max_tokens": False}),
    ("openai", "gpt-5.5", {"cache_breakpoints": False, "effort_default": "medium", "responses_only": "tools"}),
    ("openai", "gpt-5.4", {"effort_default": "none", "responses_only": "tools", "sampling": "without_reasoning"}),
    ("openai", "gpt-5.1", {"effort_levels": ("none", "low", "medium", "high"), "responses_only": "no"}),
    ("openai", "gpt-5.1-codex-max", {"responses_only": "yes", "sampling": "never"}),
    ("openai", "gpt-5.2-chat-latest", {"sampling": "never", "effort_levels": ("medium",)}),
    (
        "openai",
        "gpt-5-mini",
        {"sampling": "never", "stop": False, "effort_levels": ("minimal", "low", "medium", "high")},
    ),
    ("openai", "gpt-5-pro", {"responses_only": "yes", "max_output_tokens": 272_000}),
    ("openai", "gpt-5-chat-latest", {"sampling": "always", "reasoning": False}),
    ("openai", "gpt-6-astra", {"sampling": "never", "effort_levels": FIVE, "responses_only": "tools"}),
    ("openai", "gpt-6.1-sol", {"sampling": "never", "effort_levels": FIVE, "responses_only": "tools"}),
    ("openai", "gpt-6.2-sol", {"effort_levels": FIVE, "max_output_tokens": 128_000, "sampling": "never"}),
    ("openai", "gpt-6.2-astra", {"effort_levels": FIVE, "max_input_tokens": 1_050_000, "responses_only": "tools"}),
    ("openai", "gpt-6.2-astra-law", {"responses_only": "yes"}),
    ("openai", "gpt-6.1-terra", {"sampling": "without_reasoning", "cache_breakpoints": True}),
    ("openai", "o3", {"stop": False, "sampling": "never", "reasoning": True}),
    ("openai", "o3-mini", {"stop": True, "sampling": "never"}),
    ("openai", "o3-deep-research", {"responses_only": "yes"}),
    ("openai", "gpt-4o", {"sampling": "always", "stop": True, "reasoning": False, "cache_breakpoints": False}),
    ("openai", "gpt-4.1", {"max_input_tokens": 1_047_576, "max_output_tokens": 32_768}),
    ("openai", "gpt-4o-search-preview", {"sampling": "never"}),
    ("openai", "computer-use-preview", {"responses_only": "yes", "max_output_tokens": 1024}),
    ("openai", "codex-mini-latest", {"responses_only": "yes", "reasoning": True}),
]


@pytest.mark.parametrize("provider, model, facts", FACTS)
def test_facts(provider, model, facts):
    profile = profile_for(provider, model)
    assert {name: getattr(profile, name) for name in facts} == facts


# an id that is not in the table, and the id whose behaviour it has
SNAPSHOTS = [
    ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
    ("anthropic", "claude-opus-5-5-20270101", "claude-opus-5-5"),
    ("anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4-0"),
    ("anthropic", "claude-opus-4@20250514", "claude-opus-4-0"),
    ("anthropic", "claude-3-7-sonnet-latest", "claude-3-7-sonnet"),
    ("anthropic", "claude-3-opus-20240229", "claude-3-opus"),
    ("anthropic", "claude-3.5-sonnet", "claude-3-5-sonnet"),
    ("anthropic", "claude-opus-4.8", "claude-opus-4-8"),
    ("anthropic", "claude-2.1", "claude-2-1"),
    ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
    ("openai", "gpt-5.4-mini-2026-03-17", "gpt-5.4-mini"),
    ("openai", "gpt-5.1-chat", "gpt-5.1-chat-latest"),
    ("openai", "o3-2025-04-16", "o3"),
    ("openai", "ft:gpt-4o-2024-08-06:acme::abc", "gpt-4o"),
    ("openai", "ft:gpt-4.1-mini:acme:name:abc", "gpt-4.1-mini"),
]
RELATIVES = [
    ("anthropic", "claude-opus-7", "claude-opus-5-5"),
    ("anthropic", "claude-opus-5-7", "claude-opus-5-5"),
    ("anthropic", "claude-opus-latest", "claude-opus-5-5"),
    ("anthropic", "claude-haiku-6-20270303", "claude-haiku-5-5"),
    ("anthropic", "claude-sonnet-4-9", "claude-sonnet-4-6"),
    ("anthropic", "claude-opus-4-8-fast", "claude-opus-4-8"),
    ("openai", "gpt-7", "gpt-6.2-sol"),
    ("openai", "gpt-7-2027-01-01", "gpt-6.2-sol"),
    ("openai", "gpt-6.2-luna", "gpt-6.2-sol"),
    ("openai", "gpt-6-nova", "gpt-6-sol"),
    ("openai", "gpt-5.7", "gpt-5.6"),
    ("openai", "gpt-5.6-nova", "gpt-5.6"),
    ("openai", "gpt-4-0613", "gpt-4"),
    ("openai", "gpt-4-turbo-2024-04-09", "gpt-4-turbo"),
    ("openai", "gpt-3.5-turbo-0125", "gpt-3.5-turbo"),
    ("openai", "o5", "o4-mini"),
]


@pytest.mark.parametrize("provider, model, known", SNAPSHOTS + RELATIVES)
def test_unlisted_id_behaves_like_its_model_or_family(provider, model, known):
    assert known in known_models(provider)
    assert profile_for(provider, model) == profile_for(provider, known)


def test_snapshot_of_its_own_differs():
    assert profile_for("openai", "gpt-4o-2024-05-13").max_output_tokens == 4096
    assert profile_for("openai", "gpt-4o").max_output_tokens == 16_384


def test_a_snapshot_keeps_the_name_and_a_guess_does_not():
    assert model_profile("anthropic", "claude-sonnet-4-5-20250929")["name"] == "Claude Sonnet 4.5"
    assert "name" not in model_profile("anthropic", "claude-opus-7")


@pytest.mark.parametrize("model", ["gpt-7-codex", "gpt-7-pro"])
def test_new_codex_and_pro_models_need_the_responses_api(model):
    assert profile_for("openai", model).responses_only == "yes"


@pytest.mark.parametrize(
    "model, inside",
    [
        ("openai/gpt-5:free", ("openai", "gpt-5")),
        ("openrouter/openai/gpt-5.6", ("openai", "gpt-5.6")),
        ("azure/gpt-5-mini-prod", ("openai", "gpt-5-mini-prod")),
        ("someone/gpt-4o", ("openai", "gpt-4o")),
        ("someone/gpt-4o-distill", None),
        ("anthropic/claude-sonnet-4.5", ("anthropic", "claude-sonnet-4.5")),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("anthropic", "claude-sonnet-4-5-20250929")),
        ("Qwen3-14B-Claude-Sonnet-4.5-Distill", None),
        ("qwen/qwen3-coder", None),
        ("", None),
    ],
)
def test_a_model_inside_an_id_of_a_router(model, inside):
    assert model_inside(model) == inside


@pytest.mark.parametrize(
    "provider, model, same",
    [("openai", "openai/gpt-5", "gpt-5"), ("anthropic", "us.anthropic.claude-opus-5-v1:0", "claude-opus-5")],
)
def test_an_id_of_a_router_has_the_facts_of_its_model(provider, model, same):
    assert profile_for(provider, model) == profile_for(provider, same)


def test_through_the_other_api_a_model_keeps_what_does_not_depend_on_it():
    claude = profile_for("openai", "anthropic/claude-sonnet-4.5")
    assert claude.max_output_tokens == profile_for("anthropic", "claude-sonnet-4-5").max_output_tokens
    assert (claude.thinking, claude.sampling, claude.cache_breakpoints) == ("none", "always", True)


@pytest.mark.parametrize("provider, model", [("openai", "llama-4"), ("anthropic", "my-gpt-4o"), (None, "gpt-4o")])
def test_unknown_model_has_the_defaults(provider, model):
    assert profile_for(provider, model) == Profile()
    assert profile_for(provider, model).max_output_tokens is None
    assert model_profile(provider, model) is None


@pytest.mark.parametrize(
    "model, provider",
    [
        ("claude-opus-5-5", "anthropic"),
        ("claude-2.1", "anthropic"),
        ("gpt-5.6", "openai"),
        ("o3", "openai"),
        ("o4-mini", "openai"),
        ("chatgpt-4o-latest", "openai"),
        ("codex-mini-latest", "openai"),
        ("computer-use-preview", "openai"),
        ("ft:gpt-4o:acme::abc", "openai"),
        ("gpt-image-2", None),
        ("gpt-realtime-2.1", None),
        ("text-embedding-3-small", None),
        ("ollama", None),
        ("claude", None),
        ("openai/gpt-4o", None),
    ],
)
def test_provider_of_a_bare_name(model, provider):
    assert provider_of(model) == provider


def test_every_entry_resolves_and_every_fact_has_a_meaning():
    table = profiles._table()
    known = profiles.PROFILE_FIELDS | core.ModelProfile.__annotations__.keys() | {"like", "inputs", "outputs"}
    for group in ("bases", "anthropic", "openai"):
        for model, entry in table[group].items():
            assert entry.keys() <= known, model
    for provider in ("anthropic", "openai"):
        for model in known_models(provider):
            profile = profile_for(provider, model)
            assert profile.sampling in ("always", "without_reasoning", "never")
            assert profile.thinking in ("none", "budget", "adaptive")
            assert profile.responses_only in ("no", "tools", "yes")
            assert profile.reasoning or not profile.effort_levels, model
            if profile.effort_default and profile.effort_levels:
                assert profile.effort_default in profile.effort_levels, model
    assert date.fromisoformat(table["as_of"]) >= date(2026, 11, 1)
    assert table["sources"]


# --- the SDKs' lists --------------------------------------------------------------------------------------------------


def literals(annotation):
    for each in get_args(annotation):
        if isinstance(each, str):
            yield each
        else:
            yield from literals(each)


def test_every_model_of_the_sdks_has_a_row():
    from anthropic.types.model_param import ModelParam
    from openai.types.shared.all_models import AllModels
    from openai.types.shared.responses_model import ResponsesModel

    listed = {"anthropic": set(literals(ModelParam)), "openai": {*literals(AllModels), *literals(ResponsesModel)}}
    table = profiles._table()
    for provider, models in listed.items():
        assert len(models) > 20
        assert sorted(model for model in models if profiles._known(table[provider], model) is None) == []


def test_shutdown_dates_are_those_of_openais_sdk():
    """Its types list them in a docstring; a deprecated model without a date says so."""
    from openai.types.shared import chat_model

    text = inspect.getsource(chat_model).partition("Deprecated values:")[2]
    entries = [" ".join(entry.split()) for entry in text.split("\n- ")[1:]]
    assert len(entries) > 10
    for entry in entries:
        models = re.findall(r'"([^"]+)"', entry)
        found = re.search(r"shutdown date: (\d{4}-\d{2}-\d{2})", entry)
        ours = {model: profile_for("openai", model).shutdown_date for model in models}
        assert ours == dict.fromkeys(models, found[1] if found else None)


def test_shutdown_dates_are_those_of_anthropics_sdk():
    from anthropic.resources.messages import DEPRECATED_MODELS

    assert DEPRECATED_MODELS
    for model, day in DEPRECATED_MODELS.items():
        ours = date.fromisoformat(profile_for("anthropic", model).shutdown_date)
        assert f"{ours:%B} {ours.day}, {ours.year}" == re.sub(r"(\d)(st|nd|rd|th),", r"\1,", day)


@pytest.mark.parametrize("model", ["gpt-4o-2024-08-06", "ft:gpt-4o-2024-08-06:acme::abc"])
def test_a_snapshot_and_a_fine_tuned_model_end_with_their_base(model):
    """OpenAI's deprecations page: fine-tuned versions follow the schedule of their base models."""
    assert profile_for("openai", model).shutdown_date == "2027-01-14"


@pytest.mark.parametrize("provider, model", [("openai", "o5"), ("anthropic", "claude-opus-4-5-fast"), ("openai", "x")])
def test_a_model_that_is_not_listed_has_no_date_of_another(provider, model):
    assert profile_for(provider, model).shutdown_date is None


def test_a_date_means_deprecated():
    table = profiles._table()
    for provider in ("anthropic", "openai"):
        for model in known_models(provider):
            day = profile_for(provider, model).shutdown_date
            assert day is None or (date.fromisoformat(day) and table[provider][model]["status"] == "deprecated"), model


# --- LangChain's profile ----------------------------------------------------------------------------------------------


def test_model_profile_of_claude():
    profile = model_profile("anthropic", "claude-sonnet-5-5")
    expected = {
        "name": "Claude Sonnet 5.5",
        "max_input_tokens": 1_000_000,
        "max_output_tokens": 128_000,
        "image_inputs": True,
        "pdf_inputs": True,
        "audio_inputs": False,
        "text_outputs": True,
        "tool_calling": True,
        "tool_choice": False,
        "structured_output": True,
        "reasoning_output": True,
        "temperature": False,
        "reasoning_effort_levels": list(FIVE),
        "reasoning_effort_default": "high",
    }
    assert {key: profile.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    "provider, model, temperature",
    [
        ("anthropic", "claude-sonnet-4-5", True),
        ("anthropic", "claude-opus-4-6", True),
        ("anthropic", "claude-opus-5", False),
        ("openai", "gpt-4o", True),
        ("openai", "gpt-5.4", True),
        ("openai", "gpt-5.6", False),
        ("openai", "o3", False),
    ],
)
def test_temperature_says_whether_it_is_taken_by_default(provider, model, temperature):
    assert model_profile(provider, model)["temperature"] is temperature


def test_model_profile_has_only_keys_that_the_installed_core_knows():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for provider in ("anthropic", "openai"):
            for model in known_models(provider):
                core._warn_unknown_profile_keys(model_profile(provider, model))


def test_model_profile_leaves_out_what_an_older_core_does_not_know(monkeypatch):
    monkeypatch.setattr(profiles, "_known_to_core", lambda: frozenset({"max_input_tokens", "tool_calling"}))
    profiles._model_profile.cache_clear()
    try:
        assert model_profile("openai", "gpt-4o") == {"max_input_tokens": 128_000, "tool_calling": True}
    finally:
        profiles._model_profile.cache_clear()


def test_model_profile_is_the_callers_own():
    first = model_profile("openai", "gpt-4o")
    first["max_input_tokens"] = 1
    assert model_profile("openai", "gpt-4o")["max_input_tokens"] == 128_000


@pytest.mark.parametrize("model, dates", [("gpt-4o", ("2024-05-13", "2024-08-06")), ("o3", ("2025-04-16",) * 2)])
def test_a_model_that_was_never_updated_has_the_date_of_its_release(model, dates):
    profile = model_profile("openai", model)
    assert (profile["release_date"], profile["last_updated"]) == dates


NOT_CHAT = ("gpt-image", "gpt-realtime", "chatgpt-image", "text-embedding")


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_limits_agree_with_the_partner_packages(provider):
    partner = pytest.importorskip(f"langchain_{provider}.data._profiles")
    rows = {model: row for model, row in partner._PROFILES.items() if not model.startswith(NOT_CHAT)}
    ours = {}
    theirs = {}
    for model, row in rows.items():
        profile = profile_for(provider, model)
        inline_tools = bool((model_profile(provider, model) or {}).get("mid_conversation_tools"))
        assert inline_tools == bool(row.get("mid_conversation_tools")), model
        limits = {key: row[key] for key in ("max_input_tokens", "max_output_tokens") if key in row}
        theirs[model] = limits
        ours[model] = {key: getattr(profile, key) for key in limits}
    table = profiles._table()
    unlisted = [model for model in rows if profiles._known(table[provider], model) is None]
    compared = table["compared_with"][provider]
    installed = metadata.version(f"langchain-{provider}")
    if installed != compared and (ours != theirs or unlisted):
        pytest.xfail(f"the table was compared with {compared}, and {installed} differs: bring it up to date")
    assert len(rows) > 15
    assert ours == theirs
    assert unlisted == []


# --- overrides --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("overrides")
def test_register_profile_overrides_single_facts():
    assert profile_for("openai", "gpt-4o").max_output_tokens == 16_384
    register_profile("openai/gpt-4o", max_output_tokens=99, image_inputs=False)
    register_profile("gpt-4o", stop=False)
    profile = profile_for("openai", "gpt-4o")
    assert (profile.max_output_tokens, profile.stop, profile.max_input_tokens) == (99, False, 128_000)
    assert model_profile("openai", "gpt-4o")["image_inputs"] is False
    assert profile_for("openai", "gpt-4o-2024-08-06").max_output_tokens == 16_384


@pytest.mark.usefixtures("overrides")
def test_register_profile_of_a_model_that_nobody_knows():
    register_profile("my-llama", max_input_tokens=8192, effort_levels=["low", "high"], reasoning=True)
    assert profile_for("openai", "my-llama").effort_levels == ("low", "high")
    assert model_profile("openai", "my-llama")["max_input_tokens"] == 8192


@pytest.mark.usefixtures("overrides")
def test_register_profile_refuses_a_fact_that_does_not_exist():
    with pytest.raises(ConfigurationError, match=r"Unknown facts for 'gpt-4o': max_output\. Known are binds_"):
        register_profile("gpt-4o", max_output=1)
