"""Warnings of this package: their category, and the line of the program that they point at."""

from __future__ import annotations

import sys
import warnings

INNER = ("langchain_unified", "langchain_core", "pydantic", "concurrent.futures", "asyncio", "contextvars", "threading")
"""Packages whose frames are between the program and a warning: the first frame outside of them is the program's."""


class UnifiedWarning(UserWarning):
    """Something goes out otherwise than it was written, or cannot be counted. Filter it by this class."""


class DeprecatedModelWarning(UnifiedWarning):
    """The provider shuts the called model down, or has done so."""


def warn(text: str, category: type[UnifiedWarning] = UnifiedWarning) -> None:
    """Warn at the line of the program that made the call.

    In a task or thread that LangChain made, that line is not on the stack: then at what runs the loop or the thread.
    """
    frame, level = sys._getframe(), 2
    while frame.f_back is not None and _is_inner(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, category, stacklevel=level - 1)


def _is_inner(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in INNER)
