"""Both providers without keys and without a network: an emulator, cassettes, and the laws of a wire.

Names are resolved on first use, so that a pytest plugin costs nothing at start-up. The extras `emulator` and
`cassettes` bring what each needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_unified.testing.cassettes import CassetteError as CassetteError
    from langchain_unified.testing.cassettes import use_cassette as use_cassette
    from langchain_unified.testing.cassettes import vcr_config as vcr_config

_HOMES = dict.fromkeys(
    (
        "CassetteError", "CassetteFormatError", "CassetteMissError", "CassetteSecretError", "CassetteUnusedError",
        "register", "use_cassette", "vcr_config",
    ),
    "langchain_unified.testing.cassettes",
)  # fmt: skip

__all__ = [*_HOMES]  # noqa: PLE0604 - strings, from the table above


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
