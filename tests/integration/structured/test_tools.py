"""`with_structured_output` beside tools, and bad input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import BaseModel

from langchain_unified import ConfigurationError, InvalidToolError, UnsupportedParameterError
from langchain_unified.testing import Emulator, emulator
from tests.integration.structured.helpers import Joke, build, each_wire, format_of, get_weather, sent
from tests.support.models import each_class

# --- tools ------------------------------------------------------------------------------------------------------------


class Report(BaseModel):
    """What the weather is like."""

    summary: str


ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "tools first": lambda model, method: model.bind_tools([get_weather]).with_structured_output(Report, method=method),
    "form first": lambda model, method: model.with_structured_output(Report, method=method).bind_tools([get_weather]),
    "at once": lambda model, method: model.with_structured_output(Report, method=method, tools=[get_weather]),
}


@each_class
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("method", [None, "function_calling"])
def test_tools_first_then_the_answer(name: str, order: str, method: str | None) -> None:
    final: Any = '{"summary": "mild"}'
    if method == "function_calling":
        final = {"tool_calls": [{"name": "Report", "args": {"summary": "mild"}, "id": "call_9"}]}
    calls = {"tool_calls": [{"name": "get_weather", "args": {"city": "Paris"}, "id": "call_1"}]}
    with emulator(script=[calls, final, calls, final]) as server:
        model = ORDERS[order](build(name, server), method)
        question = HumanMessage("What is the weather in Paris?")
        first = model.invoke([question])
        assert isinstance(first, AIMessage)
        (asked,) = first.tool_calls
        assert (asked["name"], asked["args"]) == ("get_weather", {"city": "Paris"})
        history = [question, first, ToolMessage(get_weather.invoke(asked["args"]), tool_call_id=asked["id"])]
        assert model.invoke(history) == Report(summary="mild")
        names = [(each.get("function") or each)["name"] for each in sent(server)["tools"]]
        assert names == ["get_weather", *(["Report"] if method else [])]
        (streamed,) = model.stream([question])
        assert isinstance(streamed, AIMessage)
        assert streamed.tool_calls[0]["args"] == {"city": "Paris"}
        assert list(model.stream(history))[-1] == Report(summary="mild")


@each_wire
def test_raw_messages_that_call_tools(name: str, server: Emulator) -> None:
    model = build(name, server).with_structured_output(Report, include_raw=True, tools=[get_weather])
    found = model.invoke("Use get_weather for Paris")
    assert [call["name"] for call in found["raw"].tool_calls] == ["get_weather"]
    assert (found["parsed"], found["parsing_error"]) == (None, None)


@each_wire
def test_what_is_bound_stays_bound(name: str, server: Emulator) -> None:
    bound = build(name, server).bind(max_tokens=77).bind_tools([get_weather], tool_choice="auto")
    bound.with_structured_output(Report).invoke("hi")
    body = sent(server)
    assert 77 in (body.get("max_tokens"), body.get("max_completion_tokens"), body.get("max_output_tokens"))
    assert body["tool_choice"] in ("auto", {"type": "auto"})
    assert len(body["tools"]) == 1


# --- bad input --------------------------------------------------------------------------------------------------------

SAME_NAME = {"name": "Report", "input_schema": {"type": "object"}}
BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"schema": Joke, "method": "magic"}, ConfigurationError, "method='magic' is not known. .*json_schema"),
    ({"schema": Joke, "method": "json_mode", "strict": True}, ConfigurationError, "strict"),
    ({"schema": Joke, "temprature": 1}, ConfigurationError, "Did you mean 'temperature'"),
    ({"schema": None}, InvalidToolError, "needs a schema"),
    ({"schema": Joke, "tools": []}, InvalidToolError, "empty list of `tools`"),
    ({"schema": {"type": "object", "properties": {"age": {"type": "int"}}}}, InvalidToolError, "`type` at age: 'int'"),
    ({"schema": {}}, InvalidToolError, "allows any answer"),
    ({"schema": Report, "tools": [SAME_NAME]}, InvalidToolError, "tool and the schema .* are both named 'Report'"),
    ({"schema": Report, "tools": [SAME_NAME], "method": "function_calling"}, InvalidToolError, "both named 'Report'"),
    ({"schema": Report, "tools": get_weather}, InvalidToolError, "Tools are given as a list"),
    ({"schema": Report, "tools": [get_weather, get_weather]}, InvalidToolError, "Two tools are named 'get_weather'"),
    ({"schema": Report, "strict": "yes"}, ConfigurationError, "`strict` takes True or False, not 'yes'"),
    ({"schema": Report, "method": "function_calling", "tools": [get_weather], "tool_choice": "none"}, InvalidToolError,
     "tool_choice='none'"),
    ({"schema": Report, "tools": [get_weather], "tool_choice": "get_wether"}, InvalidToolError, "get_wether"),
]  # fmt: skip


@each_wire
@pytest.mark.parametrize("arguments, error, words", BAD)
def test_bad_input_is_told_before_the_network(
    name: str, arguments: dict[str, Any], error: type[Exception], words: str, server: Emulator
) -> None:
    model = build(name, server)
    with pytest.raises(error, match=words):
        model.with_structured_output(**arguments).invoke("hi")
    assert len(server.requests) == 0


def test_a_model_without_json_schema(server: Emulator) -> None:
    model = build("chat", server, model="gpt-4-turbo")
    found = model.with_structured_output(Report, include_raw=True).invoke("hi")
    assert isinstance(found["parsed"], Report)
    (note,) = found["raw"].response_metadata["adjustments"]
    assert note["what"] == "the schema of tool 'Report'"
    assert note["why"].startswith("gpt-4-turbo has no json_schema output: a tool stands in for it. Nothing holds the")
    assert sent(server)["tools"][0]["function"]["name"] == "Report"
    asked = model.with_structured_output(Report, method="json_schema", include_raw=True).invoke("hi")
    assert isinstance(asked["parsed"], Report)
    listed = asked["raw"].response_metadata["adjustments"]
    assert {"what": "method", "why": "gpt-4-turbo has no json_schema output: a tool stands in for it."} in listed
    strict = build("chat", server, model="gpt-4-turbo", on_unsupported="raise")
    with pytest.raises(UnsupportedParameterError, match="gpt-4-turbo has no json_schema output"):
        strict.with_structured_output(Report, method="json_schema").invoke("hi")
    other = build("chat", server, model="gpt-4-turbo", profile={"structured_output": True})
    assert isinstance(other.with_structured_output(Report).invoke("hi"), Report)
    assert format_of(sent(server))["type"] == "json_schema"
