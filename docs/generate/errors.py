"""The page of errors, made from the classes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from docs.generate.markdown import table
from langchain_unified import errors

HEAD = """\
# Errors

Written by `make tables` from the classes of `langchain_unified.errors`. Do not edit this page by hand.

Every error is a `UnifiedError`, one of LangChain core's `ModelError`s, and the SDK's class at the same time. The fields
are `provider`, `model`, `status`, `code`, `request_id`, `retry_after` (seconds), `is_retryable`, `address`, `attempts`
and `partial`.
"""


def _classes(base: type[errors.UnifiedError]) -> Iterator[type[errors.UnifiedError]]:
    for each in base.__subclasses__():
        if vars(errors).get(each.__name__) is each:  # not those joined with an SDK's class
            yield each
            yield from _classes(each)


def page() -> str:
    """The page as Markdown: a row for each class."""
    rows = []
    for each in _classes(errors.UnifiedError):
        about = " ".join((inspect.getdoc(each) or "").split("\n\n")[0].split())
        parents = [base.__name__ for base in each.__bases__ if base.__module__ == errors.__name__]
        rows.append((f"`{each.__name__}`", f"`{parents[0]}`" if parents else "", about))
    return "\n".join([HEAD, *table(("error", "is a", "when, and what helps"), rows)]) + "\n"
