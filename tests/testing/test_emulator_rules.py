"""What the emulator refuses: every rule with a body that keeps it and one that breaks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from langchain_unified.testing.emulation.rules import RULES, refusals
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Refusal
from tests.support import corpus
from tests.testing.emulator_cases import BODIES, EPHEMERAL, HEADERS, Case, text
from tests.testing.emulator_cases_anthropic import ANTHROPIC
from tests.testing.emulator_cases_blocks import ANTHROPIC_BLOCKS
from tests.testing.emulator_cases_items import OPENAI_ITEMS, RESPONSES_ITEMS
from tests.testing.emulator_cases_openai import OPENAI, RESPONSES


def call(endpoint: str, case: Case, change: dict[str, Any], headers: dict[str, str | None]) -> EmulatedCall:
    body = {key: value for key, value in {**BODIES[endpoint], **change}.items() if value is not ...}
    merged = {**HEADERS[endpoint.partition(".")[0]], **headers}
    return EmulatedCall(
        endpoint,
        body,
        {name: value for name, value in merged.items() if value is not None},
        case.keys,
        unstored_items=case.unstored,
        stored_responses=frozenset({"resp_known"}),
        reasoning_before=case.reasoning,
    )


def all_cases() -> Iterator[Any]:
    for prefix, endpoint, cases in (
        ("anthropic", "anthropic.messages", [*ANTHROPIC, *ANTHROPIC_BLOCKS]),
        ("openai", "openai.chat", [*OPENAI, *OPENAI_ITEMS]),
        ("openai.responses", "openai.responses", [*RESPONSES, *RESPONSES_ITEMS]),
    ):
        for at, case in enumerate(cases):
            yield pytest.param(
                f"{prefix}.{case.rule}", case.endpoint or endpoint, case, id=f"{prefix}.{case.rule}-{at}"
            )


def first(found: Iterator[Refusal]) -> Refusal:
    refusal = next(found, None)
    assert refusal is not None, "nothing was refused"
    return refusal


@pytest.mark.parametrize("name,endpoint,case", list(all_cases()))
def test_a_rule_refuses_a_body_that_breaks_it(name, endpoint, case):
    refusal = first(refusals(call(endpoint, case, case.bad, case.headers)))
    assert refusal.rule.name == name
    assert (refusal.rule.status, refusal.rule.code) == (case.status, case.code)
    assert not re.search(r"\{[a-z]+\}", refusal.message)


@pytest.mark.parametrize("name,endpoint,case", list(all_cases()))
def test_a_rule_accepts_a_body_that_keeps_it(name, endpoint, case):
    keeping = Case(case.rule, {}, unstored=case.unstored, reasoning=case.reasoning)
    assert list(refusals(call(endpoint, keeping, case.good, {}))) == []


def test_every_rule_has_a_case():
    assert {rule.name for rule in RULES} == {param.values[0] for param in all_cases()}


def test_names_are_unique_and_sources_given():
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(rule.source for rule in RULES)


def test_anthropic_writes_an_error():
    refusal = first(refusals(call("anthropic.messages", ANTHROPIC[0], {"max_tokens": ...}, {})))
    assert refusal.body("anthropic", "req_1") == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "max_tokens: Field required"},
        "request_id": "req_1",
    }


def test_a_message_has_the_fields_of_the_violation():
    five = {"messages": [{"role": "user", "content": [text(cache_control=EPHEMERAL) for _ in range(5)]}]}
    refusal = first(refusals(call("anthropic.messages", ANTHROPIC[0], five, {})))
    assert refusal.message == "A maximum of 4 blocks with cache_control may be provided. Found 5."


def test_openai_writes_an_error():
    refusal = first(refusals(call("openai.chat", OPENAI[0], {"top_k": 1}, {})))
    assert refusal.body("openai", "req_1") == {
        "error": {
            "message": "Unknown parameter: 'top_k'.",
            "type": "invalid_request_error",
            "param": "top_k",
            "code": "unknown_parameter",
        }
    }


def test_a_key_is_in_no_refusal():
    refused = EmulatedCall(
        "openai.chat", BODIES["openai.chat"], {"authorization": "Bearer sk-secret"}, frozenset({"other"})
    )
    assert "sk-secret" not in str(first(refusals(refused)).body("openai", "req_1"))


# --- against what was recorded ----------------------------------------------------------------------------------------

BETAS = "context-management-,compact-,mcp-client-"
"""Headers that some recordings do not have."""


def recorded() -> Iterator[Any]:
    for endpoint in BODIES:
        for exchange in corpus.exchanges(endpoint):
            yield pytest.param(endpoint, exchange, id=f"{endpoint}-{corpus.label(exchange)}")


def as_call(endpoint: str, exchange: dict[str, Any]) -> EmulatedCall:
    headers = {**HEADERS[endpoint.partition(".")[0]], "anthropic-beta": BETAS, **exchange["request"]["headers"]}
    body = exchange["request"]["body"]
    return EmulatedCall(endpoint, body, headers, stored_responses=frozenset({str(body.get("previous_response_id"))}))


@corpus.needs_corpus
def test_what_the_providers_accepted_is_accepted():
    refused = []
    for param in recorded():
        endpoint, exchange = param.values
        if exchange["response"]["status"] == 200:
            refused += [(param.id, found.message) for found in refusals(as_call(endpoint, exchange))]
    assert refused == []


@corpus.needs_corpus
def test_what_the_providers_refused_is_refused_in_their_words():
    compared = 0
    for param in recorded():
        endpoint, exchange = param.values
        # Whether a model that is named like the others exists is not in any table.
        misspelt = exchange["request"]["body"]["model"] in ("claude-sonet-4-5", "claude-does-not-exist", "gpt-5.2-proo")
        if exchange["response"]["status"] != 200 and not misspelt:
            refusal = first(refusals(as_call(endpoint, exchange)))
            theirs = exchange["response"]["body"]
            ours = refusal.body("anthropic" if "anthropic" in endpoint else "openai", theirs.get("request_id", ""))
            assert (refusal.rule.status, ours) == (exchange["response"]["status"], theirs)
            compared += 1
    assert compared == 4
