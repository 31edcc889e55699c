"""The page of server tools, `docs/server_tools.md`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from docs.generate.markdown import table
from langchain_unified.profiles import known_models, profile_for
from langchain_unified.request import Provider
from langchain_unified.tools.server.forms import FORMS, LABELS, NAMES, OTHER_FORMS, Form, form_of, remedy

HEAD = """# Server tools

Written by `make tables` from the tables in `langchain_unified/tools/server/forms.py`. Do not edit this page by hand.

A server tool is a tool that a provider defines. Each has one name for both providers. Bind the name
(`bind_tools(["web_search", my_function])`), a dict with options (`{"type": "web_search", "max_uses": 3}`), or either
provider's own dict: it is sent in the form of the provider that answers, with the beta headers that it needs. A dict of
another type is sent unchanged.

A tool that a provider does not have is an error before anything is sent, with the remedy below. An option that it does
not have is left out and listed in `response_metadata["adjustments"]`; `on_unsupported` adds a warning or makes it an
error. A provider's own dict keeps all its keys with that provider.

The caller runs `bash`, `computer`, `text_editor`, `memory`, `shell` and `apply_patch`, and their calls have each
provider's own form. The provider runs the other tools.
"""

NOTES = """## Notes

- **`max_uses`** limits one tool on Anthropic. OpenAI has one limit for all its tools (`max_tool_calls`), so it is sent
  if there is one such tool, and listed as an adjustment if there are several.
- **`user_location`** has `city`, `region`, `country` (two letters) and `timezone` (IANA), each optional.
- **`mcp`** has `server_label`, `server_url`, `authorization`, `allowed_tools`, `require_approval` and `defer_loading`.
  On Anthropic the server is sent in `mcp_servers`, and a toolset with its name among the tools. Anthropic calls a
  server's tools without asking for approval: a `require_approval` other than `"never"`, or none, which means approval
  on OpenAI, is listed as an adjustment. Anthropic's `mcp_servers` and `mcp_toolset` are sent to OpenAI as `mcp` with
  `require_approval="never"`.
- **`allowed_callers`**: OpenAI's `programmatic` becomes the type of the bound code execution tool on Anthropic.
- **Deferred tools** (`defer_loading`) need a `tool_search` tool.
- Chat Completions has no server tools. With one of them, a model of OpenAI is called with the Responses API.
"""


def page() -> str:
    """The text of `docs/server_tools.md`."""
    rows = [[f"`{name}`", _cell("anthropic", name), _cell("openai", name)] for name in NAMES]
    parts = [
        HEAD,
        "## The type of each tool, with its options",
        "",
        *table(["name", "Anthropic", "OpenAI (Responses)"], rows),
        "",
        "## Other types for some models",
        "",
        *table(["tool", "type", "models"], _versions()),
        "",
        NOTES,
    ]
    return "\n".join(parts)


def _cell(provider: Provider, name: str) -> str:
    form = FORMS[provider].get(name)
    if form is None:
        return f"refused. {remedy(name, provider)}"
    options = _options(form)
    return f"`{form.type}`" + (f": {options}" if options else "")


def _options(form: Form) -> str:
    needed = [f"`{option}` (required)" for option in form.required]
    renamed = [f"`{option}`" + (f" as `{key}`" if key != option else "") for option, key in form.keys.items()
               if option not in form.required]  # fmt: skip
    return ", ".join([*needed, *renamed])


def _versions() -> Iterator[Sequence[str]]:
    """Tool, type and models, for models that take another type than the newest."""
    for provider, forms in FORMS.items():
        for name, newest in forms.items():
            by_type: dict[str, list[str]] = {}
            for model in known_models(provider):
                form = form_of(name, provider, profile_for(provider, model))
                if form is not None and form.type != newest.type:
                    by_type.setdefault(form.type, []).append(f"`{model}`")
            for kind, models in by_type.items():
                options = f" ({_options(OTHER_FORMS[kind])})" if kind in OTHER_FORMS else ""
                yield [f"`{name}` ({LABELS[provider]})", f"`{kind}`{options}", ", ".join(models)]
