"""A model's name -> who answers, what it can do, and which wire carries the call.

Accepted names: `anthropic/claude-…`, `anthropic:claude-…`, `openai/gpt-…`, `openai:…`, or a name without a prefix that
tells its provider (`claude-…`, `gpt-…`, `o…`, `ft:gpt-4o:org::id`). A class that pins its provider takes any id.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias, cast

from langchain_unified import profiles
from langchain_unified.errors import UnknownModelError
from langchain_unified.request import Dialect, Params, Profile, Provider, ToolSpec, WireName
from langchain_unified.servers import host_of, is_official, known_dialect, recognise

PROVIDERS: Mapping[str, Provider] = {"anthropic": "anthropic", "openai": "openai"}
OTHER: Mapping[Provider, Provider] = {"anthropic": "openai", "openai": "anthropic"}
PINNED: Mapping[Provider, str] = {"anthropic": "ChatAnthropic", "openai": "ChatOpenAI"}

DialectChoice: TypeAlias = "str | Dialect | None"
"""What `dialect=` may be: the name of a known server, a record of flags, or `None`, where the address decides."""

FORMS = (
    'Accepted are "anthropic/<model>", "anthropic:<model>", "openai/<model>", "openai:<model>", or a name that '
    'starts with "claude-", "gpt-", "o<digit>", "chatgpt-", "codex-" or is "computer-use-preview".'
)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call goes. `model` is the id that goes into the body; `dialect` is that of the server."""

    provider: Provider
    model: str
    profile: Profile = field(default_factory=Profile)
    dialect: Dialect = field(default_factory=Dialect)


def resolve(
    model: str, provider: Provider | None = None, base_url: str | None = None, dialect: DialectChoice = None
) -> Route:
    """The route for a model's name.

    With `provider` (a pinned class) any id is accepted. At the provider's own address its prefix is removed, and the
    other provider's raises `UnknownModelError`; at any other address the id is sent as it is written. Without
    `provider`, a name must tell it, else `UnknownModelError` is raised. `dialect` is the caller's; `None`: `base_url`
    decides (absent: the provider's own address).
    """
    name = model.strip()
    if provider is not None and _as_written(name, provider, base_url, dialect):
        found, model_id = provider, name
    else:
        found, model_id = _pinned(name, provider) if provider else _unpinned(name)
    if not model_id:
        raise UnknownModelError(f"The model's name is empty: {model!r}. {FORMS}")
    return route_to(found, model_id, base_url, dialect)


def route_to(provider: Provider, model: str, base_url: str | None = None, dialect: DialectChoice = None) -> Route:
    """The route to a model by the id that is sent."""
    profile = profiles.profile_for(provider, model)
    return Route(provider, model, profile, dialect_for(base_url, provider, model, dialect))


def dialect_for(base_url: str | None, provider: Provider, model: str = "", dialect: DialectChoice = None) -> Dialect:
    """The flags for the server at `base_url`, which speaks the API of `provider`: those given, else the address's."""
    if dialect is None:
        return recognise(base_url, provider, model)
    found = known_dialect(dialect, provider, model) if isinstance(dialect, str) else dialect
    host = found.host or (host_of(base_url) if base_url else "")
    return replace(found, host=host, why=found.why or "dialect= was given")


def _as_written(name: str, provider: Provider, base_url: str | None, dialect: DialectChoice) -> bool:
    """Whether a server gets the name as it is: every server but the provider and an emulator of it."""
    if isinstance(dialect, Dialect) and not is_official(base_url, provider):
        return True
    return dialect_for(base_url, provider, name, dialect).model_ids != "own"


def _split(name: str) -> tuple[Provider | None, str]:
    """`("openai", "gpt-5.6")` for `openai/gpt-5.6` and `openai:gpt-5.6`; no provider where there is no such prefix."""
    for separator in "/:":
        prefix, found, rest = name.partition(separator)
        if found and prefix.lower() in PROVIDERS:
            return PROVIDERS[prefix.lower()], rest
    return None, name


def _pinned(name: str, provider: Provider) -> tuple[Provider, str]:
    found, model_id = _split(name)
    if found is OTHER[provider]:
        raise UnknownModelError(
            f"{name!r} is a model of {found}, and {PINNED[provider]} speaks to {provider} only. "
            f"Use {PINNED[found]}, or ChatUnified, which takes the models of both."
        )
    return provider, model_id


def _unpinned(name: str) -> tuple[Provider, str]:
    found, model_id = _split(name)
    found = found or profiles.provider_of(model_id)
    if found is None:
        raise UnknownModelError(f"No provider is known for the model {name!r}.{_suggestion(name)} {FORMS}")
    return found, model_id


def _suggestion(name: str) -> str:
    """` Did you mean …?` for a misspelt provider or model, else an empty string."""
    for separator in "/:":
        prefix, found, rest = name.partition(separator)
        close = difflib.get_close_matches(prefix.lower(), PROVIDERS, n=1, cutoff=0.6) if found else []
        if close:
            return f" Did you mean {close[0] + separator + rest!r}?"
    known = [each for provider in OTHER for each in profiles.known_models(provider)]
    models = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.7)
    return f" Did you mean {models[0]!r}?" if models else ""


# --- wires ------------------------------------------------------------------------------------------------------------


class Alone(NamedTuple):
    """What only one of OpenAI's APIs has: keys of bodies, and neutral parameters."""

    responses_keys: frozenset[str]
    chat_keys: frozenset[str]
    chat_params: frozenset[str]


@functools.cache
def alone() -> Alone:
    """What only one of OpenAI's APIs has, by their tables."""
    from langchain_unified.wires import WIRES  # what calls need alone

    chat, responses = WIRES["openai_chat"], WIRES["openai_responses"]
    params = frozenset(key for key in chat.params if chat.takes(key) and not responses.takes(key))
    return Alone(responses.native_keys - chat.native_keys, chat.native_keys - responses.native_keys, params)


@dataclass(frozen=True, slots=True)
class RoutingFacts:
    """What the choice between OpenAI's two wires depends on.

    `native` are the provider's own body keys. `drop_in`: the caller is `ChatOpenAI`, whose users expect Chat
    Completions unless something asks for Responses. A `None` in `params` or `native` counts as not given.
    """

    route: Route
    use_responses_api: bool | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    native: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[ToolSpec] = ()
    drop_in: bool = False
    output_version: str | None = None
    use_previous_response_id: bool = False

    @property
    def prefers_responses(self) -> bool:
        """Whether the server has the Responses API and calls use it by themselves."""
        return self.route.dialect.responses_api == "preferred"

    def gives_param(self, keys: Container[str]) -> bool:
        """Whether the call gives one of these neutral parameters."""
        return any(key in keys for key, value in self.params.items() if value is not None)

    def gives_native(self, keys: Container[str]) -> bool:
        """Whether the call gives one of these body keys."""
        return any(key in keys for key, value in self.native.items() if value is not None)


def wire_for(
    route: Route,
    *,
    use_responses_api: bool | None = None,
    params: Mapping[str, Any] | None = None,
    native: Mapping[str, Any] | None = None,
    tools: Sequence[ToolSpec] = (),
    drop_in: bool = False,
    output_version: str | None = None,
    use_previous_response_id: bool = False,
) -> WireName:
    """The wire that carries a call. `RoutingFacts` describes the arguments, `wire_reason` gives the reason."""
    facts = RoutingFacts(
        route, use_responses_api, params or {}, native or {}, tools, drop_in, output_version,
        use_previous_response_id,
    )  # fmt: skip
    return wire_reason(facts)[0]


def wire_reason(facts: RoutingFacts) -> tuple[WireName, str]:
    """The wire that carries a call, and the reason: the first row of `RULES` that holds, else `DEFAULT`.

    Where one argument needs Responses and another needs Chat, Responses wins: its encoder refuses the other by name.
    """
    if facts.route.provider == "anthropic":
        return "anthropic_messages", "Anthropic has one API"
    return next(((wire, reason) for wire, reason, holds in RULES if holds(facts)), DEFAULT)


def _reasons(facts: RoutingFacts) -> bool:
    """Whether the model reasons in this call, as far as is known."""
    from langchain_unified.wires._openai.reasoning import effort_of  # what calls need alone

    route = facts.route
    level = effort_of(route.model, route.profile, cast("Params", facts.params)).level or route.profile.effort_default
    return bool(route.profile.reasoning) and level != "none"


def _needs_chat(facts: RoutingFacts) -> bool:
    """Whether an argument is Chat's alone. Stop sequences that the model refuses are cut by the client on either."""
    params = alone().chat_params if facts.route.profile.stop else alone().chat_params - {"stop"}
    return facts.gives_param(params) or facts.gives_native(alone().chat_keys)


def _needs_responses_for_tools(facts: RoutingFacts) -> bool:
    return facts.route.profile.responses_only == "tools" and bool(facts.tools) and _reasons(facts)


RULES: Sequence[tuple[WireName, str, Callable[[RoutingFacts], bool]]] = (
    ("openai_responses", "use_responses_api=True", lambda facts: facts.use_responses_api is True),
    ("openai_chat", "use_responses_api=False", lambda facts: facts.use_responses_api is False),
    (
        "openai_chat",
        "the server is not known to have the Responses API",
        lambda facts: facts.route.dialect.responses_api == "none",
    ),
    (
        "openai_responses",
        "output_version='responses/v1'",
        lambda facts: facts.output_version == "responses/v1",
    ),
    ("openai_responses", "use_previous_response_id=True", lambda facts: facts.use_previous_response_id),
    (
        "openai_responses",
        "a custom tool, as in langchain-openai",
        lambda facts: facts.drop_in and any(tool.kind == "custom" for tool in facts.tools),
    ),
    (
        "openai_responses",
        "a tool that the provider defines",
        lambda facts: any(tool.kind == "native" for tool in facts.tools),
    ),
    (
        "openai_responses",
        "a key that only the Responses API has",
        lambda facts: facts.gives_native(alone().responses_keys),
    ),
    (
        "openai_responses",
        "the `reasoning` parameter",
        lambda facts: facts.gives_param(("reasoning",)) and facts.route.dialect.effort != "reasoning",
    ),
    (
        "openai_responses",
        "the model is served by the Responses API only",
        lambda facts: facts.route.profile.responses_only == "yes",
    ),
    (
        "openai_responses",
        "the model takes tools while it reasons by the Responses API only",
        _needs_responses_for_tools,
    ),
    ("openai_chat", "a parameter that only Chat Completions has", _needs_chat),
    ("openai_chat", "the server is not OpenAI's", lambda facts: not facts.prefers_responses),
    ("openai_chat", "ChatOpenAI, as in langchain-openai", lambda facts: facts.drop_in),
    ("openai_responses", "a reasoning model", lambda facts: bool(facts.route.profile.reasoning)),
)
"""Wire, reason, condition: the first that holds decides."""

DEFAULT: tuple[WireName, str] = ("openai_chat", "the default")
