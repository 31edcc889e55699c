"""What a model says of itself: where its calls go, what they carry, and its name in traces and caches."""

from __future__ import annotations

import functools
from abc import abstractmethod
from dataclasses import asdict
from typing import Any

from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.language_models.model_profile import ModelProfile

from langchain_unified import catalog, profiles
from langchain_unified.caching.policy import PromptCache
from langchain_unified.chat_models._arguments import FIELDS, SYNONYMS, canonical
from langchain_unified.chat_models._redact import hidden_fields
from langchain_unified.errors import UnknownModelError
from langchain_unified.redaction import redacted
from langchain_unified.request import JsonObject, Provider
from langchain_unified.transport import TransportConfig


class Identity(BaseChatModel):
    """The part of a chat model that makes no call."""

    # --- what a class says of itself ---

    @abstractmethod
    def _model_id(self) -> str:
        """The model's name as the user gave it."""

    @abstractmethod
    def _route(self, model: str | None = None) -> catalog.Route:
        """Where a call goes: this model's route, or that of the `model` given for one call."""

    @abstractmethod
    def _connection(self, provider: Provider) -> TransportConfig:
        """Address, key and pool for a provider."""

    @abstractmethod
    def _base_url(self, provider: Provider) -> str | None:
        """The address set for a provider; `None` means its own."""

    def _use_responses_api(self) -> bool | None:
        return getattr(self, "use_responses_api", None)

    # --- LangChain's contract ---

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """`True`: LangChain may write a model down; secrets are left out."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Fields that are never written down, with the environment variable that each is read from again."""
        return hidden_fields(self)

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """What is written down in another form than it has: a `PromptCache` as a dict, which means the same."""
        policy = getattr(self, "prompt_cache", None)
        return {"prompt_cache": asdict(policy)} if isinstance(policy, PromptCache) else {}

    @property
    def _llm_type(self) -> str:
        return f"{self._route().provider}-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        named = {"model": self._model_id(), "model_name": self._model_id()}
        return redacted({**named, **self._defaults()})

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        return redacted(super()._get_invocation_params(stop=stop, **kwargs))

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        # Keys and timeouts do not change an answer, and have no place in a cache's key.
        kept = {key: value for key, value in kwargs.items() if key not in ("api_key", "timeout", "extra_headers")}
        return super()._get_llm_string(stop=stop, **redacted(kept))

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        named = kwargs.get("model")
        try:
            route = self._route(named)
        except UnknownModelError:
            route = self._route()
            route = catalog.Route(route.provider, str(named), route.profile, route.dialect)
        arguments = {**self._defaults(), **canonical(kwargs)}
        params = LangSmithParams(ls_provider=route.provider, ls_model_name=route.model, ls_model_type="chat")
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
        route = self._route()
        return profiles.model_profile(route.provider, route.model)

    def _defaults(self) -> JsonObject:
        """The fields that go into a call, under their neutral names; what is `None` is left out."""
        fields = self.__dict__
        return {name: fields[field] for field, name in self._call_fields() if fields[field] is not None}

    @classmethod
    @functools.cache
    def _call_fields(cls) -> tuple[tuple[str, str], ...]:
        """`(field, neutral name)` of the fields that go into a call."""
        named = ((field, SYNONYMS.get(field, field)) for field in cls.model_fields if field != "metadata")
        return tuple((field, name) for field, name in named if name in FIELDS)
