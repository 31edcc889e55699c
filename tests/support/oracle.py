"""The oracle: checks a request body against the types of the installed SDKs.

It lies outside the repository, in `../shared/tools` beside it. Tests that need it skip where it is missing.
"""

from __future__ import annotations

import functools
import importlib.util
from types import ModuleType
from typing import Any

import pytest

from tests.support.corpus import ROOT

PATH = ROOT / "../shared/tools/request_oracle.py"

# The oracle's name for the endpoint of each wire.
ENDPOINTS = {"anthropic_messages": "anthropic-beta", "openai_chat": "chat", "openai_responses": "responses"}


@functools.cache
def load_oracle() -> ModuleType:
    """The module; `validate(endpoint, body)` lists what is wrong with a body."""
    if not PATH.exists():
        pytest.skip(f"no request oracle at {PATH}")
    spec = importlib.util.spec_from_file_location("request_oracle", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    validate = module.validate

    def without_known_differences(*args: Any, **kwargs: Any) -> list[str]:
        # The SDK's type requires `strict`; the API does not: recorded bodies lack it, and their replies say true.
        return [found for found in validate(*args, **kwargs) if "function.strict: missing" not in found]

    module.validate = without_known_differences  # type: ignore[attr-defined]
    return module
