"""The docstrings under the keys of the TypedDicts -> a table, and the page that is written from it."""

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


# --- the page ---------------------------------------------------------------------------------------------------------

HEAD = """\
# Parameters

Written by `python -m langchain_unified.params` from the docstrings of `CallParams`; do not edit by hand.

Every parameter here is taken by the constructor, by `bind` and by single calls, the later winning, and has the same
effect in all three. `None` means not given. The API's `metadata` is called `request_metadata` in the constructor, where
`metadata` is LangChain's own, for traces.

A parameter that a model or an API cannot take as written is never dropped silently: `on_unsupported` decides whether it
warns once (the default), raises, or is only noted; `response_metadata["adjustments"]` says what happened in each case.

`CallParams`, `AnthropicCallParams` and `OpenAICallParams` are TypedDicts, so that editors complete the keys:

```python
from langchain_unified import CallParams, ChatUnified

params: CallParams = {"max_tokens": 200, "stop": ["\\n\\n"]}
for name in ("anthropic/claude-sonnet-4-5", "openai/gpt-4o"):
    print(ChatUnified(name).bind(**params).invoke("Say hello.").text)
```
"""


def page() -> str:
    """`docs/parameters.md`."""
    return "\n".join(
        [
            HEAD,
            "## What each API is sent",
            "",
            *_table(
                ("parameter", "meaning", "Anthropic Messages", "OpenAI Chat", "OpenAI Responses"),
                [(f"`{key}`", _about(doc), *_wires(doc)) for key, doc in DOCS.items()],
            ),
            "",
            "## The providers' own names",
            "",
            "The same on every model: a name of one provider is translated for the other.",
            "",
            *_table(("name", "meaning"), [(f"`{key}`", text) for key, text in OWN_NAMES.items()]),
            "",
            "## Sources",
            "",
            *_table(("parameter", "source"), [(f"`{key}`", doc.source) for key, doc in DOCS.items()]),
            "",
        ]
    )


def _about(doc: ParamDoc) -> str:
    return f"{doc.meaning}<br>**Values:** {doc.values}<br>**Default:** {doc.default}"


def _wires(doc: ParamDoc) -> tuple[str, str, str]:
    return doc.anthropic_messages, doc.openai_chat, doc.openai_responses


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
