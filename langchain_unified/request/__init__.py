"""The vocabulary of one call, independent of any wire.

A chat model makes one `Request` of messages, fields and bound keywords; a wire makes a body of the `Request`. Nothing
here knows an API, an SDK or the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from langchain_unified.request.blocks import Block, JsonObject, Mark
from langchain_unified.request.dialect import Dialect

__all__ = [
    "Adjustment",
    "Block",
    "Dialect",
    "Encoded",
    "JsonObject",
    "Mark",
    "OutputFormat",
    "Params",
    "Profile",
    "Provider",
    "Request",
    "Role",
    "ToolChoice",
    "ToolSpec",
    "Turn",
    "WireName",
]

Provider: TypeAlias = Literal["anthropic", "openai"]
WireName: TypeAlias = Literal["anthropic_messages", "openai_chat", "openai_responses"]
Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]


class Adjustment(TypedDict):
    """Something that was not sent as it was written. `what` names it, `why` tells what was sent instead."""

    what: str
    why: str
    lossless: NotRequired[bool]
    """Whether it is only listed: nothing is lost, or a model or a tool wrote it. `on_unsupported` does not apply then.

    Absent means no."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, with its content in normalised blocks.

    `options` holds what only some wires know (of a result `type`, `acknowledged_safety_checks`). `origin`
    is the wire that produced an assistant turn (`None`: it is not known, or a person wrote it), `model` the model that
    did. `position` is the index in the caller's list of messages, for error messages only.
    """

    role: Role
    blocks: tuple[Block, ...] = ()
    name: str | None = None
    tool_call_id: str | None = None
    is_error: bool = False
    options: JsonObject = field(default_factory=dict)
    origin: WireName | None = field(default=None, compare=False)
    model: str | None = field(default=None, compare=False)
    position: int = field(default=-1, compare=False)
    server: str | None = field(default=None, compare=False)
    """The server that alone reads the reasoning and signatures of an assistant turn: its name or host, `""` if it is
    not known, `None` if the turn has none, or the provider itself wrote it."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that the model may call.

    `kind` is `function` (JSON arguments, run by the caller), `custom` (free-form text, run by the caller) or `native`
    (a provider-defined tool: `definition` is sent as it is). `options` holds what only some wires know:
    `defer_loading`, `allowed_callers`, `input_examples`, `eager_input_streaming`, `async`, ….
    """

    name: str
    kind: Literal["function", "custom", "native"] = "function"
    description: str | None = None
    parameters: JsonObject = field(default_factory=dict)
    strict: bool | None = None
    options: JsonObject = field(default_factory=dict)
    definition: JsonObject = field(default_factory=dict)
    mark: Mark | None = None
    checked: bool = field(default=False, compare=False)
    """Whether arguments are checked here against the whole schema, so that nothing is lost that a provider ignores."""
    caller_name: str | None = field(default=None, compare=False)
    """The name that the caller gave, where the API does not take it and `name` is sent in its place."""


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Which tools the model may or must call.

    `auto`: may; `any`: must call one; `none`: must not; `tool`: must call the one in `names`;
    `allowed`: only those in `names` (`required`: must call one of them).
    """

    mode: Literal["auto", "any", "none", "tool", "allowed"]
    names: tuple[str, ...] = ()
    required: bool = False
    definition: JsonObject | None = None
    """A choice that only one provider has (`{"type": "mcp", …}`). It is sent as it is."""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """The format of the answer. `strict=None` leaves the wire's default."""

    kind: Literal["text", "json_object", "json_schema"]
    schema: JsonObject = field(default_factory=dict)
    name: str = "response"
    description: str | None = None
    strict: bool | None = None
    checked: bool = field(default=False, compare=False)
    """Whether the answer is checked here against the whole schema, so that nothing is lost that a provider ignores."""


class Params(TypedDict, total=False):
    """Every neutral parameter of a call. A key that is absent is not sent.

    Each wire has a row for each key: it encodes it or refuses it by name.
    """

    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    stop: list[str]
    seed: int
    n: int
    presence_penalty: float
    frequency_penalty: float
    logit_bias: dict[str, float]
    logprobs: bool
    top_logprobs: int
    user: str
    metadata: dict[str, str]
    service_tier: str
    parallel_tool_calls: bool
    reasoning_effort: str
    reasoning: JsonObject
    thinking: JsonObject
    verbosity: str
    modalities: list[str]
    audio: JsonObject
    prediction: JsonObject
    store: bool
    stream_options: JsonObject
    prompt_cache_key: str
    prompt_cache_retention: str
    prompt_cache_options: JsonObject


@dataclass(frozen=True, slots=True)
class Profile:
    """What a model can do and refuses, as the encoders ask it. Defaults are those of an unknown, modern model.

    Token counts are in tokens; `None` means not known. `data/models.json` holds the dated table with its sources.
    """

    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    sampling: Literal["always", "without_reasoning", "never"] = "always"
    """Whether `temperature`, `top_p`, `top_k` and the penalties are taken."""
    effort_levels: tuple[str, ...] = ()
    effort_default: str | None = None
    thinking: Literal["none", "budget", "adaptive"] = "none"
    """How Claude thinks: not at all, `enabled` with a token budget, or `adaptive`."""
    thinking_off: Literal["disabled", "between_tools", "omitted", "never"] = "disabled"
    """How thinking is switched off: by `thinking` of this type, by no `thinking` (`omitted`), or not at all."""
    thinking_off_max_effort: str | None = None
    """The highest effort with which thinking can be off; `None`: any."""
    temperature_with_top_p: bool = True
    """Whether `temperature` and `top_p` may be given together."""
    legacy_max_tokens: bool = True
    """Whether Chat Completions takes the deprecated `max_tokens` for this model."""
    web_search_options: bool = False
    """Whether Chat Completions takes `web_search_options` for this model."""
    structured_output: bool = True
    """Whether the provider holds an answer, and the arguments of strict tools, to a schema."""
    forced_tool_choice: bool = True
    stop: bool = True
    prefill: bool = True
    system_in_messages: bool = False
    """Whether a system message may come between other messages as it is."""
    inputs: tuple[str, ...] = ()
    """What the model reads (`text`, `image`, `pdf`, `audio`); empty: it is not known."""
    reasoning: bool | None = None
    """Whether the model can reason; `None`: it is not known."""
    encrypted_reasoning: bool = True
    """Whether the Responses API gives the model's reasoning encrypted, where it reasons."""
    responses_only: Literal["no", "tools", "yes"] = "no"
    """Whether the model needs the Responses API: never, with tools, or always."""
    cache_breakpoints: bool = True
    cache_minimum: int | None = None
    cache_read_price: float = 0.1
    """The price of a token that is read from the cache, as a share of the input price."""
    cache_retention: Literal["in_memory", "24h"] = "in_memory"
    """How long a model of OpenAI's without breakpoints keeps a prefix, where the call does not ask."""
    drops_earlier_thinking: bool = False
    """Whether Claude's prompt leaves out the thinking of turns before the user's last message."""
    binds_thinking: bool = False
    """Whether Claude refuses its earlier thinking where the conversation before it has changed."""
    tool_versions: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Neutral name of a server tool -> the type this model takes, where it differs from `tools.server.forms`."""
    shutdown_date: str | None = field(default=None, compare=False, repr=False)
    """From when on the provider's own API no longer serves the model, as `YYYY-MM-DD`; `None`: nothing is announced."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call.

    `params` are neutral. `native` are keys of one API's body (`container`, `include`, `truncation`, …): the wire that
    knows them sends them as they are, and the others refuse them by name. `extra_body` is merged over the finished
    body, unchecked.
    """

    model: str
    turns: tuple[Turn, ...]
    params: Params = field(default_factory=Params)
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice | None = None
    output: OutputFormat | None = None
    native: Mapping[str, Any] = field(default_factory=dict)
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    betas: tuple[str, ...] = ()
    stream: bool = False
    parts: bool = field(default=False, compare=False)
    """Whether a text is sent as a list of parts where a string is possible, so that adding or removing a mark changes
    nothing before it."""
    profile: Profile = field(default_factory=Profile, compare=False)
    dialect: Dialect = field(default_factory=Dialect, compare=False)


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an encoder returns: the JSON body, the headers that it needs, and what was adjusted.

    `content` is the body as it is sent, where it has been written already.
    """

    body: JsonObject
    headers: Mapping[str, str] = field(default_factory=dict)
    adjustments: tuple[Adjustment, ...] = ()
    content: bytes | None = field(default=None, repr=False, compare=False)
