"""`ChatOpenAI`: OpenAI's models, with the constructor of `langchain_openai.ChatOpenAI`."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from pydantic import Field

from langchain_unified.catalog import Route, resolve
from langchain_unified.chat_models._fields import ApiKey, OpenAIFields, Timeout, key_from
from langchain_unified.chat_models._model import Endpoint, connection
from langchain_unified.chat_models.base import ChatBase
from langchain_unified.request import Provider
from langchain_unified.transport import TransportConfig


def _chunk_timeout() -> float | None:
    text = os.environ.get("LANGCHAIN_OPENAI_STREAM_CHUNK_TIMEOUT_S", "")
    try:
        seconds = float(text)
    except ValueError:
        return 120.0
    return seconds if seconds >= 0 else 120.0


class ChatOpenAI(ChatBase, OpenAIFields):
    """OpenAI's models through Chat Completions or Responses.

    The API of a call follows langchain-openai's rules: Chat Completions, unless `use_responses_api=True`, an argument
    that only Responses has (`include`, `truncation`, `reasoning`, …), a server tool, or a model that needs Responses.
    The key comes from `api_key`, else `OPENAI_API_KEY`; a function, sync or async, is called for a key at each call.
    """

    _provider: ClassVar[Provider | None] = "openai"

    model_name: str = Field(default="gpt-3.5-turbo", alias="model")
    max_tokens: int | None = Field(default=None, alias="max_completion_tokens")
    request_timeout: Timeout = Field(default=None, alias="timeout")
    """Seconds: a number, `(connect, read)`, or a `Timeout` of the SDK. Default 600, connect 5."""
    stop: list[str] | str | None = Field(default=None, alias="stop_sequences")
    openai_api_key: ApiKey = Field(default_factory=key_from("OPENAI_API_KEY"), alias="api_key")
    openai_api_base: str | None = Field(default=None, alias="base_url")
    stream_chunk_timeout: float | None = Field(default_factory=_chunk_timeout, exclude=True)
    """Seconds without content after which a stream fails. Default 120, as in langchain-openai."""

    def __init__(self, model: str | None = None, **kwargs: Any) -> None:
        """Take the model's name first or as `model=`, everything else by name."""
        super().__init__(model, **kwargs)

    @property
    def model(self) -> str:
        """The same as `model_name`."""
        return self.model_name

    def _complete_address(self) -> None:
        self._set_address("openai", "openai_api_base", "openai_api_key")

    def _model_id(self) -> str:
        return self.model_name

    def _resolve(self, model: str) -> Route:
        return resolve(model, "openai", self._address("openai"), self._dialect_for("openai"))

    def _base_url(self, provider: Provider) -> str | None:
        return self.openai_api_base

    def _connection(self, provider: Provider) -> TransportConfig:
        endpoint = Endpoint(
            provider="openai",
            base_url=self.openai_api_base,
            api_key=self.openai_api_key,
            proxy=self.openai_proxy,
            timeout=self.request_timeout,
            organization=self.openai_organization,
        )
        return connection(self, endpoint)
