"""One vocabulary of parameters: every key on every wire from the constructor, `bind` and the call, and its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, get_origin, get_type_hints

import pytest
from langchain_core.callbacks import BaseCallbackHandler

from docs.generate.parameters import page
from langchain_unified import (
    AnthropicCallParams,
    CallParams,
    ChatAnthropic,
    ChatOpenAI,
    ChatUnified,
    ConfigurationError,
    InvalidToolError,
    OpenAICallParams,
    RequestTimeoutError,
    UnsupportedParameterError,
)
from langchain_unified.params import DOCS
from langchain_unified.request import Params
from tests.support.corpus import ROOT
from tests.support.params import CASES, TOOL, TOOLS, Case, Http
from tests.support.replies import answer
from tests.support.server import Received, Reply, Server, serve

WIRES = ("anthropic_messages", "openai_chat", "openai_responses")
WAYS = ("constructor", "bind", "call")


def respond(request: Received) -> Reply:
    return replace(answer(request), wait=5.0) if "x-slow" in request.headers else answer(request)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with serve(respond) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.requests.clear()
    return running


def build(wire: str, server: Server, **kwargs: Any) -> Any:
    kwargs = {"api_key": "not-a-key", "max_retries": 0, "on_unsupported": "ignore", **kwargs}
    if wire == "anthropic_messages":
        return ChatAnthropic(**{"model": "claude-sonnet-4-5", "base_url": server.url, **kwargs})
    responses = wire == "openai_responses"
    return ChatOpenAI(**{"model": "gpt-4o", "base_url": server.url + "/v1", "use_responses_api": responses, **kwargs})


def given(wire: str, way: str, server: Server, params: Mapping[str, Any], **always: Any) -> tuple[Any, dict[str, Any]]:
    """A model, and the keywords to call it with, so that `params` come the one way or the other."""
    if way == "constructor":
        named = {"request_metadata" if key == "metadata" else key: value for key, value in params.items()}
        return build(wire, server, **always, **named), {}
    model = build(wire, server, **always)
    return (model.bind(**params), {}) if way == "bind" else (model, dict(params))


def always(case: Case, wire: str) -> dict[str, Any]:
    kwargs = dict(case.always or {})
    models = {name: kwargs.pop(f"{name}_model", None) for name in ("openai", "anthropic")}
    model = models[wire.partition("_")[0]]
    return {**kwargs, **({"model": model} if model else {})}


def holds(body: Any, part: Any) -> bool:
    """Whether the body has the part, at any depth of objects."""
    if isinstance(part, dict) and isinstance(body, dict):
        return all(key in body and holds(body[key], value) for key, value in part.items())
    return bool(body == part)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("key", CASES)
def test_every_parameter_on_every_wire_from_everywhere(key: str, wire: str, way: str, server: Server) -> None:
    case = CASES[key]
    expected = getattr(case, wire)
    model, keywords = given(wire, way, server, {key: case.value}, **always(case, wire))
    keywords |= case.call or {}
    if isinstance(expected, Http) and expected.parts.get("timeout"):
        with pytest.raises(RequestTimeoutError):
            model.invoke("hi", **keywords)
        return
    message = list(model.stream("hi", **keywords))[-1] if case.stream else model.invoke("hi", **keywords)
    request = server.requests[0]
    refused = [item["what"] for item in message.response_metadata.get("adjustments", [])]
    if isinstance(expected, Http):
        assert all(holds(getattr(request, part), value) for part, value in expected.parts.items())
    elif isinstance(expected, str):
        assert refused == [expected]
        assert key not in request.json
        return
    else:
        assert holds(request.json, expected), request.json
    assert refused == []


WRONG_VALUES = {int: "many", float: "warm", dict: "low", list: "text"}
WRONG_TYPES = {
    key: WRONG_VALUES[get_origin(hint) or hint]
    for key, hint in get_type_hints(Params).items()
    if (get_origin(hint) or hint) in WRONG_VALUES and key != "stop"
}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("key", [*WRONG_TYPES, "stop"])
def test_a_value_of_the_wrong_type_is_refused_by_name(key: str, wire: str, server: Server) -> None:
    with pytest.raises(UnsupportedParameterError, match=f"`{key}`"):
        build(wire, server).invoke("hi", **{key: WRONG_TYPES.get(key, 5)})
    assert server.requests == []


def test_the_table_has_every_key() -> None:
    assert list(DOCS) == list(CallParams.__annotations__)
    assert set(CASES) == set(CallParams.__annotations__)
    of_the_call = {"tool_choice", "response_format", "request_metadata", "prompt_cache"}
    of_http = {"timeout", "extra_headers", "extra_query", "extra_body"}
    assert set(CallParams.__annotations__) == set(Params.__annotations__) | of_the_call | of_http


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("key", CASES)
def test_the_words_on_a_parameter_agree_with_what_is_sent(key: str, wire: str) -> None:
    words, expected = getattr(DOCS[key], wire), getattr(CASES[key], wire)
    mixed = key.endswith("metadata") and wire != "openai_responses"  # a part of it is sent, or with another one
    assert words.startswith("Not sent") == (isinstance(expected, str) and not mixed)
    if isinstance(expected, dict) and key != "extra_body":
        assert all(f"`{name}" in words for name in list(expected)[:1])


def test_the_committed_page_is_current() -> None:
    committed = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    assert committed == page(), "run: make tables"


# --- what others list -------------------------------------------------------------------------------------------------

# The attributes on Mirascope's pages for the two classes.
MIRASCOPE_ANTHROPIC = (
    "extra_headers max_tokens tool_choice metadata stop_sequences system temperature top_k top_p timeout"
)
MIRASCOPE_OPENAI = (
    "audio extra_headers frequency_penalty logit_bias logprobs max_tokens metadata modalities n parallel_tool_calls "
    "presence_penalty reasoning_effort response_format seed stop stream_options temperature tool_choice top_logprobs "
    "top_p user"
)
# The parameters that LiteLLM supports for Anthropic's models.
LITELLM = (
    "stream stop temperature top_p max_tokens max_completion_tokens tools tool_choice extra_headers "
    "parallel_tool_calls response_format user"
)

VALUES: dict[str, Any] = {
    **{key: case.value for key, case in CASES.items()},
    "metadata": {"user_id": "u-1"},
    "tools": [TOOL],
    "stream": True,
    "stop_sequences": ["x"],
    "system": "Be brief.",
    "instructions": "Be brief.",
    "max_completion_tokens": 70,
    "max_output_tokens": 70,
    "safety_identifier": "u-1",
    "timeout": 5,
}


def test_mirascope_lists() -> None:
    assert set(MIRASCOPE_ANTHROPIC.split()) <= set(AnthropicCallParams.__annotations__)
    assert set(MIRASCOPE_OPENAI.split()) <= set(OpenAICallParams.__annotations__)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "wire, params",
    [
        ("anthropic_messages", AnthropicCallParams),
        ("openai_chat", OpenAICallParams),
        ("openai_responses", OpenAICallParams),
    ],
)
def test_a_class_takes_every_key_of_its_vocabulary(wire: str, params: Any, way: str, server: Server) -> None:
    for key in params.__annotations__:
        model, keywords = given(wire, way, server, {key: VALUES[key]})
        tools = TOOLS if key == "tool_choice" else {}
        assert model.invoke("hi", **keywords, **tools).text == "hello", key


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("key", LITELLM.split())
def test_litellms_list_per_call(wire: str, key: str, server: Server) -> None:
    keywords = {key: VALUES[key], **({"tools": [TOOL]} if key == "tool_choice" else {})}
    assert build(wire, server).invoke("hi", **keywords).text == "hello"
    assert server.requests[0].json.get("stream", False) is (key == "stream")


# --- the providers' own names -----------------------------------------------------------------------------------------

BRIEF = {"role": "system", "content": "Be brief."}
LIMIT = Case(70, {"max_tokens": 70}, {"max_completion_tokens": 70}, {"max_output_tokens": 70})
PROMPT = Case(
    "Be brief.",
    {"system": "Be brief."},
    {"messages": [BRIEF, {"role": "user", "content": "hi"}]},
    {"instructions": "Be brief."},
)
OWN_NAMES: dict[str, Case] = {
    "stop_sequences": Case(["x"], {"stop_sequences": ["x"]}, {"stop": ["x"]}, {}),
    "max_completion_tokens": LIMIT,
    "max_output_tokens": LIMIT,
    "safety_identifier": Case("u-1", {"metadata": {"user_id": "u-1"}}, *[{"safety_identifier": "u-1"}] * 2),
    "system": PROMPT,
    "instructions": PROMPT,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", OWN_NAMES)
def test_a_name_of_one_provider_is_understood_by_the_other(key: str, way: str, server: Server) -> None:
    case = OWN_NAMES[key]
    for wire in WIRES:
        model, keywords = given(wire, way, server, {key: case.value})
        message = model.invoke("hi", **keywords)
        assert holds(server.requests[-1].json, getattr(case, wire)), server.requests[-1].json
        cut_here = wire == "openai_responses" and key == "stop_sequences"
        assert ("adjustments" in message.response_metadata) == cut_here


def test_a_system_prompt_beside_that_of_the_conversation(server: Server) -> None:
    messages = [("system", "Be kind."), ("human", "hi")]
    blocks = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    build("anthropic_messages", server, system=blocks).invoke(messages)
    build("openai_chat", server, system="Be brief.").invoke(messages)
    build("openai_responses", server, system=blocks).invoke(messages, instructions="Be true.")
    bodies = [request.json for request in server.requests]
    assert bodies[0]["system"] == [*blocks, {"type": "text", "text": "Be kind."}]
    assert [m["content"] for m in bodies[1]["messages"]] == ["Be brief.", "Be kind.", "hi"]
    assert bodies[2]["instructions"] == "Be true."
    assert [item["role"] for item in bodies[2]["input"]] == ["system", "system", "user"]
    assert "Be brief." in str(bodies[2]["input"][0])


# --- meaning ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", WIRES)
def test_the_later_wins(wire: str, server: Server) -> None:
    model = build(wire, server, temperature=0.1, extra_headers={"x-mine": "1"})
    model.invoke("hi")
    model.bind(temperature=0.2).invoke("hi", extra_headers={"x-mine": "2"})
    model.bind(temperature=0.2).invoke("hi", temperature=0.3)
    model.invoke("hi", temperature=None, extra_headers=None)
    seen = [(request.json["temperature"], request.headers["x-mine"]) for request in server.requests]
    assert seen == [(0.1, "1"), (0.2, "2"), (0.3, "1"), (0.1, "1")]


@pytest.mark.parametrize("wire", WIRES)
def test_a_constructors_tool_choice_waits_for_tools(wire: str, server: Server) -> None:
    model = build(wire, server, tool_choice="get_weather")
    model.invoke("hi")
    model.bind_tools([TOOL]).invoke("hi")
    first, second = server.requests
    assert "tool_choice" not in first.json
    assert "get_weather" in str(second.json["tool_choice"])
    with pytest.raises(InvalidToolError, match="no tools are bound"):
        model.invoke("hi", tool_choice="any")


class Runs(BaseCallbackHandler):
    def __init__(self) -> None:
        self.metadata: list[Any] = []

    def on_chat_model_start(self, *args: Any, metadata: Any = None, **kwargs: Any) -> None:
        self.metadata.append(metadata)


async def test_metadata_of_the_run_and_of_the_api(server: Server) -> None:
    runs = Runs()
    model = build("openai_chat", server, metadata={"run": "1"}, request_metadata={"api": "0"}, store=True)
    config = {"callbacks": [runs], "metadata": {"call": "2"}}
    model.invoke("hi", config)
    model.invoke("hi", config, metadata={"api": "3"})
    await model.bind(metadata={"api": "4"}).ainvoke("hi", config)
    list(model.stream("hi", config, metadata={"api": "5"}))
    assert [request.json["metadata"] for request in server.requests] == [{"api": n} for n in "0345"]
    assert all(holds(seen, {"run": "1", "call": "2"}) and "api" not in seen for seen in runs.metadata)
    with pytest.raises(ConfigurationError, match="one parameter, given twice"):
        model.invoke("hi", metadata={"a": "1"}, request_metadata={"a": "2"})


@pytest.mark.parametrize("value", [0, -1, True, "2"])
def test_how_many_answers_must_be_a_number_of_them(value: Any) -> None:
    with pytest.raises(UnsupportedParameterError, match="`n`"):
        ChatOpenAI(model="gpt-4o", api_key="k").invoke("hi", n=value)


@pytest.mark.parametrize("policy", ["warn", "raise", "ignore"])
def test_what_to_do_with_what_cannot_be_sent(policy: str, server: Server) -> None:
    model = build("anthropic_messages", server, on_unsupported=policy, seed=7)
    if policy == "raise":
        with pytest.raises(UnsupportedParameterError, match="seed"):
            model.invoke("hi")
        assert server.requests == []
    elif policy == "warn":
        with pytest.warns(UserWarning, match="seed"):
            model.invoke("hi")
    else:
        assert model.invoke("hi").response_metadata["adjustments"][0]["what"] == "seed"


def test_secrets_in_headers_and_queries_are_not_written_down() -> None:
    model = ChatUnified("gpt-4o", extra_headers={"x-token": "canary"}, extra_query={"key": "canary"})
    written = [repr(model), str(model._identifying_params), str(model.to_json()), str(model._get_invocation_params())]
    written.append(model._get_llm_string(stop=None, extra_query={"key": "canary"}))
    assert [text for text in written if "canary" in text] == []
