"""`with_structured_output` on both providers and all three wires, against the emulator."""

from __future__ import annotations

import dataclasses
import json
import pickle
import typing
import warnings
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, cast

import jsonschema
import pytest
import typing_extensions
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langchain_core import exceptions as core
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from pydantic import BaseModel, Field, TypeAdapter
from pydantic.v1 import BaseModel as BaseModelV1

from langchain_unified import (
    ChatAnthropic,
    ChatOpenAI,
    ChatUnified,
    ConfigurationError,
    InvalidToolError,
    RefusalError,
    StructuredOutputError,
    TruncatedOutputError,
    UnsupportedParameterError,
)
from langchain_unified.request import Request
from langchain_unified.schemas.anthropic import adapt_schema
from langchain_unified.schemas.openai import for_openai
from langchain_unified.structured.parser import Target
from langchain_unified.testing import Emulator, emulator
from langchain_unified.testing.emulation.schema import instance
from langchain_unified.wires._completion import Completion

BUILD: dict[str, Callable[[Emulator, dict[str, Any]], Any]] = {
    "anthropic": lambda server, kw: ChatAnthropic(base_url=server.anthropic_url, **{"model": "claude-opus-5", **kw}),
    "chat": lambda server, kw: ChatOpenAI(base_url=server.openai_url, **{"model": "gpt-4o", **kw}),
    "responses": lambda server, kw: ChatOpenAI(
        base_url=server.openai_url, **{"model": "gpt-5.6", "use_responses_api": True, **kw}
    ),
    "unified-anthropic": lambda server, kw: ChatUnified("anthropic/claude-opus-5", base_url=server.anthropic_url, **kw),
    "unified-openai": lambda server, kw: ChatUnified("openai/gpt-5.6", base_url=server.openai_url, **kw),
}
WIRES = ("anthropic", "chat", "responses")
each_class = pytest.mark.parametrize("name", BUILD)
each_wire = pytest.mark.parametrize("name", WIRES)
each_method = pytest.mark.parametrize("method", [None, "json_schema", "function_calling", "json_mode"])


@pytest.fixture
def server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


def build(name: str, server: Emulator, **kwargs: Any) -> Any:
    return BUILD[name](server, {"api_key": "any", "max_retries": 0, "on_unsupported": "ignore", **kwargs})


def sent(server: Emulator) -> dict[str, Any]:
    return server.requests[-1].body


def format_of(body: dict[str, Any]) -> dict[str, Any]:
    """What a body says of the answer's form, out of its wrapping."""
    found = body.get("response_format") or (body.get("text") or {}).get("format")
    found = found or (body.get("output_config") or {}).get("format") or {}
    return {**found, **found.get("json_schema", {})}


# --- each kind of schema ----------------------------------------------------------------------------------------------


class Joke(BaseModel):
    """A joke to tell."""

    setup: str = Field(description="the question")
    punchline: str | None = None
    rating: int = Field(default=5, ge=1, le=10)
    tags: list[str] = Field(default_factory=list, max_length=3)


class JokeV1(BaseModelV1):
    """A joke to tell."""

    setup: str
    punchline: str | None = None


class JokeDict(typing.TypedDict):
    """A joke to tell."""

    setup: Annotated[str, ..., "the question"]
    punchline: Annotated[str | None, None, "the answer"]


class OtherDict(typing_extensions.TypedDict):
    setup: str
    score: typing_extensions.NotRequired[int]


@dataclasses.dataclass
class JokeData:
    setup: str
    score: int = 1


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Tree(BaseModel):
    label: str
    children: list[Tree] = []


class Scores(BaseModel):
    """Figures by name."""

    by_name: dict[str, int]
    anything: Any = None


JSON_SCHEMA = {
    "title": "joke",
    "description": "A joke to tell.",
    "type": "object",
    "properties": {"setup": {"type": "string"}, "score": {"type": "integer", "minimum": 1}},
    "required": ["setup"],
}
KINDS: dict[str, tuple[Any, Any]] = {
    "pydantic": (Joke, Joke),
    "pydantic v1": (JokeV1, JokeV1),
    "typed dict": (JokeDict, dict),
    "typing extensions": (OtherDict, dict),
    "dataclass": (JokeData, JokeData),
    "json schema": (JSON_SCHEMA, dict),
    "openai function": ({"name": "joke", "description": "A joke.", "parameters": JSON_SCHEMA}, dict),
    "anthropic tool": ({"name": "joke", "input_schema": JSON_SCHEMA}, dict),
    "union": (Cat | Dog, (Cat, Dog)),
    "old union": (typing.Union[Cat, Dog], (Cat, Dog)),  # noqa: UP007 - the form is what is tested
    "discriminated": (Annotated[Cat | Dog, Field(discriminator="kind")], (Cat, Dog)),
    "mixed union": (Cat | JokeV1, (Cat, JokeV1)),
    "list": (list[Cat], list),
    "recursive": (Tree, Tree),
    "map": (Scores, Scores),
    "number": (int, int),
}
QUESTION = "Tell a joke about cats. Answer in JSON with 'setup' and 'punchline'."


@each_class
@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_of_schema(name: str, kind: str, server: Emulator) -> None:
    schema, wanted = KINDS[kind]
    model = build(name, server).with_structured_output(schema)
    whole = model.invoke(QUESTION)
    assert isinstance(whole, wanted)
    assert await model.ainvoke(QUESTION) == whole
    pieces = list(model.stream(QUESTION))
    assert all(isinstance(piece, wanted) for piece in pieces)
    assert pieces[-1] == whole
    assert [piece async for piece in model.astream(QUESTION)] == pieces
    assert model.batch([QUESTION, QUESTION]) == [whole, whole]


@each_class
@each_method
def test_each_method(name: str, method: str | None, server: Emulator) -> None:
    schema = JokeV1 if method == "json_mode" else Joke
    model = build(name, server).with_structured_output(schema, method=method)
    assert isinstance(model.invoke(QUESTION), schema)
    body = sent(server)
    forms = {"json_schema": "json_schema", None: "json_schema", "json_mode": "json_object", "function_calling": None}
    expected = forms[method]
    if method == "json_mode" and "anthropic" in name:
        expected = "json_schema"
    assert format_of(body).get("type") == expected
    assert bool(body.get("tools")) == (method == "function_calling")
    pieces = list(model.stream(QUESTION))
    assert all(isinstance(piece, schema) for piece in pieces)


def test_any_json_object(server: Emulator) -> None:
    model = build("chat", server).with_structured_output(method="json_mode")
    assert model.invoke(QUESTION).keys() == {"setup", "punchline"}


# --- what goes out ----------------------------------------------------------------------------------------------------


def test_the_schema_that_each_provider_gets(server: Emulator) -> None:
    asked = "Tell a joke."
    build("anthropic", server).with_structured_output(Joke).invoke(asked)
    properties = format_of(sent(server))["schema"]["properties"]
    assert properties["rating"]["description"] == "{default: 5, maximum: 10, minimum: 1}"
    assert format_of(sent(server))["schema"]["required"] == ["setup"]
    for name in ("chat", "responses"):
        build(name, server).with_structured_output(Joke).invoke(asked)
        found = format_of(sent(server))
        assert (found["name"], found["strict"]) == ("Joke", True)
        assert found["schema"]["required"] == ["setup", "punchline", "rating", "tags"]
        assert found["schema"]["properties"]["rating"]["maximum"] == 10
        assert found["schema"]["properties"]["tags"]["anyOf"][1] == {"type": "null"}


@pytest.mark.parametrize(
    "name, notes",
    [
        ("anthropic", ["Anthropic does not enforce maximum of rating, minimum of rating, maxItems of tags"]),
        ("chat", []),
        ("responses", []),
    ],
)
def test_what_is_not_enforced_is_listed_and_checked_here(name: str, notes: list[str], server: Emulator) -> None:
    found = build(name, server).with_structured_output(Joke, include_raw=True).invoke("hi")
    listed = found["raw"].response_metadata.get("adjustments", [])
    assert [note["why"].split(":")[0] for note in listed] == notes
    with emulator(script=['{"setup": "a", "rating": 11}', '{"setup": "a", "rating": 11}']) as scripted:
        model = build(name, scripted).with_structured_output(Joke)
        with pytest.raises(StructuredOutputError, match="rating: Input should be less than or equal to 10"):
            model.invoke("hi")
        with pytest.raises(core.OutputParserException):
            list(model.stream("hi"))


@each_wire
@pytest.mark.parametrize("policy", ["warn", "raise"])
@pytest.mark.parametrize("method", [None, "function_calling"])
@pytest.mark.parametrize("schema", [Joke, Scores, Tree, JSON_SCHEMA], ids=str)
def test_nothing_is_lost_where_the_answer_is_checked_here(
    name: str, policy: str, method: str | None, schema: Any, server: Emulator
) -> None:
    """So `on_unsupported` does not apply: what is not enforced is listed, and that is all."""
    model = build(name, server, on_unsupported=policy).with_structured_output(schema, method=method, include_raw=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = model.invoke("hi")
    assert found["parsing_error"] is None
    for note in found["raw"].response_metadata.get("adjustments", []):
        assert note.keys() == {"what", "why"}
        assert note["what"].startswith("the schema of ")
        assert note["why"].endswith("is checked here.")


@pytest.mark.parametrize(
    "name, schema, method, words",
    [
        ("anthropic", Joke, None, "does not enforce maximum of rating, minimum of rating"),
        ("anthropic", Tree, "function_calling", "Tree refers to itself: sent as not strict"),
        ("chat", Scores, None, "by_name is a map of open keys: sent as not strict"),
        ("responses", Scores, "function_calling", "by_name is a map of open keys: sent as not strict"),
    ],
)
def test_who_says_strict_wants_the_provider_to_hold_the_model_to_it(
    name: str, schema: Any, method: str | None, words: str, server: Emulator
) -> None:
    def model(policy: str) -> Any:
        chosen = build(name, server, on_unsupported=policy)
        return chosen.with_structured_output(schema, method=method, strict=True)

    with pytest.warns(UserWarning, match=words):
        assert isinstance(model("warn").invoke("hi"), schema)
    with pytest.raises(UnsupportedParameterError, match=words):
        model("raise").invoke("hi")


@each_wire
def test_a_format_that_nobody_checks_is_warned_of(name: str, server: Emulator) -> None:
    """`response_format` without `with_structured_output`: what the provider does not enforce is lost."""
    schema = {"title": "t", **object_of(a={"type": "string", "maxLength": 3})}
    asked = {"type": "json_schema", "json_schema": {"name": "t", "schema": schema, "strict": True}}
    with pytest.warns(UserWarning, match="the schema of response_format 't': .* does not enforce maxLength of a"):
        build(name, server, on_unsupported="warn").invoke("hi", response_format=asked)
    with pytest.raises(UnsupportedParameterError, match="does not enforce maxLength of a"):
        build(name, server, on_unsupported="raise").invoke("hi", response_format=asked)


@pytest.mark.parametrize("name", ["chat", "responses"])
def test_a_schema_that_openai_cannot_hold_to_is_not_strict(name: str, server: Emulator) -> None:
    found = build(name, server).with_structured_output(Scores, include_raw=True).invoke("hi")
    assert format_of(sent(server))["strict"] is False
    assert isinstance(found["parsed"], Scores)
    (note,) = found["raw"].response_metadata["adjustments"]
    assert note["what"] == "the schema of response_format 'Scores'"
    assert "anything may be of any type; by_name is a map of open keys" in note["why"]


@pytest.mark.parametrize("schema", [Tree, Scores])
def test_a_schema_that_anthropic_cannot_hold_to_is_a_tool(schema: type[BaseModel], server: Emulator) -> None:
    model = build("anthropic", server)
    found = model.with_structured_output(schema, include_raw=True).invoke("hi")
    assert isinstance(found["parsed"], schema)
    (note,) = found["raw"].response_metadata["adjustments"]
    assert note["what"] == f"the schema of tool {schema.__name__!r}"
    assert note["why"].endswith("sent as not strict, and the answer is checked here.")
    assert [(each["name"], each["strict"]) for each in sent(server)["tools"]] == [(schema.__name__, False)]
    assert "output_config" not in sent(server)
    with pytest.raises(InvalidToolError, match=r"Tree refers to itself|by_name is a map of open keys"):
        model.with_structured_output(schema, method="json_schema")


class Many(BaseModel):
    """More than Claude can be held to."""

    __annotations__ = {f"note{at}": str | None for at in range(17)}


def test_a_schema_of_too_many_choices_is_a_tool_on_anthropic(server: Emulator) -> None:
    model = build("anthropic", server)
    assert isinstance(model.with_structured_output(Many).invoke("hi"), Many)
    assert sent(server)["tools"][0]["strict"] is False
    with pytest.raises(InvalidToolError, match="it has 17 choices among types"):
        model.with_structured_output(Many, method="json_schema")
    assert isinstance(build("chat", server).with_structured_output(Many).invoke("hi"), Many)
    assert format_of(sent(server))["strict"] is True


def test_strict_is_the_callers(server: Emulator) -> None:
    model = build("chat", server)
    model.with_structured_output(Joke, strict=False).invoke("hi")
    assert format_of(sent(server))["strict"] is False
    assert "tags" not in format_of(sent(server))["schema"]["required"]
    model.with_structured_output(Joke, method="function_calling", strict=True).invoke("hi")
    function = sent(server)["tools"][0]["function"]
    assert function["strict"] is True
    assert function["parameters"]["required"] == ["setup", "punchline", "rating", "tags"]
    model.with_structured_output(Joke, method="function_calling").invoke("hi")
    assert "strict" not in sent(server)["tools"][0]["function"]


def test_a_bound_strict_is_of_every_tool_of_the_call(server: Emulator) -> None:
    bound = cast(Any, build("chat", server).bind(tools=[get_weather], strict=True))
    bound.with_structured_output(Joke, method="function_calling").invoke("hi")
    assert [tool["function"]["strict"] for tool in sent(server)["tools"]] == [True, True]
    bound.with_structured_output(Joke, method="function_calling", strict=False).invoke("hi")
    assert [tool["function"].get("strict", False) for tool in sent(server)["tools"]] == [True, False]


def test_the_model_of_the_call_decides(server: Emulator) -> None:
    model = ChatUnified(
        "anthropic/claude-opus-5", anthropic_api_url=server.anthropic_url, openai_api_base=server.openai_url,
        anthropic_api_key="any", openai_api_key="any", on_unsupported="ignore",
    ).with_structured_output(Tree)  # fmt: skip
    assert isinstance(model.invoke("hi"), Tree)
    assert sent(server)["tools"][0]["name"] == "Tree"
    assert isinstance(model.invoke("hi", model="openai/gpt-5.6"), Tree)
    assert format_of(sent(server))["type"] == "json_schema"
    assert isinstance(model.invoke("hi", model="openai/gpt-4-turbo"), Tree)
    assert sent(server)["tools"][0]["function"]["name"] == "Tree"
    assert isinstance(model.bind(model="openai/gpt-4o").invoke("hi"), Tree)
    assert format_of(sent(server))["strict"] is True


@each_wire
def test_traces_show_the_schema(name: str, server: Emulator) -> None:
    model = build(name, server).with_structured_output(JSON_SCHEMA)
    bound = model.first.kwargs
    assert bound["ls_structured_output_format"]["kwargs"] == {"method": "json_schema", "strict": None}
    assert json.loads(json.dumps(bound)) == bound
    assert "ls_structured_output_format" not in json.dumps(sent_after(model, server))


def sent_after(model: Any, server: Emulator) -> dict[str, Any]:
    model.invoke("hi")
    return sent(server)


@each_wire
def test_it_is_a_runnable_like_any_other(name: str, server: Emulator) -> None:
    model = build(name, server).with_structured_output(Joke)
    again = pickle.loads(pickle.dumps(model.last))
    assert again.target.name == "Joke"
    chain = RunnableLambda(lambda topic: f"A joke about {topic}") | model | RunnableLambda(lambda joke: joke.setup)
    assert isinstance(chain.invoke("cats"), str)
    assert isinstance(model.with_config(tags=["a"]).with_retry().invoke("hi"), Joke)
    assert model.get_output_schema() is not None


# --- include_raw ------------------------------------------------------------------------------------------------------


@each_class
@each_method
async def test_include_raw(name: str, method: str | None, server: Emulator) -> None:
    model = build(name, server).with_structured_output(JokeV1, method=method, include_raw=True)
    found = model.invoke(QUESTION)
    assert found.keys() == {"raw", "parsed", "parsing_error"}
    assert isinstance(found["raw"], AIMessage)
    assert isinstance(found["parsed"], JokeV1)
    assert found["parsing_error"] is None
    assert (await model.ainvoke(QUESTION))["parsed"] == found["parsed"]
    pieces = list(model.stream(QUESTION))
    total = pieces[0]
    for piece in pieces[1:]:
        total += piece
    assert total["parsed"] == found["parsed"]
    assert total["raw"].text == found["raw"].text
    assert [call["args"] for call in total["raw"].tool_calls] == [call["args"] for call in found["raw"].tool_calls]
    assert total["parsing_error"] is None


BAD_ANSWERS: dict[str, tuple[Any, type[Exception]]] = {
    "refused": ({"refusal": "I cannot help with that."}, RefusalError),
    "cut": (Completion("", "", ({"type": "text", "text": '{"setup": "Why did'},), "length"), TruncatedOutputError),
    "words": ("I would rather not use JSON.", StructuredOutputError),
    "another form": ('{"question": 1}', StructuredOutputError),
    "nothing": (Completion("", "", (), "stop"), StructuredOutputError),
}


@each_class
@pytest.mark.parametrize("case", BAD_ANSWERS)
async def test_answers_without_the_form(name: str, case: str) -> None:
    answer, error = BAD_ANSWERS[case]
    with emulator(script=[answer] * 6) as server:
        model = build(name, server)
        plain = model.with_structured_output(Joke)
        with pytest.raises(error) as caught:
            plain.invoke("hi")
        assert caught.value.provider == ("anthropic" if "anthropic" in name else "openai")
        assert caught.value.request_id
        with pytest.raises(error):
            await plain.ainvoke("hi")
        with pytest.raises(error):
            list(plain.stream("hi"))
        with pytest.raises(error):
            [piece async for piece in plain.astream("hi")]
        raw = model.with_structured_output(Joke, include_raw=True)
        found = raw.invoke("hi")
        assert (found["parsed"], type(found["parsing_error"])) == (None, error)
        last = list(raw.stream("hi"))[-1]
        assert (last["parsed"], type(last["parsing_error"])) == (None, error)


@each_wire
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_cut_answer_keeps_its_text(name: str, method: str) -> None:
    broken = {"type": "invalid_tool_call", "id": "call_1", "name": "Joke", "args": '{"setup": "Why did'}
    block = broken if method == "function_calling" else {"type": "text", "text": '{"setup": "Why did'}
    with emulator(script=[Completion("", "", (block,), "length")] * 2) as server:
        model = build(name, server).with_structured_output(Joke, method=method)
        with pytest.raises(TruncatedOutputError) as caught:
            model.invoke("hi")
        # Claude's call is shown as an object, whatever had come of it.
        assert caught.value.partial_text.startswith('{"setup": "Why did')
        pieces = []
        with pytest.raises(TruncatedOutputError) as caught:
            pieces.extend(model.stream("hi"))
        assert caught.value.partial_text.startswith('{"setup": "Why did')


@each_wire
def test_a_refusal_is_cores_where_core_has_one(name: str) -> None:
    with emulator(script=[{"refusal": "I cannot help with that."}]) as server:
        with pytest.raises(
            getattr(core, "ModelRefusalError", core.ModelError), match="I cannot help with that"
        ) as caught:
            build(name, server).with_structured_output(Joke).invoke("hi")
        assert not caught.value.is_retryable
        assert isinstance(caught.value.raw_message, AIMessage)


# --- streaming --------------------------------------------------------------------------------------------------------


@each_wire
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
@pytest.mark.parametrize("schema", [Joke, JokeV1, JokeDict, JokeData], ids=lambda schema: schema.__name__)
def test_the_answer_grows(name: str, method: str, schema: Any) -> None:
    args = {"setup": "Why did the chicken cross the road at night?"}
    answer = (
        {"tool_calls": [{"name": schema.__name__, "args": args}]} if method == "function_calling" else json.dumps(args)
    )
    with emulator(script=[answer]) as server:
        model = build(name, server).with_structured_output(schema, method=method)
        pieces = list(model.stream("hi"))
    setups = [piece["setup"] if isinstance(piece, dict) else piece.setup for piece in pieces]
    assert len(pieces) >= 3
    assert setups == sorted(setups, key=len)
    assert setups[-1] == args["setup"]
    assert len(setups[0]) < len(setups[-1])
    assert all(isinstance(piece, dict if schema is JokeDict else schema) for piece in pieces)


# --- thinking, and models that refuse a forced choice -----------------------------------------------------------------

THINKING: list[tuple[str, dict[str, Any]]] = [
    (
        "anthropic",
        {"model": "claude-sonnet-4-5", "thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000},
    ),
    ("anthropic", {"model": "claude-haiku-4-5", "reasoning_effort": "low", "max_tokens": 9000}),
    ("anthropic", {"model": "claude-opus-5", "thinking": {"type": "adaptive"}}),
    ("anthropic", {"model": "claude-sonnet-5-5"}),
    ("anthropic", {"model": "claude-opus-5-5"}),
    ("anthropic", {"model": "claude-opus-5-5", "reasoning_effort": "high"}),
    ("chat", {"model": "gpt-5.6", "reasoning_effort": "low"}),
    ("responses", {"model": "gpt-5.6", "reasoning": {"effort": "low", "summary": "auto"}}),
]


@pytest.mark.parametrize("name, kwargs", THINKING)
@pytest.mark.parametrize("method", [None, "json_schema", "function_calling"])
def test_with_thinking_and_without_a_forced_choice(
    name: str, kwargs: dict[str, Any], method: str | None, server: Emulator
) -> None:
    model = build(name, server, **kwargs).with_structured_output(Joke, method=method, include_raw=True)
    found = model.invoke("Tell a joke.")
    assert found["parsing_error"] is None
    assert isinstance(found["parsed"], Joke)
    assert isinstance(list(model.stream("Tell a joke."))[-1]["parsed"], Joke)


def test_a_choice_that_cannot_be_forced_is_noted(server: Emulator) -> None:
    model = build("anthropic", server, model="claude-sonnet-5-5")
    found = model.with_structured_output(Cat, method="function_calling", include_raw=True).invoke("hi")
    assert sent(server)["tool_choice"] == {"type": "auto"}
    (note,) = found["raw"].response_metadata["adjustments"]
    assert note["what"] == "tool_choice"
    assert note["why"].startswith("claude-sonnet-5-5 cannot be made to call a tool here: it may answer in JSON")
    assert format_of(sent(server))["type"] == "json_schema"
    build("anthropic", server).with_structured_output(Cat, method="function_calling").invoke("hi")
    assert sent(server)["tool_choice"] == {"type": "tool", "name": "Cat"}
    assert "output_config" not in sent(server)


# --- tools ------------------------------------------------------------------------------------------------------------


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"18 degrees in {city}"


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
    ({"schema": {}}, InvalidToolError, "says nothing"),
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
    with pytest.raises(UnsupportedParameterError, match="gpt-4-turbo has no json_schema output"):
        model.with_structured_output(Report, method="json_schema")
    other = build("chat", server, model="gpt-4-turbo", profile={"structured_output": True})
    assert isinstance(other.with_structured_output(Report).invoke("hi"), Report)
    assert format_of(sent(server))["type"] == "json_schema"


# --- generated schemas ------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["name", "size", "items", "note", "value"])


def some(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas that say `required`, and any of the rest."""
    rest = {key: each if isinstance(each, st.SearchStrategy) else st.just(each) for key, each in optional.items()}
    return st.fixed_dictionaries({key: st.just(each) for key, each in required.items()}, optional=rest)


PLAIN = st.one_of(
    some({"type": "string"}, minLength=st.integers(0, 3), maxLength=st.integers(4, 9), description="d"),
    some({"type": "string", "pattern": "^[a-z]{2,4}$"}),
    some({"type": "string", "pattern": "^(?!x)"}, default="y"),
    some({"type": "string"}, format=st.sampled_from(["date", "uuid", "email", "uri", "regex"])),
    some({"type": "integer"}, minimum=st.integers(-5, 5), multipleOf=2, maximum=st.integers(9, 12)),
    some({"type": "number"}, exclusiveMinimum=st.integers(-5, 0), exclusiveMaximum=st.integers(5, 9)),
    some({"type": "boolean"}),
    some({"type": ["string", "null"]}, maxLength=st.integers(4, 9)),
    st.lists(st.sampled_from(["a", "b", 1, None]), min_size=1, max_size=3, unique_by=str).map(lambda e: {"enum": e}),
    st.just({"type": ["string", "null"], "enum": ["a", None]}),
    st.just({"const": "fixed"}),
    st.sampled_from(["Node", "Tree", "Even"]).map(lambda name: {"$ref": f"#/$defs/{name}"}),
    st.just({"type": "object", "additionalProperties": {"type": "integer"}}),
    st.just({"type": "object", "patternProperties": {"^a": {"type": "integer"}}, "minProperties": 1}),
)


def extend(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    @st.composite
    def an_object(draw: st.DrawFn) -> dict[str, Any]:
        properties = draw(st.dictionaries(NAMES, inner, min_size=1, max_size=3))
        required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True, max_size=3))
        return {"type": "object", "properties": properties, "required": required}

    def tuple_of(items: list[Any]) -> dict[str, Any]:
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}

    members = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        an_object(),
        inner.flatmap(lambda items: some({"type": "array", "items": items}, minItems=st.integers(0, 2), maxItems=3)),
        members.map(tuple_of),
        members.map(lambda found: {"anyOf": [*found, {"type": "null"}]}),
        members.map(lambda found: {"anyOf": found}),
    )


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}


def maybe(name: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]}


RECURSIVE = {
    "Node": object_of(label={"type": "string"}, next=maybe("Node")),
    "Tree": object_of(
        size={"type": "integer", "minimum": 1}, children={"type": "array", "items": {"$ref": "#/$defs/Tree"}}
    ),
    "Even": object_of(odd=maybe("Odd")),
    "Odd": object_of(even=maybe("Even")),
}
ROOTS = st.recursive(PLAIN, extend, max_leaves=6).map(
    lambda found: {**found, "$defs": RECURSIVE} if "$ref" in json.dumps(found) else found
)
METHODS = st.sampled_from([None, "function_calling", "json_schema"])
WAYS = st.one_of(
    st.sampled_from([{}, {"method": "json_mode"}]),
    st.fixed_dictionaries({"method": METHODS, "strict": st.sampled_from([None, True, False])}),
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


class Obedient:
    """A server whose model does what the descriptions tell, also where nothing holds it to that."""

    server: Emulator
    name = ""
    value: Any = None

    def answer(self, request: Request) -> dict[str, Any] | str:
        call = {"name": self.name, "args": self.value}
        return {"tool_calls": [call]} if request.tools else json.dumps(self.value)


@pytest.fixture(scope="module")
def obedient() -> Iterator[Obedient]:
    model = Obedient()
    with emulator(script=model.answer) as model.server:
        yield model


def held(name: str, schema: dict[str, Any]) -> bool:
    """Whether the provider holds the model to all of a schema: then what the emulator makes up is an answer."""
    adapted = adapt_schema(schema) if name == "anthropic" else for_openai(schema)
    return not (adapted.loose or adapted.reasons)


QUESTION_OF = "Say something about the size 12 and 'note'."


@each_wire
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(schema=ROOTS, way=WAYS)
@example(schema={"$ref": "#/$defs/Tree", "$defs": RECURSIVE}, way={})
@example(schema={**object_of(even={"$ref": "#/$defs/Even"}), "$defs": RECURSIVE}, way={"strict": True})
@example(schema=object_of(again={"anyOf": [{"$ref": "#"}, {"type": "null"}]}), way={"method": "function_calling"})
@example(schema={"type": "object", "properties": {f"p{at}": {"type": "string"} for at in range(30)}}, way={})
def test_generated_schemas(
    name: str, shared: Emulator, obedient: Obedient, schema: dict[str, Any], way: dict[str, Any]
) -> None:
    """Whatever a schema says: the provider takes what is made of it, and the answer satisfies the schema itself."""
    whole = {"title": "Thing", **schema}
    target = Target(whole)
    obedient.value, obedient.name = instance(target.schema), target.name
    strict = way.get("method") in (None, "json_schema") and way.get("strict") is not False
    server = shared if strict and held(name, target.schema) else obedient.server
    if name == "anthropic" and way.get("method") == "json_schema" and adapt_schema(target.schema).reasons:
        with pytest.raises(InvalidToolError, match="Anthropic cannot hold an answer to the schema 'Thing'"):
            build(name, server).with_structured_output(whole, **way)
        return
    model = build(name, server).with_structured_output(whole, **way)
    found = model.invoke(QUESTION_OF)
    jsonschema.Draft202012Validator(whole).validate(found)
    assert list(model.stream(QUESTION_OF))[-1] == found


TYPES = st.recursive(
    st.sampled_from([str, int, bool, float, Cat, Tree, JokeData, Literal["a", "b"], None]),
    lambda inner: st.one_of(
        inner.map(lambda each: list[each]),  # type: ignore[valid-type]
        st.tuples(inner, inner).map(lambda both: typing.Union[both]),  # noqa: UP007 - made at run time
        inner.map(lambda each: typing.Union[each, None]),  # noqa: UP007
    ),
    max_leaves=4,
)


@each_wire
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(hint=TYPES)
def test_generated_types(name: str, shared: Emulator, hint: Any) -> None:
    if hint is None:
        return
    found = build(name, shared).with_structured_output(hint).invoke("Say something.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        TypeAdapter(hint).validate_python(found)
