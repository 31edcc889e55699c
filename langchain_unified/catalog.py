"""A model's name -> who answers, what it can do, and which wire carries the call.

Accepted names: `anthropic/claude-…`, `anthropic:claude-…`, `openai/gpt-…`, `openai:…`, or a bare name that tells its
provider (`claude-…`, `gpt-…`, `o3`, `ft:gpt-4o:org::id`). A class that pins its provider takes any bare id as it is.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from langchain_unified import profiles
from langchain_unified.errors import UnknownModelError
from langchain_unified.request import Dialect, Profile, Provider, ToolSpec, WireName
from langchain_unified.wires import WIRES

PROVIDERS: Mapping[str, Provider] = {"anthropic": "anthropic", "openai": "openai"}
OTHER: Mapping[Provider, Provider] = {"anthropic": "openai", "openai": "anthropic"}
PINNED: Mapping[Provider, str] = {"anthropic": "ChatAnthropic", "openai": "ChatOpenAI"}

FORMS = (
    'Accepted are "anthropic/<model>", "anthropic:<model>", "openai/<model>", "openai:<model>", or a bare name that '
    'starts with "claude-", "gpt-", "o<digit>", "chatgpt-", "codex-" or is "computer-use-preview".'
)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call goes. `model` is the bare id that goes into the body; `dialect` is the provider's own."""

    provider: Provider
    model: str
    profile: Profile = field(default_factory=Profile)
    dialect: Dialect = field(default_factory=Dialect)


def resolve(model: str, provider: Provider | None = None, base_url: str | None = None) -> Route:
    """The route for a model's name.

    With `provider` (a pinned class) any bare id is taken as it is, its own prefix is stripped, and the other provider's
    is an `UnknownModelError`. Without it, a bare name that does not tell its provider is one. `base_url` (`None`: the
    provider itself) decides the dialect.
    """
    name = model.strip()
    found, bare = _pinned(name, provider) if provider else _unpinned(name)
    if not bare:
        raise UnknownModelError(f"The model's name is empty: {model!r}. {FORMS}")
    return Route(found, bare, profiles.profile_for(found, bare), dialect_for(base_url, found))


def _split(name: str) -> tuple[Provider | None, str]:
    """`("openai", "gpt-5")` for `openai/gpt-5` and `openai:gpt-5`; no provider where there is no such prefix."""
    for mark in "/:":
        prefix, found, rest = name.partition(mark)
        if found and prefix.lower() in PROVIDERS:
            return PROVIDERS[prefix.lower()], rest
    return None, name


def _pinned(name: str, provider: Provider) -> tuple[Provider, str]:
    found, bare = _split(name)
    if found is OTHER[provider]:
        raise UnknownModelError(
            f"{name!r} is a model of {found}, and {PINNED[provider]} speaks to {provider} only. "
            f"Use {PINNED[found]}, or ChatUnified, which takes the models of both."
        )
    return provider, bare


def _unpinned(name: str) -> tuple[Provider, str]:
    found, bare = _split(name)
    found = found or profiles.provider_of(bare)
    if found is None:
        raise UnknownModelError(f"No provider is known for the model {name!r}.{_suggestion(name)} {FORMS}")
    return found, bare


def _suggestion(name: str) -> str:
    """` Did you mean …?` for a misspelt provider or model, else an empty string."""
    for mark in "/:":
        prefix, found, rest = name.partition(mark)
        close = difflib.get_close_matches(prefix.lower(), PROVIDERS, n=1, cutoff=0.6) if found else []
        if close:
            return f" Did you mean {close[0] + mark + rest!r}?"
    known = [each for provider in OTHER for each in profiles.known_models(provider)]
    models = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.7)
    return f" Did you mean {models[0]!r}?" if models else ""


# --- dialects ---------------------------------------------------------------------------------------------------------

OFFICIAL = (".api.anthropic.com", ".api.openai.com")
"""Host names, and what is under them (`eu.api.openai.com`)."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

OWN = Dialect()
FOREIGN: Mapping[Provider, Dialect] = {
    "anthropic": Dialect(must_finish=False),
    "openai": Dialect(max_tokens_key="max_tokens", must_finish=False, cache_marks=False),
}

AZURE = Dialect(cache_marks=False)
"""OpenAI's own models elsewhere: reasoning models refuse `max_tokens` there too."""


def dialect_for(base_url: str | None, provider: Provider) -> Dialect:
    """The flags for the server at `base_url`, which speaks the API of `provider`. A foreign one gets careful flags."""
    if is_official(base_url):
        return OWN
    return AZURE if _host(base_url).endswith(".openai.azure.com") else FOREIGN[provider]


@functools.lru_cache(maxsize=128)
def is_official(base_url: str | None) -> bool:
    """Whether `base_url` is a provider's own address, or none is given.

    Loopback addresses count as official: they are emulators, test servers and proxies in front of the real API. A local
    server of another kind (vLLM, Ollama) needs its dialect said.
    """
    host = _host(base_url)
    return not base_url or host in LOOPBACK or f".{host}".endswith(OFFICIAL)


def _host(base_url: str | None) -> str:
    address = base_url or ""
    return urlsplit(address if "//" in address else f"//{address}").hostname or ""


# --- wires ------------------------------------------------------------------------------------------------------------

CHAT, RESPONSES = WIRES["openai_chat"], WIRES["openai_responses"]

RESPONSES_KEYS = RESPONSES.native_keys - CHAT.native_keys
"""Body keys that only the Responses API has."""

CHAT_KEYS = CHAT.native_keys - RESPONSES.native_keys
"""Body keys that only Chat Completions has."""

CHAT_PARAMS = frozenset(key for key in CHAT.params if CHAT.takes(key) and not RESPONSES.takes(key))
"""Neutral parameters that only Chat Completions takes."""


@dataclass(frozen=True, slots=True)
class RoutingFacts:
    """What the choice between OpenAI's two wires looks at."""

    route: Route
    use_responses_api: bool | None
    params: Mapping[str, Any]
    native: Mapping[str, Any]
    tools: Sequence[ToolSpec]
    foreign: bool
    drop_in: bool


def wire_for(
    route: Route,
    *,
    use_responses_api: bool | None = None,
    params: Mapping[str, Any] | None = None,
    native: Mapping[str, Any] | None = None,
    tools: Sequence[ToolSpec] = (),
    base_url: str | None = None,
    drop_in: bool = False,
) -> WireName:
    """The wire that carries a call; `wire_reason` says why."""
    return wire_reason(
        route,
        use_responses_api=use_responses_api,
        params=params,
        native=native,
        tools=tools,
        base_url=base_url,
        drop_in=drop_in,
    )[0]


def wire_reason(
    route: Route,
    *,
    use_responses_api: bool | None = None,
    params: Mapping[str, Any] | None = None,
    native: Mapping[str, Any] | None = None,
    tools: Sequence[ToolSpec] = (),
    base_url: str | None = None,
    drop_in: bool = False,
) -> tuple[WireName, str]:
    """The wire that carries a call, and the reason in words: the first row of `RULES` that holds, else `DEFAULT`.

    `native` are the provider's own body keys, `drop_in` says that the caller is `ChatOpenAI`, whose existing users
    expect Chat Completions unless something asks for Responses. Where one argument needs Responses and another needs
    Chat, Responses wins, and its encoder refuses the other by name.
    """
    if route.provider == "anthropic":
        return "anthropic_messages", "Anthropic has one API"
    foreign = not is_official(base_url)
    facts = RoutingFacts(route, use_responses_api, _given(params), _given(native), tuple(tools), foreign, drop_in)
    return next(((wire, reason) for wire, reason, holds in RULES if holds(facts)), DEFAULT)


def _given(arguments: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {key: value for key, value in (arguments or {}).items() if value is not None}


def _reasons(facts: RoutingFacts) -> bool:
    """Whether the model will reason in this call, as far as is known."""
    effort = facts.params.get("reasoning_effort", facts.route.profile.effort_default)
    return facts.route.profile.reasoning and effort != "none"


def _needs_chat(facts: RoutingFacts) -> bool:
    """Whether an argument is Chat's alone. Stop sequences that the model refuses are cut by the client on either."""
    asked = CHAT_PARAMS & facts.params.keys()
    if not facts.route.profile.stop:
        asked -= {"stop"}
    return bool(asked) or not CHAT_KEYS.isdisjoint(facts.native)


RULES: Sequence[tuple[WireName, str, Callable[[RoutingFacts], bool]]] = (
    ("openai_responses", "use_responses_api=True", lambda facts: facts.use_responses_api is True),
    ("openai_chat", "use_responses_api=False", lambda facts: facts.use_responses_api is False),
    (
        "openai_responses",
        "a tool that the provider defines",
        lambda facts: any(tool.kind == "native" for tool in facts.tools),
    ),
    (
        "openai_responses",
        "a key that only the Responses API has",
        lambda facts: not RESPONSES_KEYS.isdisjoint(facts.native),
    ),
    ("openai_responses", "the `reasoning` parameter", lambda facts: "reasoning" in facts.params),
    (
        "openai_responses",
        "the model is served by the Responses API only",
        lambda facts: facts.route.profile.responses_only == "yes",
    ),
    (
        "openai_responses",
        "the model takes tools while it reasons by the Responses API only",
        lambda facts: facts.route.profile.responses_only == "tools" and bool(facts.tools) and _reasons(facts),
    ),
    (
        "openai_chat",
        "a parameter that only Chat Completions has",
        _needs_chat,
    ),
    ("openai_chat", "the server is not OpenAI's", lambda facts: facts.foreign),
    ("openai_chat", "ChatOpenAI, as in langchain-openai", lambda facts: facts.drop_in),
    ("openai_responses", "a reasoning model", lambda facts: facts.route.profile.reasoning),
)
"""Wire, reason, condition: the first that holds decides."""

DEFAULT: tuple[WireName, str] = ("openai_chat", "the default")
