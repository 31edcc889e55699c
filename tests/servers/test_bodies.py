"""What each flag of a dialect does to a body, on the wires that it concerns."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_unified import ChatAnthropic, ChatOpenAI, Dialect, InvalidToolError, UnsupportedContentError

FOREIGN = "https://gateway.example/v1"
FOR_LONG = "long " * 50


@tool
def greet() -> str:
    """Say hello."""
    return "hello"


@tool
def part(name: str) -> str:
    """Say goodbye."""
    return "goodbye"


class City(BaseModel):
    name: str


def chat(model: str = "qwen3-32b", **fields: Any) -> ChatOpenAI:
    return ChatOpenAI(model, **{"base_url": FOREIGN, "api_key": "k", **fields})


def responses(**fields: Any) -> ChatOpenAI:
    return chat(use_responses_api=True, **fields)


def messages_model(**fields: Any) -> ChatAnthropic:
    return ChatAnthropic("qwen3-32b", **{"base_url": "https://gateway.example", "api_key": "k", **fields})


def body(model: Any, messages: Any = "q", **keywords: Any) -> Any:
    """What would be sent; `keywords` of `with_structured_output` without those for traces."""
    keywords = {key: value for key, value in keywords.items() if not key.startswith("ls_")}
    report = model.check(messages, **keywords)
    assert report.ok, report.refused
    return report.body


def structured(model: Any, **options: Any) -> tuple[Any, Any]:
    """Body and report of a call that asks for a `City`."""
    bound = model.with_structured_output(City, **options).first.kwargs
    keywords = {key: value for key, value in bound.items() if not key.startswith("ls_")}
    report = model.check([SystemMessage("Be brief."), HumanMessage("q")], **keywords)
    assert report.ok, report.refused
    return report.body, report


CALLED = [
    HumanMessage("q"),
    AIMessage("", tool_calls=[{"id": "c1", "name": "greet", "args": {}}]),
    ToolMessage("hello", tool_call_id="c1"),
]

# --- limits, names, roles ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "base_url",
    [
        "https://acme.openai.azure.com/openai/v1",
        "https://acme.services.ai.azure.com/openai/v1",
        "https://acme.cognitiveservices.azure.com/openai/v1",
        "https://gateway.ai.cloudflare.com/v1/a/g/openai",
        "https://gateway.smith.langchain.com/openai/v1",
        "https://gateway.example/v1",
        "http://localhost:4000/v1",
        "http://localhost:11434/v1",
    ],
)
@pytest.mark.parametrize("model", ["gpt-5", "gpt-5-mini-2025-08-07", "o3", "gpt-5.6", "openai/gpt-5"])
def test_a_reasoning_model_never_gets_max_tokens(base_url, model):
    sent = body(chat(model, base_url=base_url, max_tokens=50))
    assert (sent.get("max_completion_tokens"), "max_tokens" in sent) == (50, False)


def test_other_models_get_the_key_that_the_server_knows():
    assert body(chat(max_tokens=50))["max_tokens"] == 50
    assert body(chat("gpt-4o", max_tokens=50))["max_tokens"] == 50
    assert body(chat(max_tokens=50, dialect="azure"))["max_completion_tokens"] == 50
    assert body(chat("openai/gpt-oss-20b", max_tokens=50))["max_tokens"] == 50


def test_system_messages_stay_system():
    for role in ("system", "developer"):
        asked = [SystemMessage("s", additional_kwargs={"__openai_role__": role}), HumanMessage("q")]
        assert body(chat("gpt-5"), asked)["messages"][0]["role"] == "system"
    own = chat("gpt-5", dialect=Dialect(developer_role=True))
    assert body(own, [SystemMessage("s"), HumanMessage("q")])["messages"][0]["role"] == "developer"


@pytest.mark.parametrize("make", [chat, responses])
def test_names_are_sent_where_they_are_taken(make):
    asked = [HumanMessage("q", name="ada")]
    if make is chat:
        assert body(make(), asked)["messages"][0]["name"] == "ada"
    report = make(dialect=Dialect(message_names=False)).check(asked)
    assert "ada" not in str(report.body)


def test_a_user_stays_a_user():
    assert body(chat("gpt-5", user="u"))["user"] == "u"
    assert body(chat("gpt-5", user="u", dialect="azure"))["safety_identifier"] == "u"


def test_an_effort_is_sent_under_the_servers_key():
    effort = {"reasoning_effort": "low"}
    assert body(chat(**effort))["reasoning_effort"] == "low"
    assert body(chat("openai/gpt-5", dialect="openrouter", **effort))["reasoning"] == {"effort": "low"}
    both = chat("x/y", dialect="openrouter", reasoning={"effort": "high", "exclude": True})
    assert body(both)["reasoning"] == {"effort": "high", "exclude": True}
    none = chat(dialect=Dialect(effort="none"), **effort).check("q")
    assert "low" not in str(none.body)
    assert none.adjustments


def test_thinking_and_top_k_go_to_servers_that_take_them():
    thinking = {"type": "disabled"}
    assert body(chat("deepseek-v4-pro", dialect="deepseek", thinking=thinking))["thinking"] == thinking
    assert "thinking" not in body(chat(thinking=thinking))
    assert body(chat(dialect="vllm", top_k=5))["top_k"] == 5
    assert "top_k" not in body(chat(top_k=5))


def test_a_stream_asks_for_its_usage_where_that_is_taken():
    from langchain_unified.chat_models import _plan

    def options(model: Any, **keywords: Any) -> Any:
        return _plan.make(model, [HumanMessage("q")], keywords, stream=True).call.body.get("stream_options")

    assert options(chat()) == {"include_usage": True}
    assert options(chat(dialect="databricks")) is None
    assert options(chat(dialect="databricks", stream_usage=True)) == {"include_usage": True}
    assert options(chat(stream_usage=False)) is None


# --- cache ------------------------------------------------------------------------------------------------------------

MARKED = [
    SystemMessage([{"type": "text", "text": FOR_LONG, "cache_control": {"type": "ephemeral"}}]),
    HumanMessage([{"type": "text", "text": FOR_LONG, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]),
]


def test_marks_go_out_as_cache_control():
    sent = body(chat("qwen/qwen3-coder"), MARKED)["messages"]
    assert sent[0]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert sent[1]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


@pytest.mark.parametrize("dialect", ["groq", "mistral", "gemini"])
def test_marks_stay_away_from_servers_that_refuse_them(dialect):
    report = chat(dialect=dialect).check(MARKED)
    assert "cache_control" not in str(report.body)
    assert any("cache" in item["what"] for item in report.adjustments)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:5555/v1", "http://localhost:11434/v1", FOREIGN])
@pytest.mark.parametrize("make", [chat, responses])
@pytest.mark.parametrize("messages", [MARKED, [HumanMessage("q")]], ids=["marked", "plain"])
def test_no_cache_fields_of_openais_go_to_another_server(base_url, make, messages):
    fields = {"prompt_cache_key": "k", "prompt_cache_retention": "24h", "prompt_cache": "auto"}
    assert "prompt_cache" not in str(body(make(base_url=base_url, **fields), messages))


def test_at_openai_marks_are_its_own():
    sent = str(body(ChatOpenAI("gpt-5.6", api_key="k", use_responses_api=True), MARKED))
    assert "prompt_cache_breakpoint" in sent
    assert "cache_control" not in sent


def test_a_message_server_without_caching_gets_no_marks():
    assert "cache_control" in str(body(messages_model(), MARKED))
    assert "cache_control" not in str(body(messages_model(dialect="ollama"), MARKED))


# --- tools ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dialect, content", [("generic", None), ("mistral", ""), ("deepseek", None), ("openai", "absent")]
)
def test_the_content_beside_calls(dialect, content):
    sent = body(chat(dialect=dialect), CALLED, tools=[greet])["messages"][1]
    assert sent.get("content", "absent") == content


def test_ids_of_calls_have_the_length_that_the_server_wants():
    sent = body(chat(dialect="mistral"), CALLED, tools=[greet])["messages"]
    made = sent[1]["tool_calls"][0]["id"]
    assert re.fullmatch("[a-zA-Z0-9]{9}", made)
    assert sent[2]["tool_call_id"] == made
    own = [CALLED[0], AIMessage("", tool_calls=[{"id": "a1B2c3D4e", "name": "greet", "args": {}}]),
           ToolMessage("hello", tool_call_id="a1B2c3D4e")]  # fmt: skip
    assert body(chat(dialect="mistral"), own, tools=[greet])["messages"][2]["tool_call_id"] == "a1B2c3D4e"
    assert body(chat(), CALLED, tools=[greet])["messages"][2]["tool_call_id"] == "c1"


@pytest.mark.parametrize("make", [chat, responses, messages_model])
def test_strict_is_left_out_where_it_is_not_taken(make):
    model = make(dialect=Dialect(strict_tools=False))
    report = model.check("q", **model.bind_tools([greet], strict=True).kwargs)
    assert "'strict': True" not in str(report.body)
    assert any("strict" in item["what"] for item in report.adjustments)


@pytest.mark.parametrize("make", [chat, responses, messages_model])
def test_parallel_calls_are_left_out_where_they_are_not_taken(make):
    model = make(dialect=Dialect(parallel_tool_calls=False))
    report = model.check("q", **model.bind_tools([greet], parallel_tool_calls=False).kwargs)
    assert "parallel" not in str(report.body)
    assert [item["what"] for item in report.adjustments] == ["parallel_tool_calls"]


@pytest.mark.parametrize("make", [chat, responses, messages_model])
def test_a_forced_call_where_only_any_can_be_required(make):
    model = make(dialect=Dialect(forced_tool_choice="required"))
    sent = body(model, **model.bind_tools([greet, part], tool_choice="part").kwargs)
    assert sent["tool_choice"] in ("required", {"type": "any"})
    assert len(sent["tools"]) == 1


@pytest.mark.parametrize("make", [chat, responses, messages_model])
def test_a_forced_call_where_none_can_be_required(make):
    model = make(dialect=Dialect(forced_tool_choice="none"))
    report = model.check("q", **model.bind_tools([greet], tool_choice="any").kwargs)
    assert report.body["tool_choice"] in ("auto", {"type": "auto"})
    assert report.adjustments


def test_tools_are_refused_where_there_are_none():
    model = chat(dialect=Dialect(tools=False))
    assert "takes no tools" in str(model.check("q", tools=[greet]).refused)
    with pytest.raises(InvalidToolError):
        model.invoke("q", tools=[greet])


# --- structured output ------------------------------------------------------------------------------------------------


def test_json_schema_where_the_server_has_it():
    sent, report = structured(chat())
    assert sent["response_format"]["type"] == "json_schema"
    assert report.unchanged


@pytest.mark.parametrize("method", [None, "json_schema"])
def test_a_tool_where_there_is_no_json_schema(method):
    sent, report = structured(chat("deepseek-chat", dialect="deepseek"), method=method)
    assert "response_format" not in sent
    assert sent["tool_choice"]["function"]["name"] == "City"
    assert all(item.get("why") for item in report.adjustments)


@pytest.mark.parametrize("method", [None, "json_schema"])
def test_a_json_object_with_the_schema_in_the_prompt_where_no_call_can_be_forced(method):
    sent, report = structured(chat("deepseek-v4-flash", dialect="deepseek"), method=method)
    assert sent["response_format"] == {"type": "json_object"}
    [system, user] = sent["messages"]
    assert system["content"].startswith("Be brief.\n\n")
    assert '"name"' in system["content"]
    assert user == {"role": "user", "content": "q"}
    assert [item["what"] for item in report.adjustments] == ["response_format"]


def test_the_prompt_alone_where_there_is_no_format_at_all():
    none = Dialect(structured_output=frozenset(), forced_tool_choice="none")
    sent, _ = structured(chat(dialect=none))
    assert "response_format" not in sent
    assert "JSON" in sent["messages"][0]["content"]
    sent, _ = structured(messages_model(dialect="ollama"))
    assert "output_config" not in sent
    assert "JSON" in str(sent["system"])
    sent, _ = structured(responses(dialect=none))
    assert "format" not in str(sent.get("text"))


def test_a_schema_where_there_is_no_json_mode():
    sent, _ = structured(chat(dialect="lmstudio"), method="json_mode")
    assert sent["response_format"]["type"] == "json_schema"


def test_a_message_server_of_another_kind_gets_a_tool():
    sent, _ = structured(messages_model())
    assert sent["tool_choice"] == {"type": "tool", "name": "City"}
    claude = ChatAnthropic("claude-sonnet-5", base_url="https://gateway.example", api_key="k")
    assert "output_config" in structured(claude)[0]


def test_the_caller_s_own_format_falls_back_too():
    form = {"type": "json_schema", "json_schema": {"name": "City", "schema": City.model_json_schema()}}
    report = chat("deepseek-v4-pro", dialect="deepseek").check("q", response_format=form)
    assert report.body["response_format"] == {"type": "json_object"}
    assert '"name"' in report.body["messages"][0]["content"]


# --- content parts ----------------------------------------------------------------------------------------------------

VIDEO = {"type": "video", "url": "https://x.example/v.mp4"}
PDF = {"type": "file", "url": "https://x.example/a.pdf", "mime_type": "application/pdf"}
SOUND = {"type": "audio", "url": "https://x.example/a.wav"}


@pytest.mark.parametrize(
    "block, part",
    [
        (VIDEO, {"type": "video_url", "video_url": {"url": VIDEO["url"]}}),
        (PDF, {"type": "file", "file": {"file_data": PDF["url"], "filename": "file"}}),
        (SOUND, {"type": "audio_url", "audio_url": {"url": SOUND["url"]}}),
        ({"type": "video_url", "video_url": {"url": "u"}}, {"type": "video_url", "video_url": {"url": "u"}}),
        ({"type": "my_part", "x": 1}, {"type": "my_part", "x": 1}),
    ],
    ids=lambda value: value["type"],
)
def test_parts_that_other_servers_take(block, part):
    sent = body(chat(), [HumanMessage([{"type": "text", "text": "q"}, block])])
    assert sent["messages"][0]["content"][1] == part
    with pytest.raises(UnsupportedContentError):
        ChatOpenAI("gpt-4o", api_key="k").invoke([HumanMessage([block])])


# --- what is done here ------------------------------------------------------------------------------------------------


def answering(*answers: httpx2.Response) -> tuple[httpx2.Client, list[str]]:
    """A client that answers so, the last answer again and again, and the paths that were asked."""
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return answers[min(len(asked), len(answers)) - 1]

    return httpx2.Client(transport=httpx2.MockTransport(answer)), asked


@pytest.mark.parametrize(
    "answer",
    [httpx2.Response(404, json={"detail": "Not Found"}), httpx2.Response(405), httpx2.Response(200, json={"ok": 1}),
     httpx2.Response(200, text="<html>hello</html>")],
    ids=["404", "405", "another object", "html"],
)  # fmt: skip
@pytest.mark.parametrize("kind", [ChatOpenAI, ChatAnthropic])
def test_a_proxy_that_does_not_count_is_asked_once(answer, kind):
    client, asked = answering(answer)
    name = "gpt-4o" if kind is ChatOpenAI else "claude-opus-5"
    model = kind(name, base_url="http://127.0.0.1:5555", api_key="k", max_retries=0, http_client=client)
    assert model.get_num_tokens("a few words") > 0
    assert model.get_num_tokens_from_messages([HumanMessage("a few words")]) > 0
    assert len(asked) == 1


def test_an_unknown_server_is_not_asked_to_count():
    client, asked = answering(httpx2.Response(500))
    assert chat(http_client=client).get_num_tokens("a few words") > 0
    assert messages_model(http_client=client).get_num_tokens("a few words") > 0
    assert asked == []


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Oslo"}',
        'Here it is:\n```json\n{"name": "Oslo"}\n```\nAnything else?',
        'Here it is: {"name": "Oslo"}',
        '<think>The schema {"name"} wants a city.</think>{"name": "Oslo"}',
        '<think>\nhm {\n</think>\n\nSure! {"name": "Oslo"} is it.',
    ],
)
def test_an_answer_that_nothing_held_to_the_schema_is_read_and_checked(text):
    reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}]}  # fmt: skip
    client, _ = answering(httpx2.Response(200, json=reply))
    model = chat("deepseek-v4-flash", dialect="deepseek", http_client=client)
    assert model.with_structured_output(City).invoke("q") == City(name="Oslo")
