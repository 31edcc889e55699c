"""What other servers refuse that speak a provider's API, as it is documented or reported. Each rule has its source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import CHAT, COUNT_TOKENS, INPUT_TOKENS
from langchain_unified.testing.emulation.rules import openai_chat
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations

ON_CHAT = frozenset({CHAT})


def _rule(name: str, check: RuleCheck, message: str, source: str, **more: Any) -> Rule:
    return Rule(name, more.pop("endpoints", ON_CHAT), check, message, source, **more)


def messages_of(call: EmulatedCall) -> Iterator[tuple[int, JsonObject]]:
    """The messages of a body with their index."""
    for index, message in enumerate(call.body.get("messages") or ()):
        if isinstance(message, dict):
            yield index, message


def _key(key: str) -> RuleCheck:
    """A rule on a key of the body."""

    def check(call: EmulatedCall) -> Violations:
        if call.body.get(key) is not None:
            yield {"key": key}

    return check


def _message_key(*keys: str) -> RuleCheck:
    """A rule on keys of a message."""

    def check(call: EmulatedCall) -> Violations:
        for index, message in messages_of(call):
            for key in keys:
                if key in message:
                    yield {"key": key, "index": index, "role": message.get("role")}

    return check


def _part_key(key: str) -> RuleCheck:
    """A rule on a key of a content part."""

    def check(call: EmulatedCall) -> Violations:
        for index, message in messages_of(call):
            content = message.get("content")
            if isinstance(content, list) and any(key in part for part in content if isinstance(part, dict)):
                yield {"key": key, "index": index, "role": message.get("role")}

    return check


def _format(kind: str) -> RuleCheck:
    def check(call: EmulatedCall) -> Violations:
        if (call.body.get("response_format") or {}).get("type") == kind:
            yield {}

    return check


def _always(call: EmulatedCall) -> Violations:
    yield {}


# --- DeepSeek ---------------------------------------------------------------------------------------------------------


def thinks(body: JsonObject) -> bool:
    """Whether DeepSeek thinks: unless it is switched off, and not as the older `deepseek-chat`."""
    off = (body.get("thinking") or {}).get("type") == "disabled"
    return not off and body.get("model") != "deepseek-chat"


def _forced_while_thinking(call: EmulatedCall) -> Violations:
    choice = call.body.get("tool_choice")
    if thinks(call.body) and (choice == "required" or isinstance(choice, dict)):
        yield {}


def _reasoning_not_returned(call: EmulatedCall) -> Violations:
    if not thinks(call.body):
        return
    for _, message in messages_of(call):
        if message.get("tool_calls") and not message.get("reasoning_content"):
            yield {}


def _no_content(call: EmulatedCall) -> Violations:
    for index, message in messages_of(call):
        if message.get("role") == "assistant" and "content" not in message:
            yield {"index": index}


DEEPSEEK = (
    _rule(
        "deepseek.json_schema",
        _format("json_schema"),
        "This response_format type is unavailable now",
        "EvoScientist/EvoScientist#348; llm-exe/llm-exe#662",
        code="invalid_request_error",
    ),
    _rule(
        "deepseek.tool_choice",
        _forced_while_thinking,
        "Thinking mode does not support this tool_choice",
        "deepseek-ai/DeepSeek-V3#1376",
        code="invalid_request_error",
    ),
    _rule(
        "deepseek.reasoning",
        _reasoning_not_returned,
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
        "danny-avila/LibreChat#12836; api-docs.deepseek.com/guides/thinking_mode",
        code="invalid_request_error",
    ),
    _rule(
        "deepseek.content",
        _no_content,
        "messages[{index}]: missing field `content`",
        "alibaba/spring-ai-alibaba#4561; the words are ours",
        code="invalid_request_error",
    ),
)

# --- Groq -------------------------------------------------------------------------------------------------------------

UNSUPPORTED = "'messages.{index}' : for 'role:{role}' the following must be satisfied[('messages.{index}' : property '{key}' is unsupported)]"  # noqa: E501 - the server's words


def _several(call: EmulatedCall) -> Violations:
    if call.body.get("n") not in (None, 1):
        yield {}


GROQ = (
    _rule("groq.names", _message_key("name"), UNSUPPORTED, "console.groq.com/docs/openai"),
    _rule("groq.reasoning", _message_key("reasoning_content"), UNSUPPORTED, "tashfeenahmed/freellmapi#1070"),
    _rule("groq.marks", _part_key("cache_control"), UNSUPPORTED, "sipeed/picoclaw#1196: unknown fields are refused"),
    _rule("groq.cache key", _key("prompt_cache_key"), "property '{key}' is unsupported", "sipeed/picoclaw#1196"),
    *(
        _rule(f"groq.{key}", _key(key), "property '{key}' is unsupported", "console.groq.com/docs/openai")
        for key in ("logprobs", "top_logprobs", "logit_bias")
    ),
    _rule("groq.n", _several, "'n' : number must be at most 1", "console.groq.com/docs/openai"),
)

# --- LM Studio, llama.cpp ---------------------------------------------------------------------------------------------


def _named_choice(call: EmulatedCall) -> Violations:
    if isinstance(call.body.get("tool_choice"), dict):
        yield {}


LMSTUDIO = (
    _rule(
        "lmstudio.tool_choice",
        _named_choice,
        "Invalid tool_choice type: 'object'. Supported string values: none, auto, required",
        "lmstudio-ai/lmstudio-bug-tracker#670",
    ),
    _rule(
        "lmstudio.json_object",
        _format("json_object"),
        "'response_format.type' must be 'json_schema' or 'text'",
        "lmstudio-ai/lmstudio-bug-tracker#189",
    ),
)

# --- Mistral, Databricks, Gemini, OpenRouter --------------------------------------------------------------------------


def _call_ids(call: EmulatedCall) -> Violations:
    for _, message in messages_of(call):
        ids = [made.get("id") for made in message.get("tool_calls") or ()]
        for each in [*ids, *([message["tool_call_id"]] if "tool_call_id" in message else [])]:
            if not re.fullmatch("[a-zA-Z0-9]{9}", str(each)):
                yield {"id": each}


MISTRAL = (
    _rule(
        "mistral.call ids",
        _call_ids,
        "Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9.",
        "langchain-ai/langchain#24668; nearai/ironclaw#1241",
        type="invalid_function_call",
        code="3280",
    ),
    *(
        _rule(f"mistral.{key}", check, "{key}: Extra inputs are not permitted", source, status=422)
        for key, check, source in (
            ("max_completion_tokens", _key("max_completion_tokens"), "editor-code-assistant/eca#231"),
            ("store", _key("store"), "Gitlawb/openclaude#739"),
            ("reasoning_content", _message_key("reasoning_content"), "charmbracelet/crush#1590"),
        )
    ),
)


def _empty_content(call: EmulatedCall) -> Violations:
    for index, message in messages_of(call):
        if message.get("role") == "assistant" and message.get("content") == "":
            yield {"index": index}


DATABRICKS = (
    _rule(
        "databricks.stream_options",
        _key("stream_options"),
        'json: unknown field "{key}"',
        "continuedev/continue#12936",
        type="BAD_REQUEST",
    ),
    _rule(
        "databricks.content",
        _empty_content,
        "messages[{index}]: the content is empty",
        "anomalyco/opencode#7984; the words are ours",
        type="BAD_REQUEST",
    ),
)

NO_SIGNATURE = (
    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, "
    "and missing thought_signature may lead to degraded model performance."
)


def _no_signature(call: EmulatedCall) -> Violations:
    for _, message in messages_of(call):
        for made in message.get("tool_calls") or ():
            if not (made.get("extra_content") or {}).get("google", {}).get("thought_signature"):
                yield {}


def _no_details(call: EmulatedCall) -> Violations:
    if not re.search("gemini", call.model):
        return
    for _, message in messages_of(call):
        if message.get("tool_calls") and not message.get("reasoning_details"):
            yield {}


GEMINI = (
    _rule("gemini.signature", _no_signature, NO_SIGNATURE, "0xsline/OpenChatCut#6; Gitlawb/openclaude#67"),
    _rule("gemini.cache key", _key("prompt_cache_key"), 'Unknown name "{key}"', "sipeed/picoclaw#1196; words are ours"),
)

OPENROUTER = (_rule("openrouter.reasoning_details", _no_details, NO_SIGNATURE, "microsoft/agent-framework#2947"),)

# --- all of them ------------------------------------------------------------------------------------------------------

NO_COUNTING = (
    _rule(
        "no counting",
        _always,
        "Not Found",
        "ollama/ollama: docs/api/anthropic-compatibility.mdx; no other of these servers documents the endpoint",
        endpoints=frozenset({COUNT_TOKENS, INPUT_TOKENS}),
        status=404,
        type="not_found_error",
    ),
)

SERVER_RULES: Mapping[str, Sequence[Rule]] = {
    "azure": openai_chat.RULES,
    "databricks": DATABRICKS,
    "deepseek": DEEPSEEK,
    "gemini": GEMINI,
    "groq": GROQ,
    "lmstudio": LMSTUDIO,
    "mistral": MISTRAL,
    "openrouter": OPENROUTER,
}
"""By server, what it refuses beside what is no JSON of the API's shape."""


def server_rules(server: str) -> tuple[Rule, ...]:
    """The rules of a server."""
    return (*SERVER_RULES.get(server, ()), *NO_COUNTING)
