"""The cache report of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage

from langchain_unified.caching.report import report

if TYPE_CHECKING:
    from langchain_unified.chat_models._plan import Plan



def add_cache_report(plan: Plan, message: AIMessage) -> None:
    """Write `response_metadata["prompt_cache"]` of an answer, where caching was asked for or happened."""
    by_itself = plan.route.provider == "openai" and plan.route.dialect.cache_marks
    found = report(plan.request, plan.marks, message.usage_metadata, by_itself=by_itself)
    if found is not None:
        message.response_metadata["prompt_cache"] = found
