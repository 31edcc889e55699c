"""What people already write: the examples of LiteLLM's page about Anthropic, on both providers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_unified import (
    AuthenticationError,
    ChatUnified,
    DeprecatedModelWarning,
    UnsupportedContentError,
    UnsupportedParameterError,
)
from langchain_unified.testing import Emulator, emulator

OPUS_3, SONNET_3_5 = "anthropic/claude-3-opus-20240229", "anthropic/claude-3-5-sonnet-20240620"
SONNET_4_5, OPUS_5 = "anthropic/claude-sonnet-4-5", "anthropic/claude-opus-5"
CHAT, RESPONSES = "openai/gpt-4o", "openai/gpt-5.6"
HEY = [{"role": "user", "content": "Hey! how's it going?"}]


def chat(server: Emulator, model: str, **kwargs: Any) -> ChatUnified:
    url = server.anthropic_url if model.startswith("anthropic/") else server.openai_url
    return ChatUnified(model, base_url=url, api_key="any", max_retries=0, **kwargs)


def sent(server: Emulator) -> dict[str, Any]:
    """The body of the last request. The server took it."""
    assert server.requests[-1].status == 200
    body: dict[str, Any] = server.requests[-1].body
    return body


# --- usage, streaming, system, user, headers --------------------------------------------------------------------------


@pytest.mark.parametrize("model", [OPUS_3, CHAT, RESPONSES])
def test_usage(server: Emulator, model: str) -> None:
    assert chat(server, model).invoke(HEY).text == "You said: Hey! how's it going?"
    # LiteLLM passes max_tokens=4096 where Anthropic needs a number; for this model it is the most that it can write.
    assert sent(server).get("max_tokens") == (4096 if model == OPUS_3 else None)


@pytest.mark.parametrize("variable", ["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"])
def test_key_and_address_from_the_environment(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with emulator(api_keys=["your-api-key"]) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "your-api-key")
        monkeypatch.setenv(variable, server.anthropic_url)
        assert ChatUnified(OPUS_3).invoke(HEY).text.startswith("You said")
        with pytest.raises(AuthenticationError):
            ChatUnified(OPUS_3, api_key="another").invoke(HEY)


@pytest.mark.parametrize("model", [OPUS_3, CHAT, RESPONSES])
def test_streaming(server: Emulator, model: str) -> None:
    chunks = list(chat(server, model).stream(HEY))
    assert sent(server)["stream"] is True
    assert sum(bool(chunk.text) for chunk in chunks) > 2
    assert "".join(chunk.text for chunk in chunks) == "You said: Hey! how's it going?"


@pytest.mark.parametrize("model", ["anthropic/claude-2.1", OPUS_5, CHAT, RESPONSES])
def test_system_messages(server: Emulator, model: str) -> None:
    system = {"role": "system", "content": "You are a snarky assistant."}
    chat(server, model).invoke([system, {"role": "user", "content": "How do I boil water?"}])
    body = sent(server)
    if "system" in body:
        assert body["system"] == "You are a snarky assistant."
        assert [message["role"] for message in body["messages"]] == ["user"]
    else:
        assert body.get("messages", body.get("input"))[0]["content"] == "You are a snarky assistant."


USERS = {SONNET_3_5: {"metadata": {"user_id": "user_123"}}, CHAT: {"user": "user_123"},
         RESPONSES: {"safety_identifier": "user_123"}}  # fmt: skip


@pytest.mark.parametrize("model", USERS)
def test_the_user_s_id(server: Emulator, model: str) -> None:
    chat(server, model).invoke(HEY, user="user_123")
    assert sent(server).items() >= USERS[model].items()


@pytest.mark.parametrize("model", [SONNET_3_5, CHAT, RESPONSES])
def test_extra_headers_reach_the_server(server: Emulator, model: str) -> None:
    chat(server, model).invoke(HEY, extra_headers={"anthropic-beta": "max-tokens-3-5-sonnet-2024-07-15"})
    assert server.requests[-1].headers["anthropic-beta"] == "max-tokens-3-5-sonnet-2024-07-15"


# --- images and PDFs --------------------------------------------------------------------------------------------------

DATA = base64.b64encode(b"a small file").decode()


def asked_about(part: dict[str, Any]) -> list[Any]:
    return [{"role": "user", "content": [{"type": "text", "text": "What is in this?"}, part]}]


def last_part(body: dict[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = body.get("messages", body.get("input"))[-1]["content"][-1]
    return part


JPEG = f"data:image/jpeg;base64,{DATA}"
PICTURES = {
    OPUS_3: {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": DATA}},
    CHAT: {"type": "image_url", "image_url": {"url": JPEG}},
    RESPONSES: {"type": "input_image", "image_url": JPEG, "detail": "auto"},
}


@pytest.mark.parametrize("model", PICTURES)
def test_vision(server: Emulator, model: str) -> None:
    chat(server, model).invoke(asked_about({"type": "image_url", "image_url": {"url": JPEG}}))
    assert last_part(sent(server)) == PICTURES[model]


PDF = f"data:application/pdf;base64,{DATA}"
DOCUMENTS = {
    "anthropic/claude-3-5-haiku-20241022": {
        "type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": DATA}
    },
    CHAT: {"type": "file", "file": {"file_data": PDF, "filename": "file.pdf"}},
    RESPONSES: {"type": "input_file", "file_data": PDF, "filename": "file.pdf"},
}  # fmt: skip


@pytest.mark.parametrize("model", DOCUMENTS)
@pytest.mark.parametrize("address", [PDF, {"url": PDF}], ids=["text", "dict"])
def test_a_pdf_in_the_place_of_an_image(server: Emulator, model: str, address: Any) -> None:
    chat(server, model).invoke(asked_about({"type": "image_url", "image_url": address}), max_tokens=300)
    assert last_part(sent(server)) == DOCUMENTS[model]


# --- prefill ----------------------------------------------------------------------------------------------------------

STARTED = [
    {"role": "user", "content": "How do you say 'Hello' in German? Answer as a JSON object."},
    {"role": "assistant", "content": "{"},
]


@pytest.mark.parametrize("model", ["anthropic/claude-2.1", SONNET_4_5])
def test_a_started_answer(server: Emulator, model: str) -> None:
    message = chat(server, model).invoke(STARTED)
    assert sent(server)["messages"][-1] == {"role": "assistant", "content": [{"type": "text", "text": "{"}]}
    assert "adjustments" not in message.response_metadata


def test_a_started_answer_that_the_model_refuses_is_asked_to_go_on_and_named(server: Emulator) -> None:
    message = chat(server, OPUS_5, on_unsupported="ignore").invoke(STARTED)
    assert [turn["role"] for turn in sent(server)["messages"]] == ["user", "assistant", "user"]
    (note,) = message.response_metadata["adjustments"]
    assert "claude-opus-5 takes no prefill" in note["why"]


def test_a_started_answer_that_the_model_refuses_can_be_an_error(server: Emulator) -> None:
    with pytest.raises(UnsupportedContentError, match="claude-opus-5 takes no prefill"):
        chat(server, OPUS_5, repair="raise").invoke(STARTED)
    assert server.requests == []


def test_openai_takes_the_assistant_s_words_as_they_are(server: Emulator) -> None:
    chat(server, CHAT).invoke(STARTED)
    assert sent(server)["messages"][-1] == {"role": "assistant", "content": "{"}


# --- tools ------------------------------------------------------------------------------------------------------------

PARAMETERS = {
    "type": "object",
    "properties": {
        "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    "required": ["location"],
}
WEATHER = {"name": "get_current_weather", "description": "Get the current weather in a given location",
           "parameters": PARAMETERS}  # fmt: skip
TOOLS = [{"type": "function", "function": WEATHER}]
QUESTION = [{"role": "user", "content": "What's the weather like in Boston today?"}]
CALLS = {"tool_calls": [{"name": "get_current_weather", "args": {"location": city}} for city in ("Boston", "Paris")]}
SENT_TOOLS: dict[str, dict[str, Any]] = {
    OPUS_3: {"name": WEATHER["name"], "description": WEATHER["description"], "input_schema": PARAMETERS},
    CHAT: TOOLS[0],
    RESPONSES: {"type": "function", **WEATHER, "strict": False},
}


def as_openai_dumps_it(reply: AIMessage) -> dict[str, Any]:
    """The assistant's turn as the page appends it: `response.choices[0].message.model_dump()`."""
    calls = [
        {"id": call["id"], "type": "function",
         "function": {"name": call["name"], "arguments": json.dumps(call["args"])}}
        for call in reply.tool_calls
    ]  # fmt: skip
    return {"role": "assistant", "content": None, "tool_calls": calls, "function_call": None}


@pytest.mark.parametrize("model", SENT_TOOLS)
@pytest.mark.parametrize("turn", [as_openai_dumps_it, lambda reply: reply], ids=["dict", "message"])
def test_tool_calling_and_parallel_calls_with_their_results(model: str, turn: Any) -> None:
    with emulator([CALLS, lambda request: str(len(request.turns))]) as server:
        messages: list[Any] = list(QUESTION)
        reply = chat(server, model).invoke(messages, tools=TOOLS, tool_choice="auto")
        assert sent(server)["tools"] == [SENT_TOOLS[model]]
        assert [call["args"] for call in reply.tool_calls] == [{"location": "Boston"}, {"location": "Paris"}]
        messages.append(turn(reply))
        for call in reply.tool_calls:
            result = json.dumps({"location": call["args"]["location"], "temperature": "72"})
            # As the page has it: a dict in OpenAI's form.
            messages.append({"role": "tool", "tool_call_id": call["id"], "name": call["name"], "content": result})
        second = chat(server, model).invoke(messages, tools=TOOLS, tool_choice="auto")
        assert second.text == "4"  # the question, the calls, two results
        assert sent(server)["tools"] == [SENT_TOOLS[model]]


@pytest.mark.parametrize("model", SENT_TOOLS)
@pytest.mark.parametrize(
    "choice",
    [
        {"type": "tool", "name": "get_current_weather"},
        {"type": "function", "function": {"name": "get_current_weather"}},
    ],
    ids=["Anthropic's dict", "OpenAI's dict"],
)
def test_forcing_a_tool(server: Emulator, model: str, choice: dict[str, Any]) -> None:
    reply = chat(server, model).invoke(HEY, tools=TOOLS, tool_choice=choice)
    assert [call["name"] for call in reply.tool_calls] == ["get_current_weather"]
    forms = {
        OPUS_3: {"type": "tool", "name": "get_current_weather"},
        CHAT: {"type": "function", "function": {"name": "get_current_weather"}},
        RESPONSES: {"type": "function", "name": "get_current_weather"},
    }
    assert sent(server)["tool_choice"] == forms[model]


SCREEN = {"display_height_px": 100, "display_width_px": 100, "display_number": 1}
COMPUTER = {"type": "computer_20241022", "function": {"name": "computer", "parameters": SCREEN}}
CAT = [{"role": "user", "content": "Save a picture of a cat to my desktop."}]


def test_the_computer_tool(server: Emulator) -> None:
    chat(server, "anthropic/claude-3-5-sonnet-20241022").invoke(CAT, tools=[COMPUTER])
    assert sent(server)["tools"] == [{"type": "computer_20241022", "name": "computer", **SCREEN}]
    assert server.requests[-1].headers["anthropic-beta"] == "computer-use-2024-10-22"


@pytest.mark.parametrize("model", [CHAT, RESPONSES])
def test_openai_gets_its_own_computer_tool(server: Emulator, model: str) -> None:
    """The screen's size has no place there: that is told."""
    with pytest.warns(UserWarning, match="display_") as told:
        chat(server, model).invoke(CAT, tools=[COMPUTER])
    words = [each for each in told if each.category is not DeprecatedModelWarning]
    assert {str(each.message).split()[0] for each in words} == {"display_height", "display_number", "display_width"}
    assert [tool["type"] for tool in server.requests[0].body["tools"]] == ["computer"]


# --- prompt caching ---------------------------------------------------------------------------------------------------

MARK = {"type": "ephemeral"}
AGREEMENT = "Here is the full text of a complex legal agreement. " * 400  # about 5,200 tokens
each_cache = pytest.mark.parametrize("model", [SONNET_3_5, SONNET_4_5, RESPONSES, CHAT])


def marked(text: str) -> list[Any]:
    return [{"type": "text", "text": text, "cache_control": MARK}]


def written_and_read(message: AIMessage) -> tuple[int, int]:
    assert message.usage_metadata is not None
    details = message.usage_metadata["input_token_details"]
    return details.get("cache_creation", 0), details.get("cache_read", 0)


def check(model: str, first: AIMessage, second: AIMessage) -> None:
    """The first call writes what the second reads. gpt-4o caches by itself and does not say what it wrote."""
    written, read = written_and_read(first)
    assert read == 0
    assert written > 5000 or model == CHAT
    assert 5000 < written_and_read(second)[1] <= (written or 10_000)


@each_cache
async def test_caching_a_large_context(server: Emulator, model: str) -> None:
    task = {"type": "text", "text": "You are an AI assistant tasked with analyzing legal documents."}
    system = {"role": "system", "content": [task, *marked(AGREEMENT)]}
    asked = [{"role": "user", "content": text} for text in ("What are the key terms?", "Who signed it?")]
    ask = chat(server, model, on_unsupported="ignore")
    first, second = [await ask.ainvoke([system, question]) for question in asked]
    check(model, first, second)


@each_cache
def test_caching_tool_definitions(server: Emulator, model: str) -> None:
    function = {**WEATHER, "description": AGREEMENT, "cache_control": MARK}
    ask = chat(server, model, on_unsupported="ignore").bind(tools=[{"type": "function", "function": function}])
    # The newer OpenAI models write the cache at marks and at the end of the prompt, and a tool takes no mark there.
    again = QUESTION if model == RESPONSES else HEY
    first, second = ask.invoke(QUESTION), ask.invoke(again)
    check(model, first, second)
    if model.startswith("anthropic/"):
        assert sent(server)["tools"][0]["cache_control"] == MARK
    else:
        assert "cache_control" not in json.dumps(sent(server))
    if model == RESPONSES:
        assert [note["what"] for note in second.response_metadata["adjustments"]] == [
            "the prompt-cache mark on the tool 'get_current_weather'",
            "strict of the tool 'get_current_weather'",
        ]


@each_cache
def test_caching_a_conversation_that_goes_on(server: Emulator, model: str) -> None:
    question = {"role": "user", "content": marked("What are the key terms and conditions in this agreement?")}
    answer = {"role": "assistant", "content": "Certainly! the contract is 1 year long for $10/mo"}
    begun = [{"role": "system", "content": marked(AGREEMENT)}, question]
    first = chat(server, model, on_unsupported="ignore").invoke(begun)
    second = chat(server, model, on_unsupported="ignore").invoke([*begun, answer, question])
    check(model, first, second)
    if model != CHAT:
        assert written_and_read(second)[1] == written_and_read(first)[0]
        assert 0 < written_and_read(second)[0] < 100


# --- all the OpenAI parameters that the page lists --------------------------------------------------------------------

CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": CLOSED}}
ANTHROPIC_FORMAT = {"format": {"type": "json_schema", "schema": CLOSED}}

# Parameter -> what is given, what Anthropic is sent, what Chat is sent. "stream" and "extra_headers" are tested above.
PARAMETER_CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "stop": ({"stop": ["!"]}, {"stop_sequences": ["!"]}, {"stop": ["!"]}),
    "temperature": ({"temperature": 0.2}, {"temperature": 0.2}, {"temperature": 0.2}),
    "top_p": ({"top_p": 0.3}, {"top_p": 0.3}, {"top_p": 0.3}),
    "max_tokens": ({"max_tokens": 9}, {"max_tokens": 9}, {"max_completion_tokens": 9}),
    "max_completion_tokens": ({"max_completion_tokens": 9}, {"max_tokens": 9}, {"max_completion_tokens": 9}),
    "tools": ({"tools": TOOLS}, {"tools": [SENT_TOOLS[OPUS_3]]}, {"tools": TOOLS}),
    "tool_choice": (
        {"tools": TOOLS, "tool_choice": "required"},
        {"tool_choice": {"type": "any"}},
        {"tool_choice": "required"},
    ),
    "parallel_tool_calls": (
        {"tools": TOOLS, "parallel_tool_calls": False},
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        {"parallel_tool_calls": False},
    ),
    "response_format": (
        {"response_format": FORMAT}, {"output_config": ANTHROPIC_FORMAT}, {"response_format": FORMAT}
    ),
    "user": ({"user": "user_123"}, {"metadata": {"user_id": "user_123"}}, {"user": "user_123"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PARAMETER_CASES)
@pytest.mark.parametrize("bound", [False, True], ids=["call", "bind"])
def test_each_parameter(server: Emulator, name: str, bound: bool) -> None:
    given, anthropic, openai = PARAMETER_CASES[name]
    for model, wanted in ((SONNET_4_5, anthropic), (CHAT, openai)):
        ask = chat(server, model)
        message = ask.bind(**given).invoke(HEY) if bound else ask.invoke(HEY, **given)
        assert sent(server).items() >= wanted.items()
        assert "adjustments" not in message.response_metadata


def test_json_mode_which_anthropic_lacks_is_named(server: Emulator) -> None:
    asked = [{"role": "user", "content": "Say it as JSON."}]
    given = {"response_format": {"type": "json_object"}}
    assert json.loads(chat(server, CHAT).invoke(asked, **given).text)
    with pytest.raises(UnsupportedParameterError, match="no JSON mode"):
        chat(server, SONNET_4_5, on_unsupported="raise").invoke(asked, **given)
