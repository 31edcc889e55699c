"""Provider-defined tools: their neutral names, each provider's form of them, and what to bind where there is none.

Types and keys are those of the SDKs' types. `tool_versions` in `data/models.json` has the models that take an older
type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_unified.request import Profile, Provider

NAMES = (
    "web_search", "web_fetch", "code_execution", "computer", "bash", "text_editor", "memory", "mcp", "tool_search",
    "image_generation", "file_search", "shell", "apply_patch",
)  # fmt: skip
"""The neutral names."""

LABELS: Mapping[Provider, str] = {"anthropic": "Anthropic", "openai": "OpenAI"}


@dataclass(frozen=True, slots=True)
class Form:
    """A tool as one provider has it.

    `type` is the newest that current models take; `Profile.tool_versions` has the exceptions. `name` is the value of
    the API's key `name` (`None`: the API has no such key). `keys`: neutral option -> the provider's key, with a dot for
    each level. `fixed` is sent unless the caller sets these keys. Of the options in `required` none may be missing, and
    of those in `exclusive` only one may be set.
    """

    type: str
    name: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()


def _same(*keys: str) -> Mapping[str, str]:
    return {key: key for key in keys}


_HOSTED = ("allowed_callers", "defer_loading", "strict")
_CLIENT = (*_HOSTED, "input_examples")
_DISPLAY = {"display_width": "display_width_px", "display_height": "display_height_px"}
DOMAINS = ("allowed_domains", "blocked_domains")

SPELLINGS: Mapping[str, str] = {key: neutral for neutral, key in _DISPLAY.items()}
"""A provider's key -> the neutral option."""

FORMS: Mapping[Provider, Mapping[str, Form]] = {
    # Types and keys: the SDK's `ToolUnionParam` and `BetaToolUnionParam`.
    "anthropic": {
        "web_search": Form(
            "web_search_20260209",
            "web_search",
            _same(*DOMAINS, "max_uses", "user_location", *_HOSTED),
            exclusive=DOMAINS,
        ),
        "web_fetch": Form(
            "web_fetch_20260209",
            "web_fetch",
            _same(*DOMAINS, "max_uses", "citations", "max_content_tokens", *_HOSTED),
            exclusive=DOMAINS,
        ),
        "code_execution": Form("code_execution_20260120", "code_execution", _same(*_HOSTED)),
        "computer": Form("computer_toolset_20260801", None, _same("configs")),
        "bash": Form("bash_20250124", "bash", _same(*_CLIENT)),
        "text_editor": Form("text_editor_20250728", "str_replace_based_edit_tool", _same("max_characters", *_CLIENT)),
        "memory": Form("memory_20250818", "memory", _same(*_CLIENT)),
        "mcp": Form("mcp_toolset"),
        "tool_search": Form("tool_search_tool_bm25_20251119", "tool_search_tool_bm25", _same(*_HOSTED)),
    },
    # Types and keys: the SDK's `ToolParam`.
    "openai": {
        "web_search": Form(
            "web_search",
            None,
            {
                "allowed_domains": "filters.allowed_domains",
                **_same("user_location", "search_context_size", "external_web_access"),
            },
        ),
        "code_execution": Form(
            "code_interpreter", None, _same("container", "allowed_callers"), fixed={"container": {"type": "auto"}}
        ),
        "computer": Form("computer"),
        "mcp": Form("mcp"),
        "tool_search": Form("tool_search", None, _same("execution", "description", "parameters")),
        "image_generation": Form("image_generation"),
        "file_search": Form("file_search", required=("vector_store_ids",)),
        "shell": Form("shell"),
        "apply_patch": Form("apply_patch"),
    },
}

_DATED_COMPUTER = Form(
    "computer_20250124",
    "computer",
    {**_DISPLAY, **_same("display_number", *_CLIENT)},
    required=("display_width", "display_height"),
)
_SCREEN = ("display_width", "display_height", "environment")

OTHER_FORMS: Mapping[str, Form] = {
    "computer_20250124": _DATED_COMPUTER,
    "computer_20251124": replace(
        _DATED_COMPUTER, type="computer_20251124", keys={**_DATED_COMPUTER.keys, **_same("enable_zoom")}
    ),
    "computer_use_preview": Form("computer_use_preview", None, _same(*_SCREEN), required=_SCREEN),
}
"""Types whose keys differ from those of the provider's newest type."""

FAMILIES: Mapping[str, str] = {"computer_toolset": "computer"}
"""Anthropic's types without their date -> the neutral name, where the two differ."""

OPENAI_TYPES: Mapping[str, str] = {
    "web_search_2025_08_26": "web_search",
    "web_search_preview": "web_search",
    "web_search_preview_2025_03_11": "web_search",
    "code_interpreter": "code_execution",
    "computer_use_preview": "computer",
    "computer_use": "computer",
    "local_shell": "shell",
    "namespace": "namespace",
    "programmatic_tool_calling": "programmatic_tool_calling",
}
"""OpenAI's types that are no neutral names -> the neutral name, or the type itself where there is none."""

REMEDIES: Mapping[tuple[Provider, str], str] = {
    ("anthropic", "mcp"): "Bind 'mcp_toolset', with the server in `mcp_servers`.",
    ("anthropic", "image_generation"): "Anthropic has no such tool: bind a function of your own.",
    ("anthropic", "file_search"): "Anthropic has no such tool: send `document` blocks, or bind a function of your own.",
    ("anthropic", "shell"): "Bind 'bash': it runs commands too, but its calls have another form.",
    ("anthropic", "apply_patch"): "Bind 'text_editor': it edits files too, but its calls have another form.",
    ("anthropic", "namespace"): "Anthropic has no such tool: bind the tools themselves.",
    ("anthropic", "programmatic_tool_calling"): "Bind 'code_execution', and name it in the tools' `allowed_callers`.",
    ("openai", "mcp"): "Bind 'mcp', with `server_label` and `server_url`.",
    ("openai", "web_fetch"): "Bind 'web_search': it opens pages too.",
    ("openai", "bash"): "Bind 'shell': it runs commands too, but its calls have another form.",
    ("openai", "text_editor"): "Bind 'apply_patch': it edits files too, but its calls have another form.",
    ("openai", "memory"): "Bind a function of your own.",
    ("openai", "advisor"): "The API has no such tool.",
    ("openai", "browser_toolset"): "Bind 'computer'.",
}
"""(provider, tool that it does not have) -> what to do instead."""

_DATED = re.compile(r"(tool_search)_tool_(?:bm25|regex)(?:_20\d{6})?|([a-z_]+?)_20\d{6}")


def known(kind: str) -> tuple[str, Provider | None] | None:
    """`(tool, provider whose type it is)`, without a provider for a neutral name; `None` for a type not known here."""
    if kind in NAMES:
        return kind, None
    if kind in OPENAI_TYPES:
        return OPENAI_TYPES[kind], "openai"
    if kind == "mcp_toolset":
        return "mcp", "anthropic"
    found = _DATED.fullmatch(kind)
    if found is None:
        return None
    family = next(group for group in found.groups() if group)
    family = FAMILIES.get(family, family)
    return (family, "anthropic") if family in NAMES or ("openai", family) in REMEDIES else None


def form_of(tool: str, provider: Provider, profile: Profile) -> Form | None:
    """The form in which a model takes a tool; `None` where its provider has none."""
    form = FORMS[provider].get(tool)
    if form is None:
        return None
    kind = profile.tool_versions.get(tool, form.type)
    return OTHER_FORMS.get(kind) or replace(form, type=kind)


def options_of(tool: str) -> set[str]:
    """Every neutral option of a tool that one of its forms has."""
    forms = [forms[tool] for forms in FORMS.values() if tool in forms]
    forms += [form for kind, form in OTHER_FORMS.items() if (known(kind) or ("",))[0] == tool]
    return {option for form in forms for option in form.keys}


def remedy(tool: str, provider: Provider) -> str:
    """What to bind instead of a tool, or of its form, that a provider does not have."""
    form = FORMS[provider].get(tool)
    there = "Bind a function of your own." if form is None else f"Bind {form.type!r}."
    return REMEDIES.get((provider, tool), there)


def refusal(kind: str, provider: Provider) -> str | None:
    """The error message for a type that a provider does not have; `None` where the type may be sent as it is."""
    found = known(kind)
    if found is None or found[1] == provider:
        return None
    tool, form = found[0], FORMS[provider].get(found[0])
    if found[1] is None and form is not None and form.type == kind:
        return None
    return f"{LABELS[provider]} does not have the tool {kind!r}. {remedy(tool, provider)}"
