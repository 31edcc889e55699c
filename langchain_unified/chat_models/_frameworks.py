"""Frameworks that cache prompts for the partner package's class alone, which a model of ours may not be to them.

deepagents 0.7.32 looks for `langchain_anthropic.chat_models` in `sys.modules` (`deepagents/middleware/_utils.py`). Once
that is loaded, our models are instances of its class (`_partner.py`), and deepagents sets its marks. Where a program
never imports it, nothing is marked, and every call of a long run pays for the whole prompt. Then the policy sets the
marks, and the answer's `adjustments` say so.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from langchain_core.runnables.config import var_child_runnable_config

from langchain_unified.caching.policy import AUTO, PromptCache
from langchain_unified.chat_models._ready import has_marks
from langchain_unified.request import Adjustment, Request
from langchain_unified.wires import Wire

NEEDS_PARTNER: Mapping[str, str] = {"deepagents": "langchain_anthropic.chat_models"}
"""The framework's name in `metadata["ls_integration"]`, which is its module's too -> the module that it looks for."""


def policy_of_framework(request: Request, wire: Wire, adjustments: list[Adjustment]) -> PromptCache | None:
    """The policy for a request that a framework makes without marks, which `adjustments` then name; else `None`."""
    if wire.name != "anthropic_messages":
        return None
    metadata = (var_child_runnable_config.get() or {}).get("metadata") or {}
    name = str(metadata.get("ls_integration"))
    if name not in NEEDS_PARTNER or NEEDS_PARTNER[name] in sys.modules or has_marks(request):
        return None
    why = (
        f"{name} marks prompts only where langchain-anthropic is imported, and it is not: the marks of "
        "prompt_cache='auto' were set. prompt_cache='off' sends none."
    )
    adjustments.append(Adjustment(what="prompt caching", why=why, lossless=True))
    return AUTO
