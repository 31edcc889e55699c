"""LangChain's integration suite, told what our models can do. The emulator and the cassettes both run it."""

from __future__ import annotations

import base64
import itertools
from typing import Any
from uuid import UUID

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF = b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
WAV = base64.b64decode("UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=")
FILES = {"pdf": PDF, "png": PNG, "jpg": PNG, "wav": WAV, "mp3": WAV}


def download(url: str, **options: Any) -> httpx.Response:
    """What the suite fetches from the web for its media tests: here small files of the same kinds."""
    return httpx.Response(200, content=FILES.get(url.rsplit(".", 1)[-1].lower(), PNG))


LONG = "The house rules follow. " + "Answer briefly, name your sources, and never guess a figure. " * 120


class Suite(ChatModelIntegrationTests):
    """What all our models have. Each `False` below says why."""

    @pytest.fixture(autouse=True)
    def _repeatable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No downloads, and no random tool-call ids: a recording answers the same request only."""
        numbers = itertools.count(1)
        monkeypatch.setattr("langchain_tests.integration_tests.chat_models.httpx.get", download)
        monkeypatch.setattr("langchain_core.utils.function_calling.uuid.uuid4", lambda: UUID(int=next(numbers)))

    @property
    def supports_json_mode(self) -> bool:
        return True  # on Anthropic, which has none, the answer is held to the schema instead

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> Any:
        kinds = ["cache_read_input", "cache_creation_input", "reasoning_output"]
        return {"invoke": kinds, "stream": kinds}

    def _ask(self, *, stream: bool, rules: str = LONG, **kwargs: Any) -> AIMessage:
        model: BaseChatModel = self.chat_model_class(
            **{**self.chat_model_params, "model": self.reasoning_model, **kwargs}
        )
        block = {"type": "text", "text": rules, "cache_control": {"type": "ephemeral"}}
        messages = [SystemMessage([block]), HumanMessage("hi")]
        if not stream:
            message = model.invoke(messages)
        else:
            chunks = list(model.stream(messages))
            message = chunks[0] + chunks[1:]
        assert isinstance(message, AIMessage)
        return message

    reasoning_model = ""

    def invoke_with_cache_creation_input(self, *, stream: bool = False) -> AIMessage:
        return self._ask(stream=stream, rules=f"Not asked before (streamed: {stream}). {LONG}")

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        self._ask(stream=stream)
        return self._ask(stream=stream)

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        return self._ask(stream=stream, reasoning_effort="low")


class Anthropic(Suite):
    """`ChatAnthropic`."""

    reasoning_model = "claude-opus-5"

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "claude-opus-5"}

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "claude-sonnet-4-6"


class Chat(Suite):
    """`ChatOpenAI` on Chat Completions."""

    reasoning_model = "gpt-5.6"

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # The suite marks blocks and a tool, which the model has no breakpoints for: that is noted, not warned of.
        return {"model": "gpt-4o", "use_responses_api": False, "on_unsupported": "ignore"}

    @property
    def supports_image_tool_message(self) -> bool:
        return False  # the API refuses images in tool messages

    @property
    def supports_pdf_tool_message(self) -> bool:
        return False  # likewise files

    @property
    def model_override_value(self) -> str:
        return "gpt-4.1"


class Responses(Chat):
    """`ChatOpenAI` on Responses."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # The suite marks a tool and sends stop sequences, which this API has not: that is noted, not warned of.
        return {"model": "gpt-5.6", "use_responses_api": True, "on_unsupported": "ignore"}

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True


class UnifiedAnthropic(Anthropic):
    """`ChatUnified` with Claude."""

    reasoning_model = "anthropic/claude-opus-5"

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatUnified

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "anthropic/claude-opus-5"}


class UnifiedOpenAI(Responses):
    """`ChatUnified` with OpenAI."""

    reasoning_model = "openai/gpt-5.6"

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatUnified

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "openai/gpt-5.6", "on_unsupported": "ignore"}
