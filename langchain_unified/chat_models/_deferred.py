"""Modules that are imported when something of them is used first.

Most of this package is for calls. A program that only builds a model, or that ends before its first call, does not wait
for it: the imports of a call are a third of LangChain core's.
"""

from __future__ import annotations

import importlib
from typing import Any


class Deferred:
    """Stands for a module. Each name is looked up in it anew, so that what is replaced there is found."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._module: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._module is None:
            self._module = importlib.import_module(self._name)
        return getattr(self._module, name)
