"""Warnings have a category of ours and point at the line of the program."""

from __future__ import annotations

import asyncio
import warnings

import pytest
from langchain_core.messages import HumanMessage

import langchain_unified
from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, DeprecatedModelWarning, UnifiedWarning
from langchain_unified.chat_models import _notices
from langchain_unified.testing import emulator

WAYS = {
    "invoke": lambda model: model.invoke("Hi.", seed=1),
    "stream": lambda model: list(model.stream("Hi.", seed=1)),
    "bound": lambda model: model.bind(seed=1).invoke("Hi."),
    "batch": lambda model: model.batch(["Hi."], seed=1),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_warning_points_at_the_call(way):
    with emulator() as emulated:
        model = ChatAnthropic(model="claude-sonnet-4-6", base_url=emulated.anthropic_url, api_key="x")
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            WAYS[way](model)
    (warning,) = [one for one in found if issubclass(one.category, UnifiedWarning)]
    assert warning.filename == __file__
    assert warning.lineno == WAYS[way].__code__.co_firstlineno
    assert issubclass(UnifiedWarning, UserWarning)


def test_they_can_be_filtered_by_their_class():
    assert langchain_unified.UnifiedWarning is UnifiedWarning
    with emulator() as emulated, warnings.catch_warnings():
        warnings.simplefilter("error", UnifiedWarning)
        model = ChatAnthropic(model="claude-sonnet-4-6", base_url=emulated.anthropic_url, api_key="x")
        with pytest.raises(UnifiedWarning, match="seed"):
            model.invoke("Hi.", seed=1)


def test_a_warning_of_the_constructor_points_at_it():
    with pytest.warns(UnifiedWarning, match="stream_chunk_timeout=-1") as found:
        ChatOpenAI("gpt-5.6", api_key="x", stream_chunk_timeout=-1)
    assert [one.filename for one in found] == [__file__]


def test_a_warning_of_the_transport_points_at_the_call():
    pytest.importorskip("aiohttp", reason="the extra `aiohttp` brings it")

    async def ask(url):
        options = {"http_backend": "aiohttp", "http_socket_options": [(6, 1, 1)]}
        model = ChatOpenAI("gpt-5.6", base_url=url, api_key="x", **options)
        await model.ainvoke("Hi.")
        await model.aclose()

    with emulator() as emulated, pytest.warns(UnifiedWarning, match="socket_options") as found:
        asyncio.run(ask(emulated.openai_url))
    assert [one.filename for one in found] == [__file__]


# --- models that are shut down ----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def on_a_day(monkeypatch):
    monkeypatch.setattr(_notices, "today", lambda: "2026-12-01")


def deprecations(call):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    return [(str(one.message), one.filename) for one in found if issubclass(one.category, DeprecatedModelWarning)]


# model, what is said: Anthropic's SDK 2.14 (DEPRECATED_MODELS) and OpenAI's 3.57 (types/shared/chat_model.py)
ENDINGS = [
    ("claude-sonnet-4-5", "claude-sonnet-4-5 is deprecated: Anthropic shut it down on 2026-11-30."),
    ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929 is deprecated: Anthropic shut it down on 2026-11-30."),
    ("claude-opus-4-5", "claude-opus-4-5 is deprecated: Anthropic shuts it down on 2027-01-22."),
    ("gpt-4o", "gpt-4o is deprecated: OpenAI shuts it down on 2027-01-14."),
    ("o3-2025-04-16", "o3-2025-04-16 is deprecated: OpenAI shuts it down on 2026-12-11."),
    ("gpt-4-0314", "gpt-4-0314 is deprecated: OpenAI shut it down on 2026-03-26."),
]


def at(emulated, name):
    return ChatUnified(name, anthropic_api_url=emulated.anthropic_url, openai_api_base=emulated.openai_url, api_key="x")


@pytest.mark.parametrize("way", ["invoke", "stream", "batch", "ainvoke", "astream"])
@pytest.mark.parametrize("name, said", ENDINGS)
def test_a_call_of_a_model_that_ends_says_so_once(name, said, way):
    def call():
        for _ in range(2):
            if way.startswith("a"):
                asyncio.run(in_loop())
            else:
                list(getattr(model, way)(["Hi."] if way == "batch" else "Hi."))

    async def in_loop():
        if way == "ainvoke":
            await model.ainvoke("Hi.")
        else:
            [chunk async for chunk in model.astream("Hi.")]

    with emulator() as emulated:
        model = at(emulated, name)
        found = deprecations(call)
    assert [text.startswith(said) for text, _ in found] == [True]
    assert "deprecations" in found[0][0]
    assert found[0][1] == __file__


@pytest.mark.parametrize("name", ["claude-opus-5-5", "gpt-6.2-sol", "gpt-6-luna", "claude-haiku-4-5"])
def test_a_model_without_a_date_says_nothing(name):
    with emulator() as emulated:
        model = at(emulated, name)
        assert deprecations(lambda: model.invoke("Hi.")) == []
        assert model.check("Hi.").notice is None


def test_check_says_it_without_a_warning():
    with emulator() as emulated:
        model = ChatAnthropic("claude-sonnet-4-5", base_url=emulated.anthropic_url, api_key="x")
        found = []
        assert deprecations(lambda: found.append(model.check("Hi."))) == []
    (report,) = found
    assert report.ok
    assert report.unchanged
    assert "Anthropic shut it down on 2026-11-30" in report.notice
    assert report.notice in str(report)
    assert "2026-11-30" in report._repr_html_()


def test_a_refused_call_is_told_as_well():
    report = ChatOpenAI("gpt-4o", api_key="x").check([HumanMessage("Hi.")], max_tokens=0)
    assert not report.ok
    assert "2027-01-14" in report.notice
    assert "2027-01-14" in report._repr_html_()


def test_the_model_of_one_call_is_what_counts():
    with emulator() as emulated:
        model = ChatOpenAI("gpt-6-luna", base_url=emulated.openai_url, api_key="x")
        assert [text[:20] for text, _ in deprecations(lambda: model.invoke("Hi.", model="gpt-4o"))] == [
            "gpt-4o is deprecated"
        ]


@pytest.mark.parametrize("address", ["https://openrouter.ai/api/v1", "https://x.openai.azure.com/openai/v1"])
def test_another_server_has_dates_of_its_own(address):
    assert ChatOpenAI("gpt-4o", base_url=address, api_key="x").check("Hi.").notice is None


def test_a_proxy_in_front_of_the_provider_has_its_dates():
    assert "2027-01-14" in ChatOpenAI("gpt-4o", base_url="http://127.0.0.1:9999/v1", api_key="x").check("Hi.").notice


def test_the_warning_can_be_filtered_by_its_class():
    assert issubclass(DeprecatedModelWarning, UnifiedWarning)
    assert langchain_unified.DeprecatedModelWarning is DeprecatedModelWarning
    with emulator() as emulated, warnings.catch_warnings():
        warnings.simplefilter("error", DeprecatedModelWarning)
        model = ChatOpenAI("gpt-4o", base_url=emulated.openai_url, api_key="x")
        with pytest.raises(DeprecatedModelWarning, match="2027-01-14"):
            model.invoke("Hi.")
