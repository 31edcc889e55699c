"""One vocabulary of call parameters: three TypedDicts for editors and type checkers, and a table of the same facts.

`CallParams` has every neutral parameter, `AnthropicCallParams` and `OpenAICallParams` what one provider takes, with its
own names as synonyms. `DOCS` holds for each key of `CallParams` its meaning, values, default, what each wire sends, and
the source; `make tables` writes `docs/parameters.md` from it.
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
    # Read on first use: the table comes from the sources of the TypedDicts.
    from langchain_unified.params import _docs

    return getattr(_docs, name)
