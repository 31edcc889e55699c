"""The docstrings of the TypedDicts' keys as a table, read from the source code: Python does not keep them."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType

from langchain_unified.params import _providers, _shared


@dataclass(frozen=True, slots=True)
class ParamDoc:
    """The documentation of one parameter. The text of a wire starts with "Not sent" if its API lacks the parameter."""

    meaning: str
    values: str
    default: str
    anthropic_messages: str
    openai_chat: str
    openai_responses: str
    source: str


LABELS: Mapping[str, str] = {
    "Values": "values",
    "Default": "default",
    "Messages": "anthropic_messages",
    "Chat": "openai_chat",
    "Responses": "openai_responses",
    "Source": "source",
}
"""Label of a line in a docstring -> field of `ParamDoc`."""

_LINE = re.compile(rf"- ({'|'.join(LABELS)}): ")


def _texts(module: ModuleType) -> Iterator[tuple[str, str]]:
    """`(key, docstring)` of the keys in the module's classes, in order."""
    for statement in ast.parse(inspect.getsource(module)).body:
        lines = statement.body if isinstance(statement, ast.ClassDef) else []
        for key, text in pairwise(lines):
            if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name) and isinstance(text, ast.Expr):
                yield key.target.id, inspect.cleandoc(str(ast.literal_eval(text.value)))


def parsed(text: str) -> ParamDoc:
    """A docstring of a key in `CallParams`. Raises `TypeError` if a line is missing."""
    meaning, *rest = _LINE.split(text)
    found = {LABELS[label]: _joined(line) for label, line in zip(rest[::2], rest[1::2], strict=True)}
    return ParamDoc(meaning=_joined(meaning), **found)


def _joined(text: str) -> str:
    return " ".join(text.split())


TEXTS: Mapping[str, str] = {key: text for module in (_shared, _providers) for key, text in _texts(module)}

DOCS: Mapping[str, ParamDoc] = {key: parsed(TEXTS[key]) for key in _providers.CallParams.__annotations__}
"""Key of `CallParams` -> its documentation."""

PROVIDER_KEYS: Mapping[str, str] = {key: _joined(text) for key, text in TEXTS.items() if key not in DOCS}
"""Key that only `AnthropicCallParams` or `OpenAICallParams` has -> its docstring."""
