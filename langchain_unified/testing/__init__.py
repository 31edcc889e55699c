"""Tests without keys and without a network: an emulator of both providers, and cassettes of recorded traffic.

Names are imported on first use, so that the pytest plugin starts fast. Install the extras `emulator` and `cassettes`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_unified.testing.cassettes import CassetteError as CassetteError
    from langchain_unified.testing.cassettes import use_cassette as use_cassette
    from langchain_unified.testing.cassettes import vcr_config as vcr_config
    from langchain_unified.testing.emulation.faults import Fault as Fault
    from langchain_unified.testing.emulation.recording import Recorded as Recorded
    from langchain_unified.testing.emulation.server import Emulator as Emulator
    from langchain_unified.testing.emulation.server import emulator as emulator
    from langchain_unified.testing.emulation.server import emulator_app as emulator_app
    from langchain_unified.testing.in_place import use_emulator as use_emulator

_CASSETTES = (
    "CassetteError", "CassetteFormatError", "CassetteMissError", "CassetteSecretError", "CassetteUnusedError",
    "register", "use_cassette", "vcr_config",
)  # fmt: skip

_HOMES = dict.fromkeys(_CASSETTES, "langchain_unified.testing.cassettes") | {
    "Emulator": "langchain_unified.testing.emulation.server",
    "emulator": "langchain_unified.testing.emulation.server",
    "emulator_app": "langchain_unified.testing.emulation.server",
    "use_emulator": "langchain_unified.testing.in_place",
    "Fault": "langchain_unified.testing.emulation.faults",
    "Recorded": "langchain_unified.testing.emulation.recording",
}

__all__ = [*_HOMES]  # noqa: PLE0604 - strings, from the table above


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
