"""The oracle: checks a request body against the types of the installed SDKs.

It lies outside the repository, in `../shared/tools` beside it. Tests that need it skip where it is missing.
"""

from __future__ import annotations

import functools
import importlib.util
from types import ModuleType

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
    return module
