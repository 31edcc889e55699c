"""`python -m docs.generate.server_tools [path]`: write the page of server tools, to `docs/server_tools.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from langchain_unified.profiles import known_models, profile_for
from langchain_unified.request import Provider
from langchain_unified.tools.server.forms import FORMS, LABELS, NAMES, OTHER_FORMS, Form, form_of, remedy

HEAD = """# Server tools

Tools that a provider defines, by one name. Write the name (`bind_tools(["web_search", my_function])`), the name with
options (`{"type": "web_search", "max_uses": 3}`), or either provider's own dict: what goes out is the form of the
provider that answers. Betas that a tool needs are sent by themselves. A dict whose type is not known here goes out as
it is.

What a provider lacks is refused before the network, with the remedy below. An option that it lacks is named: it is in
`response_metadata["adjustments"]`, and `on_unsupported` decides whether it warns or raises. A provider's own dict keeps
every key when it goes to its own provider.

`bash`, `computer`, `text_editor`, `memory`, `shell` and `apply_patch` are run by the caller, and the calls come back in
each provider's own form; the other tools are run by the provider.

Written from the tables in `langchain_unified/tools/server/forms.py` by `python -m docs.generate.server_tools`.
"""

NOTES = """## Notes

- **`max_uses`** is a limit of one tool on Anthropic. OpenAI counts all its tools together (`max_tool_calls`), so it is
  sent where there is one such tool, and named where there are several.
- **`user_location`** takes `city`, `region`, `country` (two letters) and `timezone` (IANA), each optional.
- **`mcp`** takes `server_label`, `server_url`, `authorization`, `allowed_tools`, `require_approval` and
  `defer_loading`. On Anthropic the server goes to `mcp_servers`, and a toolset with its name stands among the tools.
  Anthropic calls a server's tools without asking: a `require_approval` other than `"never"` is named, and so is leaving
  it out, because OpenAI then asks. Anthropic's `mcp_servers` and `mcp_toolset` go to OpenAI as `mcp` with
  `require_approval="never"`.
- **`allowed_callers`**: OpenAI's `programmatic` is the type of the bound code execution tool on Anthropic.
- **Deferred tools** (`defer_loading`) want a `tool_search` beside them.
- Chat Completions runs no tools: with one of these, a model of OpenAI's is called by the Responses API.
"""


def page() -> str:
    """The whole page, in Markdown."""
    rows = [[f"`{name}`", _cell("anthropic", name), _cell("openai", name)] for name in NAMES]
    parts = [
        HEAD,
        "## Each tool at each provider\n",
        _table(["name", "Anthropic", "OpenAI (Responses)"], rows),
        "\n## Types that some models take instead\n",
        _table(["tool", "type", "models"], list(_versions())),
        "\n" + NOTES,
    ]
    return "\n".join(parts)


def _cell(provider: Provider, name: str) -> str:
    form = FORMS[provider].get(name)
    if form is None:
        return f"refused. {remedy(name, provider)}"
    options = _options(form)
    return f"`{form.type}`" + (f": {options}" if options else "")


def _options(form: Form) -> str:
    needed = [f"`{option}` (needed)" for option in form.required]
    renamed = [f"`{option}`" + (f" as `{key}`" if key != option else "") for option, key in form.keys.items()
               if option not in form.required]  # fmt: skip
    return ", ".join([*needed, *renamed])


def _versions() -> Iterator[Sequence[str]]:
    """Tool, type, models: where a model of the table takes another type than the newest."""
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


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main(arguments: list[str]) -> None:
    """Write the page to the path that is given, if any."""
    path = Path(arguments[0] if arguments else "docs/server_tools.md")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
