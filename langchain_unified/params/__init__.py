"""The parameters of a call: three TypedDicts for editors and type checkers, and their documentation as a table.

`CallParams` has the parameters of both providers, `AnthropicCallParams` and `OpenAICallParams` those of one, also under
its own names. `DOCS` has for each key of `CallParams` its meaning, values, default, what each API is sent, and the
source; `make tables` writes `docs/parameters.md` from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langchain_unified.params._providers import AnthropicCallParams, CallParams, OpenAICallParams

if TYPE_CHECKING:
    from langchain_unified.params._docs import ParamDoc as ParamDoc

    DOCS: Mapping[str, ParamDoc]

__all__ = ["DOCS", "AnthropicCallParams", "CallParams", "OpenAICallParams", "ParamDoc"]


def __getattr__(name: str) -> Any:
    if name not in ("DOCS", "ParamDoc"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # On first use: the table is parsed from the source code of the TypedDicts.
    from langchain_unified.params import _docs

    return getattr(_docs, name)
