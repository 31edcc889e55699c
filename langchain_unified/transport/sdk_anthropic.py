"""What the transport uses of the anthropic SDK. Importing this module imports the SDK."""

from __future__ import annotations

import inspect
from typing import Any

import anthropic
import httpx2

from langchain_unified.request import JsonObject
from langchain_unified.transport.config import Sdk, TransportConfig

# LangChain traces the calls; the SDK's spans would cost 35 µs per call. Not every SDK release has the setting.
NO_SPANS = {"open_telemetry": False} if "open_telemetry" in inspect.signature(anthropic.Anthropic).parameters else {}


def _arguments(config: TransportConfig, key: str | None, http: Any) -> dict[str, Any]:
    return {
        "api_key": key,
        "base_url": config.base_url,
        "default_headers": dict(config.default_headers) or None,
        "default_query": dict(config.default_query) or None,
        "http_client": http,
        "max_retries": 0,
        **({} if config.sdk_methods else NO_SPANS),
    }


def _client(config: TransportConfig, key: str | None, http: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(**_arguments(config, key, http))


def _async_client(config: TransportConfig, key: str | None, http: Any) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(**_arguments(config, key, http))


def _error_in_reply(message: str, response: Any, payload: JsonObject, error: JsonObject) -> Exception:
    return anthropic.APIStatusError(message, response=response, body=payload)


def _status_error_of(response: Any) -> Exception:
    # The method reads nothing of its client, and building one takes 20 ms and a key.
    return anthropic.Anthropic._make_status_error_from_response(object.__new__(anthropic.Anthropic), response)


SDK = Sdk(
    provider="anthropic",
    key_variable="ANTHROPIC_API_KEY",
    settings=(
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_PROFILE",
        "ANTHROPIC_CONFIG_DIR",
        "ANTHROPIC_IDENTITY_TOKEN",
        "ANTHROPIC_IDENTITY_TOKEN_FILE",
        "ANTHROPIC_FEDERATION_RULE_ID",
        "ANTHROPIC_ORGANIZATION_ID",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
    ),
    client=_client,
    async_client=_async_client,
    response_cls=httpx2.Response,
    stream_cls=anthropic.Stream,
    async_stream_cls=anthropic.AsyncStream,
    base_error=anthropic.AnthropicError,
    status_error=anthropic.APIStatusError,
    connection_error=anthropic.APIConnectionError,
    timeout_error=anthropic.APITimeoutError,
    validation_error=anthropic.APIResponseValidationError,
    credentials_error=(anthropic.CredentialsError,),
    hidden_errors=(Exception,),
    error_in_reply=_error_in_reply,
    status_error_of=_status_error_of,
    request_id_headers=("request-id", "x-request-id", "x-amzn-requestid"),
)
