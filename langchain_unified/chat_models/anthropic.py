"""`ChatAnthropic`: Claude, with the constructor of `langchain_anthropic.ChatAnthropic`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from langchain_unified.catalog import Route, resolve
from langchain_unified.chat_models._fields import AnthropicFields, ApiKey, Timeout, key_from
from langchain_unified.chat_models._model import Endpoint, connection
from langchain_unified.chat_models.base import ChatBase
from langchain_unified.request import Provider
from langchain_unified.transport import TransportConfig


class ChatAnthropic(ChatBase, AnthropicFields):
    """Claude through the Messages API.

    `model` is the id alone (`claude-…`). The key comes from `api_key`, else `ANTHROPIC_API_KEY`, else from where the
    anthropic SDK finds one (`ANTHROPIC_AUTH_TOKEN`, a profile). `max_tokens` defaults to the model's maximum, and to
    4096 for an unknown model. Raises `ConfigurationError` for an unknown keyword.
    """

    _provider: ClassVar[Provider | None] = "anthropic"

    model: str = Field(alias="model_name")
    max_tokens: int | None = Field(default=None, alias="max_tokens_to_sample")
    default_request_timeout: Timeout = Field(default=None, alias="timeout")
    """Seconds: a number, `(connect, read)`, or a `Timeout` of the SDK. Default 600, connect 5."""
    stop_sequences: list[str] | str | None = Field(default=None, alias="stop")
    anthropic_api_key: ApiKey = Field(default_factory=key_from("ANTHROPIC_API_KEY"), alias="api_key")
    anthropic_api_url: str | None = Field(default=None, alias="base_url")

    def __init__(self, model: str | None = None, **kwargs: Any) -> None:
        """Take the model's name first or as `model=`, everything else by name."""
        super().__init__(model, **kwargs)

    @property
    def model_name(self) -> str:
        """The same as `model`."""
        return self.model

    def _complete_address(self) -> None:
        self._set_address("anthropic", "anthropic_api_url", "anthropic_api_key", "https://api.anthropic.com")
        self._show_limit()

    def _model_id(self) -> str:
        return self.model

    def _resolve(self, model: str) -> Route:
        return resolve(model, "anthropic", self._address("anthropic"), self._dialect_for("anthropic"))

    def _base_url(self, provider: Provider) -> str | None:
        return self.anthropic_api_url

    def _connection(self, provider: Provider) -> TransportConfig:
        endpoint = Endpoint(
            provider="anthropic",
            base_url=self.anthropic_api_url,
            api_key=self.anthropic_api_key,
            proxy=self.anthropic_proxy,
            timeout=self.default_request_timeout,
        )
        return connection(self, endpoint)
