"""LangChain's integration suite through the gateway: the partner packages as clients, each API on each provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_anthropic import _client_utils as anthropic_clients
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models import _client_utils as openai_clients

from langchain_unified.testing import emulator
from tests.integration.suite import Suite
from tests.support.gateways import serving

pytestmark = pytest.mark.through_gateway

CONFIG = """
model_list:
  - model_name: "claude-*"
    litellm_params: {{model: "anthropic/claude-*", api_base: "{anthropic}", api_key: any}}
  - model_name: "gpt-*"
    litellm_params: {{model: "openai/gpt-*", api_base: "{openai}", api_key: any}}
"""

CACHED_CLIENTS = (anthropic_clients._get_default_async_httpx_client, openai_clients._cached_async_httpx_client)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulator() as provider:
        config = CONFIG.format(anthropic=provider.anthropic_url, openai=provider.openai_url)
        with serving(config, tmp_path_factory.mktemp("gateway")) as url:
            yield url


class _Through(Suite):
    """The suite with a partner's class whose address is the gateway's."""

    path = ""
    asked = ""
    other = ""

    @pytest.fixture(autouse=True)
    def _address(self, gateway: str) -> None:
        type(self).address = gateway + self.path
        for cached in CACHED_CLIENTS:
            cached.cache_clear()  # they keep the connections of a loop that is closed

    address = ""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.asked, "base_url": self.address, "api_key": "any", "max_retries": 0}

    @property
    def reasoning_model(self) -> str:  # type: ignore[override]
        return self.asked

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return self.other


class _Messages(_Through):
    """langchain-anthropic."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAnthropic

    @property
    def supports_json_mode(self) -> bool:
        return False  # langchain-anthropic has none

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "max_tokens": 1000}

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> Any:
        return self._ask(stream=stream, thinking={"type": "adaptive"})


class _Chat(_Through):
    """langchain-openai on Chat Completions."""

    path = "/v1"

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "stream_usage": True}

    @property
    def supports_image_tool_message(self) -> bool:
        return False  # the API has no images in tool messages

    @property
    def supports_pdf_tool_message(self) -> bool:
        return False  # likewise files

    @property
    def supported_usage_metadata_details(self) -> Any:
        # langchain-openai does not read the tokens that Chat Completions wrote to the cache.
        kinds = ["cache_read_input", "reasoning_output"]
        return {"invoke": kinds, "stream": kinds}


class _Responses(_Chat):
    """langchain-openai on Responses."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "use_responses_api": True}

    @property
    def supported_usage_metadata_details(self) -> Any:
        return Suite.supported_usage_metadata_details.fget(self)

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True


class TestMessagesToClaude(_Messages):
    asked, other = "claude-opus-5", "claude-sonnet-4-6"


class TestMessagesToGpt(_Messages):
    asked, other = "gpt-5.6", "gpt-5.5"


class TestChatToClaude(_Chat):
    asked, other = "claude-opus-5", "claude-sonnet-4-6"

    @property
    def supports_json_mode(self) -> bool:
        return False  # Anthropic has none without a schema


class TestChatToGpt(_Chat):
    asked, other = "gpt-4o", "gpt-4.1"

    @property
    def supports_anthropic_inputs(self) -> bool:
        return False  # OpenAI refuses `cache_control`, and the bytes pass

    @property
    def supported_usage_metadata_details(self) -> Any:
        return {"invoke": [], "stream": []}  # the suite asks with `cache_control`


class TestResponsesToClaude(_Responses):
    asked, other = "claude-opus-5", "claude-sonnet-4-6"

    @property
    def supports_json_mode(self) -> bool:
        return False  # Anthropic has none without a schema


class TestResponsesToGpt(_Responses):
    asked, other = "gpt-5.6", "gpt-5.5"
