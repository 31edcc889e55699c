"""The page of parameters, `docs/parameters.md`."""

from __future__ import annotations

from docs.generate.markdown import table
from langchain_unified.params._docs import DOCS, PROVIDER_KEYS, ParamDoc

HEAD = """\
# Parameters

Written by `make tables` from the docstrings of `CallParams`. Do not edit this page by hand.

The constructor, `bind` and a call take the same parameters, with the same effect. A call overrides `bind`, and `bind`
overrides the constructor. `None` means not given. The constructor has `request_metadata` for the API's `metadata`,
because `metadata` is LangChain's own, for traces.

A parameter that a model or an API does not take as written is never dropped silently. Each change is listed in
`response_metadata["adjustments"]`. `on_unsupported` adds a warning, once (the default), or makes it an error.

`CallParams`, `AnthropicCallParams` and `OpenAICallParams` are TypedDicts, so editors complete the keys:

```python
from langchain_unified import CallParams, ChatUnified

params: CallParams = {"max_tokens": 200, "reasoning_effort": "low"}
for name in ("anthropic/claude-sonnet-5", "openai/gpt-5.6"):
    print(ChatUnified(name).bind(**params).invoke("Say hello.").text)
```
"""


def page() -> str:
    """The text of `docs/parameters.md`."""
    return "\n".join(
        [
            HEAD,
            "## What each API is sent",
            "",
            *table(
                ("parameter", "meaning", "Anthropic Messages", "OpenAI Chat", "OpenAI Responses"),
                [(f"`{key}`", _about(doc), *_wires(doc)) for key, doc in DOCS.items()],
            ),
            "",
            "## The providers' own names",
            "",
            "Every model takes the names of both providers. Those of the other provider are translated.",
            "",
            *table(("name", "meaning"), [(f"`{key}`", text) for key, text in PROVIDER_KEYS.items()]),
            "",
            "## Sources",
            "",
            *table(("parameter", "source"), [(f"`{key}`", doc.source) for key, doc in DOCS.items()]),
            "",
        ]
    )


def _about(doc: ParamDoc) -> str:
    return f"{doc.meaning}<br>**Values:** {doc.values}<br>**Default:** {doc.default}"


def _wires(doc: ParamDoc) -> tuple[str, str, str]:
    return doc.anthropic_messages, doc.openai_chat, doc.openai_responses
