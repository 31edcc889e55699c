"""`python -m docs.generate.parameters [path]`: write the page of parameters, to `docs/parameters.md` by default."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from langchain_unified.params._docs import DOCS, OWN_NAMES, ParamDoc

HEAD = """\
# Parameters

Written by `python -m docs.generate.parameters` from the docstrings of `CallParams`; do not edit by hand.

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


def main(arguments: list[str]) -> None:
    """Write the page to the path that is given, if any."""
    path = Path(arguments[0] if arguments else "docs/parameters.md")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
