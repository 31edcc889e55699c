"""`langchain-unified verify`, against the emulator in the providers' place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from langchain_unified.cli.commands import commands
from langchain_unified.cli.verify.asking import ask, highest_cost
from langchain_unified.cli.verify.facts import REFUSED, Fact, all_facts
from langchain_unified.profiles import known_models
from langchain_unified.testing import Emulator, Fault, emulator, use_cassette
from langchain_unified.testing.emulation.rules import RULES


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with emulator() as running:
        for name, url in (("ANTHROPIC", running.anthropic_url), ("OPENAI", running.openai_url)):
            monkeypatch.setenv(f"{name}_BASE_URL", url)
            monkeypatch.setenv(f"{name}_API_KEY", "not-a-key")
        yield running


def verify(*args: str, typed: str = "") -> Result:
    return CliRunner().invoke(commands, ["verify", *args], input=typed)


def named(name: str) -> Fact:
    return next(fact for fact in all_facts() if fact.name == name)


def test_every_fact_holds_of_the_emulator_and_has_a_request_id(server: Emulator) -> None:
    result = verify("--yes")
    facts = all_facts()
    assert f"{len(facts)} hold, 0 do not, 0 could not be tested." in result.stdout, result.stdout
    assert result.exit_code == 0
    assert len(re.findall(r"^holds +\S.*  req_\w+$", result.stdout, re.MULTILINE)) == len(facts)
    assert len(server.requests) == len(facts) + 3  # the cache is asked twice on each API


def test_the_calls_are_some_sixty_and_below_a_dollar() -> None:
    most, unpriced = highest_cost(all_facts())
    assert 60 <= len(all_facts()) <= 80
    assert unpriced == []
    assert 0 < most < 1


def test_a_model_without_a_price_is_named(monkeypatch: pytest.MonkeyPatch, server: Emulator) -> None:
    facts = [*all_facts("openai"), Fact("new", "accepted", "responses", "gpt-99", {}, 10, 10)]
    monkeypatch.setattr("langchain_unified.cli.verify.report.all_facts", lambda provider: facts)
    assert re.search(r"cost at most \$0\.\d\d, without\s+gpt-99: no price is known\.", verify(typed="n\n").stdout)


def test_the_cost_is_said_before_anything_is_sent(server: Emulator) -> None:
    result = verify(typed="n\n")
    assert result.exit_code == 0
    assert re.search(r"\d+ facts\. The calls are sent with your keys and cost at most \$0\.\d\d\.", result.stdout)
    assert "Nothing was sent." in result.stdout
    assert not server.requests


def test_each_refusal_is_a_rule_of_the_emulator_and_each_model_a_row_of_the_table() -> None:
    names = {rule.name for rule in RULES}
    facts = all_facts()
    assert {fact.name for fact in facts if fact.kind == "refused"} <= names
    assert {name for rules in REFUSED.values() for name in rules} <= names
    for fact in facts:
        if fact.kind == "accepted":
            assert fact.model in known_models(fact.provider)


def test_what_the_provider_accepts_against_the_rule_does_not_hold(server: Emulator) -> None:
    """A provider whose range of temperatures grew."""
    fact = named("openai.range of temperature")
    outcome = ask(Fact(fact.name, fact.kind, fact.endpoint, fact.model, {**fact.body, "temperature": 1}))
    assert (outcome.holds, outcome.saw) == (False, "the request was accepted")
    assert outcome.request_id


def test_a_model_that_is_gone_does_not_hold(server: Emulator) -> None:
    fact = named("model gpt-5.6")
    outcome = ask(Fact(fact.name, fact.kind, fact.endpoint, "no-such-model", {**fact.body, "model": "no-such-model"}))
    assert outcome.holds is False
    assert "no-such-model" in outcome.saw


@pytest.mark.parametrize("fault", [Fault.rate_limit(), Fault.overloaded(), Fault.http(500, {})])
def test_an_error_that_says_nothing_about_the_fact_is_not_counted_against_it(fault: Fault, server: Emulator) -> None:
    for _ in range(2):  # the call and its retry
        server.fail_next(fault)
    outcome = ask(named("anthropic.temperature"))
    assert outcome.holds is None
    assert "Error" in outcome.saw


def test_a_cache_that_is_not_read_does_not_hold(server: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from langchain_unified.cli.verify import asking

    monkeypatch.setattr(asking, "SENTENCE", "")
    outcome = ask(named("the prompt cache of messages"))
    assert (outcome.holds, outcome.saw) == (False, "read 0 tokens, then 0")


def test_without_a_key_it_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    result = verify("--yes", "--provider", "openai")
    assert result.exit_code == 2
    assert "OPENAI_API_KEY" in result.stderr


def test_the_calls_can_be_recorded_and_replayed(
    server: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = named("openai.range of temperature")
    monkeypatch.setattr("langchain_unified.cli.verify.report.all_facts", lambda provider: [fact])
    result = verify("--yes", "--record", str(tmp_path / "new"))
    assert result.exit_code == 0
    (cassette,) = (tmp_path / "new").iterdir()
    assert "not-a-key" not in cassette.read_text(encoding="utf-8")
    sent = len(server.requests)
    with use_cassette(cassette):
        assert ask(fact).holds
    assert len(server.requests) == sent
