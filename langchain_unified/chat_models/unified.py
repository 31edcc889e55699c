"""`ChatUnified`: both providers behind one interface, chosen by the model's name."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from langchain_core.load import dumpd
from pydantic import Field

from langchain_unified import catalog
from langchain_unified.chat_models._fields import AnthropicFields, ApiKey, OpenAIFields, Timeout
from langchain_unified.chat_models._model import Endpoint, connection
from langchain_unified.chat_models.base import ChatBase
from langchain_unified.errors import UnknownModelError
from langchain_unified.request import Provider
from langchain_unified.servers import is_official
from langchain_unified.transport import TransportConfig


class ChatUnified(ChatBase, AnthropicFields, OpenAIFields):
    """One chat model for Anthropic and OpenAI.

    `model` is `"anthropic/claude-…"`, `"openai/gpt-…"`, the same with a colon, or a known name alone (`claude-…`,
    `gpt-…`, `o…`). A call may name another: `invoke(…, model="openai/gpt-…")`. `api_key` and `base_url` are for the
    provider of the constructor's model; `anthropic_api_key`, `openai_api_key`, `anthropic_api_url`, `openai_api_base`
    are for the provider that they name. OpenAI's reasoning models use Responses, the others Chat Completions, unless an
    argument needs the other API or `use_responses_api` is set. Raises `UnknownModelError` for any other form.
    """

    _follows_partner_routing: ClassVar[bool] = False

    model: str = Field(alias="model_name")
    max_tokens: int | None = None
    timeout: Timeout = None
    """Seconds: a number, `(connect, read)`, or a `Timeout` of the SDK. Default 600, connect 5."""
    stop: list[str] | str | None = Field(default=None, alias="stop_sequences")
    api_key: ApiKey = None
    base_url: str | None = None

    def __init__(self, model: str | None = None, **kwargs: Any) -> None:
        """Take the model's name first or as `model=`, everything else by name."""
        super().__init__(model, **kwargs)

    @property
    def model_name(self) -> str:
        """The id that is sent, without the provider's prefix."""
        return self._route().model

    @cached_property
    def _serialized(self) -> dict[str, Any]:
        """What tracers get: the class of the provider that answers, by which OpenTelemetry and Langfuse know it."""
        written: dict[str, Any] = dumpd(self)
        provider = self._route().provider
        return {**written, "id": [*written["id"][:-2], provider, catalog.PINNED[provider]]}

    def _complete_address(self) -> None:
        self._set_address("anthropic", "anthropic_api_url", "anthropic_api_key")
        self._set_address("openai", "openai_api_base", "openai_api_key")
        self._show_limit()

    def _model_id(self) -> str:
        return self.model

    def _resolve(self, model: str) -> catalog.Route:
        found = self._provider_and_id(model)
        address, dialect = self._address(found.provider), self._dialect_for(found.provider)
        if "/" in model:
            whole = catalog.route_to(found.provider, model.strip(), address, dialect)
            if whole.dialect.model_ids == "with_vendor":
                return whole
        return catalog.route_to(found.provider, found.model, address, dialect)

    def _provider_and_id(self, model: str) -> catalog.Route:
        """What the name tells. At a foreign `base_url` any name is a model of the server's, by OpenAI's API."""
        try:
            return catalog.resolve(model)
        except UnknownModelError:
            foreign = self.base_url is not None and not is_official(self.base_url, "openai")
            if not foreign or not model.strip():
                raise
            return catalog.Route("openai", model.strip())

    def _is_own_provider(self, provider: Provider) -> bool:
        """Whether `api_key` and `base_url` are for this provider."""
        return self._provider_and_id(self.model).provider == provider

    def _base_url(self, provider: Provider) -> str | None:
        if self.base_url is not None and self._is_own_provider(provider):
            return self.base_url
        return self.anthropic_api_url if provider == "anthropic" else self.openai_api_base

    def _connection(self, provider: Provider) -> TransportConfig:
        field = f"{provider}_api_key"
        shared = self.api_key is not None and self._is_own_provider(provider)
        endpoint = Endpoint(
            provider=provider,
            base_url=self._base_url(provider),
            api_key=self.api_key if shared else getattr(self, field),
            proxy=self.anthropic_proxy if provider == "anthropic" else self.openai_proxy,
            timeout=self.timeout,
            organization=self.openai_organization if provider == "openai" else None,
        )
        return connection(self, endpoint)
