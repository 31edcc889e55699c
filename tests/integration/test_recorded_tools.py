"""Recorded tools and structured answers: said again they are the same on their own API, and good on the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, RefusalError, TruncatedOutputError
from langchain_unified.redaction import redacted
from langchain_unified.schemas.check import valid
from langchain_unified.testing import Emulator, emulator
from tests.support.corpus import exchanges, label, needs_corpus
from tests.support.emulated import refused
from tests.support.reading import read
from tests.support.server import Received, Reply, Server, serve, split

pytestmark = needs_corpus

Body = dict[str, Any]
MODELS: dict[str, Callable[..., Any]] = {
    "anthropic.messages": lambda **kw: ChatAnthropic(**{"model": "claude-opus-5", "max_tokens": 2000, **kw}),
    "openai.chat": lambda **kw: ChatOpenAI(**{"model": "gpt-4o", "use_responses_api": False, **kw}),
    "openai.responses": lambda **kw: ChatOpenAI(**{"model": "gpt-5.6", "use_responses_api": True, **kw}),
}
ANSWERED = [each for endpoint in MODELS for each in exchanges(endpoint) if each["response"]["status"] == 200]


def cases(holds: Callable[[Body], bool]) -> list[Any]:
    return [pytest.param(each, id=label(each)) for each in ANSWERED if holds(each["request"]["body"])]


def model_of(endpoint: str, **kwargs: Any) -> Any:
    return MODELS[endpoint](api_key="any", max_retries=0, on_unsupported="ignore", **kwargs)


# --- tools ------------------------------------------------------------------------------------------------------------


def said_of(tool: Body) -> Any:
    """A tool without what says nothing: an empty description, and Anthropic's `custom`."""
    said = {key: value for key, value in tool.items() if key != "description" or value}
    if "input_schema" in tool:
        said.pop("type", None)
    return said


def is_function(tool: Body) -> bool:
    return "input_schema" in tool or tool.get("type") == "function"


def bodies(tools: list[Body], endpoint: str, **kwargs: Any) -> Body:
    """The body of a call with these tools, as `bind_tools` binds them."""
    model = model_of(endpoint)
    report = model.check("hi", **model.bind_tools(tools, **kwargs).kwargs)
    assert report.refused is None
    return report.body


@pytest.mark.parametrize("exchange", cases(lambda body: bool(body.get("tools"))))
def test_tools_bound_again_are_the_same(exchange: dict[str, Any]) -> None:
    asked, endpoint = exchange["request"]["body"], exchange["endpoint"]
    said = {key: asked[key] for key in ("tool_choice", "parallel_tool_calls") if key in asked}
    given = {key: asked[key] for key in ("thinking", "mcp_servers") if key in asked}
    model = model_of(endpoint, model=asked["model"], max_tokens=20_000)
    report = model.check("hi", **model.bind_tools(asked["tools"], **said).kwargs, **given)
    wanted = redacted({"tools": asked["tools"]})["tools"]
    for sent, recorded in zip(report.body["tools"], wanted, strict=True):
        # A default is nothing that decoding holds to: in a strict schema it is told in the description.
        told = recorded.get("strict") and '"default"' in json.dumps(recorded)
        assert loosely(sent) == loosely(recorded) if told else said_of(sent) == said_of(recorded)
    assert {key: report.body.get(key) for key in said} == said


@pytest.mark.parametrize("exchange", cases(lambda body: any(map(is_function, body.get("tools") or ()))))
def test_functions_go_to_the_other_apis_and_back(exchange: dict[str, Any]) -> None:
    late = "defer_loading"  # says nothing without the tool that searches
    tools = [
        {key: value for key, value in tool.items() if key != late}
        for tool in exchange["request"]["body"]["tools"]
        if is_function(tool)
    ]
    own = bodies(tools, exchange["endpoint"])["tools"]
    for endpoint in MODELS.keys() - {exchange["endpoint"]}:
        there = bodies(tools, endpoint)
        assert refused(endpoint, there) == []
        back = bodies(there["tools"], exchange["endpoint"])["tools"]
        assert [loosely(tool) for tool in back] == [loosely(tool) for tool in own]


def loosely(tool: Body) -> Any:
    """A function as all the APIs can say it: Responses says of every one whether it is strict, and Chat has no options.

    A strict schema is rewritten on the way, to the words of each provider: then its properties are compared.
    """
    inner = tool.get("function", tool)
    schema = inner.get("parameters", inner.get("input_schema"))
    said = {*schema["properties"]} if inner.get("strict") else {"properties": {}, **schema}
    return inner["name"], inner.get("description") or "", said


# --- structured output ------------------------------------------------------------------------------------------------


def format_of(body: Body) -> Body | None:
    """The output format that a body asks for, as OpenAI's Chat API has it."""
    found = body.get("response_format") or (body.get("text") or {}).get("format")
    found = found or (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    if found.get("type") != "json_schema":
        return None
    inner = found.get("json_schema") or found
    return {"name": inner.get("name") or "answer", "schema": inner["schema"]}


def forced_of(body: Body) -> Body | None:
    """The tool that a body forces, as the schema of the answer that it stands for."""
    choice = body.get("tool_choice")
    chosen = choice.get("function", choice).get("name") if isinstance(choice, dict) else None
    functions = (tool.get("function", tool) for tool in body.get("tools") or ())
    return next((each for each in functions if chosen and each.get("name") == chosen), None)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    by_id = {each["id"]: each["response"] for each in ANSWERED}

    def play(request: Received) -> Reply:
        response = by_id[request.headers["x-exchange"]]
        if response["sse"] is None:
            return Reply.json(response["body"], 200, response["headers"])
        return Reply(200, {"content-type": "text/event-stream"}, split(response["sse"].encode(), 1000))

    with serve(play) as running:
        yield running


def first_json(text: str) -> Any:
    """Some recorded answers are there twice, one after the other."""
    return json.JSONDecoder().raw_decode(text)[0]


def ask(exchange: dict[str, Any], server: Server, schema: Any, **kwargs: Any) -> Any:
    """The recorded answer, read as structured output; of a stream the last piece."""
    path = "" if exchange["endpoint"].startswith("anthropic") else "/v1"
    model = model_of(
        exchange["endpoint"],
        model=exchange["request"]["body"]["model"],
        base_url=server.url + path,
        default_headers={"x-exchange": exchange["id"]},
    ).with_structured_output(schema, **kwargs)
    return model.invoke("hi") if exchange["response"]["sse"] is None else list(model.stream("hi"))[-1]


@pytest.mark.parametrize("exchange", cases(lambda body: format_of(body) is not None))
def test_structured_answers_are_read(exchange: dict[str, Any], server: Server) -> None:
    asked, recorded = format_of(exchange["request"]["body"]), read(exchange)
    if recorded.refusal or recorded.finish in ("refusal", "content_filter"):
        with pytest.raises(RefusalError):
            ask(exchange, server, asked)
    elif recorded.finish == "length":
        with pytest.raises(TruncatedOutputError):
            ask(exchange, server, asked)
    elif recorded.calls:
        found = ask(exchange, server, asked)
        assert isinstance(found, AIMessage)
        assert [(call["id"], call["name"], call["args"]) for call in found.tool_calls] == recorded.calls
    else:
        assert ask(exchange, server, asked) == first_json(recorded.text)


@pytest.mark.parametrize("exchange", cases(lambda body: forced_of(body) is not None))
def test_answers_of_a_forced_tool_are_read(exchange: dict[str, Any], server: Server) -> None:
    asked = forced_of(exchange["request"]["body"])
    assert asked is not None
    found = ask(exchange, server, asked, method="function_calling")
    (wanted,) = [args for _, name, args in read(exchange).calls if name == asked["name"]]
    assert found == wanted


# --- on the other APIs ------------------------------------------------------------------------------------------------


def answers() -> list[Any]:
    """Each schema that was recorded, with one answer to it."""
    found = {}
    for exchange in ANSWERED:
        asked, recorded = format_of(exchange["request"]["body"]), read(exchange)
        if asked and recorded.finish == "stop" and not recorded.calls and not recorded.refusal:
            found.setdefault(json.dumps(asked, sort_keys=True), (asked, recorded.text, label(exchange)))
    return [pytest.param(asked, text, id=name) for asked, text, name in found.values()]


class Script:
    """An emulator that says what it is told."""

    text = ""
    server: Emulator


@pytest.fixture(scope="module")
def script() -> Iterator[Script]:
    told = Script()
    with emulator(script=lambda request: told.text) as told.server:
        yield told


@pytest.mark.parametrize("endpoint", MODELS)
@pytest.mark.parametrize("asked, text", answers())
def test_a_structured_answer_is_read_on_every_api(endpoint: str, asked: Body, text: str, script: Script) -> None:
    """The provider takes what is made of the schema, and the answer is the recorded one, whole and streamed."""
    script.text = text
    url = script.server.anthropic_url if endpoint.startswith("anthropic") else script.server.openai_url
    model = model_of(endpoint, base_url=url).with_structured_output(asked, method="json_schema")
    wanted = first_json(text)
    assert valid(asked["schema"], wanted)
    assert model.invoke("hi") == wanted
    assert list(model.stream("hi"))[-1] == wanted
