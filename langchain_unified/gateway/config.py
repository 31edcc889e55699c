"""The models of `gateway.yaml`, in the vocabulary of LiteLLM's proxy. The configuration reference is made from them.

`gateway_settings` is this gateway's own; all else is what LiteLLM's users know.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from langchain_unified.request import Params
from langchain_unified.wires import WIRES

Seconds = Annotated[float, Field(gt=0)]
Fallbacks = list[dict[str, list[str]]]

SETTABLE = (
    frozenset(Params.__annotations__)
    | {"max_completion_tokens", "max_output_tokens", "stop_sequences", "system", "instructions"}
).union(*(wire.native_keys for wire in WIRES.values()))
"""Parameters of a call that a deployment may set."""


class Section(BaseModel):
    """A mapping of the file. Keys that it does not have are errors."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)


class LitellmParams(Section):
    """Where a model's calls go. Any other parameter of a call (`temperature`, `max_tokens`, …) is a default that the
    client's value overrules.
    """

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, use_attribute_docstrings=True)

    model: str
    """`provider/model`, or a name that shows its provider. May hold one `*`, at an end."""
    api_key: SecretStr | None = None
    """The provider's key; without it that of the environment (`ANTHROPIC_API_KEY`, `OPENAI_API_KEY`)."""
    api_base: str | None = None
    """The server's address; without it the provider's own."""
    base_url: str | None = None
    """Another name of `api_base`."""
    organization: str | None = None
    """OpenAI's organization, sent as a header."""
    extra_headers: dict[str, str] = Field(default_factory=dict)
    """Headers of each request to the provider."""
    timeout: Seconds | None = None
    """Seconds for a whole call. Without it `request_timeout`."""
    stream_timeout: Seconds | None = None
    """Seconds until a stream's answer begins."""
    weight: float | None = Field(default=None, ge=0)
    """The share of the calls of deployments with one name. Default 1."""
    order: int = 1
    """Lower comes first; the next order is tried only on failure."""
    rpm: int | None = Field(default=None, gt=0)
    """Requests per minute that this deployment gets. A limit, not a weight."""
    tpm: int | None = Field(default=None, gt=0)
    """Tokens per minute that this deployment gets. A limit, not a weight."""
    drop_params: bool | None = None
    """As in `litellm_settings`, for this deployment."""
    dialect: str | None = None
    """The server behind `api_base` by name, where its address does not tell."""
    prompt_cache: str | dict[str, Any] | None = None
    """The cache policy for clients of another API that mark nothing: `auto`. Default none."""
    use_responses_api: bool | None = None
    """Whether Messages clients reach an OpenAI model by Responses. Default: as the model needs it."""


class ModelInfo(Section):
    """What a model costs, in US dollars per token, where the price table does not know it or is wrong."""

    id: str | None = None
    """A name for logs. Default: made from provider, model and host."""
    base_model: str | None = None
    """The model whose prices and limits hold."""
    input_cost_per_token: Decimal | None = Field(default=None, ge=0)
    """Of an uncached input token."""
    output_cost_per_token: Decimal | None = Field(default=None, ge=0)
    """Of an output token."""
    cache_read_input_token_cost: Decimal | None = Field(default=None, ge=0)
    """Of a token read from the prompt cache."""
    cache_creation_input_token_cost_above_1hr: Decimal | None = Field(default=None, ge=0)
    """Of a token written to the prompt cache for an hour. Default: twice the input price."""
    input_cost_per_request: Decimal | None = Field(default=None, ge=0)
    """Of a call."""
    max_input_tokens: int | None = Field(default=None, gt=0)
    """What the model takes at most, for the estimate of a call."""
    max_output_tokens: int | None = Field(default=None, gt=0)
    """What the model answers at most, for the estimate of a call."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Another name of `max_output_tokens`."""
    cache_creation_input_token_cost: Decimal | None = Field(default=None, ge=0)
    """Of a token written to the prompt cache."""


class ModelEntry(Section):
    """A deployment. Several of one name share its calls."""

    model_name: str = Field(min_length=1)
    """The name that clients ask for. May hold one `*`, at an end."""
    litellm_params: LitellmParams
    model_info: ModelInfo = ModelInfo()


class RouterSettings(Section):
    """How deployments are chosen."""

    routing_strategy: Literal["simple-shuffle"] = "simple-shuffle"
    """By chance, according to `weight`."""
    num_retries: int | None = Field(default=None, ge=0, le=20)
    """Attempts after the first, at one name's deployments. Default 2."""
    timeout: Seconds | None = None
    """Seconds for a whole call. Default 600."""
    stream_timeout: Seconds | None = None
    """Seconds until a stream's answer begins."""
    fallbacks: Fallbacks = Field(default_factory=list)
    """Names to try after a name, in order, 5 at most."""
    context_window_fallbacks: Fallbacks = Field(default_factory=list)
    """After an input that is too long."""
    content_policy_fallbacks: Fallbacks = Field(default_factory=list)
    """After an input that the policy refuses."""
    default_fallbacks: list[str] = Field(default_factory=list)
    """After a name that has no fallbacks."""
    model_group_alias: dict[str, str] = Field(default_factory=dict)
    """Further names of models."""
    allowed_fails: int | None = Field(default=None, ge=0)
    """Failures in a minute after which a deployment is left alone. Default 3."""
    cooldown_time: float | None = Field(default=None, ge=0)
    """For how many seconds. Default 5."""


class LitellmSettings(Section):
    """Settings of all calls."""

    drop_params: bool | None = None
    """`true`: what a model refuses is left out. `false`: a 400 names it. Either way, and without the key, when it is
    left out the response header `x-gateway-adjustments` names it."""
    num_retries: int | None = Field(default=None, ge=0, le=20)
    """As in `router_settings`."""
    request_timeout: Seconds | None = None
    """Seconds for a whole call. Default 600."""
    fallbacks: Fallbacks = Field(default_factory=list)
    """As in `router_settings`."""
    context_window_fallbacks: Fallbacks = Field(default_factory=list)
    """As in `router_settings`."""
    content_policy_fallbacks: Fallbacks = Field(default_factory=list)
    """As in `router_settings`."""
    default_fallbacks: list[str] = Field(default_factory=list)
    """As in `router_settings`."""
    allowed_fails: int | None = Field(default=None, ge=0)
    """As in `router_settings`."""


class GeneralSettings(Section):
    """Keys of clients, and the store of keys and spend."""

    master_key: SecretStr | None = None
    """The key that may do everything. Without it anyone may call, and the gateway listens on this machine only."""
    database_url: SecretStr | None = None
    """Where keys and spend are kept: an SQLAlchemy URL of SQLite or PostgreSQL. Default: a file of SQLite."""
    allow_requests_on_db_unavailable: bool = False
    """While the database is away, answer calls with any key of the right form, without limits. Default: 503."""
    litellm_key_header_name: str | None = None
    """A header in which clients send their key."""


class GatewaySettings(Section):
    """What LiteLLM has no key for."""

    max_body_mb: float = Field(default=64, gt=0)
    """Megabytes of a request's body. Larger ones get a 413."""
    body_timeout: Seconds = 60
    """Seconds in which a request's body has to come."""
    ping_interval: Seconds = 15
    """Seconds of silence after which a stream's client gets a sign of life."""
    drain_timeout: Seconds = 600
    """Seconds that running answers may take after SIGTERM."""
    allow_client_fallbacks: bool = False
    """Whether `fallbacks` in the body of a Chat or Responses call are taken."""
    unknown_price: Decimal | None = Field(default=None, ge=0)
    """US dollars per million tokens of a model without a price. Default: its calls are refused once there are keys."""
    secret: SecretStr | None = None
    """Signs the reasoning that clients carry between two APIs. Default: made from the master key, else by chance at
    the start."""
    tracing: bool = False
    """OpenTelemetry spans, one for each request, if opentelemetry is installed."""


class GatewayConfig(Section):
    """`gateway.yaml`."""

    model_list: list[ModelEntry] = Field(default_factory=list)
    """The deployments."""
    router_settings: RouterSettings = RouterSettings()
    litellm_settings: LitellmSettings = LitellmSettings()
    general_settings: GeneralSettings = GeneralSettings()
    gateway_settings: GatewaySettings = GatewaySettings()
