"""`gateway.yaml`: a finding for each key, with file, line and what to do; what the keys mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.config import GatewayConfig
from langchain_unified.gateway.config_build import from_models, router_of, rules_of
from langchain_unified.gateway.config_file import FileReport, read_file
from langchain_unified.gateway.run import ServeSettings, check

KEYS = {"ANTHROPIC_API_KEY": "sk-ant-1", "OPENAI_API_KEY": "sk-2"}

PAGE = """\
model_list:
  - model_name: claude-3 ### RECEIVED MODEL NAME ###
    litellm_params: # all params accepted by litellm.completion()
      model: claude-3-opus-20240229 ### MODEL NAME sent to `litellm.completion()` ###
      api_key: "os.environ/ANTHROPIC_API_KEY"
"""
"""LiteLLM's page for Anthropic, "Start the proxy"."""


def report_of(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> FileReport:
    file = tmp_path / "gateway.yaml"
    file.write_text(text, encoding="utf-8")
    return read_file(file, KEYS if environ is None else environ)


def refused(report: FileReport) -> dict[str, tuple[int, str]]:
    return {each.key: (each.line, each.text) for each in report.refused}


def config(*entries: dict[str, Any], **sections: Any) -> GatewayConfig:
    return GatewayConfig.model_validate({"model_list": list(entries), **sections})


def model(name: str, target: str, **params: Any) -> dict[str, Any]:
    return {"model_name": name, "litellm_params": {"model": target, **params}}


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_file_of_litellms_page_is_taken(tmp_path: Path) -> None:
    report = report_of(tmp_path, PAGE)
    assert refused(report) == {}
    [deployment] = router_of(report.checked(), KEYS).deployments
    assert (deployment.provider, deployment.model, deployment.api_key) == (
        "anthropic",
        "claude-3-opus-20240229",
        "sk-ant-1",
    )
    assert deployment.base_url == "https://api.anthropic.com"


def test_a_missing_variable_is_an_error_with_its_line(tmp_path: Path) -> None:
    line, text = refused(report_of(tmp_path, PAGE, {}))["model_list[0].litellm_params.api_key"]
    assert line == 5
    assert "ANTHROPIC_API_KEY" in text


@pytest.mark.parametrize(
    "text, key, line, words",
    [
        ("model_list: []\nbogus: 1\n", "bogus", 2, "not known"),
        ("router_settings:\n  num_retires: 3\n", "router_settings.num_retires", 2, "num_retries"),
        ("router_settings:\n  routing_strategy: least-busy\n", "router_settings.routing_strategy", 2, "simple-shuffle"),
        ("litellm_settings:\n  callbacks: [x]\n", "litellm_settings.callbacks", 2, "/metrics"),
        ("general_settings:\n  custom_auth: a.b\n", "general_settings.custom_auth", 2, "runs no code"),
        ("general_settings:\n  proxy_batch_write_at: 60\n", "general_settings.proxy_batch_write_at", 2, "each call"),
        ("guardrails:\n  - a: 1\n", "guardrails", 1, "runs no code"),
        ("litellm_settings:\n  drop_params: true\n  drop_params: false\n", "litellm_settings.drop_params", 3, "twice"),
        ("gateway_settings:\n  ping_interval: -1\n", "gateway_settings.ping_interval", 2, "greater than 0"),
        (PAGE + "      bogus: 1\n", "model_list[0].litellm_params.bogus", 6, "neither a setting nor"),
        (PAGE + "    model_info:\n      colour: red\n", "model_list[0].model_info.colour", 7, "not known"),
        ("a: [1\n", "(file)", 2, "YAML"),
        ("- a\n", "(file)", 1, "mapping"),
    ],
)
def test_a_key_that_is_not_taken_is_refused_by_name(tmp_path: Path, text: str, key: str, line: int, words: str) -> None:
    found = refused(report_of(tmp_path, text))
    assert key in found
    assert found[key][0] == line
    assert words in found[key][1]


def test_no_finding_shows_a_secret(tmp_path: Path) -> None:
    text = PAGE.replace("os.environ/ANTHROPIC_API_KEY", "sk-canary") + "      rpm: sk-canary-too\n"
    report = report_of(tmp_path, text)
    assert refused(report)
    assert "canary" not in str([each.shown("f") for each in report.findings])
    assert "canary" not in repr(report)


def test_check_prints_a_finding_for_each_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-1")
    file = tmp_path / "gateway.yaml"
    file.write_text(PAGE + "      rpm: 5\n", encoding="utf-8")
    assert check(str(file), ()) == 0
    printed = capsys.readouterr().out
    assert f"approximate {file}:6: model_list[0].litellm_params.rpm: A limit" in printed
    assert f"taken       {file}:2: model_list[0].model_name" in printed
    file.write_text(PAGE + "bogus: 5\n", encoding="utf-8")
    assert check(str(file), ()) == 2


# --- what the keys mean -----------------------------------------------------------------------------------------------


def test_the_page_s_wildcard_serves_each_provider_whose_key_is_there() -> None:
    router = router_of(config(model("*", "*")), KEYS)
    assert [(t.deployment.provider, t.model) for t in router.targets_of("anthropic/claude-3-haiku-20240307")] == [
        ("anthropic", "claude-3-haiku-20240307")
    ]
    assert [(t.deployment.provider, t.model) for t in router.targets_of("gpt-4o")] == [("openai", "gpt-4o")]
    assert not router.serves("unknown-model")
    assert not router_of(config(model("*", "*")), {"ANTHROPIC_API_KEY": "k"}).serves("gpt-4o")


def test_exact_names_come_before_patterns_and_longer_patterns_before_shorter_ones() -> None:
    entries = [
        model("*", "openai/*"),
        model("claude-*", "anthropic/claude-*"),
        model("claude-x", "anthropic/claude-opus-5"),
    ]
    router = router_of(config(*entries), KEYS)
    assert router.targets_of("claude-x")[0].model == "claude-opus-5"
    assert router.targets_of("claude-sonnet-5")[0].model == "claude-sonnet-5"
    assert router.targets_of("other")[0].model == "other"


def test_models_of_the_command_line_answer_to_every_name() -> None:
    # LiteLLM's page: "request sent to model set on litellm proxy, `litellm --model`".
    router = router_of(from_models(("claude-3-opus-20240229",), {}), KEYS)
    assert router.targets_of("gpt-3.5-turbo")[0].model == "claude-3-opus-20240229"
    assert router.names() == ["claude-3-opus-20240229"]


def test_the_environments_key_goes_to_no_other_address() -> None:
    given = config(model("a", "openai/x", api_base="https://other.example/v1"))
    assert router_of(given, KEYS).deployments[0].api_key is None


def test_known_servers_have_their_addresses_and_variables() -> None:
    [deployment] = router_of(config(model("a", "groq/llama-4")), {"GROQ_API_KEY": "g"}).deployments
    assert (deployment.base_url, deployment.api_key) == ("https://api.groq.com/openai/v1", "g")


@pytest.mark.parametrize(
    "entry, words",
    [
        (model("a", "bedrock/anthropic.claude"), "'bedrock' is not served"),
        (model("a", "claude-opus-5"), "set ANTHROPIC_API_KEY"),
        (model("a", "anthropic/*"), "needs one in model_name"),
        (model("a*b", "anthropic/*"), "at its beginning or end"),
        (model("a", "mystery"), "anthropic/mystery or openai/mystery"),
        (model("a", "openai/x", api_base="nonsense://"), "base_url"),
    ],
)
def test_what_cannot_be_served_is_named(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=r"model_list\[0\]") as raised:
        router_of(config(entry), {})
    assert words in str(raised.value)


def test_fallbacks_name_models_that_exist() -> None:
    with pytest.raises(ConfigurationError, match="'nope'"):
        router_of(config(model("a", "openai/x", api_key="k"), router_settings={"fallbacks": [{"a": ["nope"]}]}), {})


def test_router_settings_go_before_litellm_settings() -> None:
    rules = rules_of(
        config(router_settings={"num_retries": 1}, litellm_settings={"num_retries": 5, "allowed_fails": 7})
    )
    assert (rules.retries, rules.allowed_fails) == (1, 7)


def test_beyond_the_loopback_a_master_key_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    settings = ServeSettings(None, ("claude-opus-5",), host="0.0.0.0")
    with pytest.raises(ConfigurationError, match="master key"):
        settings.read()
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-1234")
    assert settings.read().general_settings.master_key is not None
