"""What the providers refuse: all rules, in the order in which they are applied.

`rule.py` is the vocabulary, `shared.py` has the checks that several endpoints share. The rules of Anthropic stand in
`anthropic*.py`, those of OpenAI in `openai*.py`; `schemas.py` finds what either refuses in a JSON schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from langchain_unified.testing.emulation.rules import anthropic, openai, openai_chat, openai_responses
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Refusal, Rule

RULES: tuple[Rule, ...] = (
    *anthropic.RULES,
    *openai.RULES,
    *openai_chat.RULES,
    *openai_responses.RULES,
    openai.TOO_LONG,
)


def refusals(call: EmulatedCall, rules: Sequence[Rule] | None = None) -> Iterator[Refusal]:
    """Everything that the server would refuse about a call, in the order of its rules. It answers with the first.

    `rules`: those of another server; by default `RULES`, the providers' own.
    """
    for rule in RULES if rules is None else rules:
        if call.endpoint in rule.endpoints:
            for fields in rule.check(call):
                param = rule.param.format(**fields) if rule.param else None
                yield Refusal(rule, rule.message.format(**fields), param)
