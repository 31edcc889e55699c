"""Programs of the kind that the documentation of langchain-anthropic and langchain-openai teaches.

Each is a function of a chat model. It returns what the program would show: messages, chunks added up, or objects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKJSVFT0YK"
ALL = ("anthropic", "chat", "responses")
OPENAI = ("chat", "responses")


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"18 °C in {city}"


@tool
def get_forecast(city: str, days: int = 3) -> str:
    """The weather of the next days in a city."""
    return f"18 °C in {city} for {days} days"


class Trip(BaseModel):
    """A trip to a city."""

    city: str = Field(description="where to")
    days: int


class TripDict(TypedDict):
    """A trip to a city."""

    city: str
    days: int


CALL = {"name": "get_weather", "args": {"city": "Paris"}, "id": "call_1", "type": "tool_call"}
ANSWERED = [
    HumanMessage("What is the weather in Paris?"),
    AIMessage("", tool_calls=[CALL]),
    ToolMessage("18 °C", tool_call_id="call_1"),
]


def added(chunks: Any) -> Any:
    first, *rest = chunks
    for chunk in rest:
        first += chunk
    return first


async def aadded(chunks: Any) -> Any:
    return added([chunk async for chunk in chunks])


def agent(model: Any) -> list[Any]:
    """A model and its tool, until the model answers in text."""
    bound = model.bind_tools([get_weather])
    messages: list[Any] = [HumanMessage("What is the weather in Paris?")]
    for _ in range(2):
        messages.append(bound.invoke(messages))
        messages += [get_weather.invoke(call) for call in messages[-1].tool_calls]
    return messages


def thread(model: Any) -> list[Any]:
    """Two turns of a checkpointed graph."""
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_edge(START, "model")
    app = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    for text in ("Hi, I am Ada.", "What is my name?"):
        state = app.invoke({"messages": [HumanMessage(text)]}, config)
    return list(state["messages"])


def image(source: dict[str, Any]) -> list[Any]:
    return [HumanMessage([{"type": "text", "text": "What is this?"}, source])]


def after_reasoning(kind: str) -> Callable[[Any], Any]:
    """Two turns of which the first was thought about."""

    def run(model: Any) -> Any:
        first = added(model.stream("Hi")) if kind == "stream" else model.invoke("Hi")
        return [first, model.invoke([HumanMessage("Hi"), first, HumanMessage("And then?")])]

    return run


def reads_its_documents(model: Any) -> list[Any]:
    """An answer with citations, streamed, and the same thread gone on."""
    asked = HumanMessage([CITED_DOCUMENT, {"type": "text", "text": "What colour is grass?"}])
    answer = added(model.stream([asked]))
    shown = [note for block in answer.content_blocks for note in block.get("annotations") or ()]
    return [answer, [note["cited_text"] for note in shown], model.invoke([asked, answer, HumanMessage("And the sky?")])]


def approves(model: Any) -> list[Any]:
    """A call of an MCP server that the user approves."""
    bound = model.bind_tools([MCP])
    asked: list[Any] = [HumanMessage("What is in the repository?")]
    answer = bound.invoke(asked)
    approvals = [
        {"type": "mcp_approval_response", "approve": True, "approval_request_id": block["id"]}
        for block in answer.content
        if block["type"] == "mcp_approval_request"
    ]
    return [answer, bound.invoke([*asked, answer, HumanMessage(approvals)])]


def goes_on_by_id(model: Any) -> list[Any]:
    """The server keeps the conversation: only the new message is sent."""
    first = model.invoke("Hi, I am Ada.")
    return [first, model.invoke("What is my name?", previous_response_id=first.response_metadata["id"])]


def goes_on_by_field(model: Any) -> list[Any]:
    messages: list[Any] = [HumanMessage("Hi, I am Ada.")]
    messages.append(model.invoke(messages))
    messages.append(HumanMessage("What is my name?"))
    return [*messages, model.invoke(messages)]


def reads_blocks(model: Any) -> list[Any]:
    """The texts of a stream, block by block, as the documentation of the Responses API prints them."""
    return [block["text"] for chunk in model.stream("Hi") for block in chunk.content if block.get("text")]


def reads_usage(model: Any) -> Any:
    answer = model.invoke("Hi")
    usage = answer.usage_metadata
    return [usage["input_tokens"] > 0, usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]]


def reads_calls_as_they_come(model: Any) -> Any:
    chunks = list(model.bind_tools([get_weather]).stream("Weather in Paris?"))
    pieces = [piece for chunk in chunks for piece in chunk.tool_call_chunks]
    return [next(piece["name"] for piece in pieces if piece["name"]), "".join(piece["args"] or "" for piece in pieces)]


MCP = {
    "type": "mcp",
    "server_label": "deepwiki",
    "server_url": "https://mcp.deepwiki.com/mcp",
    "require_approval": "always",
}
ASKS_APPROVAL = {
    "content": [
        {
            "type": "native",
            "value": {
                "type": "mcp_approval_request",
                "id": "mcpr_1",
                "name": "read",
                "arguments": "{}",
                "server_label": "deepwiki",
            },
        }
    ]
}
CITED_DOCUMENT = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "The grass is green. The sky is blue."},
    "title": "Colours",
    "citations": {"enabled": True},
}
MARK = {"cache_control": {"type": "ephemeral"}}
IMAGE_URL = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
PROMPT = ChatPromptTemplate.from_messages([("system", "You translate to {language}."), ("human", "{text}")])


@dataclass(frozen=True)
class Program:
    """A program, the APIs that it is written for, the model's fields, and the answers of the server."""

    name: str
    run: Callable[[Any], Any]
    apis: Sequence[str] = ALL
    fields: Any = None
    script: Sequence[Any] | None = None


FAILED = [*ANSWERED[:2], ToolMessage("No network", tool_call_id="call_1", status="error")]
PICTURED = [
    *ANSWERED[:2],
    ToolMessage([{"type": "image", "base64": PNG, "mime_type": "image/png"}], tool_call_id="call_1"),
]
WEATHER_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER_DICT = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather.", "parameters": WEATHER_SCHEMA},
}
CLAUDES_TOOL = {"name": "get_weather", "description": "The weather.", "input_schema": WEATHER_SCHEMA}
CALLS_WEATHER = {"tool_calls": [{"name": "get_weather", "args": {"city": "Paris"}}]}
THOUGHT = {"content": "Hello.", "reasoning": "They greet."}
TRIP = '{"city": "Rome", "days": 4}'
CALLS_TRIP = {"tool_calls": [{"name": "Trip", "args": {"city": "Rome", "days": 4}}]}
SCHEMA = {"title": "Trip", "description": "A trip.", **Trip.model_json_schema()}

PROGRAMS = [
    Program("invoke a text", lambda m: m.invoke("Hi")),
    Program("invoke messages", lambda m: m.invoke([SystemMessage("Be brief."), HumanMessage("Hi")])),
    Program(
        "invoke tuples", lambda m: m.invoke([("system", "Be brief."), ("human", "Hi"), ("ai", "Yes?"), ("human", "Go")])
    ),
    Program(
        "invoke dicts",
        lambda m: m.invoke([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]),
    ),
    Program("an empty prompt", lambda m: m.invoke(""), ("chat", "responses")),
    Program("stream", lambda m: added(m.stream("Count to three."))),
    Program("ainvoke", lambda m: asyncio.run(m.ainvoke("Hi"))),
    Program("astream", lambda m: asyncio.run(aadded(m.astream("Hi")))),
    Program("batch", lambda m: m.batch(["Hi", "Ho"], config={"max_concurrency": 1})),
    Program("prompt template", lambda m: (PROMPT | m).invoke({"language": "French", "text": "Hello"})),
    Program("temperature", lambda m: m.invoke("Hi"), ("chat",), {"temperature": 0}),
    Program("max_tokens", lambda m: m.invoke("Hi"), ALL, {"max_tokens": 100}),
    Program("max_tokens of the call", lambda m: m.invoke("Hi", max_tokens=100)),
    Program("top_p", lambda m: m.invoke("Hi", top_p=0.5), ("chat",)),
    Program("stop", lambda m: m.invoke("Hi", stop=["END"]), ("anthropic", "chat")),
    Program("seed", lambda m: m.invoke("Hi"), ("chat",), {"seed": 7}),
    Program("n", lambda m: [g.message for g in m.generate([[HumanMessage("Hi")]]).generations[0]], ("chat",), {"n": 2}),
    Program("logprobs", lambda m: m.bind(logprobs=True).invoke("Hi"), ("chat",)),
    Program("tools", lambda m: m.bind_tools([get_weather]).invoke("Weather in Paris?"), ALL, None, [CALLS_WEATHER]),
    Program(
        "strict tools with defaults",
        lambda m: m.bind_tools([get_forecast], strict=True).invoke("Hi"),
        ("anthropic",),
        None,
        [CALLS_WEATHER],
    ),
    Program(
        "instructions for a reasoning model",
        lambda m: m.invoke([SystemMessage("Be brief."), HumanMessage("Hi")]),
        ("chat",),
        {"model": "gpt-5"},
    ),
    Program(
        "tools streamed", lambda m: added(m.bind_tools([get_weather]).stream("Weather?")), ALL, None, [CALLS_WEATHER]
    ),
    Program(
        "strict tools", lambda m: m.bind_tools([get_weather], strict=True).invoke("Hi"), ALL, None, [CALLS_WEATHER]
    ),
    Program("tool_choice by name", lambda m: m.bind_tools([get_weather], tool_choice="get_weather").invoke("Hi")),
    Program("tool_choice any", lambda m: m.bind_tools([get_weather], tool_choice="any").invoke("Hi")),
    Program("no parallel calls", lambda m: m.bind_tools([get_weather], parallel_tool_calls=False).invoke("Hi")),
    Program("tool results", lambda m: m.bind_tools([get_weather]).invoke(ANSWERED), ALL, None, ["18 °C."]),
    Program("an agent", agent, ALL, None, [CALLS_WEATHER, "18 °C."]),
    Program(
        "json_schema", lambda m: m.with_structured_output(Trip, method="json_schema").invoke("Trip"), ALL, None, [TRIP]
    ),
    Program(
        "function_calling",
        lambda m: m.with_structured_output(Trip, method="function_calling").invoke("Trip"),
        ALL,
        None,
        [CALLS_TRIP],
    ),
    Program(
        "json_mode",
        lambda m: m.with_structured_output(Trip, method="json_mode").invoke("Trip as JSON"),
        OPENAI,
        None,
        [TRIP],
    ),
    Program(
        "structured TypedDict",
        lambda m: m.with_structured_output(TripDict, method="json_schema").invoke("Trip"),
        ALL,
        None,
        [TRIP],
    ),
    Program(
        "structured dict",
        lambda m: m.with_structured_output(SCHEMA, method="json_schema").invoke("Trip"),
        ALL,
        None,
        [TRIP],
    ),
    Program(
        "structured with raw",
        lambda m: m.with_structured_output(Trip, method="json_schema", include_raw=True).invoke("Trip"),
        ALL,
        None,
        [TRIP],
    ),
    Program("response_format class", lambda m: m.invoke("Trip", response_format=Trip), OPENAI, None, [TRIP]),
    Program("image_url", lambda m: m.invoke(image(IMAGE_URL))),
    Program("standard image", lambda m: m.invoke(image({"type": "image", "base64": PNG, "mime_type": "image/png"}))),
    Program(
        "v0 image",
        lambda m: m.invoke(image({"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"})),
    ),
    Program(
        "standard PDF",
        lambda m: m.invoke(image({"type": "file", "base64": PDF, "mime_type": "application/pdf", "filename": "a.pdf"})),
    ),
    Program(
        "Anthropic's image",
        lambda m: m.invoke(
            image({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}})
        ),
        ("anthropic",),
    ),
    Program(
        "a document with citations",
        lambda m: m.invoke(
            image(
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "Grass is green."},
                    "citations": {"enabled": True},
                }
            )
        ),
        ("anthropic",),
    ),
    Program(
        "cache_control",
        lambda m: m.invoke([SystemMessage([{"type": "text", "text": "Rules.", **MARK}]), HumanMessage("Hi")]),
        ("anthropic",),
    ),
    Program("prompt_cache_key", lambda m: m.invoke("Hi", prompt_cache_key="k"), OPENAI),
    Program("thinking", after_reasoning("invoke"), ("anthropic",), {"thinking": {"type": "adaptive"}}, [THOUGHT] * 2),
    Program(
        "thinking streamed",
        after_reasoning("stream"),
        ("anthropic",),
        {"thinking": {"type": "adaptive"}},
        [THOUGHT] * 2,
    ),
    Program(
        "reasoning",
        after_reasoning("invoke"),
        ("responses",),
        {"reasoning": {"effort": "low", "summary": "auto"}},
        [THOUGHT] * 2,
    ),
    Program(
        "reasoning streamed", after_reasoning("stream"), ("responses",), {"reasoning": {"effort": "low"}}, [THOUGHT] * 2
    ),
    Program("reasoning_effort", lambda m: m.invoke("Hi"), ("responses",), {"reasoning_effort": "low"}),
    Program("effort", lambda m: m.invoke("Hi"), ("anthropic",), {"effort": "low"}),
    Program(
        "web search of Anthropic",
        lambda m: m.bind_tools([{"type": "web_search_20250305", "name": "web_search"}]).invoke("Hi"),
        ("anthropic",),
        {"model": "claude-sonnet-4-5"},
    ),
    Program("web search of OpenAI", lambda m: m.bind_tools([{"type": "web_search"}]).invoke("Hi"), ("responses",)),
    Program("bind", lambda m: m.bind(max_tokens=50).invoke("Hi")),
    Program("with_config", lambda m: m.with_config(tags=["a"]).invoke("Hi")),
    Program("with_fallbacks", lambda m: m.with_fallbacks([m]).invoke("Hi")),
    Program("with_retry", lambda m: m.with_retry(stop_after_attempt=2).invoke("Hi")),
    Program("a checkpointed thread", thread, ALL, None, ["Hello Ada.", "Ada."]),
    Program("metadata and user", lambda m: m.invoke("Hi", user="u"), OPENAI),
    Program("service_tier", lambda m: m.invoke("Hi"), ALL, {"service_tier": "auto"}),
    Program("an answer with citations", reads_its_documents, ("anthropic",)),
    Program("an approval of an MCP call", approves, ("responses",), None, [ASKS_APPROVAL, "Files."]),
    Program("previous_response_id", goes_on_by_id, ("responses",), None, ["Hi Ada.", "Ada."]),
    Program(
        "use_previous_response_id",
        goes_on_by_field,
        ("responses",),
        {"use_previous_response_id": True},
        ["Hi Ada.", "Ada."],
    ),
    Program("blocks of a stream", reads_blocks, ("responses",)),
    Program("usage", reads_usage),
    Program("calls as they come", reads_calls_as_they_come, ALL, None, [CALLS_WEATHER]),
    Program(
        "json_schema streamed",
        lambda m: list(m.with_structured_output(Trip, method="json_schema").stream("Trip"))[-1],
        ALL,
        None,
        [TRIP],
    ),
    Program(
        "function_calling streamed",
        lambda m: list(m.with_structured_output(Trip, method="function_calling").stream("Trip"))[-1],
        ALL,
        None,
        [CALLS_TRIP],
    ),
    Program(
        "structured dict streamed",
        lambda m: list(m.with_structured_output(SCHEMA, method="json_schema").stream("Trip"))[-1],
        ALL,
        None,
        [TRIP],
    ),
    Program(
        "structured async",
        lambda m: asyncio.run(m.with_structured_output(Trip, method="json_schema").ainvoke("Trip")),
        ALL,
        None,
        [TRIP],
    ),
    Program("output_version v1", lambda m: m.invoke("Hi").content, ALL, {"output_version": "v1"}, ["Hello."]),
    Program(
        "output_version v1 streamed",
        lambda m: [b.get("text") for b in added(m.stream("Hi")).content],
        ALL,
        {"output_version": "v1"},
        ["Hello."],
    ),
    Program("async batch", lambda m: asyncio.run(m.abatch(["Hi", "Ho"], config={"max_concurrency": 1}))),
    Program("a tool's dict", lambda m: m.bind_tools([WEATHER_DICT]).invoke("Hi"), ALL, None, [CALLS_WEATHER]),
    Program("an error of a tool", lambda m: m.bind_tools([get_weather]).invoke(FAILED), ALL, None, ["Sorry."]),
    Program("an image from a tool", lambda m: m.bind_tools([get_weather]).invoke(PICTURED), ("anthropic", "responses")),
    Program(
        "thinking within a budget",
        lambda m: m.invoke("Hi"),
        ("anthropic",),
        {"model": "claude-sonnet-4-5", "max_tokens": 5000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        [THOUGHT],
    ),
    Program(
        "tools with cache_control",
        lambda m: m.bind_tools([{**CLAUDES_TOOL, **MARK}]).invoke("Hi"),
        ("anthropic",),
        None,
        [CALLS_WEATHER],
    ),
    Program("betas", lambda m: m.invoke("Hi"), ("anthropic",), {"betas": ["context-management-2025-06-27"]}),
    Program("model_kwargs", lambda m: m.invoke("Hi"), ("chat",), {"model_kwargs": {"user": "u"}}),
    Program("extra_body", lambda m: m.invoke("Hi"), ("chat",), {"extra_body": {"seed": 1}}),
    Program("prediction", lambda m: m.invoke("Hi", prediction={"type": "content", "content": "Hello"}), ("chat",)),
    Program("verbosity", lambda m: m.invoke("Hi"), ("responses",), {"verbosity": "low"}),
    Program("truncation and include", lambda m: m.invoke("Hi"), ("responses",), {"truncation": "auto", "store": False}),
    Program(
        "with tools and a format",
        lambda m: m.bind_tools([get_weather], response_format=Trip, strict=True).invoke("Trip"),
        OPENAI,
        None,
        [TRIP],
    ),
]
