"""Tools that the providers define, by neutral name, and from either provider's form to the other's.

Such a tool is written by its neutral name (`"web_search"`, or `{"type": "web_search", "max_uses": 3}`), or as either
provider's own dict. `settle` writes each as one provider takes it: what that provider has no form of is refused by
name, an option that it lacks becomes an adjustment, and a type that is not known here goes out as it is.

Neutral options are the keys of `forms.FORMS`; both providers' spellings of them are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import Adjustment, JsonObject, Profile, Provider, ToolSpec
from langchain_unified.tools.server.forms import DOMAINS, LABELS, SPELLINGS, Form, form_of, known, options_of, refusal
from langchain_unified.tools.server.mcp import to_anthropic, to_openai, without_toolset

IMPLIED: Sequence[tuple[str, Any]] = (
    ("allowed_callers", ["direct"]),
    ("container", {"type": "auto"}),
    ("defer_loading", False),
    ("execution", "server"),
    ("external_web_access", True),
    ("strict", False),
)
"""Options that need not be said, because the tool does so without them."""

OPENAI_CLIENT_RUN = frozenset({"computer", "computer_use_preview", "shell", "local_shell", "apply_patch", "namespace"})
"""OpenAI's types that the caller runs: `max_tool_calls` does not count them."""


class Settled(NamedTuple):
    """Tools and a provider's own body keys as the provider takes them, and what could not be said."""

    specs: tuple[ToolSpec, ...]
    native: JsonObject
    adjustments: tuple[Adjustment, ...]


@dataclass(slots=True)
class Aim:
    """Where one call's tools go, and what they leave beside themselves on the way."""

    provider: Provider
    profile: Profile
    native: JsonObject
    adjustments: list[Adjustment] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    callers: str | None = None

    def lost(self, what: str, why: str) -> None:
        self.adjustments.append(Adjustment(what=what, why=why))


def settle(
    specs: Sequence[ToolSpec],
    provider: Provider,
    native: Mapping[str, Any] | None = None,
    profile: Profile | None = None,
) -> Settled:
    """The tools of a call as `provider` takes them, for a model with `profile`.

    `native` are the call's own body keys: an MCP server stands there on Anthropic (`mcp_servers`) and among the tools
    on OpenAI, and OpenAI counts uses there (`max_tool_calls`). Tools that need nothing come back as the same objects.
    Raises `InvalidToolError` for a tool that the provider does not have, and for a required option that is missing.
    """
    aim = Aim(provider, profile or Profile(), dict(native or {}))
    aim.callers = next((kind for spec in specs if (kind := _code_execution(spec, aim))), None)
    settled = [_settled(spec, aim) for spec in specs]
    if provider == "anthropic":
        _check_deferred(settled)
    else:
        settled += without_toolset(aim.native)
        _limit_uses(settled, aim)
    return Settled(tuple(settled), aim.native, tuple(aim.adjustments))


def _settled(spec: ToolSpec, aim: Aim) -> ToolSpec:
    if spec.kind != "native":
        return _with_callers(spec, aim)
    kind = str(spec.definition.get("type"))
    found = known(kind)
    if found is None or found[1] == aim.provider:
        return spec
    form = form_of(found[0], aim.provider, aim.profile)
    if form is None:
        raise InvalidToolError(refusal(kind, aim.provider) or kind)
    definition = WRITERS.get((found[0], aim.provider), _write)(spec, found[0], form, aim)
    said = {key: value for key, value in spec.definition.items() if value is not None}
    return spec if definition == said else replace(spec, definition=definition)


def _write(spec: ToolSpec, tool: str, form: Form, aim: Aim) -> JsonObject:
    """The tool in `form`, whoever's it was. What the form has no key for is named."""
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
        elif option == "max_uses" and aim.provider == "openai":
            aim.limits[spec.name] = value
        elif (option, value) not in IMPLIED:
            why = f"{LABELS[aim.provider]}'s {form.type} has no such option: it was not sent."
            aim.lost(f"{option} of the tool {spec.name!r}", why)
    return result


def _options(tool: str, definition: Mapping[str, Any]) -> JsonObject:
    """What a definition in any dialect says, under the neutral names."""
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
    """A place as both providers write it. Chat's `web_search_options` has it one level deeper."""
    if not isinstance(value, Mapping):
        raise InvalidToolError(f"`user_location` takes an object with a city, region, country or timezone: {value!r}.")
    inner = value.get("approximate")
    return {**value} if value.get("type") and not inner else {"type": "approximate", **(inner or value)}


SHAPES: Mapping[str, Callable[[Any], Any]] = {"user_location": _location}


def _mcp_on_anthropic(spec: ToolSpec, tool: str, form: Form, aim: Aim) -> JsonObject:
    return to_anthropic(spec, aim.native, aim.lost)


def _mcp_on_openai(spec: ToolSpec, tool: str, form: Form, aim: Aim) -> JsonObject:
    return to_openai(spec, aim.native, aim.lost)


WRITERS: Mapping[tuple[str, Provider], Callable[[ToolSpec, str, Form, Aim], JsonObject]] = {
    ("mcp", "anthropic"): _mcp_on_anthropic,
    ("mcp", "openai"): _mcp_on_openai,
}


# --- what stands beside the tools -------------------------------------------------------------------------------------


def _limit_uses(specs: Sequence[ToolSpec], aim: Aim) -> None:
    """`max_uses`, which OpenAI has only for all of its tools together."""
    hosted = [s for s in specs if s.kind == "native" and s.definition.get("type") not in OPENAI_CLIENT_RUN]
    for name, uses in aim.limits.items():
        if len(hosted) == 1 and aim.native.setdefault("max_tool_calls", uses) == uses:
            continue
        why = "OpenAI has one limit for all its tools together: set `max_tool_calls`."
        aim.lost(f"max_uses of the tool {name!r}", why)


def _check_deferred(specs: Sequence[ToolSpec]) -> None:
    """Anthropic takes deferred tools beside one that is not."""
    if specs and all((s.options or s.definition).get("defer_loading") for s in specs):
        raise InvalidToolError("Anthropic refuses tools that are all deferred: bind 'tool_search' too, to find them.")


def _code_execution(spec: ToolSpec, aim: Aim) -> str | None:
    """Anthropic's type of a code execution tool, which its callees name in `allowed_callers`."""
    kind = str(spec.definition.get("type"))
    found = known(kind)
    if spec.kind != "native" or aim.provider != "anthropic" or found is None or found[0] != "code_execution":
        return None
    form = form_of("code_execution", "anthropic", aim.profile)
    return kind if found[1] == "anthropic" or form is None else form.type


def _with_callers(spec: ToolSpec, aim: Aim) -> ToolSpec:
    """OpenAI's caller `programmatic` is code execution on Anthropic."""
    said = spec.options.get("allowed_callers") or ()
    if aim.provider != "anthropic" or "programmatic" not in said:
        return spec
    if aim.callers is None:
        raise InvalidToolError(
            f"`allowed_callers` of the tool {spec.name!r} names 'programmatic', which is code execution on Anthropic: "
            "bind 'code_execution' too."
        )
    callers = [aim.callers if caller == "programmatic" else caller for caller in said]
    return replace(spec, options={**spec.options, "allowed_callers": callers})
