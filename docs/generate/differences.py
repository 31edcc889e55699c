"""The page of the differences from LangChain's partner packages, `docs/differences.md`.

`DIFFERENCES` is also what the drop-in tests (`tests/dropin/`) allow: a row with `same` makes the bodies of both equal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from docs.generate.markdown import table

Body: TypeAlias = dict[str, Any]

HEAD = """# Differences from langchain-anthropic and langchain-openai

Written by `make tables` from `docs/generate/differences.py`. Do not edit this page by hand.

A program that changes one import does the same, except for these differences, which are on purpose. `tests/dropin/`
runs programs with the partner packages and with this one, compares requests and results, and allows nothing else.
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `theirs_here`: how to get the partner's behaviour. `same`: makes it equal in a body, in place."""

    topic: str
    partner: str
    here: str
    why: str
    theirs_here: str
    same: Callable[[Body], None] | None = None


# --- what goes out: equal in meaning to the API -----------------------------------------------------------------------


def parts_of(body: Body) -> Iterable[Body]:
    """The messages or input items of a body."""
    found = body.get("messages") or body.get("input")
    return found if isinstance(found, list) else ()


def _texts_as_blocks(body: Body) -> None:
    for holder in (body, *parts_of(body)):
        for key in ("content", "system", "output"):
            if isinstance(holder.get(key), str):
                holder[key] = [{"type": "text", "text": holder[key]}]
        for block in holder["content"] if isinstance(holder.get("content"), list) else ():
            if block.get("type") == "input_text":
                block["type"] = "text"
            if block.get("type") == "tool_result":
                _texts_as_blocks(block)


def _plain_assistant_items(body: Body) -> None:
    if "input" not in body:
        return
    for item in parts_of(body):
        if item.get("role") != "assistant":
            continue
        item.pop("id", None)
        item.pop("status", None)
        blocks = item["content"] if isinstance(item["content"], list) else [{"type": "text", "text": item["content"]}]
        item["content"] = [{"type": "text", "text": block["text"]} for block in blocks if block["text"]]
    if isinstance(body["input"], list):
        body["input"] = [item for item in body["input"] if item.get("content", True)]


def _blocks_of(item: Body) -> Iterable[Body]:
    for key in ("content", "output"):
        if isinstance(item.get(key), list):
            yield from item[key]


def _absent_defaults_of_tool(tool: Body) -> None:
    if not tool.get("description", True):
        del tool["description"]
    if tool.get("type") == "custom" and "input_schema" in tool:
        del tool["type"]


def _absent_default_params(body: Body) -> None:
    if str(body["model"]).startswith("o1") and body.get("temperature") == 1:
        del body["temperature"]
    if (body.get("reasoning") or {}).get("effort", "") is None:
        del body["reasoning"]["effort"]


def _absent_defaults(body: Body) -> None:
    if body.get("stream") is False:
        del body["stream"]
    _absent_default_params(body)
    for tool in body.get("tools") or ():
        _absent_defaults_of_tool(tool)
    for item in parts_of(body):
        if item.get("type") == "message":
            del item["type"]
        if item.get("tool_calls") and item.get("content", "") is None:
            del item["content"]
        for holder in (item, *_blocks_of(item)):
            for key, default in (("is_error", False), ("detail", "auto"), ("cache_control", None), ("call_id", None),
                                 ("status", None)):  # fmt: skip
                if key in holder and holder[key] == default:
                    del holder[key]


def _compact_arguments(body: Body) -> None:
    for item in parts_of(body):
        for holder in (item, *(call["function"] for call in item.get("tool_calls") or ())):
            if isinstance(holder.get("arguments"), str):
                holder["arguments"] = json.loads(holder["arguments"])


def _usage_of_streams(body: Body) -> None:
    body.pop("stream_options", None)


def _user(body: Body) -> None:
    if "safety_identifier" in body:
        body["user"] = body.pop("safety_identifier")


def _file_name(body: Body) -> None:
    for item in parts_of(body):
        for block in item["content"] if isinstance(item.get("content"), list) else ():
            if block.get("type") == "document" and not block.get("citations"):
                block.pop("title", None)


def _enforced_format(body: Body) -> None:
    form = (body.get("response_format") or {}).get("json_schema") or (body.get("text") or {}).get("format") or {}
    if "schema" in form:
        form["strict"] = True
        form.pop("description", None)
        form["schema"] = {k: v for k, v in form["schema"].items() if k not in ("title", "description")}
        form["schema"]["additionalProperties"] = False


def _instructions(body: Body) -> None:
    for item in parts_of(body):
        if item.get("role") == "developer":
            item["role"] = "system"


def _encrypted_reasoning(body: Body) -> None:
    if body.get("store") is False and body.get("include") == ["reasoning.encrypted_content"]:
        del body["include"]


def _tool_that_answers(body: Body) -> None:
    for tool in body.get("tools") or ():
        holder = tool.get("function") or tool
        hint = "Call this tool to give the answer."
        if hint not in str(holder.get("description")):
            continue
        holder["description"] = holder["description"].removesuffix(hint).strip()
        schema = holder.get("parameters") or holder["input_schema"]
        for each in schema["properties"].values():
            each.pop("title", None)


def _strict_schemas(body: Body) -> None:
    for tool in body.get("tools") or ():
        if tool.get("strict") and "input_schema" in tool:
            for each in tool["input_schema"]["properties"].values():
                each["description"] = each.get("description", "").partition("{")[0].strip()
                each.pop("default", None)
            tool["input_schema"].pop("required", None)


def _parallel_answers(body: Body) -> None:
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and len(body.get("tools") or ()) == 1:
        body.pop("parallel_tool_calls", None)


NOTHING = "not needed: the API takes both alike"

DIFFERENCES = (
    Difference(
        "texts of messages",
        "ChatAnthropic: `content` is a string",
        "a list with one text block",
        "a cache mark then fits anywhere without a change of the prefix",
        NOTHING,
        _texts_as_blocks,
    ),
    Difference(
        "answers in a history, on Responses",
        "items with `id` and `annotations`",
        "the text, where nothing else is known",
        "an id that the server does not store is refused",
        '`output_version="responses/v1"`',
        _plain_assistant_items,
    ),
    Difference(
        "defaults",
        "sent: `stream: false`, `type: message`, `content: null`, `is_error: false`, `temperature: 1` (o1 models), "
        "nulls, empty descriptions",
        "left out, and `detail: auto` of images is sent on Responses",
        "fewer bytes; the SDK's type requires `detail`",
        NOTHING,
        _absent_defaults,
    ),
    Difference(
        "arguments of calls in a history",
        "JSON with spaces",
        "the model's own bytes, else JSON without spaces",
        "the bytes that the model wrote are read from the prompt cache",
        NOTHING,
        _compact_arguments,
    ),
    Difference(
        "usage of a stream",
        "ChatOpenAI: none from another `base_url`",
        "always asked for",
        "costs and cache reports need it",
        "`stream_usage=False`",
        _usage_of_streams,
    ),
    Difference(
        "`user` on Responses",
        "`user`",
        "`safety_identifier`",
        "OpenAI has replaced `user`",
        '`extra_body={"user": …}`',
        _user,
    ),
    Difference(
        "system messages of OpenAI's reasoning models",
        "`system`; `developer` for `o…` models",
        "`developer` for all of them",
        "the role that OpenAI names for them",
        NOTHING,
        _instructions,
    ),
    Difference(
        "`store=False` on Responses, for models that reason",
        "nothing else",
        '`include: ["reasoning.encrypted_content"]` as well',
        "the next turn cannot replay reasoning that nobody stores",
        '`extra_body={"include": []}`',
        _encrypted_reasoning,
    ),
    Difference(
        "names of documents",
        "ChatAnthropic: dropped",
        "the document's `title`",
        "the model can name its source",
        "leave the file name out",
        _file_name,
    ),
    Difference(
        "structured output by dicts and TypedDicts, on OpenAI",
        "not strict, unless `strict=True`",
        "strict where the schema allows it",
        "the provider then holds the answer to the schema",
        "`strict=False`",
        _enforced_format,
    ),
    Difference(
        "strict tools on Claude",
        "every property is required; all keywords stay in the schema",
        "optional properties stay optional; `default`, `pattern` and the like stand in the description",
        "Claude has optional properties in strict tools, and refuses many keywords",
        "leave `strict` out",
        _strict_schemas,
    ),
    Difference(
        '`method="function_calling"`: the tool',
        "the schema as LangChain core converts it",
        "the schema as pydantic writes it, and one sentence more in the description",
        "Claude that cannot be forced to call has to know that the tool is the answer",
        "bind the class as a tool",
        _tool_that_answers,
    ),
    Difference(
        '`method="function_calling"`: parallel calls',
        "ChatOpenAI: `parallel_tool_calls: false`",
        "not sent: the first call is the answer",
        "OpenAI's o models refuse the parameter; with tools beside it, parallel calls are wanted",
        "`with_structured_output(…, parallel_tool_calls=False)`",
        _parallel_answers,
    ),
    # --- what a program sees ---
    Difference(
        "an unknown keyword",
        "moved to `model_kwargs` with a warning, or a `TypeError` at the first call",
        "an error at construction, with the closest name",
        "a misspelt parameter has no effect",
        "`extra_body` for body keys",
    ),
    Difference(
        "a parameter that the model refuses",
        "sent: a 400; or dropped without notice",
        'left out, one warning, and an entry in `response_metadata["adjustments"]`',
        "a call that could work works",
        '`on_unsupported="raise"`',
    ),
    Difference(
        "a content block that the API has not",
        "dropped without notice, or a 400",
        "an error before the network that names it",
        "the model would answer without it",
        "remove the block",
    ),
    Difference(
        "a history that the provider refuses",
        "sent: a 400",
        "repaired, and listed in `adjustments`",
        "an agent's thread goes on",
        '`repair="raise"`',
    ),
    Difference(
        "a system message where Claude takes none (after an answer, before a user message)",
        "sent: a 400",
        "a text of the user message that begins with `[System instruction]`; listed. Older models: the end of `system`",
        "the API takes it between a user message and an answer, or at the end",
        "put it first, or directly before an answer",
    ),
    Difference(
        "an answer of Claude's that ends in thinking, or holds nothing else",
        "sent: a 400",
        "thinking at the end is left out; thinking alone gets a text after it; listed",
        "the last block of an answer cannot be thinking",
        "not needed",
    ),
    Difference(
        "a call of a server tool without its result, or a result without its call",
        "sent: a 400",
        "text in brackets, listed; a paused turn stays",
        "the API refuses one without the other",
        '`repair="raise"`',
    ),
    Difference(
        '`thinking={"type": "disabled"}` on models that refuse it',
        "sent: a 400",
        "the nearest setting, or nothing, listed",
        "the model cannot be kept from thinking",
        "`extra_body`",
    ),
    Difference(
        "thinking in a history, on models that bind it to the conversation",
        "sent alone: a 400 once the system prompt or the tools change",
        "`thinking.block_binding` is added, so that the server drops what does not fit",
        "an agent's prompt and tools change",
        "give `thinking` with `block_binding`",
    ),
    Difference(
        "an output format for documents with citations, on Claude",
        "a 400",
        "`with_structured_output` uses a tool; with `response_format` the citations are switched off; listed",
        "the API excludes the two together",
        "not needed",
    ),
    Difference(
        "items of the Responses API in a human message",
        "sent: also messages of the developer, and tools",
        "parts, approvals and outputs that answer a call; other items raise `UnsupportedContentError`",
        "a user's text must never become an instruction or a tool",
        "put the item into a system message",
    ),
    Difference(
        "items of the Responses API in a tool message",
        "take the place of the result",
        "the output that fits the call; anything else is JSON text inside the result, listed",
        "what a tool returns is data",
        "answer the call with its type of output",
    ),
    Difference(
        "functions with optional properties, on Responses",
        "without `strict`: the API makes the properties required",
        "`strict: false`, listed",
        "optional arguments stay optional",
        "`strict=True`, or require all properties",
    ),
    Difference(
        "`max_tokens` under 16, on Responses",
        "sent: a 400",
        "16 is sent, listed",
        "the API takes 16 at least",
        '`extra_body={"max_output_tokens": 5}`',
    ),
    Difference(
        "`AIMessage.id`",
        "ChatOpenAI on Responses: the response's id; with `output_version=\"v0\"` the message item's",
        "LangChain's own id; the item's is in its text block",
        "two answers from a cache or a recording stay two messages",
        '`response_metadata["id"]`, which both have',
    ),
    Difference(
        "an unfinished or streamed text of the Responses API",
        "`status` and `logprobs` are dropped",
        "beside the text in its block",
        "a program can see that the text is cut",
        "not needed",
    ),
    Difference(
        "a prompt in which no message has content",
        "sent",
        "`InvalidHistoryError`, except for an empty user message on OpenAI, which is sent as well",
        "most often a variable that was empty; Claude refuses it, OpenAI answers an empty user message",
        "send the instructions as a message",
    ),
    Difference(
        "reasoning of compatible servers on Chat Completions",
        "dropped; `model_provider` is `openai`",
        "a `reasoning` block and `reasoning_content`; `model_provider` is `openai_compatible`, `server` its name",
        "LangChain core shows no reasoning beside a text of `openai`; the server wants it back",
        "read `text` and `tool_calls`, which are the same",
    ),
    Difference(
        "timeouts",
        "none, or the SDK's 600 s",
        "600 s, 5 s to connect; a stream fails after 600 s without content (`ChatOpenAI`: 120 s, as before)",
        "a dead connection is noticed",
        "`timeout=…`, `stream_chunk_timeout=None`",
    ),
    Difference(
        "retries",
        "the SDKs': Claude's waits as long as `retry-after` says, OpenAI's up to 120 s; none for a failure in a 200",
        "one layer for both: up to 120 s, a longer wait is an error at once; a failure before the first content counts",
        "no call sleeps for hours, and an overloaded stream is asked for again",
        "`max_retry_wait=…`, `max_retries=0`",
    ),
    Difference(
        "the size of what is read",
        "no limit",
        "100 MB of a reply or an event, 1 MB of an error's body",
        "a server without end does not fill the memory",
        "`max_reply_bytes`, `max_event_bytes`, `max_error_bytes`",
    ),
    Difference(
        "a stream that ends before its final event",
        "looks like a complete answer",
        "`IncompleteStreamError`",
        "half an answer is no answer",
        "catch it and use `error.partial`",
    ),
    Difference(
        "errors",
        "the SDK's; some are LangChain's",
        "each is LangChain core's class and the SDK's at once",
        "one `except` serves both providers",
        "not needed: `except openai.RateLimitError` works",
    ),
    Difference(
        "`with_structured_output` on Claude",
        "`function_calling`: `raw.tool_calls` has the answer",
        "`json_schema` where the model has it: `raw.tool_calls` is empty",
        "the provider enforces the schema",
        '`method="function_calling"`',
    ),
    Difference(
        "`include_raw=True` on OpenAI",
        '`raw.additional_kwargs["parsed"]` as well',
        "`parsed` beside `raw` alone",
        "one place for it",
        "`response_format=<class>` in `invoke` sets it",
    ),
    Difference(
        "a dict as the schema of `with_structured_output`",
        "the answer is not checked",
        "the answer is checked",
        "a program reads keys of it",
        "`include_raw=True` raises nothing",
    ),
    Difference(
        "an answer that does not fit `response_format`",
        "pydantic's `ValidationError`, `LengthFinishReasonError`",
        "`StructuredOutputError`, `TruncatedOutputError`; both are core's `OutputParserException`",
        "the same on both providers, with text and message",
        "the error's `__cause__`",
    ),
    Difference(
        "`anyOf`, `oneOf` or `allOf` at the root of a tool's schema",
        "ChatAnthropic drops the tool; ChatOpenAI: a 400",
        "folded into one object; what it does not express is an adjustment",
        "the other tools and this one go on working",
        '`on_unsupported="raise"`',
    ),
    Difference(
        "`.kwargs` of a binding",
        "the provider's form of tools and choice",
        "a neutral form",
        "a call may name a model of the other provider",
        "`model.check(…).body` shows the provider's form",
    ),
    Difference(
        "`dumps` and `loads`",
        "`loads` knows the namespace",
        '`loads(…, valid_namespaces=["langchain_unified"], allowed_objects=[ChatOpenAI])`',
        "core loads its own classes and the partners' without them",
        "pass both; a bound model needs `RunnableBinding` in `allowed_objects`, too",
    ),
    Difference(
        "`temperature` on older Claude models",
        "sent as it is",
        "sent with the API version that still takes it",
        "the newest version refuses it",
        "leave it out",
    ),
    Difference(
        "`effort` on Claude models that think only when asked",
        "thinking stays off",
        "`effort` switches thinking on",
        "an effort without thinking has no effect there",
        '`thinking={"type": "disabled"}`',
    ),
    Difference(
        "token counting",
        "ChatOpenAI: tiktoken, which downloads a file",
        "the provider's endpoint on both",
        "tools and images are counted, too",
        "count with tiktoken itself",
    ),
    Difference(
        "pickle",
        "fails after use",
        "works before and after use, and contains no API key; headers, query parameters and MCP tokens go along",
        "process pools",
        "not needed",
    ),
    Difference(
        "`AnthropicPromptCachingMiddleware`",
        "marks the prompt",
        "warns, and does nothing: it accepts the partner class only",
        "it tests the class",
        '`prompt_cache="auto"`, which works on both providers',
    ),
    Difference(
        "`root_client`, `root_async_client`, `tiktoken_model_name`",
        "arguments of the constructor",
        "errors",
        "they have no meaning here",
        "`client` and `async_client` take the SDK's clients",
    ),
)
"""All differences. Those with `same` come first and are applied in this order."""


def page() -> str:
    """The page as Markdown."""
    head = ("topic", "partner packages", "here", "why", "how to get theirs")
    rows = [(each.topic, each.partner, each.here, each.why, each.theirs_here) for each in DIFFERENCES]
    return "\n".join([HEAD, *table(head, rows), ""])
