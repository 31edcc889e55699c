"""The field rules: what the APIs refuse, written apart from this package's encoders and emulator.

They lie outside the repository, in `../shared/tools` beside it, one module for each provider. Tests that need them skip
where they are missing.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from langchain_unified.testing.emulation.providers import EmulatedProviders
from tests.support.corpus import ROOT

FOLDER = ROOT / "../shared/tools"
FILES = {"anthropic": "field_rules_anthropic.py", "openai": "field_rules_openai.py"}
MISSING = f"no field rules ({', '.join(FILES.values())}) in {FOLDER}"


class Violation(NamedTuple):
    """One rule that a body breaks: the rule's id, the path in the body, what is wrong, and the rule's source."""

    rule: str
    path: str
    what: str
    source: str


def available() -> bool:
    return all((FOLDER / name).exists() for name in FILES.values())


needs_field_rules = pytest.mark.skipif(not available(), reason=MISSING)


@functools.cache
def module_of(provider: str) -> ModuleType:
    """The rules of a provider (`anthropic`, `openai`). Skips the test where they are missing."""
    path = FOLDER / FILES[provider]
    if not path.exists():
        pytest.skip(MISSING)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its NamedTuples look their module up by its name.
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def violations(endpoint: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> list[Violation]:
    """What the field rules say against a body at `endpoint` (`anthropic.messages`, `openai.chat`, …).

    `headers`: `None` leaves out the rules that need them.
    """
    provider, _, name = endpoint.partition(".")
    return [Violation(*found) for found in module_of(provider).violations(body, headers, name)]


# --- every body that the emulator accepts -----------------------------------------------------------------------------

ACCEPTED: list[str] = []
"""What the field rules say against bodies that emulators of this process accepted, since the list was last cleared."""


def watch_emulator() -> None:
    """From now on, each body that an emulator of this process accepts is held against the field rules."""
    generate = EmulatedProviders._generate

    def watched(self: EmulatedProviders, exchange: Any, *arguments: Any) -> Any:
        endpoint = exchange.endpoint.name
        found = violations(endpoint, exchange.full_body, exchange.headers)
        ACCEPTED.extend(f"{endpoint}: {each.rule} at {each.path}: {each.what} ({each.source})" for each in found)
        return generate(self, exchange, *arguments)

    EmulatedProviders._generate = watched  # type: ignore[method-assign]
