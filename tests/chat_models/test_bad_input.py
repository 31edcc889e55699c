"""Bad input gets an error of our own tree that names the thing and the remedy, before the network where it can."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage

from langchain_unified import (
    ChatAnthropic,
    ChatOpenAI,
    ChatUnified,
    ConfigurationError,
    ConnectionFailedError,
    IncompleteStreamError,
    InvalidHistoryError,
    InvalidToolError,
    MissingKeyError,
    OverloadedError,
    ReplyError,
    ServerError,
    UnifiedError,
    UnsupportedContentError,
    UnsupportedParameterError,
)
from langchain_unified.chat_models._arguments import CALL_KEYS, PARAM_KEYS, SYNONYMS, native_keys
from langchain_unified.chat_models._unknown import RENAMED
from tests.support.server import Received, Reply, serve

MODELS: dict[str, Callable[..., Any]] = {
    "anthropic": lambda **kw: ChatAnthropic(**{"model": "claude-sonnet-4-5", "api_key": "k", "max_retries": 0, **kw}),
    "chat": lambda **kw: ChatOpenAI(
        **{"model": "gpt-4o", "api_key": "k", "max_retries": 0, "use_responses_api": False, **kw}
    ),
    "responses": lambda **kw: ChatOpenAI(
        **{"model": "gpt-4o", "api_key": "k", "max_retries": 0, "use_responses_api": True, **kw}
    ),
}
each_model = pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)


# --- before the network: no server is running, so a request would fail otherwise -------------------------------------


@pytest.mark.parametrize("cls", [ChatAnthropic, ChatOpenAI, ChatUnified])
def test_an_unknown_keyword_gets_the_closest_name(cls: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'temprature' is not a parameter of .*'temperature'"):
        cls(model="gpt-4o", temprature=0.5)


@each_model
def test_an_unknown_keyword_of_a_call(build: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'temprature' is not a parameter of this call.*'temperature'"):
        build().invoke("hi", temprature=0.5)


@pytest.mark.parametrize(
    "cls, model", [(ChatAnthropic, "claude-opus-5"), (ChatOpenAI, "gpt-5.6"), (ChatUnified, "gpt-5.6")]
)
@pytest.mark.parametrize("word", RENAMED)
def test_a_word_of_another_library_is_answered_with_a_name_that_is_taken(cls: Any, model: str, word: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cls(model, **{word: "x"})
    named = re.findall(r"`(\w+)`", str(caught.value))
    fields = {name for field, info in cls.model_fields.items() for name in (field, info.alias)}
    assert len(named) == 1
    assert named[0] in fields


@pytest.mark.parametrize("word", RENAMED)
def test_also_in_a_call(word: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MODELS["chat"]().invoke("hi", **{word: "x"})
    (named,) = re.findall(r"`(\w+)`", str(caught.value))
    in_the_constructor = "in the constructor" in str(caught.value)
    assert in_the_constructor or SYNONYMS.get(named, named) in PARAM_KEYS | CALL_KEYS | native_keys(None)


@pytest.mark.parametrize("word, remedy", [
    ("drop_params", "on_unsupported"), ("fallbacks", "with_fallbacks"), ("mock_response", "emulator"),
    ("stream", "Call `stream`"), ("tools", "bind_tools"), ("max_budget", "Budget"),
])  # fmt: skip
def test_a_word_that_no_keyword_stands_for_has_a_remedy(word: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=remedy):
        ChatOpenAI("gpt-5.6", **{word: []})


@pytest.mark.parametrize(
    "word", ["speed", "betas", "mcp_servers", "min_p", "proxies", "api_version", "token", "quelle"]
)
def test_a_word_that_nothing_here_stands_for_has_no_suggestion(word: str) -> None:
    """`speed` is Anthropic's, and no misspelt `seed`."""
    with pytest.raises(ConfigurationError) as caught:
        ChatOpenAI("gpt-5.6", **{word: "x"})
    assert "Did you mean" not in str(caught.value)
    assert re.findall(r"`(\w+)`", str(caught.value)) == ["extra_body"]


def test_a_missing_model_is_named_as_it_is_written() -> None:
    with pytest.raises(
        ConfigurationError, match=r'`model` is missing. Write ChatUnified\("anthropic/claude-sonnet-5"\)'
    ):
        ChatUnified()
    with pytest.raises(ConfigurationError, match=r'`model` is missing. Write ChatAnthropic\("claude-sonnet-5"\)'):
        ChatAnthropic()


def test_a_value_of_the_wrong_type_is_no_pydantic_traceback() -> None:
    with pytest.raises(ConfigurationError, match="ChatAnthropic cannot be built: temperature") as caught:
        ChatAnthropic(model="claude-sonnet-4-5", temperature="warm")
    assert caught.value.__cause__ is None


@each_model
def test_no_messages(build: Any) -> None:
    with pytest.raises(InvalidHistoryError, match="no messages"):
        build().invoke([])


@each_model
def test_a_block_that_no_wire_knows(build: Any) -> None:
    messages = [HumanMessage("a"), HumanMessage([{"type": "hologram", "data": "x"}])]
    with pytest.raises(UnsupportedContentError, match=r"'hologram' block in message 1 \(user\).*non_standard"):
        build().invoke(messages)


@pytest.mark.parametrize("name", ["anthropic", "responses"])
def test_audio_where_there_is_none(name: str) -> None:
    block = {"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}
    with pytest.raises(UnsupportedContentError, match=r"'audio' block in message 0"):
        MODELS[name]().invoke([HumanMessage([block])])


@each_model
def test_a_tool_without_a_name(build: Any) -> None:
    with pytest.raises(InvalidToolError, match="no name"):
        build().bind_tools([{"description": "d", "input_schema": {"type": "object"}}])


@each_model
def test_two_tools_of_one_name(build: Any) -> None:
    tool = {"name": "t", "input_schema": {"type": "object"}}
    with pytest.raises(InvalidToolError, match="Two tools are named 't'"):
        build().bind_tools([tool, tool]).invoke("hi")


@each_model
def test_a_forced_tool_that_is_not_bound(build: Any) -> None:
    with pytest.raises(InvalidToolError, match=r"'other', which is not bound\. Bound tools: t"):
        build().bind_tools([{"name": "t", "input_schema": {"type": "object"}}], tool_choice="other")


@each_model
def test_a_forced_choice_without_tools(build: Any) -> None:
    with pytest.raises(InvalidToolError, match="no tools are bound"):
        build().bind_tools([], tool_choice="any")


@each_model
def test_a_tool_result_without_its_call(build: Any) -> None:
    messages = [HumanMessage("a"), ToolMessage("42", tool_call_id="call_nobody_made")]
    with pytest.raises(InvalidHistoryError, match="call_nobody_made"):
        build(repair="raise").invoke(messages)


@each_model
def test_an_order_to_a_graph_is_no_message(build: Any) -> None:
    with pytest.raises(InvalidHistoryError, match="RemoveMessage"):
        build().invoke([HumanMessage("a"), RemoveMessage(id="1")])


@pytest.mark.parametrize("name", ["chat", "responses"])
def test_zero_tokens_mean_nothing_to_openai(name: str) -> None:
    with pytest.raises(UnsupportedParameterError, match="max_tokens"):
        MODELS[name]().invoke("hi", max_tokens=0)


@each_model
@pytest.mark.parametrize("value", [-1, 1.5, "many", True])
def test_max_tokens_is_a_whole_number(build: Any, value: Any) -> None:
    with pytest.raises(UnsupportedParameterError, match="max_tokens"):
        build().invoke("hi", max_tokens=value)


@each_model
def test_a_stray_temperature(build: Any) -> None:
    with pytest.raises(UnsupportedParameterError, match="temperature"):
        build().invoke("hi", temperature="hot")


@pytest.mark.parametrize("cls, variable", [(ChatAnthropic, "ANTHROPIC_API_KEY"), (ChatOpenAI, "OPENAI_API_KEY")])
def test_no_key_names_the_variable_at_the_first_call(cls: Any, variable: str) -> None:
    model = cls(model="claude-sonnet-4-5" if cls is ChatAnthropic else "gpt-4o")
    with pytest.raises(MissingKeyError, match=variable):
        model.invoke("hi")


@each_model
def test_raise_instead_of_a_warning(build: Any) -> None:
    with pytest.raises(UnsupportedParameterError, match=r"verbosity|top_k"):
        build(on_unsupported="raise").invoke("hi", top_k=5, verbosity="low")


# --- after the network -----------------------------------------------------------------------------------------------


def answering(reply: Reply) -> Callable[[Received], Reply]:
    return lambda request: reply


def address(build: Any, url: str) -> Any:
    model = build()
    return build(base_url=url if isinstance(model, ChatAnthropic) else url + "/v1")


HTML = b"<html><body><h1>502 Bad Gateway</h1><p>nginx</p></body></html>"
BROKEN: dict[str, tuple[Reply, type[UnifiedError]]] = {
    "not json": (Reply(200, {"content-type": "application/json"}, b"hello"), ReplyError),
    "cut json": (Reply(200, {"content-type": "application/json"}, b'{"id": "x", "cont'), ReplyError),
    "an html page": (Reply(200, {"content-type": "text/html"}, HTML), ReplyError),
    "an html error": (Reply(502, {"content-type": "text/html"}, HTML), ServerError),
    "a list": (Reply.json([1, 2]), ReplyError),
    "an empty object": (Reply.json({}), ReplyError),
    "another object": (Reply.json({"hello": "world", "content": 7, "choices": 7, "output": 7}), ReplyError),
    "an error inside": (
        Reply.json({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}),
        OverloadedError,
    ),
    "a cut body": (
        Reply(200, {"content-type": "application/json"}, b'{"id": "x"}' * 9, cut=True),
        ConnectionFailedError,
    ),
    "nothing": (Reply(200, {"content-type": "application/json"}, b""), ReplyError),
}


@each_model
@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_reply(build: Any, name: str) -> None:
    reply, expected = BROKEN[name]
    with serve(answering(reply)) as server:
        model = address(build, server.url)
        with pytest.raises(expected) as caught:
            model.invoke("hi")
        with pytest.raises(expected):
            await model.ainvoke("hi")
    assert isinstance(caught.value, ModelError)
    assert "<h1>" not in str(caught.value) or len(str(caught.value)) < 400


@each_model
@pytest.mark.parametrize("name", [name for name in BROKEN if name != "a cut body"])
async def test_a_broken_reply_to_a_stream(build: Any, name: str) -> None:
    reply, expected = BROKEN[name]
    with serve(answering(reply)) as server:
        model = address(build, server.url)
        allowed = (expected, ReplyError, IncompleteStreamError)
        with pytest.raises(allowed):
            list(model.stream("hi"))
        with pytest.raises(allowed):
            _ = [chunk async for chunk in model.astream("hi")]


FIRST: dict[str, list[Any]] = {
    "anthropic": [
        {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
                                              "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    ],
    "chat": [{"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "created": 1,
              "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hello"}, "finish_reason": None}]}],
    "responses": [
        {"type": "response.created", "response": {"id": "resp_1", "model": "m", "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0,
         "item": {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}},
        {"type": "response.content_part.added", "output_index": 0, "content_index": 0, "item_id": "msg_1",
         "part": {"type": "output_text", "text": "", "annotations": []}},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "msg_1",
         "delta": "Hello"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
async def test_a_stream_without_its_end(name: str) -> None:
    with serve(lambda request: Reply.sse(FIRST[name])) as server:
        model = address(MODELS[name], server.url)
        with pytest.raises(IncompleteStreamError) as caught:
            list(model.stream("hi"))
        with pytest.raises(IncompleteStreamError):
            _ = [chunk async for chunk in model.astream("hi")]
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hello"
    assert caught.value.partial.response_metadata["incomplete"] is True
    assert caught.value.is_retryable


@pytest.mark.parametrize("name", MODELS)
def test_a_stream_that_breaks(name: str) -> None:
    with (
        serve(lambda request: Reply.sse(FIRST[name], cut=True)) as server,
        pytest.raises(ConnectionFailedError) as caught,
    ):
        list(address(MODELS[name], server.url).stream("hi"))
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hello"


@pytest.mark.parametrize("name", MODELS)
def test_an_error_in_mid_stream(name: str) -> None:
    error = {"type": "overloaded_error", "code": "server_overloaded", "message": "busy"}
    event = {"type": "error", "error": error}
    with (
        serve(lambda request: Reply.sse([*FIRST[name], event])) as server,
        pytest.raises(OverloadedError, match="busy") as caught,
    ):
        list(address(MODELS[name], server.url).stream("hi"))
    assert caught.value.partial is not None
    assert caught.value.is_retryable


def test_a_server_of_another_kind_may_leave_the_end_out() -> None:
    """Servers that only speak the API may never send a final event: the message says so instead of an error."""
    model = ChatOpenAI(model="gpt-4o", api_key="k", use_responses_api=False)
    with serve(lambda request: Reply.sse(FIRST["chat"])) as server:
        model.openai_api_base = server.url + "/v1"
        route = model._route()
        object.__setattr__(
            model, "_route", lambda name=None: replace(route, dialect=replace(route.dialect, must_finish=False))
        )
        message = None
        for chunk in model.stream("hi"):
            message = chunk if message is None else message + chunk
    assert isinstance(message, AIMessage)
    assert message.text == "Hello"
    assert message.response_metadata["incomplete"] is True
