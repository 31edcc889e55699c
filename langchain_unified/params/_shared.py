"""The parameters that mean something on both providers.

Each key's docstring is the one place where it is documented: `_docs.py` reads it from here, and `docs/parameters.md` is
written from that. A wire's line that starts with "Not sent" says what is named in `adjustments` instead. "Messages" is
Anthropic's API, "Chat" and "Responses" are OpenAI's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, TypedDict

from langchain_unified.caching.policy import Policy

JsonDict: TypeAlias = dict[str, Any]

Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
ServiceTier: TypeAlias = Literal[
    "auto", "default", "flex", "scale", "priority", "fast", "ultrafast", "standard_only"
]  # fmt: skip


class SharedParams(TypedDict, total=False):
    """What both providers take, or what is done here where one of them does not."""

    max_tokens: int
    """The most tokens that the answer may have, reasoning included.

    - Values: 1 or more. 0 without a stream, on Anthropic only: fills the cache and generates nothing.
    - Default: the model's own limit. Anthropic needs a number: the model's maximum is sent, 4096 for an unknown model.
    - Messages: `max_tokens`.
    - Chat: `max_completion_tokens`; `max_tokens` to servers other than OpenAI's.
    - Responses: `max_output_tokens`.
    - Source: the SDKs' `MessageCreateParams`, `CompletionCreateParams`, `ResponseCreateParams`.
    """
    temperature: float
    """How freely the next token is chosen: 0 takes the likeliest.

    - Values: 0 to 2; on Anthropic 0 to 1.
    - Default: the model's own.
    - Messages: `temperature` (1 for what is above it) under API version 2023-06-01, the last that takes it; not to
      models after Claude 4.6, and not while the model thinks.
    - Chat: `temperature`; not while the model reasons, which some models always do.
    - Responses: `temperature`; as on Chat.
    - Source: Anthropic's migration guide for API version 2026-10-21; OpenAI's SDK and reasoning guide.
    """
    top_p: float
    """Choose among the likeliest tokens whose probabilities add up to this. Change it or `temperature`, not both.

    - Values: 0 to 1.
    - Default: the model's own.
    - Messages: `top_p`, as `temperature`.
    - Chat: `top_p`, as `temperature`.
    - Responses: `top_p`, as `temperature`.
    - Source: as `temperature`.
    """
    stop: str | list[str]
    """Texts at which the answer ends; the answer does not hold them.

    Where one cannot be sent the answer is cut here: a stream ends early, and `finish_reason` is `stop`. What the model
    generated after it is counted in the usage, because it was paid for.

    - Values: a text or a list of texts.
    - Default: none.
    - Messages: `stop_sequences`; those of nothing but whitespace are cut here.
    - Chat: `stop`, the first 4; the others, and all of them on models that refuse `stop`, are cut here.
    - Responses: Not sent: it has none; cut here.
    - Source: the SDKs' types; a recorded 400 of gpt-5-mini.
    """
    n: int
    """How many answers. `generate` returns them all, `invoke` the first.

    A stream gives one. Where the API gives one answer per request, n requests are made side by side; each answer then
    has its own usage, and the prompt is paid n times.

    - Values: 1 or more.
    - Default: 1.
    - Messages: Not sent: n requests.
    - Chat: `n`.
    - Responses: Not sent: n requests; one where a `conversation` holds the turns.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    user: str
    """A stable id of your end user, by which the provider tells abuse apart. No names, no addresses.

    - Values: a text; OpenAI takes up to 128 characters.
    - Default: none.
    - Messages: `metadata.user_id`.
    - Chat: `safety_identifier` to reasoning models, `user` to older ones.
    - Responses: `safety_identifier`.
    - Source: the SDKs' types.
    """
    metadata: dict[str, str]
    """Labels that OpenAI keeps with the request. For `bind` and single calls.

    In the constructor it is called `request_metadata`: there, and in a call's `config`, `metadata` is LangChain's own.

    - Values: up to 16 pairs; keys up to 64 characters, values up to 512.
    - Default: none.
    - Messages: `metadata`, of which only `user_id` exists; the others are named.
    - Chat: `metadata`.
    - Responses: `metadata`.
    - Source: the SDKs' types.
    """
    request_metadata: dict[str, str]
    """The same as `metadata`, under the name that the constructor has for it.

    - Values: as `metadata`.
    - Default: none.
    - Messages: `metadata`, as there.
    - Chat: `metadata`.
    - Responses: `metadata`.
    - Source: as `metadata`.
    """
    service_tier: ServiceTier
    """Which capacity serves the call; faster tiers cost more.

    - Values: `auto`, `default`, `flex`, `scale`, `priority`, `fast`, `ultrafast`, as far as the account has them.
    - Default: `auto`.
    - Messages: `service_tier`: `auto`, and `standard_only` for `default`; `fast` as `speed`; the others are named.
    - Chat: `service_tier`; it has no `ultrafast`.
    - Responses: `service_tier`.
    - Source: the SDKs' types.
    """
    parallel_tool_calls: bool
    """Whether one answer may call several tools.

    - Values: `True`, `False`.
    - Default: `True`.
    - Messages: `tool_choice.disable_parallel_tool_use` for `False`.
    - Chat: `parallel_tool_calls`, where there are tools.
    - Responses: `parallel_tool_calls`.
    - Source: the SDKs' types.
    """
    tool_choice: str | bool | list[str] | JsonDict
    """Which tools the model may or must call. In the constructor it holds for the calls that have tools.

    - Values: `auto`, `any` or `required` or `True`, `none`, a tool's name, a list of names (only these), or either
      provider's own dict.
    - Default: `auto`.
    - Messages: `tool_choice`; models that cannot be forced get `auto`, and it is named.
    - Chat: `tool_choice`.
    - Responses: `tool_choice`.
    - Source: the SDKs' types; Anthropic's guide to forcing tool use.
    """
    response_format: JsonDict | type
    """The form of the answer: JSON that fits a schema.

    - Values: OpenAI's `{"type": "json_schema", …}` in either API's form, `{"type": "json_object"}`, a JSON schema, a
      pydantic class or a TypedDict.
    - Default: text.
    - Messages: `output_config.format`; it has no `json_object`, which is named.
    - Chat: `response_format`.
    - Responses: `text.format`.
    - Source: the SDKs' types.
    """
    reasoning_effort: Effort
    """How much the model thinks before it answers. A level that the model lacks becomes its nearest, and is named.

    - Values: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, as far as the model has them.
    - Default: the model's own.
    - Messages: `output_config.effort`, with `thinking` switched on; a `thinking` budget on models up to 4.5; for `none`
      whatever keeps the model from thinking.
    - Chat: `reasoning_effort`.
    - Responses: `reasoning.effort`.
    - Source: the SDKs' types; recorded errors that list the levels.
    """
    reasoning: JsonDict
    """The Responses API's own object: the effort, and whether a summary of the thinking is shown. Where its effort and
    `reasoning_effort` disagree, its own counts, and the other is named.

    - Values: `effort`, `summary` (`auto`, `concise`, `detailed`), `context`, `mode`.
    - Default: none.
    - Messages: `output_config.effort`, as `reasoning_effort`; `thinking.display` for the summary; the others are named.
    - Chat: `reasoning_effort` for the effort; it shows no reasoning: the others are named.
    - Responses: `reasoning`.
    - Source: OpenAI's SDK, `Reasoning`.
    """
    thinking: JsonDict
    """Anthropic's own object: whether and how Claude thinks.

    - Values: `{"type": "adaptive"}`, `{"type": "disabled"}`, `{"type": "between_tools"}`, or up to 4.6
      `{"type": "enabled", "budget_tokens": 1024 or more, below max_tokens}`; `display` with any that thinks.
    - Default: the model's own.
    - Messages: `thinking`; a budget becomes `adaptive` on models that take none.
    - Chat: `reasoning_effort` `none` for `disabled`; `adaptive` is what a reasoning model does; all else is named.
    - Responses: `reasoning.effort` `none` for `disabled`, `reasoning.summary` for a summarized `display`; `adaptive` is
      what a reasoning model does; all else is named.
    - Source: Anthropic's SDK, `ThinkingConfigParam`.
    """
    prompt_cache: Policy
    """Prompt caching: which marks are sent beside those that messages and tools carry. `docs/caching.md` tells more.

    - Values: `"auto"`, a `PromptCache(…)`, `"off"`.
    - Default: `None`, the marks that were written and no others.
    - Messages: `cache_control` on `tools`, `system` and `messages`, four at most.
    - Chat: `prompt_cache_key`; on gpt-5.6 and later also breakpoints on the parts, and `prompt_cache_options`.
    - Responses: `prompt_cache_key`; on gpt-5.6 and later also breakpoints on the parts, and `prompt_cache_options`.
    - Source: the providers' guides to prompt caching; the SDKs' types.
    """
    timeout: Any
    """How long to wait. Reading counts from byte to byte. It is not part of the request.

    - Values: seconds; `(connect, read)`; or the SDK's own object. 0 or less means the default.
    - Default: 600, and 5 to connect.
    - Messages: the HTTP client's.
    - Chat: the HTTP client's.
    - Responses: the HTTP client's.
    - Source: the SDKs' clients.
    """
    extra_headers: Mapping[str, str]
    """Headers of the request, over the package's own and `default_headers`. `anthropic-beta` adds up.

    - Values: names and texts.
    - Default: none.
    - Messages: the headers.
    - Chat: the headers.
    - Responses: the headers.
    - Source: the SDKs' request options.
    """
    extra_query: Mapping[str, object]
    """Query parameters of the request's address.

    - Values: names and values.
    - Default: none.
    - Messages: the query.
    - Chat: the query.
    - Responses: the query.
    - Source: the SDKs' request options.
    """
    extra_body: Mapping[str, Any]
    """Keys laid over the finished body, unchecked: for what is newer than this package.

    - Values: whatever the API takes.
    - Default: none.
    - Messages: its keys, replacing what has the same name.
    - Chat: its keys, replacing what has the same name.
    - Responses: its keys, replacing what has the same name.
    - Source: the SDKs' request options.
    """
