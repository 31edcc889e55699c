"""Provider-defined tools, from their neutral name or one provider's form to the form of the provider that is called.

Such a tool is given by its neutral name (`"web_search"`, or `{"type": "web_search", "max_uses": 3}`) or as a dict of
either provider. A tool that the provider does not have raises, an option that it lacks becomes an adjustment, and a
type that is not known here goes out as it is.

Neutral options are the keys of `forms.FORMS`; both providers' spellings of them are accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import Adjustment, JsonObject, Profile, Provider, ToolSpec
from langchain_unified.tools.server.forms import DOMAINS, LABELS, SPELLINGS, Form, form_of, known, options_of, refusal
from langchain_unified.tools.server.mcp import to_anthropic, to_openai, without_toolset

DEFAULTS: Sequence[tuple[str, Any]] = (
    ("allowed_callers", ["direct"]),
    ("container", {"type": "auto"}),
    ("defer_loading", False),
    ("execution", "server"),
    ("external_web_access", True),
    ("strict", False),
)
"""Values of options that change nothing where they are left out."""

OPENAI_CLIENT_RUN = frozenset({"computer", "computer_use_preview", "shell", "local_shell", "apply_patch", "namespace"})
"""OpenAI's tools that the caller runs: `max_tool_calls` does not count them."""


class TranslatedTools(NamedTuple):
    """Tools and a provider's own body keys as the provider takes them, and the adjustments."""

    specs: tuple[ToolSpec, ...]
    native: JsonObject
    adjustments: tuple[Adjustment, ...]


@dataclass(slots=True)
class Translation:
    """The target of one translation, and what the tools need outside their own dicts."""

    provider: Provider
    profile: Profile
    native: JsonObject
    adjustments: list[Adjustment] = field(default_factory=list)
    max_uses: dict[str, int] = field(default_factory=dict)
    """Tool name -> its limit of uses, which OpenAI has only for all tools together."""
    code_execution: str | None = None
    """Anthropic's type of the code execution tool, where one is bound."""

    def report(self, what: str, why: str) -> None:
        self.adjustments.append(Adjustment(what=what, why=why))


def translate_tools(
    specs: Sequence[ToolSpec],
    provider: Provider,
    native: Mapping[str, Any] | None = None,
    profile: Profile | None = None,
) -> TranslatedTools:
    """The tools of a call as `provider` takes them, for a model with `profile`.

    `native` are the call's own body keys. They hold an MCP server on Anthropic (`mcp_servers`), which OpenAI has among
    the tools, and OpenAI's limit of uses (`max_tool_calls`). Tools that need no translation come back as the same
    objects. Raises `InvalidToolError` for a tool that the provider does not have, and for a missing required option.
    """
    translation = Translation(provider, profile or Profile(), dict(native or {}))
    types = (_code_execution_type(spec, translation) for spec in specs)
    translation.code_execution = next((kind for kind in types if kind), None)
    translated = [_translated(spec, translation) for spec in specs]
    if provider == "anthropic":
        _check_deferred(translated)
    else:
        translated += without_toolset(translation.native)
        _limit_uses(translated, translation)
    return TranslatedTools(tuple(translated), translation.native, tuple(translation.adjustments))


def _translated(spec: ToolSpec, translation: Translation) -> ToolSpec:
    if spec.kind != "native":
        return _with_callers(spec, translation)
    kind = str(spec.definition.get("type"))
    found = known(kind)
    if found is None or found[1] == translation.provider:
        return spec
    form = form_of(found[0], translation.provider, translation.profile)
    if form is None:
        raise InvalidToolError(refusal(kind, translation.provider) or kind)
    definition = WRITERS.get((found[0], translation.provider), _write)(spec, found[0], form, translation)
    given = {key: value for key, value in spec.definition.items() if value is not None}
    return spec if definition == given else replace(spec, definition=definition)


def _write(spec: ToolSpec, tool: str, form: Form, translation: Translation) -> JsonObject:
    """The tool in `form`, from any form. An option for which `form` has no key is reported."""
    options = _options(tool, spec.definition)
    _check(spec, form, options)
    given = {key.split(".")[0] for option, key in form.keys.items() if option in options}
    result: JsonObject = {"type": form.type} | ({} if form.name is None else {"name": form.name})
    result |= {key: value for key, value in form.fixed.items() if key not in given}
    newer = () if form.type != spec.definition["type"] else options.keys() - options_of(tool)
    for option, value in options.items():
        if option in form.keys:
            _put(result, form.keys[option], SHAPES[option](value) if option in SHAPES else value)
        elif option in newer:
            result[option] = {**result[option], **value} if option in result else value
        elif option == "max_uses" and translation.provider == "openai":
            translation.max_uses[spec.name] = value
        elif (option, value) not in DEFAULTS:
            why = f"{LABELS[translation.provider]}'s {form.type} has no such option: it was not sent."
            translation.report(f"{option} of the tool {spec.name!r}", why)
    return result


def _options(tool: str, definition: Mapping[str, Any]) -> JsonObject:
    """The options of a definition in any form, by their neutral names."""
    options = {
        SPELLINGS.get(key, key): value
        for key, value in definition.items()
        if key not in ("type", "name") and value is not None
    }
    filters = options.get("filters")
    if tool == "web_search" and isinstance(filters, Mapping):
        options |= {key: value for key, value in filters.items() if key in DOMAINS and value is not None}
        rest = {key: value for key, value in filters.items() if key not in DOMAINS}
        options.pop("filters")
        options |= {"filters": rest} if rest else {}
    return options


def _check(spec: ToolSpec, form: Form, options: Mapping[str, Any]) -> None:
    missing = [option for option in form.required if option not in options]
    if missing:
        raise InvalidToolError(
            f"The tool {spec.name!r} needs {_listed(missing)}, because it goes out as {form.type!r}: give "
            f"{{'type': {str(spec.definition['type'])!r}, {', '.join(f'{option!r}: …' for option in missing)}}}."
        )
    if options.get("execution") == "client" and "execution" not in form.keys:
        raise InvalidToolError(
            f"The tool {spec.name!r} lets the caller search (`execution`: 'client'). On Anthropic that is a tool of "
            "your own: bind a function that returns `tool_reference` blocks."
        )
    clashing = [option for option in form.exclusive if option in options]
    if len(clashing) > 1:
        raise InvalidToolError(f"The tool {spec.name!r} takes only one of {_listed(clashing)}.")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _put(target: JsonObject, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        target = target.setdefault(parent, {})
    target[last] = value


def _location(value: Any) -> Any:
    """A location as both providers take it. Chat's `web_search_options` has it one level deeper."""
    if not isinstance(value, Mapping):
        raise InvalidToolError(f"`user_location` takes an object with a city, region, country or timezone: {value!r}.")
    inner = value.get("approximate")
    return {**value} if value.get("type") and not inner else {"type": "approximate", **(inner or value)}


SHAPES: Mapping[str, Callable[[Any], Any]] = {"user_location": _location}


def _mcp_on_anthropic(spec: ToolSpec, tool: str, form: Form, translation: Translation) -> JsonObject:
    return to_anthropic(spec, translation.native, translation.report)


def _mcp_on_openai(spec: ToolSpec, tool: str, form: Form, translation: Translation) -> JsonObject:
    return to_openai(spec, translation.native, translation.report)


WRITERS: Mapping[tuple[str, Provider], Callable[[ToolSpec, str, Form, Translation], JsonObject]] = {
    ("mcp", "anthropic"): _mcp_on_anthropic,
    ("mcp", "openai"): _mcp_on_openai,
}


# --- between the tools of a call --------------------------------------------------------------------------------------


def _limit_uses(specs: Sequence[ToolSpec], translation: Translation) -> None:
    """Sends `max_uses` as `max_tool_calls`, where the call has only one hosted tool."""
    hosted = [s for s in specs if s.kind == "native" and s.definition.get("type") not in OPENAI_CLIENT_RUN]
    for name, uses in translation.max_uses.items():
        if len(hosted) == 1 and translation.native.setdefault("max_tool_calls", uses) == uses:
            continue
        why = "OpenAI has one limit for all its tools together: set `max_tool_calls`."
        translation.report(f"max_uses of the tool {name!r}", why)


def _check_deferred(specs: Sequence[ToolSpec]) -> None:
    """Anthropic takes deferred tools beside one that is not."""
    if specs and all((s.options or s.definition).get("defer_loading") for s in specs):
        raise InvalidToolError("Anthropic refuses tools that are all deferred: bind 'tool_search' too, to find them.")


def _code_execution_type(spec: ToolSpec, translation: Translation) -> str | None:
    """Anthropic's type of a code execution tool, which `allowed_callers` names; `None` for another tool."""
    kind = str(spec.definition.get("type"))
    found = known(kind)
    if spec.kind != "native" or translation.provider != "anthropic" or found is None or found[0] != "code_execution":
        return None
    form = form_of("code_execution", "anthropic", translation.profile)
    return kind if found[1] == "anthropic" or form is None else form.type


def _with_callers(spec: ToolSpec, translation: Translation) -> ToolSpec:
    """The tool with code execution as its caller on Anthropic, where OpenAI's form has `programmatic`."""
    allowed = spec.options.get("allowed_callers") or ()
    if translation.provider != "anthropic" or "programmatic" not in allowed:
        return spec
    if translation.code_execution is None:
        raise InvalidToolError(
            f"`allowed_callers` of the tool {spec.name!r} names 'programmatic', which is code execution on Anthropic: "
            "bind 'code_execution' too."
        )
    callers = [translation.code_execution if caller == "programmatic" else caller for caller in allowed]
    return replace(spec, options={**spec.options, "allowed_callers": callers})
