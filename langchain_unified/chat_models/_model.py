"""What a model is without its calls: its fields, the route and the transport that follow from them, its name in traces.

`ModelBase` is the type that the functions of a call take. `base.ChatBase` adds the calls.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, cast

from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.language_models.model_profile import ModelProfile
from pydantic import PrivateAttr

from langchain_unified import profiles
from langchain_unified.caching.policy import PromptCache
from langchain_unified.catalog import Route
from langchain_unified.chat_models import _gateway, _partner
from langchain_unified.chat_models._arguments import SYNONYMS, call_fields, canonical
from langchain_unified.chat_models._fields import (
    ApiKey,
    Connection,
    Parameters,
    Timeout,
    secret_fields,
)
from langchain_unified.errors import UnknownModelError
from langchain_unified.redaction import ADDRESS_KEYS, redacted, safe_url
from langchain_unified.request import Dialect, JsonObject, Profile, Provider
from langchain_unified.servers import known_base_url
from langchain_unified.transport._address import check as check_address
from langchain_unified.transport._address import check_path
from langchain_unified.transport.config import Network, TransportConfig

if TYPE_CHECKING:  # calls import them
    from langchain_unified.caching.gate import PrefixGate
    from langchain_unified.caching.pauses import PauseLog
    from langchain_unified.transport import Transport


class DerivedLimit(int):
    """A field's value that follows from the model's name. Given to a constructor, it counts as not given.

    LangChain's `configurable_fields` builds a model for another name from all fields of the first one.
    """


class DerivedProfile(dict[str, Any]):
    """A profile that follows from the model's name, as `DerivedLimit`. A change inside it counts for that model."""

    model: str = ""


class ModelState:
    """What follows from a model's fields: computed at first use, and again after a field has changed.

    A copy of a model and an unpickled model begin with an empty state, so that no two models hold one transport.
    """

    def __init__(self, fields: Mapping[str, Any] | None = None) -> None:
        """`fields` are the fields' values; lists and dicts are copied, so that a change inside them is seen too."""
        self.fields = {name: _snapshot(value) for name, value in (fields or {}).items()}
        self.route: Route | None = None
        self.profile: Profile | None = None
        """The profile of the table for this route."""
        self.defaults: JsonObject | None = None
        self.traced: tuple[Route, JsonObject] | None = None
        """The parameters that traces show of a call without keywords, and the route that they are of."""
        self.uncounted: set[Provider] = set()
        """The providers whose server has no endpoint for counting tokens, as it turned out."""
        self.transports: dict[Provider, Transport] = {}
        self.earlier: dict[Provider, Transport] = {}
        """Transports from before the last change, until it is known whether their configuration is still the same."""

    @cached_property
    def pauses(self) -> PauseLog:
        """When the conversations of this model were continued, for the prompt cache."""
        from langchain_unified.caching.pauses import PauseLog

        return PauseLog()

    @cached_property
    def gate(self) -> PrefixGate:
        """What the policy `PromptCache(gate=True)` knows of the prefixes of this model."""
        from langchain_unified.caching.gate import PrefixGate

        return PrefixGate()

    def after_change(self, fields: Mapping[str, Any]) -> ModelState:
        """The state for other fields, which takes the transports over."""
        state = ModelState(fields)
        state.earlier = {**self.earlier, **self.transports}
        vars(state).update({name: value for name, value in vars(self).items() if name in ("pauses", "gate")})
        return state

    def all_transports(self) -> Iterator[Transport]:
        yield from [*self.earlier.values(), *self.transports.values()]

    def __eq__(self, other: object) -> bool:
        """Two models are equal by their fields alone."""
        return isinstance(other, ModelState)

    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, memo: dict[int, Any]) -> ModelState:
        return ModelState()

    def __reduce__(self) -> tuple[type[ModelState], tuple[()]]:
        return ModelState, ()


def _snapshot(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list) else value


class ModelBase(Parameters, Connection, BaseChatModel):
    """A chat model's fields and what follows from them. Not for use by itself."""

    _follows_partner_routing: ClassVar[bool] = True
    """Whether OpenAI's API is chosen by the rules of langchain-openai."""
    _warned: set[str] = PrivateAttr(default_factory=set)
    """The adjustments that were warned of."""
    _state: ModelState = PrivateAttr(default_factory=ModelState)
    _gateway_headers: dict[str, str] = PrivateAttr(default_factory=dict)
    """The headers of the LangSmith gateway context in which the model was built. Never written down."""
    _provider: ClassVar[Provider | None] = None
    """The provider that the class is for; `None`: the model's name decides."""

    # --- what a class adds ---

    @abstractmethod
    def _model_id(self) -> str:
        """The model's name as the user gave it."""

    @abstractmethod
    def _resolve(self, model: str) -> Route:
        """The provider, profile and dialect for a model's name. Raises `UnknownModelError`."""

    @abstractmethod
    def _connection(self, provider: Provider) -> TransportConfig:
        """Address, key and network settings for a provider."""

    @abstractmethod
    def _base_url(self, provider: Provider) -> str | None:
        """The base URL that is set for a provider; `None` for the provider's default."""

    def _address(self, provider: Provider) -> str | None:
        """The address that calls go to: that of a ready client, else the base URL that is set."""
        for client in (self.client, self.async_client):
            url = getattr(client, "base_url", None)
            if isinstance(getattr(url, "host", url), str):
                return str(url)
        return self._base_url(provider)

    def _dialect_for(self, provider: Provider) -> str | Dialect | None:
        """The dialect that was given for a provider."""
        return self.dialect.get(provider) if isinstance(self.dialect, dict) else self.dialect

    def _complete_address(self) -> None:
        """Fill in the base URL and key that were not given, once the fields are set."""

    def _check_addresses(self) -> None:
        """Raise `ConfigurationError` for a base URL that no request can be sent to."""
        for name in ("base_url", "anthropic_api_url", "openai_api_base"):
            if isinstance(url := self.__dict__.get(name), str) and url:
                check_address(url)

    def _check_path(self, provider: Provider) -> None:
        """Raise `ConfigurationError` for a base URL whose path is wrong, unless a `dialect` says what answers there."""
        url = self._base_url(provider)
        if url and self._dialect_for(provider) is None:
            check_path(url, provider, known_base_url(url, provider))

    def _set_address(self, provider: Provider, url_field: str, key_field: str, default_url: str | None = None) -> None:
        """Write a provider's base URL and key into these fields: those given, else the environment's or gateway's."""
        given = {n: getattr(self, n) if n in self.model_fields_set else None for n in (url_field, key_field)}
        found = _gateway.address(provider, given[url_field], given[key_field], default_url)
        self.__dict__[url_field] = found.base_url
        if found.api_key is not None:
            self.__dict__[key_field] = found.api_key
        if _gateway.in_context():
            self._gateway_headers = _gateway.context_headers()
            self.__dict__[f"{provider}_proxy"] = None

    def _show_limit(self) -> None:
        """Let `max_tokens` be the limit that goes to Anthropic where none is given, as langchain-anthropic shows it.

        A call computes it from the profile of the call's own model.
        """
        if self.__dict__.get("max_tokens") is not None:
            return
        try:
            route = self._route()
        except UnknownModelError:
            return  # raised when the model is complete
        if route.provider == "anthropic" and (limit := route.profile.max_output_tokens) is not None:
            self.__dict__["max_tokens"] = DerivedLimit(limit)

    def _use_responses_api(self) -> bool | None:
        return getattr(self, "use_responses_api", None)

    # --- what follows from the fields ---

    def _current(self) -> ModelState:
        """The state for the fields as they are now: they can be assigned at any time."""
        private = self.__pydantic_private__ or {}  # `self._state` takes pydantic longer than all the rest here
        state: ModelState = private["_state"]
        if state.fields != self.__dict__:
            state = private["_state"] = state.after_change(self.__dict__)
        return state

    def _route(self, model: str | None = None) -> Route:
        """Where a call goes: this model's route, or that of the `model` given for one call."""
        if model:
            return self._resolve(model)
        state = self._current()
        route = state.route
        # `register_profile` makes another profile object.
        if route is None or profiles.profile_for(route.provider, route.model) is not state.profile:
            found = self._resolve(self._model_id())
            state.profile = found.profile
            route = state.route = self._with_given_profile(found)
        return route

    def _with_given_profile(self, route: Route) -> Route:
        """The route with the facts that `profile` has otherwise than the table, given or assigned later."""
        given = self.profile
        if not given or (isinstance(given, DerivedProfile) and given.model != route.model):
            return route
        default = profiles.model_profile(route.provider, route.model) or {}
        profile = profiles.with_given_profile(route.profile, given, default)
        return route if profile is route.profile else replace(route, profile=profile)

    def _defaults(self) -> JsonObject:
        """The fields that go into a call, under their neutral names; what is `None` is left out. Not to be changed."""
        state = self._current()
        if state.defaults is None:
            fields = self.__dict__
            # `ChatAnthropic.max_tokens` shows the profile's limit; only a value that was given is sent as such.
            hidden = () if "max_tokens" in self.model_fields_set else ("max_tokens",)
            state.defaults = {
                name: fields[field]
                for field, name in self._call_fields()
                if fields[field] is not None and field not in hidden
            }
        return state.defaults

    @classmethod
    @functools.cache
    def _call_fields(cls) -> tuple[tuple[str, str], ...]:
        """`(field, neutral name)` of the fields that go into a call."""
        named = ((field, SYNONYMS.get(field, field)) for field in cls.model_fields if field != "metadata")
        return tuple((field, name) for field, name in named if name in call_fields())

    def _transport(self, provider: Provider) -> Transport:
        """The transport for a provider, the same as long as its configuration is."""
        state = self._current()
        found = state.transports.get(provider)
        if found is None:
            from langchain_unified.transport import Transport

            config = self._connection(provider)
            earlier = state.earlier.pop(provider, None)
            is_same = earlier is not None and earlier.config == config
            found = state.transports.setdefault(provider, earlier if earlier and is_same else Transport(config))
            if earlier and not is_same:
                earlier.retire()
        return found

    def _answering_provider(self) -> Provider | None:
        """The provider of a call that names no other model; `None` while the model is being built."""
        try:
            return self._provider or self._route().provider
        except (UnknownModelError, AttributeError, KeyError, TypeError):
            return None

    def __reduce__(self) -> tuple[Any, ...]:
        return _partner.empty, (type(self),), self.__getstate__()

    def __copy__(self) -> Self:
        copied = super().__copy__()
        copied._state = ModelState()
        return copied

    def _copy_for_call(self, provider: Provider, **fields: Any) -> Self:
        """A copy with other fields that sends through this model's transport: `close` then closes its connections too.

        The fields must not be those that configure the transport.
        """
        copied = self.model_copy(update=fields)
        copied._state.earlier = {provider: self._transport(provider)}
        return copied

    # --- LangChain's contract ---

    @property  # type: ignore[misc]
    def __class__(self) -> type[Self]:
        """For `isinstance`: a subclass of ours and of the partner package's class, where that is loaded."""
        return _partner.shown_class(type(self), self._answering_provider)

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """`True`: LangChain may write a model down; secrets are left out."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Fields that are never written down, with the environment variable that each is read from again."""
        return secret_fields(self)

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """What is written down in another form than it has: a `PromptCache` and a `Dialect` as dicts."""
        policy, dialect = self.prompt_cache, self.dialect
        written: JsonObject = {"prompt_cache": policy.written()} if isinstance(policy, PromptCache) else {}
        if isinstance(dialect, Dialect):
            flags = asdict(dialect).items()
            written["dialect"] = {name: sorted(flag) if isinstance(flag, frozenset) else flag for name, flag in flags}
        return written

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [
            (name, safe_url(value) if name in ADDRESS_KEYS and isinstance(value, str) else value)
            for name, value in super().__repr_args__()
        ]

    @property
    def effort(self) -> str | None:
        """The same as `reasoning_effort`."""
        return self.reasoning_effort

    @property
    def _llm_type(self) -> str:
        return f"{self._route().provider}-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        model = self._route().model
        return redacted({"model": model, "model_name": model, **self._defaults()})

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        if not kwargs and self._params_are_ours():
            return {**self._traced_params(), "stop": stop}
        params = redacted(super()._get_invocation_params(stop=stop, **kwargs))
        if kwargs.get("model"):
            called = self._get_ls_params(**kwargs)
            # Tracers read the model of a call from both, and the provider from `_type`.
            params["model"] = params["model_name"] = called["ls_model_name"]
            params["_type"] = f"{called['ls_provider']}-chat"
        return params

    @classmethod
    @functools.cache
    def _params_are_ours(cls) -> bool:
        """Whether no subclass changes what traces show."""
        mine = cls._identifying_params is ModelBase._identifying_params and cls._llm_type is ModelBase._llm_type
        return mine and cls.dict is BaseChatModel.dict and cls.asdict is BaseChatModel.asdict

    def _traced_params(self) -> JsonObject:
        """The parameters of a call without keywords. They stay as long as nothing in them can be changed in place."""
        state, route = self._current(), self._route()
        if state.traced is not None and state.traced[0] is route:
            return state.traced[1]
        params: JsonObject = {**self._identifying_params, "_type": self._llm_type}
        if all(isinstance(value, PLAIN_VALUES) for value in params.values()):
            state.traced = (route, params)
        return params

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        # Keys and timeouts do not change an answer, and have no place in a cache's key.
        in_key = {key: value for key, value in kwargs.items() if key not in NOT_IN_CACHE_KEYS}
        return super()._get_llm_string(stop=stop, **redacted(in_key))

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        route, name = self._route(), None
        if kwargs.get("model"):
            try:
                route = self._route(kwargs["model"])
            except UnknownModelError:
                name = str(kwargs["model"])
        arguments = {**self._defaults(), **canonical(kwargs)} if kwargs else self._defaults()
        params = LangSmithParams(ls_provider=route.provider, ls_model_name=name or route.model, ls_model_type="chat")
        if arguments.get("temperature") is not None:
            params["ls_temperature"] = arguments["temperature"]
        limit = arguments.get("max_tokens") or (route.provider == "anthropic" and route.profile.max_output_tokens)
        if limit:
            params["ls_max_tokens"] = limit
        stops = stop or arguments.get("stop")
        if stops:
            params["ls_stop"] = [stops] if isinstance(stops, str) else stops
        return params

    def _resolve_model_profile(self) -> ModelProfile | None:
        """The table's profile: core asks for it where the constructor got none."""
        route = self._route()
        found = profiles.model_profile(route.provider, route.model)
        if found is not None and route.provider == "anthropic" and LONG_CONTEXT in (vars(self).get("betas") or ()):
            found["max_input_tokens"] = max(1_000_000, found.get("max_input_tokens") or 0)
        if found is None:
            return None
        derived = DerivedProfile(found)
        derived.model = route.model
        return cast("ModelProfile", derived)


LONG_CONTEXT = "context-1m-2025-08-07"
"""Anthropic's beta by which a model with a smaller context takes 1M tokens."""


PLAIN_VALUES = (str, int, float, type(None))

NOT_IN_CACHE_KEYS = frozenset({"api_key", "timeout", "extra_headers", "deadline", "max_retries", "max_retry_wait"})
"""Keywords of a call that do not change its answer."""


# --- the transport's configuration ------------------------------------------------------------------------------------


class Endpoint(NamedTuple):
    """What a class's fields say of one provider."""

    provider: Provider
    base_url: str | None
    api_key: ApiKey
    proxy: str | None
    timeout: Timeout
    organization: str | None = None


def connection(model: ModelBase, endpoint: Endpoint) -> TransportConfig:
    """The transport's configuration for `endpoint`, with what the model's fields say for every provider."""
    timeout = endpoint.timeout
    if isinstance(timeout, int | float) and timeout <= 0:
        timeout = None  # as langchain-anthropic reads it
    return TransportConfig(
        provider=endpoint.provider,
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        organization=endpoint.organization,
        proxy=endpoint.proxy,
        timeout=timeout,
        max_retries=model.max_retries,
        max_retry_wait=model.max_retry_wait,
        deadline=model.deadline,
        default_headers=tuple(_gateway.with_headers(model.default_headers or {}, model._gateway_headers).items()),
        default_query=tuple((model.default_query or {}).items()),
        socket_options=None if model.http_socket_options is None else tuple(model.http_socket_options),
        network=Network(
            model.ca_bundle,
            model.client_cert,
            model.max_connections,
            model.http_backend,
            model.max_reply_bytes,
            model.max_event_bytes,
            model.max_error_bytes,
        ),
        http_client=model.http_client,
        http_async_client=model.http_async_client,
        client=model.client,
        async_client=model.async_client,
        sdk_methods=model.sdk_methods,
    )
