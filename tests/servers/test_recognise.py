"""Which server an address is, and why."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import anthropic
import openai
import pytest

from docs.generate.servers import page
from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, ConfigurationError, Dialect, known_dialect
from langchain_unified.catalog import resolve
from langchain_unified.errors import UnknownModelError
from langchain_unified.servers import is_official, recognise, server_table
from langchain_unified.servers.table import Address
from langchain_unified.testing import emulator

FLAGS = {field.name for field in dataclasses.fields(Dialect)}


def example(address: Address) -> str:
    """An address that a row of the table describes."""
    host = (address.host or "localhost").replace("*", "acme")
    port = f":{address.port}" if address.port else ""
    path = "/v1/a/g/openai" if address.path else "/v1"
    return f"{'http' if port else 'https'}://{host}{port}{path}"


ROWS = [(row, address) for row in server_table().values() for address in row.addresses]


@pytest.mark.parametrize("row, address", ROWS, ids=[f"{row.name} {example(address)}" for row, address in ROWS])
def test_every_row_is_recognised_by_its_address(row, address):
    found = recognise(example(address), "openai", "some-model")
    assert found.name == row.name
    assert found.why
    assert found.host in example(address)


@pytest.mark.parametrize("name", [name for row in server_table().values() for name in row.names])
def test_every_name_can_be_given(name):
    for provider in ("openai", "anthropic"):
        assert known_dialect(name, provider).name == server_table().get(name, known_dialect(name)).name


def test_the_table_has_sources():
    for row in server_table().values():
        for fact in row.facts:
            assert fact.flag in FLAGS or (not fact.flag and fact.note), (row.name, fact)
            assert fact.evidence in ("recorded", "documented", "reported", "chosen"), (row.name, fact)
            assert fact.source or fact.evidence == "chosen", (row.name, fact)
            assert fact.date, (row.name, fact)


@pytest.mark.parametrize(
    "base_url, provider, name",
    [
        (None, "openai", "openai"),
        ("", "anthropic", "anthropic"),
        ("https://api.openai.com/v1", "openai", "openai"),
        ("https://eu.api.openai.com/v1", "openai", "openai"),
        ("https://api.anthropic.com", "anthropic", "anthropic"),
        ("https://api.anthropic.com/v1", "openai", "claude-openai"),
        ("https://api.openai.com.evil.example/v1", "openai", "generic"),
        ("https://notapi.openai.com", "openai", "generic"),
        ("http://127.0.0.1:5555/v1", "openai", "generic"),
        ("http://[::1]:11434/v1", "openai", "ollama"),
        ("http://192.168.1.7:8000/v1", "openai", "vllm"),
        ("http://gpu-box:8000/v1", "openai", "vllm"),
        ("https://vllm.example:8000/v1", "openai", "generic"),
        ("localhost:1234", "openai", "lmstudio"),
        ("http://user:secret@localhost:11434", "anthropic", "ollama"),
        ("https://gateway.ai.cloudflare.com/v1/a/g/groq", "openai", "generic"),
        ("http://localhost:bad/v1", "openai", "generic"),
    ],
)
def test_addresses(base_url, provider, name):
    found = recognise(base_url, provider, "qwen3:8b")
    assert found.name == name
    assert "secret" not in found.host


def test_this_machine_with_a_model_of_the_provider_is_a_proxy():
    found = recognise("http://localhost:5555/v1", "openai", "gpt-5.6")
    assert (found.name, found.responses_api, found.cache_marks, found.counting) == (
        "proxy", "preferred", "native", "tried",
    )  # fmt: skip
    assert "gpt-5.6" in found.why
    assert recognise("http://localhost:5555/v1", "openai", "gpt-oss-20b").name == "generic"
    assert recognise("http://localhost:5555", "anthropic", "claude-opus-5").name == "proxy"
    assert recognise("http://localhost:5555", "anthropic", "claude-does-not-exist").name == "proxy"
    assert recognise("http://localhost:5555/v1", "openai", "claude-does-not-exist").name == "generic"
    assert recognise("http://localhost:5555/v1", "openai", "gpt-does-not-exist").name == "generic"


def test_the_emulator_tells_which_server_it_is():
    with emulator() as server:
        assert recognise(server.openai_url, "openai", "qwen3").name == "openai"
        assert recognise(server.url, "anthropic", "qwen3").name == "anthropic"
        assert recognise(f"http://localhost:{server.port}/v1", "openai", "qwen3").name == "openai"
        address = server.openai_url
    assert recognise(address, "openai", "qwen3").name == "generic"
    with emulator(server="deepseek") as server:
        played = ChatOpenAI("deepseek-chat", base_url=server.openai_url, api_key="k")
        assert played.check("q").dialect.name == "deepseek"


def test_official_addresses():
    assert is_official(None, "openai")
    assert is_official("https://api.openai.com/v1", "openai")
    assert not is_official("https://api.openai.com/v1", "anthropic")
    assert not is_official("http://localhost:1", "openai")


# --- what is given ----------------------------------------------------------------------------------------------------


def test_a_name_or_a_record_wins_over_the_address():
    named = ChatOpenAI("m", base_url="https://gateway.example/v1", api_key="k", dialect="groq")
    assert named._route().dialect.message_names is False
    record = Dialect(max_tokens_key="max_tokens", stream_usage=False)
    given = ChatAnthropic("m", base_url="https://gateway.example", api_key="k", dialect=record)
    assert given._route().dialect == record
    assert given._route().dialect.why == "dialect= was given"


def test_one_dialect_for_each_provider():
    model = ChatUnified("openai/m", dialect={"openai": "ollama"}, openai_api_base="http://x.example/v1")
    assert model._route().dialect.name == "ollama"
    assert model._route("anthropic/claude-opus-5").dialect.name == "anthropic"


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"No server 'olama' is known. Did you mean 'ollama'"):
        ChatOpenAI("m", api_key="k", dialect="olama")
    with pytest.raises(ConfigurationError):
        ChatOpenAI("m", api_key="k", dialect=3)


def test_a_ready_clients_address_decides():
    ready = openai.OpenAI(api_key="k", base_url="https://api.groq.com/openai/v1")
    assert ChatOpenAI("openai/gpt-oss-20b", client=ready)._route().dialect.name == "groq"
    azure = openai.AzureOpenAI(api_key="k", azure_endpoint="https://acme.openai.azure.com", api_version="2026-01-01")
    assert ChatOpenAI("gpt-5", client=azure)._route().dialect.name == "azure"
    foreign = anthropic.AsyncAnthropic(api_key="k", base_url="http://localhost:11434")
    assert ChatAnthropic("qwen3", async_client=foreign)._route().dialect.name == "ollama"
    own = anthropic.Anthropic(api_key="k")
    assert ChatAnthropic("claude-opus-5", client=own)._route().dialect.name == "anthropic"


def test_a_changed_address_changes_the_dialect():
    model = ChatOpenAI("m", base_url="http://localhost:11434/v1", api_key="k")
    assert model._route().dialect.name == "ollama"
    model.openai_api_base = "http://localhost:1234/v1"
    assert model._route().dialect.name == "lmstudio"


def test_a_dialect_survives_writing_down():
    from langchain_core.load import dumpd, load

    record = Dialect(top_k=True, content_parts=frozenset({"image", "video"}))
    model = ChatOpenAI("m", api_key="k", base_url="http://x.example/v1", dialect=record)
    written = dumpd(model)
    again = load(written, secrets_map={"OPENAI_API_KEY": "k"}, valid_namespaces=["langchain_unified"],
                 allowed_objects=[ChatOpenAI])  # fmt: skip
    assert again.dialect == record


# --- ids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, provider, base_url, sent",
    [
        ("openai/gpt-oss-120b", "openai", "https://api.groq.com/openai/v1", "openai/gpt-oss-120b"),
        ("openai/gpt-oss-120b", "openai", "http://localhost:1234/v1", "openai/gpt-oss-120b"),
        ("openai/gpt-oss-120b", "openai", "http://127.0.0.1:5555/v1", "openai/gpt-oss-120b"),
        ("openai/gpt-5", "openai", "http://127.0.0.1:5555/v1", "openai/gpt-5"),
        ("anthropic/claude-sonnet-4.5", "openai", "https://openrouter.ai/api/v1", "anthropic/claude-sonnet-4.5"),
        ("openai:gpt-4o", "openai", "https://gateway.example/v1", "openai:gpt-4o"),
        ("qwen3:8b", "openai", "http://localhost:11434/v1", "qwen3:8b"),
        ("anthropic/claude-opus-5", "anthropic", "https://openrouter.ai/api", "anthropic/claude-opus-5"),
        ("openai/gpt-5", "anthropic", "http://localhost:4000", "openai/gpt-5"),
        ("openai/gpt-5", "openai", None, "gpt-5"),
        ("anthropic/claude-opus-5", "anthropic", "https://api.anthropic.com", "claude-opus-5"),
    ],
)
def test_ids_as_written(name, provider, base_url, sent):
    assert resolve(name, provider, base_url).model == sent
    kind = ChatOpenAI if provider == "openai" else ChatAnthropic
    assert kind(name, base_url=base_url, api_key="k").check("q").body["model"] == sent


def test_at_its_own_address_the_other_providers_prefix_is_refused():
    with pytest.raises(UnknownModelError):
        ChatOpenAI("anthropic/claude-opus-5", api_key="k")


@pytest.mark.parametrize(
    "name, base_url, provider, sent",
    [
        ("openai/qwen3:8b", "http://localhost:11434/v1", "openai", "qwen3:8b"),
        ("openai/openai/gpt-oss-20b", "http://localhost:1234/v1", "openai", "openai/gpt-oss-20b"),
        ("openai/gpt-5", "https://openrouter.ai/api/v1", "openai", "openai/gpt-5"),
        ("anthropic/claude-opus-5", "https://openrouter.ai/api", "anthropic", "anthropic/claude-opus-5"),
        ("qwen/qwen3-coder", "https://openrouter.ai/api/v1", "openai", "qwen/qwen3-coder"),
        ("llama-3.3-70b", "https://api.groq.com/openai/v1", "openai", "llama-3.3-70b"),
        ("openai/gpt-oss-20b", "https://api.groq.com/openai/v1", "openai", "openai/gpt-oss-20b"),
    ],
)
def test_ids_of_chat_unified(name, base_url, provider, sent):
    report = ChatUnified(name, base_url=base_url, api_key="k").check("q")
    assert (report.provider, report.body["model"]) == (provider, sent)


def test_without_a_foreign_address_a_name_must_tell_its_provider():
    with pytest.raises(UnknownModelError):
        ChatUnified("qwen/qwen3-coder", api_key="k")


# --- check ------------------------------------------------------------------------------------------------------------


def test_check_prints_the_server_and_the_known_model():
    report = ChatOpenAI("openai/gpt-5:free", base_url="https://openrouter.ai/api/v1", api_key="k").check("q")
    assert str(report).splitlines()[1:] == [
        "  server: openrouter, because the host openrouter.ai.",
        "  model: the facts about openai/gpt-5 count for it.",
    ]
    assert report.unchanged
    assert len(str(ChatOpenAI("gpt-5.4", api_key="k").check("q")).splitlines()) == 1


def test_the_page_is_of_today():
    assert (Path(__file__).parents[2] / "docs" / "servers.md").read_text(encoding="utf-8") == page()
