"""The constructor arguments, in three groups: every model's, Anthropic's, OpenAI's.

The names and aliases are those of `langchain_anthropic.ChatAnthropic` and `langchain_openai.ChatOpenAI`, so that an
existing program changes one import. A field that is `None` is not sent.
"""

from __future__ import annotations

import math
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from langchain_core.utils.utils import from_env
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from langchain_unified.caching.policy import Policy, validated
from langchain_unified.chat_models import _values
from langchain_unified.redaction import redacted, safe_url
from langchain_unified.request import Dialect, Provider
from langchain_unified.request.warned import warn

ApiKey: TypeAlias = SecretStr | Callable[[], str] | Callable[[], Awaitable[str]] | None
Timeout: TypeAlias = Annotated[Any, BeforeValidator(_values.timeout)]
"""Seconds, `(connect, read)` in seconds, or an SDK's `Timeout` object; `None`: the default."""
Headers: TypeAlias = Annotated[Mapping[str, str] | None, BeforeValidator(_values.headers)]
OnUnsupported: TypeAlias = Literal["warn", "raise", "ignore"]
Repair: TypeAlias = Literal["fix", "raise"]


CONFIG = ConfigDict(populate_by_name=True, arbitrary_types_allowed=True, protected_namespaces=(), defer_build=True)
"""Of all our model classes. Pydantic builds a class's validators at its first instance, and those of no base class:
each takes it 3 to 10 ms."""


def key_from(*variables: str) -> Callable[[], SecretStr | None]:
    """A function for the key: the first of the environment variables that is set; `None` when none is."""

    def read() -> SecretStr | None:
        return next((SecretStr(os.environ[name]) for name in variables if os.environ.get(name)), None)

    return read


class Parameters(BaseModel):
    """The neutral parameters of a call. Each means the same on both providers, or is refused by name.

    `None`: not sent.
    """

    model_config = CONFIG

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[Any, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    user: str | None = None
    request_metadata: dict[str, str] | None = None
    """The API's `metadata`. The field `metadata` is LangChain's, for traces."""
    service_tier: str | None = None
    parallel_tool_calls: bool | None = None
    tool_choice: Any | None = None
    """Sent with calls that have tools only."""
    response_format: Any | None = None
    reasoning_effort: str | None = Field(default=None, alias="effort")
    reasoning: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    verbosity: str | None = None
    modalities: list[str] | None = None
    audio: dict[str, Any] | None = None
    prediction: dict[str, Any] | None = None
    store: bool | None = None
    stream_options: dict[str, Any] | None = None
    prompt_cache: Annotated[Policy, BeforeValidator(validated)] = None
    """Prompt caching. `None`: only the marks that messages and tools carry; OpenAI's models from gpt-5.6 on then write
    each whole prompt, at 1.25 of the input price. `"auto"` or a `PromptCache`: marks are set automatically as well.
    `"off"`: no mark is sent, and those models write nothing."""
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    system: str | list[dict[str, Any]] | None = Field(default=None, repr=False)
    """A system prompt before that of the conversation."""
    instructions: str | None = Field(default=None, repr=False)
    """The Responses API's name for it."""
    safety_identifier: str | None = None
    """The same as `user`, always sent under this name."""


class Connection(BaseModel):
    """Where calls go and how they behave, for both providers."""

    model_config = CONFIG

    max_retries: int | None = Field(default=None, ge=0)
    """How often a request is repeated that fails before the first content of its answer. Default 2."""
    max_retry_wait: float | None = Field(default=None, ge=0, exclude=True)
    """The longest wait in seconds before a retry, where the server says how long. Default 120. Where it says longer,
    the call ends at once, and `retry_after` of the error is the wait."""
    deadline: float | None = Field(default=None, gt=0, exclude=True)
    """Seconds for a call with all its retries and, of a stream, until its end. Default: no limit. `timeout` limits each
    read, the deadline everything: a call that is not done by then is a `RequestTimeoutError`."""
    default_headers: Headers = Field(default=None, repr=False)
    default_query: Mapping[str, object] | None = Field(default=None, repr=False)
    http_client: Annotated[Any, BeforeValidator(_values.http_client)] = Field(default=None, exclude=True, repr=False)
    http_async_client: Annotated[Any, BeforeValidator(_values.http_async_client)] = Field(
        default=None, exclude=True, repr=False
    )
    http_socket_options: Sequence[tuple[int, int, int]] | None = Field(default=None, exclude=True)
    ca_bundle: str | None = None
    """A PEM file, or a folder of them, with the certificates of the authorities to trust. `None`: those of the
    environment (`SSL_CERT_FILE`, `SSL_CERT_DIR`) or of the system."""
    client_cert: str | tuple[str, str] | None = Field(default=None, repr=False)
    """A PEM file with the client's certificate and key, or a file for each."""
    max_connections: int | None = Field(default=None, gt=0)
    """How many connections a pool opens at most, and keeps for a minute while idle. As many calls can wait for answers
    at the same time. There is one pool for sync calls and one for each event loop. Default: 1000."""
    http_backend: Literal["httpx", "aiohttp"] = "httpx"
    """What sends async calls. `aiohttp` needs the extra of that name, and costs less CPU with many calls at once."""
    client: Annotated[Any, BeforeValidator(_values.sdk_client)] = Field(default=None, exclude=True, repr=False)
    """An SDK client (Bedrock, Vertex, Azure, Foundry, …). Its key and base URL are used."""
    async_client: Annotated[Any, BeforeValidator(_values.async_sdk_client)] = Field(
        default=None, exclude=True, repr=False
    )
    dialect: str | Dialect | dict[Provider, str | Dialect] | None = None
    """The server behind `base_url`, where it is not the provider: its name (`"ollama"`), a `Dialect`, or one for each
    provider (`{"openai": "openrouter"}`). `None`: the address tells it, else what most servers understand is sent.
    `check` prints the one of a call, and why."""
    sdk_methods: bool = False
    """Whether calls go out by the SDK's typed methods (`messages.create`, …), which instrumentation of the SDKs wraps.
    It costs CPU per call and per event, and of the response headers only the request id is known."""
    max_reply_bytes: int | None = Field(default=None, gt=0, exclude=True)
    """Bytes of a whole reply, decompressed, at most. Default 100,000,000. A larger one is a `ReplyError`."""
    max_event_bytes: int | None = Field(default=None, gt=0, exclude=True)
    """Bytes of one event of a stream, at most. Default 100,000,000. A larger one is a `ReplyError`."""
    max_error_bytes: int | None = Field(default=None, gt=0, exclude=True)
    """Bytes that are read of an error's body or of a page of HTML. Default 1,000,000. The rest is left out."""
    stream_chunk_timeout: float | None = Field(default=600.0, exclude=True)
    """Seconds without content (pings are none) after which a stream fails. `None`, 0: never. Negative: the default."""
    model_kwargs: Annotated[dict[str, Any], BeforeValidator(lambda given: given or {})] = Field(
        default_factory=dict, repr=False
    )
    """Parameters and body keys of a provider for every call of this model."""
    extra_headers: Headers = Field(default=None, repr=False)
    """Headers of every call. `extra_headers` of a call replaces them; `default_headers` are sent as well."""
    extra_query: Mapping[str, Any] | None = Field(default=None, repr=False)
    """Query parameters of every call. `extra_query` of a call replaces them; `default_query` is sent as well."""
    extra_body: Mapping[str, Any] | None = Field(default=None, repr=False)
    """Merged into the finished body without a check."""
    streaming: bool | None = None
    """`True`: `invoke` streams internally too. `False`: `stream` gives one chunk. `None`: neither."""
    stream_usage: bool | None = None
    """Whether a stream requests its usage. Default `True`."""
    include_response_headers: bool = False
    """Whether `response_metadata["headers"]` holds the response headers, without cookies and organisation ids."""
    cache_writes_by_ttl: bool = False
    """Whether `usage_metadata["input_token_details"]` lists tokens that Anthropic wrote to its cache by TTL, in
    langchain-anthropic's form (`ephemeral_5m_input_tokens`, …, and `cache_creation` 0), by which LangSmith prices them.
    Default: `cache_creation` is their total, as on OpenAI."""
    disabled_params: dict[str, Any] | None = None
    """Parameters that are never sent (`{"name": None}`), or not with these values (`{"name": [value, …]}`)."""
    repair: Repair = "fix"
    """What to do with a history that no provider accepts (a tool call without a result, a result without a call, …).
    `fix`: repair it and list that in `adjustments`. `raise`: raise `InvalidHistoryError`."""
    on_unsupported: OnUnsupported = "warn"
    """What to do with a parameter that cannot be sent as written. `warn`: warn once and list it in `adjustments`.
    `raise`: raise `UnsupportedParameterError`. `ignore`: list it only."""

    @field_validator("stream_chunk_timeout")
    @classmethod
    def _positive_or_off(cls, value: float | None) -> float | None:
        """No limit for 0 and infinity; the default for what is no time, as in langchain-openai."""
        if value is None or (value >= 0 and math.isfinite(value)):
            return value
        if value == math.inf:
            return None
        default: float = cls.model_fields["stream_chunk_timeout"].get_default(call_default_factory=True)
        warn(f"stream_chunk_timeout={value!r} is no time: {default} is used. None or 0 means no limit.")
        return default

    @field_validator("output_version", check_fields=False)
    @classmethod
    def _known_version(cls, value: str | None) -> str | None:
        if value not in (None, *OUTPUT_VERSIONS):
            raise ValueError(f"it takes {', '.join(OUTPUT_VERSIONS)} or None, not {value!r}")
        return value


OUTPUT_VERSIONS = ("v0", "v1", "responses/v1")
"""The forms of an answer's content: LangChain's, and that of langchain-openai on the Responses API."""


class AnthropicFields(BaseModel):
    """The fields for Anthropic alone, under langchain-anthropic's names."""

    model_config = CONFIG

    anthropic_api_key: ApiKey = Field(default_factory=key_from("ANTHROPIC_API_KEY"))
    anthropic_api_url: str | None = None
    anthropic_proxy: str | None = Field(default_factory=from_env("ANTHROPIC_PROXY", default=None), repr=False)
    betas: list[str] | None = None
    output_config: dict[str, Any] | None = None
    mcp_servers: list[dict[str, Any]] | None = Field(default=None, repr=False)
    context_management: dict[str, Any] | list[dict[str, Any]] | None = None
    container: dict[str, Any] | str | None = None
    reuse_last_container: bool | None = None
    inference_geo: str | None = None
    user_profile_id: str | None = None


class OpenAIFields(BaseModel):
    """The fields for OpenAI alone, under langchain-openai's names."""

    model_config = CONFIG

    openai_api_key: ApiKey = Field(default_factory=key_from("OPENAI_API_KEY"))
    openai_api_base: str | None = None
    openai_organization: str | None = Field(
        default_factory=from_env(["OPENAI_ORG_ID", "OPENAI_ORGANIZATION"], default=None),
        alias="organization",
        repr=False,
    )
    openai_proxy: str | None = Field(default_factory=from_env("OPENAI_PROXY", default=None), repr=False)
    context_management: dict[str, Any] | list[dict[str, Any]] | None = None
    include: list[str] | None = None
    truncation: str | None = None
    use_previous_response_id: bool = False
    use_responses_api: bool | None = None


REFUSED: Mapping[str, str] = {
    "root_client": "there is one SDK client per provider: pass it as `client`",
    "root_async_client": "there is one SDK client per provider: pass it as `async_client`",
    "tiktoken_model_name": "tokens are counted by the provider's endpoint, not by tiktoken",
}
"""Arguments of the partner packages that have no meaning here, with the reason and what to use instead."""


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRET_FIELDS: Mapping[str, str] = {
    "anthropic_api_key": "ANTHROPIC_API_KEY",
    "openai_api_key": "OPENAI_API_KEY",
    "api_key": "LANGCHAIN_UNIFIED_API_KEY",
    "anthropic_proxy": "ANTHROPIC_PROXY",
    "openai_proxy": "OPENAI_PROXY",
    "openai_organization": "OPENAI_ORG_ID",
    "default_headers": "LANGCHAIN_UNIFIED_DEFAULT_HEADERS",
    "default_query": "LANGCHAIN_UNIFIED_DEFAULT_QUERY",
    "extra_headers": "LANGCHAIN_UNIFIED_EXTRA_HEADERS",
    "extra_query": "LANGCHAIN_UNIFIED_EXTRA_QUERY",
    "mcp_servers": "ANTHROPIC_MCP_SERVERS",
}
"""Fields that may hold a secret, each with the name under which LangChain asks for its value again."""


def secret_fields(model: BaseModel) -> dict[str, str]:
    """The fields of a model that LangChain must not write down: keys always, other fields when they hold a value."""
    fields = type(model).model_fields
    found = {
        name: variable
        for name, variable in SECRET_FIELDS.items()
        if name in fields and (name.endswith("api_key") or getattr(model, name))
    }
    for name in _with_secrets(vars(model)):
        found[name] = f"LANGCHAIN_UNIFIED_{name.upper()}"
    for name in ("anthropic_api_url", "openai_api_base", "base_url"):
        if (url := getattr(model, name, None)) and safe_url(url) != url:
            found[name] = f"LANGCHAIN_UNIFIED_{name.upper()}"
    return found


def secret_keywords(kwargs: Mapping[str, Any]) -> set[str]:
    """The keywords of a call that LangChain must not write down."""
    return (kwargs.keys() & SECRET_FIELDS.keys()) | _with_secrets(kwargs)


SECRET_MAPPINGS = ("model_kwargs", "extra_body")


def _with_secrets(values: Mapping[str, Any]) -> set[str]:
    """The names of `SECRET_MAPPINGS` whose value holds a secret."""
    given = {name: values[name] for name in SECRET_MAPPINGS if values.get(name)}
    return {name for name, value in given.items() if redacted(value) != dict(value)}
