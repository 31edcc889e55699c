"""`with_structured_output`: what goes out to each provider."""

from __future__ import annotations

import json
import pickle
import warnings
from typing import Any, cast

import pytest
from langchain_core import exceptions as core
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from langchain_unified import (
    ChatUnified,
    DeprecatedModelWarning,
    InvalidToolError,
    StructuredOutputError,
    UnsupportedParameterError,
)
from langchain_unified.testing import Emulator, emulator
from tests.integration.structured.helpers import (
    JSON_SCHEMA,
    Cat,
    Joke,
    Scores,
    Tree,
    build,
    each_wire,
    format_of,
    get_weather,
    object_of,
    sent,
)

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
        warnings.simplefilter("ignore", DeprecatedModelWarning)
        found = model.invoke("hi")
    assert found["parsing_error"] is None
    for note in found["raw"].response_metadata.get("adjustments", []):
        assert note.keys() == {"what", "why"}
        if note["what"].startswith("strict of the tool "):
            assert note["why"].endswith("strict=false was sent.")
            continue
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
