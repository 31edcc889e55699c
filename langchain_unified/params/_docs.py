"""The docstrings under the keys of the TypedDicts -> a table."""

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
    """One parameter, in words. A wire's words start with "Not sent" where the API has no such parameter."""

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
"""How a docstring's line starts -> the field of `ParamDoc` that it fills."""

_LINE = re.compile(rf"- ({'|'.join(LABELS)}): ")


def _texts(module: ModuleType) -> Iterator[tuple[str, str]]:
    """`(key, docstring)` of every key of the module's classes, in their order."""
    for statement in ast.parse(inspect.getsource(module)).body:
        lines = statement.body if isinstance(statement, ast.ClassDef) else []
        for key, text in pairwise(lines):
            if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name) and isinstance(text, ast.Expr):
                yield key.target.id, inspect.cleandoc(str(ast.literal_eval(text.value)))


def parsed(text: str) -> ParamDoc:
    """The docstring of a neutral key. Raises `TypeError` when it lacks one of the lines."""
    meaning, *rest = _LINE.split(text)
    found = {LABELS[label]: _joined(words) for label, words in zip(rest[::2], rest[1::2], strict=True)}
    return ParamDoc(meaning=_joined(meaning), **found)


def _joined(text: str) -> str:
    return " ".join(text.split())


TEXTS: Mapping[str, str] = {key: text for module in (_shared, _providers) for key, text in _texts(module)}

DOCS: Mapping[str, ParamDoc] = {key: parsed(TEXTS[key]) for key in _providers.CallParams.__annotations__}
"""Every key of `CallParams`, documented."""

OWN_NAMES: Mapping[str, str] = {key: _joined(text) for key, text in TEXTS.items() if key not in DOCS}
"""The keys that only a provider's vocabulary has."""
