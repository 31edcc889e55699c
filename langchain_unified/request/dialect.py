"""What a server that speaks a provider's API takes and gives otherwise than the provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ContentPart: TypeAlias = Literal["image", "audio", "file", "file_url", "video", "audio_url", "other"]
"""A kind of part in a user message of Chat Completions: `video` and `audio_url` by URL (`video_url`, `audio_url`),
`file_url` a file whose `file_data` is a URL, `other` whatever the caller writes in the server's own form."""

ReasoningField: TypeAlias = Literal["reasoning_content", "reasoning", "reasoning_details"]
"""A key of an assistant message of Chat Completions that holds what a model thought."""

StructuredOutput: TypeAlias = Literal["json_schema", "json_object"]
"""A kind of format of the answer that a server holds the model to."""

BOTH_FORMATS: frozenset[StructuredOutput] = frozenset({"json_schema", "json_object"})

OPENAI_PARTS: frozenset[ContentPart] = frozenset({"image", "audio", "file"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a server differs from the provider whose API it speaks. The defaults are the provider itself.

    Give one as `dialect=` to a chat model, or the name of a known server; otherwise the address decides
    (`langchain_unified.servers`). A flag that concerns one API has no effect on the others.
    `dataclasses.replace(known_dialect("vllm"), strict_tools=True)` changes one flag of a known server.
    """

    name: str = field(default="custom", compare=False)
    """The server's name in `data/servers.json`; `openai` and `anthropic` are the providers themselves."""
    why: str = field(default="", compare=False)
    """Why this dialect was chosen, as `check` prints it. Empty where it was given."""
    host: str = field(default="", compare=False)
    """Host and port that it speaks of; empty for the provider's own address."""

    # --- names and routing ---

    model_ids: Literal["own", "as_written", "with_vendor"] = "own"
    """`own`: the provider's prefix of a model's name (`openai/gpt-5.6`) is removed, as the server's ids have none.
    `as_written`: `ChatOpenAI` and `ChatAnthropic` send a name unchanged; `ChatUnified` removes the prefix, which tells
    it the provider. `with_vendor`: the prefix belongs to the server's ids, and each class sends it."""
    responses_api: Literal["preferred", "on_request", "none"] = "preferred"
    """When OpenAI's Responses API is used: for what needs or prefers it, only for what needs it, or only where the
    caller sets `use_responses_api=True`."""
    counting: Literal["endpoint", "tried", "estimated"] = "endpoint"
    """Whether tokens are counted by the provider's endpoint; `tried`: by it, or estimated where there is none."""

    batches: bool = True
    """Whether the server has the provider's batch API. Of other servers it is not assumed: most have none."""

    # --- the body ---

    max_tokens_key: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """The key of the output limit on Chat Completions. Models of OpenAI's that refuse `max_tokens` never get it."""
    stream_usage: bool = True
    """Whether `stream_options.include_usage` is sent."""
    cache_marks: Literal["native", "cache_control", "none"] = "native"
    """How prompt-cache marks are sent: in the provider's form, as Anthropic's `cache_control` on a block of a Chat
    body, or not at all."""
    cache_params: bool = True
    """Whether OpenAI's `prompt_cache_key`, `prompt_cache_retention` and `prompt_cache_options` are sent."""
    structured_output: frozenset[StructuredOutput] = BOTH_FORMATS
    """The kinds of `response_format` that the server has. Without `json_schema`, a tool stands in for it where a call
    can be forced, else the schema stands in the prompt. Answers are always checked here."""
    tools: bool = True
    """Whether the server takes tools at all."""
    forced_tool_choice: Literal["named", "required", "none"] = "named"
    """Whether a `tool_choice` may require a call: of a named tool, only of any tool, or not at all."""
    strict_tools: bool = True
    """Whether `strict` of a tool is sent."""
    developer_role: bool = True
    """Whether system messages go to reasoning models as `developer`; otherwise they stay `system`."""
    message_names: bool = True
    """Whether `name` of a message is sent."""
    parallel_tool_calls: bool = True
    """Whether `parallel_tool_calls` is sent."""
    safety_identifier: bool = True
    """Whether `user` goes to reasoning models as `safety_identifier`; otherwise it stays `user`."""
    top_k: bool = False
    """Whether Chat Completions takes `top_k`."""
    effort: Literal["reasoning_effort", "reasoning", "none"] = "reasoning_effort"
    """How Chat Completions takes a reasoning effort: by that key, as `reasoning.effort`, or not at all."""
    thinking: bool = False
    """Whether Chat Completions takes Anthropic's `thinking`."""
    content_parts: frozenset[ContentPart] = OPENAI_PARTS
    """The parts that user messages of Chat Completions may have beside text."""
    own_limits: bool = True
    """Whether the provider's own limits hold: of values (`temperature` up to 2), media types and addresses."""
    call_content: Literal["omitted", "null", "empty"] = "omitted"
    """The `content` of an assistant message that has tool calls and no text."""

    call_id_length: int | None = None
    """The exact length of a tool call's id, of letters and digits alone; `None`: the API's own rules."""

    # --- the answer ---

    must_finish: bool = True
    """Whether a stream without a final event is an error; some servers never send one."""
    reasoning_field: ReasoningField | None = None
    """The key in which the server's models are known to give their reasoning; `None`: none, or it is not known. Each of
    the three is read from any server."""
    reasoning_replay: Literal["as_received", "with_tool_calls", "never"] = "as_received"
    """Whether reasoning goes back to the server that gave it, in the key that it came in: in every assistant message,
    only in those with tool calls, or not."""
    other_calls: Literal["as_they_are", "with_reasoning", "with_signature"] = "as_they_are"
    """How tool calls of other servers go out where the server refuses calls without its own reasoning or signature:
    with a text in `reasoning_field`, or with the signature that Gemini documents for such calls."""
