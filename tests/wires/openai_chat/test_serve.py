"""The mirror codec of Chat Completions: bodies read back, replies and streams told as the API tells them."""

from __future__ import annotations

import contextlib
import copy
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import add_ai_message_chunks
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from langchain_unified.errors import RequestError, UnsupportedContentError
from langchain_unified.request import Dialect, OutputFormat, Request, ToolChoice, ToolSpec, Turn
from langchain_unified.wires._completion import Completion, Tokens
from langchain_unified.wires.openai_chat import WIRE
from langchain_unified.wires.openai_chat.serve import read_request, render_events, render_replies, render_reply
from tests.support.corpus import exchanges, needs_corpus, replies, sse_events, streams
from tests.support.strategies_openai_chat import COMPLETIONS, JSON, requests

HELLO = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hi"}]}
WITH_USAGE = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def call(name: str, args: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return {"type": "tool_call", "id": f"call_{number}", "name": name, "args": args}


# --- law 2: what was encoded is read back -----------------------------------------------------------------------------


@given(requests())
@settings(max_examples=150)
def test_a_request_comes_back(request):
    encoded = WIRE.encode(request)
    assert encoded.adjustments == ()
    found = read_request(encoded.body, encoded.headers)
    assert found == request
    assert WIRE.encode(found) == encoded


@given(requests())
@settings(max_examples=40)
def test_the_body_is_left_alone(request):
    body = WIRE.encode(request).body
    before = copy.deepcopy(body)
    read_request(body)
    assert body == before


@pytest.mark.parametrize(
    "dialect", [Dialect(), Dialect(max_tokens_key="max_tokens"), Dialect(stream_usage=False)], ids=str
)
def test_the_dialect_is_read_too(dialect):
    request = Request("m", (Turn("user", (text("Hi"),)),), params={"max_tokens": 5}, stream=True, dialect=dialect)
    found = read_request(WIRE.encode(request).body)
    assert (found, found.dialect) == (request, dialect)


# --- recorded bodies --------------------------------------------------------------------------------------------------


def plain(holder: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in holder.items() if value is not None}


def normal(body: dict[str, Any]) -> dict[str, Any]:
    """The form that the encoder gives a body. Nothing else may change in it:

    In the body and in a message, null says what an absent key says; `stream: false` is the default; one bare text
    part is a string; arguments are compact JSON; what is echoed of a reply's `annotations` is not sent.
    """
    found = copy.deepcopy(plain(body))
    found["messages"] = [plain(message) for message in found["messages"]]
    if found.get("stream") is False:
        del found["stream"]
    for message in found["messages"]:
        message.pop("annotations", None)
        content = message.get("content")
        if isinstance(content, list) and len(content) == 1 and content[0].keys() == {"type", "text"}:
            message["content"] = content[0]["text"]
        for made in message.get("tool_calls", ()):
            arguments = json.loads(made["function"]["arguments"])
            made["function"]["arguments"] = json.dumps(arguments, separators=(",", ":"), ensure_ascii=False)
    return found


@needs_corpus
def test_every_recorded_body_comes_back():
    outcome: Counter[str] = Counter()
    for exchange in exchanges("openai.chat"):
        body = exchange["request"]["body"]
        encoded = WIRE.encode(read_request(body))
        assert encoded.adjustments == ()
        if encoded.body != body:
            assert encoded.body == normal(body), exchange["id"]
        outcome["exact" if encoded.body == body else "normal form"] += 1
    assert outcome == {"exact": 113, "normal form": 142}


@needs_corpus
def test_what_recorded_bodies_ask_for():
    found = [read_request(exchange["request"]["body"]) for exchange in exchanges("openai.chat")]
    kinds = Counter(block["type"] for request in found for turn in request.turns for block in turn.blocks)
    assert set(kinds) == {"text", "image", "file", "audio", "tool_call"}
    assert sum(request.stream for request in found) == 83
    assert {request.tool_choice.mode for request in found if request.tool_choice} == {"auto", "any", "none", "tool"}
    assert {key for request in found for key in request.native} == {"moderation", "web_search_options"}
    assert {key for request in found for key in request.extra_body} == set()
    assert {spec.kind for request in found for spec in request.tools} == {"function"}


# --- reading ----------------------------------------------------------------------------------------------------------


def read(*messages: dict[str, Any], **more: Any) -> Request:
    return read_request({"model": "gpt-test", "messages": list(messages), **more})


def test_a_conversation():
    found = read(
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "1+1?"}], "name": "ann"},
        {
            "role": "assistant",
            "content": None,
            "refusal": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
                {"id": "call_2", "type": "function", "function": {"name": "add", "arguments": '{"a": '}},
                {"id": "call_3", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "2"},
        {"role": "assistant", "content": "2", "audio": {"id": "audio_1"}},
    )
    assert found.turns == (
        Turn("developer", (text("Be brief."),)),
        Turn("user", (text("1+1?"),), name="ann"),
        Turn(
            "assistant",
            (
                call("add", {"a": 1}),
                {"type": "invalid_tool_call", "id": "call_2", "name": "add", "args": '{"a": '},
                call("sql", {"__arg1": "SELECT 1"}, 3),
            ),
        ),
        Turn("tool", (text("2"),), tool_call_id="call_1"),
        Turn("assistant", (text("2"), {"type": "native", "value": {"type": "audio", "id": "audio_1"}})),
    )
    assert [turn.position for turn in found.turns] == [0, 1, 2, 3, 4]
    assert {turn.origin for turn in found.turns} == {None}


def test_parts():
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": None}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
        {"type": "file", "file": {"file_id": "file-1"}, "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}},
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "b", "flavour": 1},
        {"type": "image_url", "image_url": {"url": "data:;base64,AA=="}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png", "tint": 1}},
        {"type": "hologram"},
    ]
    assert read({"role": "user", "content": parts}).turns[0].blocks == (
        {"type": "image", "base64": "AA==", "mime_type": "image/png"},
        {"type": "image", "url": "https://a/b.png", "detail": "low"},
        {"type": "audio", "base64": "AA==", "mime_type": "audio/mp3"},
        {"type": "file", "file_id": "file-1", "mark": {"ttl": "12h"}},
        {"type": "text", "text": "a", "mark": {}},
        *({"type": "native", "value": part} for part in parts[5:]),
    )


def test_legacy_functions():
    found = read(
        {"role": "assistant", "content": None, "function_call": {"name": "add", "arguments": "{}"}},
        {"role": "function", "name": "add", "content": "2"},
        functions=[{"name": "add"}],
    )
    assert found.turns[0].blocks == ({"type": "tool_call", "id": "add", "name": "add", "args": {}},)
    assert (found.turns[1].role, found.turns[1].tool_call_id) == ("tool", "add")
    assert found.native == {"functions": [{"name": "add"}]}


def test_echoed_annotations_are_citations_of_the_text():
    cited = {"url": "u", "title": "t", "start_index": 0, "end_index": 1}
    annotations = [{"type": "url_citation", "url_citation": cited}, {"type": "odd"}]
    found = read({"role": "assistant", "content": "a", "annotations": annotations})
    assert found.turns[0].blocks[0]["annotations"] == [
        {"type": "citation", **cited},
        {"type": "non_standard_annotation", "value": {"type": "odd"}},
    ]


def test_parameters_have_one_name():
    found = read(max_tokens=5, stop="END", safety_identifier="me", top_k=3, stream=False, seed=None, best_of=None)
    assert found.params == {"max_tokens": 5, "stop": ["END"]}
    assert (found.native, found.extra_body, found.stream) == (
        {"safety_identifier": "me"},
        {"top_k": 3, "best_of": None},
        False,
    )


@pytest.mark.parametrize(
    "given, output, native",
    [
        ({"type": "json_object"}, OutputFormat("json_object"), {}),
        (
            {"type": "json_schema", "json_schema": {"name": "Sum", "schema": {"type": "object"}, "strict": None}},
            OutputFormat("json_schema", {"type": "object"}, "Sum"),
            {},
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "Sum"}},
            None,
            {"response_format": {"type": "json_schema", "json_schema": {"name": "Sum"}}},
        ),
        ({"type": "text", "length": 9}, None, {"response_format": {"type": "text", "length": 9}}),
        ({"type": "grammar", "grammar": "x"}, None, {"response_format": {"type": "grammar", "grammar": "x"}}),
    ],
)
def test_response_format(given, output, native):
    found = read(response_format=given)
    assert (found.output, found.native) == (output, native)
    if output is None:
        assert WIRE.encode(found).body["response_format"] == given


def test_tools_and_choice():
    tools = [
        {"type": "function", "function": {"name": "add", "description": None, "parameters": {"type": "object"}}},
        {"type": "custom", "custom": {"name": "sql", "format": {"type": "text"}}},
        {"type": "function", "function": {"name": "mul", "parameters": {}, "price": 1}},
    ]
    choice = {"type": "function", "function": {"name": "mul"}}
    found = read(tools=tools, tool_choice=choice)
    assert found.tools == (
        ToolSpec("add", parameters={"type": "object"}),
        ToolSpec("sql", "custom", options={"format": {"type": "text"}}),
        ToolSpec("mul", "native", definition=tools[2]),
    )
    assert found.tool_choice == ToolChoice("tool", ("mul",))


FUNCTION = {"type": "function", "function": {"name": "add"}}


@pytest.mark.parametrize(
    "body, said",
    [
        ([], "The body must be an object"),
        ({"messages": []}, "model must be a string, not null"),
        ({"model": "m"}, "messages must be a list, not null"),
        ({"model": "m", "messages": ["Hi"]}, "messages[0] must be an object, not 'Hi'"),
        ({"model": "m", "messages": [{}]}, "messages[0].role must be a string"),
        ({"model": "m", "messages": [{"role": "bot"}]}, "messages[0].role must be one of developer, system"),
        ({"model": "m", "messages": [{"role": "user"}]}, "messages[0].content must be a string or a list of parts"),
        ({"model": "m", "messages": [{"role": "user", "content": "", "mood": 1}]}, "messages[0].mood: a message"),
        ({"model": "m", "messages": [{"role": "user", "content": "", "name": 1}]}, "messages[0].name must be a string"),
        ({"model": "m", "messages": [{"role": "tool", "content": ""}]}, "messages[0].tool_call_id must be a string"),
        ({**HELLO, "stream": "yes"}, "stream must be true or false, not 'yes'"),
        ({**HELLO, "stream_options": True}, "stream_options must be an object"),
        ({**HELLO, "temperature": "hot"}, "temperature must be a number, not 'hot'"),
        ({**HELLO, "stop": [1]}, "stop must be a list of strings"),
        ({**HELLO, "max_tokens": True}, "max_tokens must be an integer, not True"),
        ({**HELLO, "max_tokens": 1, "max_completion_tokens": 1}, "send only one"),
        ({**HELLO, "response_format": {"type": "json_schema"}}, "response_format.json_schema must be an object"),
        (
            {**HELLO, "response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
            "response_format.json_schema.name must be a string",
        ),
        ({**HELLO, "tools": {}}, "tools must be a list, not {}"),
        ({**HELLO, "tools": [{"name": "add"}]}, "tools[0].type must be a string"),
        ({**HELLO, "tools": [{"type": "function"}]}, "tools[0].function must be an object"),
        ({**HELLO, "tools": [{"type": "function", "function": {}}]}, "tools[0].function.name must be a string"),
        ({**HELLO, "tools": [FUNCTION], "tool_choice": "add"}, "tool_choice must be one of none, auto, required"),
        ({**HELLO, "tools": [FUNCTION], "tool_choice": {"type": "function"}}, "tool_choice.function must be an object"),
        (
            {**HELLO, "tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": [1]}}},
            "tool_choice.allowed_tools.tools[0] must be an object",
        ),
        ({**HELLO, "tool_choice": "required"}, "tool_choice: "),
    ],
)
def test_a_malformed_body_is_refused_by_path(body, said):
    with pytest.raises(RequestError) as caught:
        read_request(body)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "content, said",
    [
        ([1], "content[0] must be an object"),
        ([{}], "content[0].type must be a string"),
        ([{"type": "text"}], "content[0].text must be a string"),
        ([{"type": "image_url", "image_url": "https://a"}], "content[0].image_url must be an object"),
        ([{"type": "input_audio", "input_audio": {"data": "AA=="}}], "content[0].input_audio.format must be a string"),
        ([{"type": "file", "file": {}}], "content[0].file has no data"),
        ([{"type": "text", "text": "a", "cache_control": True}], "content[0].cache_control must be an object"),
    ],
)
def test_a_malformed_part_is_refused_by_path(content, said):
    with pytest.raises(RequestError) as caught:
        read({"role": "user", "content": content})
    assert f"messages[0].{said}" in str(caught.value)


@pytest.mark.parametrize(
    "made, said",
    [
        ({"id": "1"}, "tool_calls[0].type must be a string"),
        ({"id": "1", "type": "mcp"}, "tool_calls[0].type must be 'function' or 'custom'"),
        ({"type": "function", "function": {"name": "a", "arguments": "{}"}}, "tool_calls[0].id must be a string"),
        ({"id": "1", "type": "function", "function": {"name": "a", "arguments": {}}}, "function.arguments must be"),
    ],
)
def test_a_malformed_call_is_refused_by_path(made, said):
    with pytest.raises(RequestError) as caught:
        read({"role": "assistant", "tool_calls": [made]})
    assert said in str(caught.value)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """The path of every value in a body."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


@given(requests(), JSON, st.data())
@settings(max_examples=150)
def test_a_damaged_body_is_read_or_refused(request, damage, data):
    body = copy.deepcopy(WIRE.encode(request).body)
    path = data.draw(st.sampled_from(list(places(body))))
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = damage
    # No other exception: what is read can be encoded, or is refused by name.
    with contextlib.suppress(RequestError):
        WIRE.encode(read_request(body))


# --- law 1: a reply and its stream say the same -----------------------------------------------------------------------


def streamed(completion: Completion, body: dict[str, Any]) -> AIMessage:
    decoder = WIRE.stream_decoder(True)
    chunks = [chunk for event in render_events(completion, body) for chunk in decoder.feed(event)]
    chunks.extend(decoder.end())
    decoder.close()
    return add_ai_message_chunks(chunks[0], *chunks[1:])


def whole(completion: Completion, body: dict[str, Any]) -> AIMessage:
    (message,) = WIRE.decode(render_reply(completion, body))
    return message


def of_type(completion: Completion, *kinds: str) -> list[dict[str, Any]]:
    return [block for block in completion.blocks if block["type"] in kinds]


SQL = {"type": "custom", "custom": {"name": "sql"}}
ASKED = {**WITH_USAGE, "tools": [SQL]}


@given(COMPLETIONS)
@settings(max_examples=150)
@example(Completion("chatcmpl-1", "m", ()))
@example(Completion("chatcmpl-1", "m", (text(" \n"),)))
def test_a_reply_says_what_the_completion_says(completion):
    for message in (whole(completion, ASKED), streamed(completion, ASKED)):
        assert message.content == "".join(block["text"] for block in of_type(completion, "text"))
        assert message.additional_kwargs.get("refusal", "") == "".join(
            block["refusal"] for block in of_type(completion, "refusal")
        )
        assert [(made["id"], made["name"], made["args"]) for made in message.tool_calls] == [
            (made["id"], made["name"], made["args"]) for made in of_type(completion, "tool_call")
        ]
        broken = of_type(completion, "invalid_tool_call")
        assert [made["id"] for made in message.invalid_tool_calls] == [made["id"] for made in broken]
        # A stream seals what is broken.
        pairs = zip(message.invalid_tool_calls, broken, strict=True)
        assert all(found["args"].startswith(made["args"]) for found, made in pairs)
        check_usage(message, completion.tokens)
        check_metadata(message, completion)


def check_usage(message: AIMessage, tokens: Tokens) -> None:
    usage = message.usage_metadata
    assert (usage["input_tokens"], usage["output_tokens"]) == (tokens.input, tokens.output)
    details = usage["input_token_details"]
    assert (details["cache_read"], details.get("cache_creation", 0)) == (tokens.cache_read, tokens.cache_write)
    assert usage["output_token_details"]["reasoning"] == tokens.reasoning


def check_metadata(message: AIMessage, completion: Completion) -> None:
    metadata = message.response_metadata
    assert (metadata["id"], metadata["model_name"], metadata["created"]) == (
        completion.id,
        completion.model,
        completion.created,
    )
    said = {
        "stop": "stop",
        "tool_calls": "tool_calls",
        "length": "length",
        "content_filter": "content_filter",
        "refusal": "stop" if of_type(completion, "refusal") else "content_filter",
        "context_window": "length",
    }
    raw = said.get(completion.finish_reason, "stop")
    assert metadata["stop_reason"] == raw
    called = of_type(completion, "tool_call", "invalid_tool_call")
    refused = of_type(completion, "refusal")
    assert metadata["finish_reason"] == (
        raw if raw != "stop" else "tool_calls" if called else "refusal" if refused else "stop"
    )


@given(COMPLETIONS)
@settings(max_examples=100)
def test_a_stream_sums_to_the_reply(completion):
    one, other = whole(completion, ASKED), streamed(completion, ASKED)
    names = ["content", "additional_kwargs", "tool_calls", "usage_metadata", "response_metadata", "id"]
    assert {name: getattr(other, name) for name in names} == {name: getattr(one, name) for name in names}


@given(COMPLETIONS)
@settings(max_examples=40)
def test_rendering_gives_the_same_twice_and_leaves_the_body_alone(completion):
    before = copy.deepcopy((completion, ASKED))
    assert render_reply(completion, ASKED) == render_reply(completion, ASKED)
    assert list(render_events(completion, ASKED)) == list(render_events(completion, ASKED))
    assert (completion, ASKED) == before


# --- the reply --------------------------------------------------------------------------------------------------------


TOKENS = Tokens(uncached=10, cache_read=5, output=3, reasoning=1)
HI = Completion("chatcmpl-1", "gpt-test-1", (text("Hi there"),), tokens=TOKENS, created=7)


def test_a_whole_reply():
    assert render_reply(HI, HELLO) == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "model": "gpt-test-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi there", "refusal": None, "annotations": []},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 15,
            "completion_tokens": 3,
            "total_tokens": 18,
            "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 1,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": None,
    }


def message_of(*blocks: dict[str, Any], body: dict[str, Any] = HELLO) -> dict[str, Any]:
    return render_reply(Completion("chatcmpl-1", "m", blocks), body)["choices"][0]["message"]


def test_calls_have_ids_and_compact_arguments():
    nameless = {**call("add", {"a": [1, "é"]}), "id": None}
    assert message_of(nameless, call("sql", {"__arg1": "SELECT 1"}), body=ASKED) == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [
            {"id": "call_chatcmpl-1_0", "type": "function", "function": {"name": "add", "arguments": '{"a":[1,"é"]}'}},
            {"id": "call_1", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}},
        ],
        "annotations": [],
    }


def test_citations_are_places_in_the_whole_text():
    cited = {"type": "citation", "url": "u", "title": "t", "start_index": 1, "end_index": 2, "cited_text": "b"}
    unsaid = {"type": "citation", "title": "a file"}
    message = message_of(text("abc"), text("abc", annotations=[cited, unsaid]))
    assert message["annotations"] == [
        {"type": "url_citation", "url_citation": {"start_index": 4, "end_index": 5, "title": "t", "url": "u"}}
    ]


def test_what_the_api_cannot_answer():
    assert message_of({"type": "reasoning", "reasoning": "hm"}, text("a"))["content"] == "a"
    for block in ({"type": "image", "url": "u"}, {"type": "native", "value": {"type": "thinking"}}):
        with pytest.raises(UnsupportedContentError, match="cannot answer with a"):
            message_of(block)


@pytest.mark.parametrize(
    "reason, blocks, raw",
    [
        ("refusal", (text("I will not."),), "content_filter"),
        ("refusal", ({"type": "refusal", "refusal": "No."},), "stop"),
        ("context_window", (), "length"),
        ("pause", (), "stop"),
        ("error", (), "stop"),
        ("tool_calls", (call("add", {}),), "tool_calls"),
    ],
)
def test_finish_reasons(reason, blocks, raw):
    completion = Completion("chatcmpl-1", "m", blocks, reason)
    assert render_reply(completion, HELLO)["choices"][0]["finish_reason"] == raw
    assert [event["choices"][0]["finish_reason"] for event in render_events(completion, HELLO)][-1] == raw


def test_several_answers_share_id_and_usage():
    second = Completion("chatcmpl-2", "m2", (text("Hello"),), "length", Tokens(uncached=99, output=4, reasoning=2))
    reply = render_replies([HI, second], {**HELLO, "n": 2})
    assert [choice["index"] for choice in reply["choices"]] == [0, 1]
    assert [choice["finish_reason"] for choice in reply["choices"]] == ["stop", "length"]
    assert (reply["id"], reply["model"]) == ("chatcmpl-1", "gpt-test-1")
    assert (reply["usage"]["prompt_tokens"], reply["usage"]["completion_tokens"]) == (15, 7)
    assert [message.content for message in WIRE.decode(reply)] == ["Hi there", "Hello"]


def test_the_tier_is_echoed():
    tiers = {None: "default", "auto": "default", "flex": "flex"}
    assert {asked: render_reply(HI, {**HELLO, "service_tier": asked})["service_tier"] for asked in tiers} == tiers


# --- the stream -------------------------------------------------------------------------------------------------------


def deltas(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    events = render_events(Completion("chatcmpl-1", "m", blocks), ASKED)
    return [choice["delta"] for event in events for choice in event["choices"]]


def test_the_events_of_a_text():
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "gpt-test-1"}
    head |= {"service_tier": "default", "system_fingerprint": None}
    quiet = {**WITH_USAGE, "stream_options": {"include_usage": True, "include_obfuscation": False}}

    def event(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None}

    assert list(render_events(HI, quiet)) == [
        event({"role": "assistant", "content": "", "refusal": None}),
        event({"content": "Hi"}),
        event({"content": " there"}),
        event({}, "stop"),
        {**head, "choices": [], "usage": render_reply(HI, HELLO)["usage"]},
    ]


def test_usage_comes_only_when_asked_for():
    assert all("usage" not in event for event in render_events(HI, {**HELLO, "stream": True}))
    assert all(event["choices"] for event in render_events(HI, {**HELLO, "stream": True}))


def test_pieces_and_their_padding_have_one_size():
    sizes = {
        len(event["obfuscation"] + (event["choices"][0]["delta"].get("content") or ""))
        for event in render_events(HI, WITH_USAGE)
        if event["choices"]
    }
    assert sizes <= {0, 16}


def test_one_call_opens_with_the_message():
    opened = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "add", "arguments": ""}}
    assert deltas(call("add", {"a": 1234567})) == [
        {"role": "assistant", "content": None, "refusal": None, "tool_calls": [opened]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1234567'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]},
        {},
    ]


def test_a_call_after_a_text_opens_by_itself():
    found = deltas(text("So"), call("add", {}))
    assert [list(delta) for delta in found] == [
        ["role", "content", "refusal"],
        ["content"],
        ["tool_calls"],
        ["tool_calls"],
        [],
    ]


def test_several_calls_open_by_themselves():
    found = deltas(text("So"), call("add", {}), call("sql", {"__arg1": "x"}, 2))
    assert found == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "So"},
        {
            "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "add", "arguments": ""}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"tool_calls": [{"index": 1, "id": "call_2", "type": "custom", "custom": {"name": "sql", "input": ""}}]},
        {"tool_calls": [{"index": 1, "custom": {"input": "x"}}]},
        {},
    ]


# --- fidelity ---------------------------------------------------------------------------------------------------------


SAMPLES = [
    Completion("chatcmpl-1", "m", blocks, reason, TOKENS)
    for blocks, reason in [
        ((text("Hello there, friend"),), "stop"),
        ((text(""),), "length"),
        ((call("add", {"a": 1}),), "tool_calls"),
        ((call("add", {"a": 1}), call("add", {"a": 2}, 2)), "tool_calls"),
    ]
]


def shapes(value: Any, name: str) -> Iterable[tuple[str, frozenset[str]]]:
    """The key sets of every object in a reply or event, each with the path it stands under."""
    if isinstance(value, dict):
        yield name, frozenset(value)
        for key, item in value.items():
            yield from shapes(item, f"{name}.{key}")
    if isinstance(value, list):
        for item in value:
            yield from shapes(item, f"{name}[]")


def recent(exchange: dict[str, Any]) -> bool:
    return exchange["request"]["body"]["model"].startswith("gpt-5") and "moderation" not in exchange["request"]["body"]


@needs_corpus
def test_a_reply_has_the_keys_of_recent_recordings():
    recorded = {
        shape for found in replies("openai.chat") if recent(found) for shape in shapes(found["response"]["body"], "")
    }
    rendered = {shape for sample in SAMPLES for shape in shapes(render_reply(sample, HELLO), "")}
    assert rendered == recorded


@needs_corpus
def test_events_have_the_keys_of_recordings():
    bodies = [
        found["response"]["sse"] for found in streams("openai.chat") if "moderation" not in found["request"]["body"]
    ]
    # The recorded tool calls of streams are of older models, which have `logprobs` in every choice.
    recorded = {
        (path, keys - {"logprobs"}) for sse in bodies for event in sse_events(sse) for path, keys in shapes(event, "")
    }
    events = [event for sample in SAMPLES for event in render_events(sample, WITH_USAGE)]
    rendered = {shape for event in events for shape in shapes(event, "")}
    assert rendered <= recorded
    # Only this is told in another way: several calls of an older model open with a message that has no `refusal`.
    assert recorded - rendered == {(".choices[].delta", frozenset({"role", "content"}))}
    newest = {
        frozenset(choice)
        for found in streams("openai.chat")
        if recent(found)
        for event in sse_events(found["response"]["sse"])
        for choice in event["choices"]
    }
    assert {frozenset(choice) for event in events for choice in event["choices"]} == newest


@pytest.mark.parametrize("sample", [*SAMPLES, Completion("chatcmpl-1", "m", ({"type": "refusal", "refusal": "No."},))])
def test_the_sdk_takes_what_is_rendered(sample):
    reply = ChatCompletion.model_validate(render_reply(sample, HELLO), strict=True)
    chunks = [ChatCompletionChunk.model_validate(event, strict=True) for event in render_events(sample, WITH_USAGE)]
    assert (reply.choices[0].message.content or "") == "".join(
        choice.delta.content or "" for chunk in chunks for choice in chunk.choices
    )
    assert chunks[-1].usage == reply.usage
