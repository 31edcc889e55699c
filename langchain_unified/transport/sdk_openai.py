"""What the transport uses of the openai SDK. Importing this module imports the SDK."""

from __future__ import annotations

from typing import Any

import httpx2
import openai

from langchain_unified.request import JsonObject
from langchain_unified.transport.config import Sdk, TransportConfig


def _arguments(config: TransportConfig, key: str | None, http: Any) -> dict[str, Any]:
    return {
        "api_key": key,
        "organization": config.organization,
        "project": config.project,
        "base_url": config.base_url,
        "default_headers": dict(config.default_headers) or None,
        "default_query": dict(config.default_query) or None,
        "http_client": http,
        "max_retries": 0,
    }


def _client(config: TransportConfig, key: str | None, http: Any) -> openai.OpenAI:
    return openai.OpenAI(**_arguments(config, key, http))


def _async_client(config: TransportConfig, key: str | None, http: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(**_arguments(config, key, http))


def _error_in_reply(message: str, response: Any, payload: JsonObject, error: JsonObject) -> Exception:
    return openai.APIError(message, response.request, body=error)


def _status_error_of(response: Any) -> Exception:
    # The method reads nothing of its client, and building one takes 20 ms and a key.
    return openai.OpenAI._make_status_error_from_response(object.__new__(openai.OpenAI), response)


SDK = Sdk(
    provider="openai",
    key_variable="OPENAI_API_KEY",
    settings=(
        "OPENAI_API_KEY",
        "OPENAI_ADMIN_KEY",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
        "OPENAI_BASE_URL",
        "OPENAI_CUSTOM_HEADERS",
    ),
    client=_client,
    async_client=_async_client,
    response_cls=httpx2.Response,
    stream_cls=openai.Stream,
    async_stream_cls=openai.AsyncStream,
    base_error=openai.OpenAIError,
    status_error=openai.APIStatusError,
    connection_error=openai.APIConnectionError,
    timeout_error=openai.APITimeoutError,
    validation_error=openai.APIResponseValidationError,
    credentials_error=(),
    hidden_errors=(),
    error_in_reply=_error_in_reply,
    status_error_of=_status_error_of,
    request_id_headers=("x-request-id", "request-id", "apim-request-id"),
)
