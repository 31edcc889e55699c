"""The emulator refuses what the field rules refuse, and accepts nothing that they know to be refused.

The field rules are written apart from this package (`tests/support/field_rules.py`).
"""

from __future__ import annotations

from collections import defaultdict

import pytest

from langchain_unified.testing.emulation.rules import refusals
from tests.support.field_rules import Violation, module_of, needs_field_rules, violations
from tests.testing.test_emulator_rules import all_cases, as_call, call, recorded

pytestmark = needs_field_rules

TOGETHER = {
    # A body cannot break the second rule without the first.
    "no_mark_on_empty_text": "text_is_not_blank",
    "system_is_not_first": "system_precedes_assistant",
}

NEEDS_REPLIES = {"responses.item_without_its_reasoning"}
"""Rules that look at earlier replies, which the emulator remembers by itself (`item without reasoning`)."""


def broken(endpoint: str, case: object, change: dict, headers: dict) -> list[Violation]:
    made = call(endpoint, case, change, headers)
    return violations(endpoint, made.body, made.headers)


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_each_field_rule_has_a_body_that_breaks_it_alone_and_is_refused(provider):
    found: dict[str, set[frozenset[str]]] = defaultdict(set)
    for name, endpoint, case in (param.values for param in all_cases()):
        if endpoint.startswith(provider):
            rules = frozenset(violation.rule for violation in broken(endpoint, case, case.bad, case.headers))
            for rule in rules:
                found[rule].add(rules)
            assert not rules or next(refusals(call(endpoint, case, case.bad, case.headers)), None), name
    expected = {rule.id for rule in module_of(provider).RULES} - NEEDS_REPLIES
    alone = {rule for rule, sets in found.items() if {rule, TOGETHER.get(rule, rule)} in map(set, sets)}
    assert expected - alone == set()


def test_accepted_bodies_of_the_cases_break_no_field_rule():
    against = {
        param.id: found
        for param in all_cases()
        if (found := broken(param.values[1], param.values[2], param.values[2].good, {}))
    }
    assert against == {}


def test_recorded_bodies_that_were_accepted_break_no_field_rule():
    against = {}
    for param in recorded():
        endpoint, exchange = param.values
        made = as_call(endpoint, exchange)
        if exchange["response"]["status"] == 200 and (found := violations(endpoint, made.body)):
            against[param.id] = found
    assert against == {}
