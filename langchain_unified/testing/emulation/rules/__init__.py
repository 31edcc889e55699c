"""What the providers refuse: all rules, in the order in which they are applied."""

from __future__ import annotations

from collections.abc import Iterator

from langchain_unified.testing.emulation.rules import anthropic, openai, openai_chat, openai_responses
from langchain_unified.testing.emulation.rules.rule import Call, Refusal, Rule

RULES: tuple[Rule, ...] = (*anthropic.RULES, *openai.RULES, *openai_chat.RULES, *openai_responses.RULES)


def refusals(call: Call) -> Iterator[Refusal]:
    """Everything that the provider would refuse about a call, in the order of the table; it answers with the first."""
    for rule in RULES:
        if call.endpoint in rule.endpoints:
            for fields in rule.find(call):
                param = rule.param.format(**fields) if rule.param else None
                yield Refusal(rule, rule.message.format(**fields), param)
