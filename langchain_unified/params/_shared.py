"""The parameters that both providers have, or that this package provides where one of them does not.

The docstring of a key is its only documentation: `_docs.py` reads it, and `docs/parameters.md` is generated from it.
"Messages" is Anthropic's API, "Chat" and "Responses" are OpenAI's. The line of an API that starts with "Not sent" means
that the parameter is reported in `adjustments` there.
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
    """Parameters that both providers have, or that this package provides where one of them does not."""

    max_tokens: int
    """The maximum number of tokens in the answer, reasoning included.

    - Values: 1 or more. 0 fills the cache and generates nothing, on Anthropic only and without a stream.
    - Default: the model's own limit. Anthropic requires a number: the model's maximum, or 4096 for an unknown model.
    - Messages: `max_tokens`.
    - Chat: `max_completion_tokens`; `max_tokens` for servers other than OpenAI's.
    - Responses: `max_output_tokens`.
    - Source: the SDKs' `MessageCreateParams`, `CompletionCreateParams`, `ResponseCreateParams`.
    """
    temperature: float
    """How random the choice of each token is: at 0 the likeliest token is chosen.

    - Values: 0 to 2; on Anthropic 0 to 1.
    - Default: the model's own.
    - Messages: `temperature`, at most 1, with API version 2023-06-01, the last one that takes it. Not sent to models
      after Claude 4.6, or while the model thinks.
    - Chat: `temperature`. Not sent while the model reasons, which some models always do.
    - Responses: `temperature`. Not sent while the model reasons, which some models always do.
    - Source: Anthropic's migration guide for API version 2026-10-21; OpenAI's SDK and reasoning guide.
    """
    top_p: float
    """Choose among the likeliest tokens whose probabilities add up to this value. Set it or `temperature`, not both.

    - Values: 0 to 1.
    - Default: the model's own.
    - Messages: `top_p`, under the same conditions as `temperature`.
    - Chat: `top_p`, under the same conditions as `temperature`.
    - Responses: `top_p`, under the same conditions as `temperature`.
    - Source: as `temperature`.
    """
    stop: list[str]
    """Stop sequences: the answer ends before the first of these texts.

    A sequence that cannot be sent is applied here: the answer is cut, a stream ends early, and `finish_reason` is
    `stop`. The usage still counts the tokens that the model generated after it, because they are billed.

    - Values: a list of texts; a call also takes one text. (The type is a list, as in the signatures of LangChain.)
    - Default: none.
    - Messages: `stop_sequences`; sequences of whitespace only are applied here.
    - Chat: `stop`, the first 4; the others, and all of them on models that refuse `stop`, are applied here.
    - Responses: Not sent: the API has none. They are applied here.
    - Source: the SDKs' types; a recorded 400 of gpt-5-mini.
    """
    n: int
    """The number of answers. `generate` returns all of them, `invoke` the first.

    A stream gives one answer. Where the API gives one answer per request, n requests are sent in parallel: each answer
    then has its own usage, and the prompt is billed n times.

    - Values: 1 or more.
    - Default: 1.
    - Messages: Not sent: n requests.
    - Chat: `n`.
    - Responses: Not sent: n requests; one request where a `conversation` holds the turns.
    - Source: OpenAI's SDK, `CompletionCreateParams`.
    """
    user: str
    """A stable id of your end user, with which the provider detects abuse. Do not use names or addresses.

    - Values: a text; OpenAI takes up to 128 characters.
    - Default: none.
    - Messages: `metadata.user_id`.
    - Chat: `safety_identifier` for reasoning models, `user` for older ones.
    - Responses: `safety_identifier`.
    - Source: the SDKs' types.
    """
    metadata: dict[str, str]
    """Labels that OpenAI stores with the request. For `bind` and single calls.

    In the constructor it is called `request_metadata`: there, and in the `config` of a call, `metadata` is LangChain's.

    - Values: up to 16 pairs; keys up to 64 characters, values up to 512.
    - Default: none.
    - Messages: `metadata` with `user_id`, its only key; other keys are reported.
    - Chat: `metadata`, with `store=True` only; reported otherwise.
    - Responses: `metadata`.
    - Source: the SDKs' types.
    """
    request_metadata: dict[str, str]
    """The same as `metadata`, under the name that it has in the constructor.

    - Values: as `metadata`.
    - Default: none.
    - Messages: `metadata` with `user_id`, its only key; other keys are reported.
    - Chat: `metadata`, with `store=True` only; reported otherwise.
    - Responses: `metadata`.
    - Source: as `metadata`.
    """
    service_tier: ServiceTier
    """The service tier of the call. Faster tiers cost more.

    - Values: `auto`, `default`, `flex`, `scale`, `priority`, `fast`, `ultrafast`, as far as the account has them.
    - Default: `auto`.
    - Messages: `service_tier` for `auto`, and `standard_only` for `default`; `speed` for `fast`; others are reported.
    - Chat: `service_tier`; `ultrafast` is reported.
    - Responses: `service_tier`.
    - Source: the SDKs' types.
    """
    parallel_tool_calls: bool
    """Whether one answer may call several tools.

    - Values: `True`, `False`.
    - Default: `True`.
    - Messages: `tool_choice.disable_parallel_tool_use` for `False`.
    - Chat: `parallel_tool_calls`, if the call has tools.
    - Responses: `parallel_tool_calls`.
    - Source: the SDKs' types.
    """
    tool_choice: str | bool | list[str] | JsonDict
    """Which tools the model may or must call. In the constructor it applies to calls with tools.

    - Values: `auto`, `any` (also `required` or `True`), `none`, the name of a tool, a list of names (only these), or
      either provider's own dict.
    - Default: `auto`.
    - Messages: `tool_choice`; models that cannot be forced to call a tool get `auto`, and it is reported.
    - Chat: `tool_choice`.
    - Responses: `tool_choice`.
    - Source: the SDKs' types; Anthropic's guide to forcing tool use.
    """
    response_format: JsonDict | type
    """The format of the answer: JSON that matches a schema.

    - Values: OpenAI's `{"type": "json_schema", …}` in either API's form, `{"type": "json_object"}`, a JSON schema, a
      pydantic class or a TypedDict.
    - Default: text.
    - Messages: `output_config.format`; the API has no `json_object`, which is reported.
    - Chat: `response_format`.
    - Responses: `text.format`.
    - Source: the SDKs' types.
    """
    reasoning_effort: Effort
    """How much the model reasons before it answers. A level that the model lacks is replaced, and reported.

    - Values: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, as far as the model has them.
    - Default: the model's own.
    - Messages: `output_config.effort`, the next lower level if needed, with thinking switched on. Models up to 4.5 get
      a `thinking` budget. For `none`, whatever switches thinking off.
    - Chat: `reasoning_effort`, the next higher level if needed.
    - Responses: `reasoning.effort`, the next higher level if needed.
    - Source: the SDKs' types; recorded errors that list the levels.
    """
    reasoning: JsonDict
    """The object of the Responses API: the effort, and whether the answer has a summary of the reasoning.

    If its effort differs from `reasoning_effort`, its effort counts, and the other is reported.

    - Values: `effort`, `summary` (`auto`, `concise`, `detailed`), `context`, `mode`.
    - Default: none.
    - Messages: `output_config.effort`, as `reasoning_effort`; `thinking.display` for `summary`; others are reported.
    - Chat: `reasoning_effort` for the effort; the API shows no reasoning: others are reported.
    - Responses: `reasoning`.
    - Source: OpenAI's SDK, `Reasoning`.
    """
    thinking: JsonDict
    """Anthropic's object: whether and how Claude thinks.

    - Values: `{"type": "adaptive"}`, `{"type": "disabled"}`, `{"type": "between_tools"}`; up to Claude 4.6 also
      `{"type": "enabled", "budget_tokens": …}` with 1024 or more, below `max_tokens`. `display` beside any that thinks.
    - Default: the model's own.
    - Messages: `thinking`; a budget becomes `adaptive` on models that take none, and it is reported.
    - Chat: `reasoning_effort` `none` for `disabled`; nothing for `adaptive`, which reasoning models do by default;
      anything else is reported.
    - Responses: `reasoning.effort` `none` for `disabled`; `reasoning.summary` for a summarized `display`; nothing for
      `adaptive`, which reasoning models do by default; anything else is reported.
    - Source: Anthropic's SDK, `ThinkingConfigParam`.
    """
    prompt_cache: Policy
    """Prompt caching: which marks are sent in addition to those on messages and tools. See `docs/caching.md`.

    - Values: `"auto"`, a `PromptCache(…)`, `"off"`.
    - Default: `None`, only the marks on messages and tools.
    - Messages: `cache_control` on `tools`, `system` and `messages`, at most 4.
    - Chat: `prompt_cache_key`; on gpt-5.6 and later also breakpoints on message parts, and `prompt_cache_options`.
    - Responses: `prompt_cache_key`; on gpt-5.6 and later also breakpoints on message parts, and `prompt_cache_options`.
    - Source: the providers' guides to prompt caching; the SDKs' types.
    """
    timeout: Any
    """How long to wait for the server, in seconds. The time to read counts anew with each received byte.

    - Values: a number; `(connect, read)`; or the SDK's own object. 0 or less means the default.
    - Default: 600, and 5 to connect.
    - Messages: a setting of the HTTP client, not of the request.
    - Chat: a setting of the HTTP client, not of the request.
    - Responses: a setting of the HTTP client, not of the request.
    - Source: the SDKs' clients.
    """
    extra_headers: Mapping[str, str]
    """Headers of the request. They replace the package's own and `default_headers`; `anthropic-beta` is extended.

    - Values: names and texts.
    - Default: none.
    - Messages: the headers.
    - Chat: the headers.
    - Responses: the headers.
    - Source: the SDKs' request options.
    """
    extra_query: Mapping[str, object]
    """Query parameters of the request's URL.

    - Values: names and values.
    - Default: none.
    - Messages: the query.
    - Chat: the query.
    - Responses: the query.
    - Source: the SDKs' request options.
    """
    extra_body: Mapping[str, Any]
    """Keys that are added to the finished body without a check, for what is newer than this package.

    - Values: whatever the API takes.
    - Default: none.
    - Messages: its keys; they replace keys of the same name.
    - Chat: its keys; they replace keys of the same name.
    - Responses: its keys; they replace keys of the same name.
    - Source: the SDKs' request options.
    """
