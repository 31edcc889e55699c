"""Prompt caching in whole conversations against the emulator: what is read back, and what the answers report of it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_unified import ChatUnified, PromptCache, cached
from langchain_unified.testing import Emulator, Fault, emulator

HANDBOOK = "Every order has a number. " * 1000
"""About 6,500 tokens, more than any model's minimum."""

APIS: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic": ("anthropic/claude-opus-5", {}),
    "chat": ("openai/gpt-5.6", {"use_responses_api": False}),
    "responses": ("openai/gpt-5.6", {"use_responses_api": True}),
}
OLD = ("openai/gpt-4o", {})
each_api = pytest.mark.parametrize("api", APIS)


def build(server: Emulator, api: str, **fields: Any) -> ChatUnified:
    name, options = {**APIS, "old": OLD}[api]
    url = server.anthropic_url if name.startswith("anthropic") else server.openai_url
    return ChatUnified(name, api_key="any", base_url=url, max_retries=0, **{**options, **fields})


def report(message: AIMessage) -> dict[str, Any]:
    found: dict[str, Any] = message.response_metadata["prompt_cache"]
    return found


def counts(message: AIMessage) -> tuple[int, int]:
    """What was read and written, as the usage has it: the report says the same."""
    assert message.usage_metadata is not None
    details = message.usage_metadata["input_token_details"]
    found = details.get("cache_read", 0), details.get("cache_creation", 0)
    assert (report(message)["read"], report(message)["written"]) == found
    return found


# --- status -----------------------------------------------------------------------------------------------------------

SHORT = [SystemMessage("Be brief."), HumanMessage("Hi.")]
LONG = [SystemMessage(HANDBOOK), HumanMessage("Hi.")]


@each_api
def test_write_hit_and_partial(server: Emulator, api: str) -> None:
    model = build(server, api, prompt_cache="auto")
    first, again = model.invoke(LONG), model.invoke(LONG)
    more = model.invoke([*LONG, first, HumanMessage("And?")])
    assert [report(message)["status"] for message in (first, again, more)] == ["write", "hit", "partial"]
    assert counts(first) == (0, 6500)
    assert counts(again) == (6500, 0)
    assert counts(more)[0] == 6500
    assert 0 < counts(more)[1] < 50
    assert report(first)["marks_sent"] == [{"place": "message 0 (system), block 0"}]
    assert [mark["place"] for mark in report(more)["marks_sent"]] == [
        "message 0 (system), block 0",
        "message 1 (user), block 0",
        "message 3 (user), block 0",
    ]


@each_api
def test_below_the_minimum(server: Emulator, api: str) -> None:
    model = build(server, api)
    short = model.invoke(SHORT, prompt_cache="auto")
    assert report(short) == {
        "status": "below_minimum",
        "read": 0,
        "written": 0,
        "marks_sent": [{"place": "message 0 (system), block 0"}],
        "marks_dropped": [],
    }
    assert "prompt_cache" not in model.invoke(SHORT).response_metadata


def test_off(server: Emulator) -> None:
    off = build(server, "anthropic").invoke([cached(LONG[0]), LONG[1]], prompt_cache="off")
    assert report(off) == {
        "status": "off",
        "read": 0,
        "written": 0,
        "marks_sent": [],
        "marks_dropped": [
            {"what": "the prompt-cache mark on message 0 (system), block 0", "why": "prompt_cache='off'"}
        ],
    }
    assert "adjustments" not in off.response_metadata


def test_miss_and_hit_of_a_model_that_caches_by_itself(server: Emulator) -> None:
    model = build(server, "old", on_unsupported="ignore")
    first, second = [model.invoke([cached(LONG[0]), LONG[1]]) for _ in range(2)]
    assert [report(message)["status"] for message in (first, second)] == ["miss", "hit"]
    assert report(second)["marks_sent"] == []
    (dropped,) = report(second)["marks_dropped"]
    assert dropped["why"] == "gpt-4o has no breakpoints: it caches by itself."
    unasked = model.invoke(LONG)
    assert report(unasked)["status"] == "hit"


def test_every_dropped_mark_is_listed_with_its_reason(server: Emulator) -> None:
    model = build(server, "anthropic", on_unsupported="ignore")
    answer = model.invoke([HumanMessage([cached(f"{HANDBOOK}{at}") for at in range(6)])])
    blocks = [f"message 0 (user), block {at}" for at in range(6)]
    assert [mark["place"] for mark in report(answer)["marks_sent"]] == blocks[2:]
    dropped = [item["what"] for item in report(answer)["marks_dropped"]]
    assert dropped == [f"the prompt-cache mark on {block}" for block in blocks[:2]]
    assert all("A request takes 4 at most" in item["why"] for item in report(answer)["marks_dropped"])
    (note,) = answer.response_metadata["adjustments"]
    assert note["what"] == "the prompt-cache marks beyond 4"
    openai = build(server, "responses", on_unsupported="ignore").bind(tools=[cached(look_up)])
    answer = openai.invoke([HumanMessage(HANDBOOK)])
    assert report(answer)["marks_dropped"] == answer.response_metadata["adjustments"]


def look_up(order: int) -> str:
    """Look up an order."""
    return f"Order {order} was sent."


@each_api
def test_the_mark_of_the_whole_call_is_reported(server: Emulator, api: str) -> None:
    model = build(server, api)
    first, second = [model.invoke(LONG, cache_control={"type": "ephemeral"}) for _ in range(2)]
    assert [report(message)["status"] for message in (first, second)] == ["write", "hit"]
    assert report(first)["marks_sent"] == [{"place": "message 1 (user), block 0"}]


# --- the same by every way --------------------------------------------------------------------------------------------


async def told(model: Any, way: str, messages: Sequence[BaseMessage]) -> dict[str, Any]:
    if way == "invoke":
        return report(model.invoke(messages))
    if way == "ainvoke":
        return report(await model.ainvoke(messages))
    if way == "batch":
        return report(model.batch([messages])[0])
    if way == "stream":
        return report(summed(list(model.stream(messages))))
    if way == "astream":
        return report(summed([chunk async for chunk in model.astream(messages)]))
    stream = model.stream_events(messages, version="v3")
    return report(stream.output)


def summed(chunks: list[AIMessageChunk]) -> AIMessage:
    assert sum("prompt_cache" in chunk.response_metadata for chunk in chunks) == 1
    return add_ai_message_chunks(chunks[0], *chunks[1:])


WAYS = ["invoke", "ainvoke", "batch", "stream", "astream", "v3"]


@each_api
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore:.*(beta|experimental)")
async def test_every_way_reports_the_same(api: str, way: str) -> None:
    answers: dict[str, list[dict[str, Any]]] = {}
    for each in ("invoke", way):
        with emulator() as server:
            model = build(server, api, prompt_cache=PromptCache(ttl="12h"), on_unsupported="ignore")
            talk = [*LONG, AIMessage("Hello."), HumanMessage([cached("One."), "Two?"])]
            answers[each] = [await told(model, each, messages) for messages in (LONG, LONG, talk)]
    assert answers[way] == answers["invoke"]
    assert [each["status"] for each in answers[way]] == ["write", "hit", "partial"]


def test_each_of_several_answers_has_a_report(server: Emulator) -> None:
    model = build(server, "anthropic", prompt_cache="auto", on_unsupported="ignore")
    first, second = (model.generate([LONG], n=2).generations[0] for _ in range(2))
    assert [report(each.message)["status"] for each in second] == ["hit", "hit"]  # type: ignore[union-attr]
    assert {report(each.message)["status"] for each in first} <= {"write", "hit"}  # type: ignore[union-attr]
    chat = build(server, "chat", prompt_cache="auto")
    # One request with one usage, which the first of its answers carries.
    found = chat.generate([LONG], n=2).generations[0]
    assert report(found[0].message)["status"] == "write"  # type: ignore[union-attr]


# --- through LangChain's layers ---------------------------------------------------------------------------------------


class City(BaseModel):
    """A city."""

    name: str


@each_api
@pytest.mark.parametrize("place", ["field", "bind", "call"])
def test_structured_output(server: Emulator, api: str, place: str) -> None:
    model: Any = build(server, api, **({"prompt_cache": "auto"} if place == "field" else {}))
    if place == "bind":
        model = model.bind(prompt_cache="auto")
    kwargs = {"prompt_cache": "auto"} if place == "call" else {}
    chain = model.with_structured_output(City, include_raw=True, **kwargs)
    first, second = (chain.invoke(LONG) for _ in range(2))
    assert isinstance(first["parsed"], City)
    assert [report(each["raw"])["status"] for each in (first, second)] == ["write", "hit"]


@each_api
@pytest.mark.parametrize("streamed", [False, True])
def test_an_agent_reads_what_its_last_step_wrote(api: str, streamed: bool) -> None:
    calls = [{"tool_calls": [{"name": "look_up", "args": {"order": order}}]} for order in range(3)]
    with emulator([*calls, "All were sent."]) as server:
        model = build(server, api, prompt_cache=PromptCache(tail="always"), reasoning_effort="none")
        if api == "anthropic":
            model = build(server, api, prompt_cache=PromptCache(tail="always"))
        agent = create_agent(model, tools=[look_up], system_prompt=HANDBOOK)
        question = {"messages": [HumanMessage("Where are my orders?")]}
        if streamed:
            steps = list(agent.stream(question, stream_mode="values"))
            messages = steps[-1]["messages"]
        else:
            messages = agent.invoke(question)["messages"]
    answers = [message for message in messages if isinstance(message, AIMessage)]
    assert [report(answer)["status"] for answer in answers] == ["write", "partial", "partial", "partial"]
    for before, after in itertools.pairwise(answers):
        assert counts(after)[0] == sum(counts(before))


def test_a_marked_tool_runs_in_an_agent() -> None:
    with emulator([{"tool_calls": [{"name": "look_up", "args": {"order": 7}}]}, "It was sent."]) as server:
        marked = cached(tool(look_up, description=HANDBOOK))
        agent = create_agent(build(server, "anthropic"), tools=[marked])
        messages = agent.invoke({"messages": [HumanMessage("Where is order 7?")]})["messages"]
    assert [message.content for message in messages[2:]] == ["Order 7 was sent.", "It was sent."]
    assert [report(message)["status"] for message in (messages[1], messages[3])] == ["write", "hit"]
    assert server.requests[0].body["tools"][0]["cache_control"] == {"type": "ephemeral"}


@pytest.mark.parametrize("api", ["anthropic", "responses"])
def test_marks_count_no_tokens(server: Emulator, api: str) -> None:
    marked: list[BaseMessage] = [cached(message) for message in LONG]
    counted = build(server, api, prompt_cache="auto").get_num_tokens_from_messages(marked)
    assert counted == build(server, api).get_num_tokens_from_messages(LONG) > 6000
    assert [request.status for request in server.requests] == [200, 200]


def test_what_the_server_holds_is_not_in_the_way(server: Emulator) -> None:
    model = build(server, "responses", prompt_cache="auto", use_previous_response_id=True)
    messages: list[BaseMessage] = [*LONG]
    for turn in range(3):
        answer = model.invoke(messages)
        messages += [answer, HumanMessage(f"And turn {turn}?")]
    assert "previous_response_id" in server.requests[-1].body
    assert [request.status for request in server.requests] == [200] * 3


@each_api
def test_a_conversation_reads_all_that_was_written_before(server: Emulator, api: str) -> None:
    model = build(server, api, prompt_cache=PromptCache(tail="always"))
    messages: list[BaseMessage] = [*LONG]
    known = 0
    for turn in range(6):
        answer = model.invoke(messages)
        read, written = counts(answer)
        assert read == known
        assert written > 0
        known = read + written
        messages += [answer, HumanMessage(f"And turn {turn}?")]


@each_api
def test_a_moving_mark_of_the_callers_is_found_after_many_calls(server: Emulator, api: str) -> None:
    """25 calls at once are more blocks than Anthropic looks back; OpenAI reads at breakpoints alone."""
    model = build(server, api, on_unsupported="ignore")
    asked = [SystemMessage(HANDBOOK), HumanMessage("Where are my orders?")]
    first = model.invoke([asked[0], cached(asked[1])])
    calls = [{"name": "look_up", "args": {"order": at}, "id": f"call_{at}"} for at in range(25)]
    results: list[BaseMessage] = [ToolMessage("Sent.", tool_call_id=call["id"]) for call in calls]
    talk = [*asked, AIMessage("", tool_calls=calls), *results[:-1], cached(results[-1])]
    second = model.invoke(talk)
    assert counts(second)[0] == sum(counts(first))
    assert len(report(second)["marks_sent"]) == 2


# --- from one provider to the other -----------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["chat", "responses"])
@pytest.mark.parametrize("marks", ["own", "auto"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_fallback_in_mid_conversation_keeps_caching_on_both(
    server: Emulator, other: str, marks: str, streamed: bool
) -> None:
    """Claude is overloaded for two turns: GPT answers and caches, then Claude reads again what it wrote."""
    policy = {"prompt_cache": PromptCache(tail="always")} if marks == "auto" else {}
    chain = build(server, "anthropic", **policy).with_fallbacks([build(server, other, **policy)])
    rules = SystemMessage(HANDBOOK) if marks == "auto" else cached(SystemMessage(HANDBOOK))
    messages: list[BaseMessage] = [rules, HumanMessage("Turn 0.")]
    found: list[tuple[str, int]] = []
    for turn in range(7):
        if turn in (2, 3):
            server.fail_next(Fault.overloaded())
        answer = summed(list(chain.stream(messages))) if streamed else chain.invoke(messages)
        found.append((answer.response_metadata["model_provider"], counts(answer)[0]))
        question = HumanMessage(f"Turn {turn + 1}.")
        messages += [answer, cached(question) if marks == "own" and turn > 4 else question]
    assert [provider for provider, _ in found] == ["anthropic"] * 2 + ["openai"] * 2 + ["anthropic"] * 3
    reads = [read for _, read in found]
    assert reads[0] == reads[2] == 0
    assert all(read >= 6500 for at, read in enumerate(reads) if at not in (0, 2))
    assert {request.status for request in server.requests} == {200, 529}


def test_a_conversation_of_claude_keeps_its_marks_on_gpt(server: Emulator) -> None:
    """The marks that were written for one provider, in its own words, on every kind of block."""
    claude, gpt = build(server, "anthropic"), build(server, "responses", on_unsupported="ignore")
    mark: Mapping[str, Any] = {"cache_control": {"type": "ephemeral"}}
    messages: list[BaseMessage] = [
        SystemMessage([{"type": "text", "text": HANDBOOK, **mark}]),
        HumanMessage([{"type": "text", "text": "Where is order 7?", **mark}]),
        AIMessage(
            [
                {"type": "thinking", "thinking": "I look it up.", "signature": "c2ln"},
                {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"order": 7}, **mark},
            ],
            tool_calls=[{"name": "look_up", "args": {"order": 7}, "id": "toolu_1"}],
            response_metadata={"model_provider": "anthropic", "model_name": "claude-opus-5"},
        ),
        HumanMessage([{"type": "tool_result", "tool_use_id": "toolu_1", "content": "Sent.", **mark}]),
    ]
    tools = {"tools": [{"name": "look_up", "input_schema": {"type": "object", "properties": {}}}]}
    for model in (claude, gpt):
        first, second = (model.invoke(messages, **tools) for _ in range(2))
        assert [report(message)["status"] for message in (first, second)] == ["write", "hit"]
    assert [request.status for request in server.requests] == [200] * 4
