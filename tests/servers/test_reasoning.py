"""Reasoning and signatures of compatible servers: shown as LangChain shows them, sent back to their server alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.servers import known_dialect
from langchain_unified.testing import emulator
from tests.servers.shapes import CALLED, DONE, answer, call, calls, chunk, completion, response
from tests.support.server import Received, Reply, Server, serve


@tool
def read(path: str) -> str:
    """Read a file."""
    return path


DETAILS = [
    {"type": "reasoning.text", "text": "hm", "signature": "S", "format": "anthropic-claude-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": "E", "index": 1},
]
SIGNED = {**call('{"path": "a"}', name="read", call_id="c1"), "extra_content": {"google": {"thought_signature": "S"}}}
CALL = call('{"path": "a"}', name="read", call_id="c1")
REPLIES = {"chat": completion({"content": "ok"}), "responses": response([]), "messages": answer([])}


class Asked:
    """A server that gives one answer, and keeps what it was asked."""

    def __init__(self) -> None:
        self.reply: Any = None
        self.server: Server

    def answer(self, request: Received) -> Reply:
        if self.reply is not None:
            return self.reply if isinstance(self.reply, Reply) else Reply.json(self.reply)
        api = "messages" if "messages" in request.path else "responses" if "responses" in request.path else "chat"
        return Reply.json(REPLIES[api])

    def chat(self, **fields: Any) -> ChatOpenAI:
        defaults: dict[str, Any] = {"model": "m-1", "api_key": "k", "dialect": "generic", "use_responses_api": False}
        return ChatOpenAI(**{"base_url": f"{self.server.url}/v1", "max_retries": 0, **defaults, **fields})

    def got(self, reply: Any, **fields: Any) -> AIMessage:
        """What a model makes of an answer."""
        self.reply = reply
        return self.chat(**fields).bind_tools([read]).invoke("q")

    def sent(self, message: BaseMessage, via: Any = None, **fields: Any) -> dict[str, Any]:
        """The body with the message and a result of its call, to a server of the same kind."""
        self.reply = None
        asked = via or self.chat(**fields)
        thread = [HumanMessage("q"), message]
        if getattr(message, "tool_calls", None):
            thread.append(ToolMessage("text", tool_call_id=message.tool_calls[0]["id"]))
        else:
            thread.append(HumanMessage("and?"))
        asked.bind_tools([read]).invoke(thread)
        return self.server.requests[-1].json


@pytest.fixture
def asked() -> Iterator[Asked]:
    found = Asked()
    with serve(found.answer) as found.server:
        yield found


def thought(**message: Any) -> dict[str, Any]:
    return completion({"content": None, "tool_calls": [CALL], **message}, "tool_calls")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("version", [None, "v1"])
def test_reasoning_goes_back_in_the_field_it_came_in(asked: Asked, field: str, version: str | None) -> None:
    message = asked.got(thought(**{field: "hm"}), output_version=version)
    back = asked.sent(message)["messages"][1]
    assert back[field] == "hm"
    assert {"reasoning_content", "reasoning"} & back.keys() == {field}
    assert [each["function"]["name"] for each in back["tool_calls"]] == ["read"]


def test_a_streamed_answer_goes_back_as_the_whole_one(asked: Asked) -> None:
    whole = asked.got(thought(reasoning_details=DETAILS, reasoning="hm", tool_calls=[SIGNED]))
    pieces = [
        chunk({"reasoning": "h", "reasoning_details": [{"type": "reasoning.text", "text": "h", "index": 0,
                                                         "format": "anthropic-claude-v1"}]}),
        chunk({"reasoning": "m", "reasoning_details": [{"type": "reasoning.text", "text": "m", "index": 0}]}),
        chunk({"reasoning_details": [{"type": "reasoning.text", "signature": "S", "index": 0}, DETAILS[1]]}),
        calls({**SIGNED, "index": 0}), *CALLED,
    ]  # fmt: skip
    events = [f"data: {item if item == DONE else json.dumps(item)}\n\n".encode() for item in pieces]
    asked.reply = Reply(200, {"content-type": "text/event-stream"}, events)
    streamed = asked.chat(streaming=True).bind_tools([read]).invoke("q")
    back = asked.sent(whole)["messages"]
    assert asked.sent(streamed)["messages"] == back
    assert back[1]["reasoning_details"] == DETAILS
    assert back[1]["tool_calls"][0]["extra_content"] == SIGNED["extra_content"]
    assert streamed.content_blocks == whole.content_blocks


def test_thoughts_in_the_content_go_back_there(asked: Asked) -> None:
    """Mistral: vercel/ai#13703, vercel/ai#17930."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "2+2"}], "closed": True}]
    text = {"type": "text", "text": "4"}
    whole = asked.got(completion({"content": [*parts, text]}))
    pieces = [
        chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "2"}]}]}),
        chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "+2"}], "closed": True}]}),
        chunk({"content": "4"}), chunk(finish="stop"), DONE,
    ]  # fmt: skip
    events = [f"data: {item if item == DONE else json.dumps(item)}\n\n".encode() for item in pieces]
    asked.reply = Reply(200, {"content-type": "text/event-stream"}, events)
    streamed = asked.chat(streaming=True).invoke("q")
    for message in (whole, streamed):
        assert message.content_blocks == [{"type": "reasoning", "reasoning": "2+2"}, text]
        assert asked.sent(message)["messages"][1] == {"role": "assistant", "content": [*parts, text]}
        assert asked.sent(message, dialect="openai", model="gpt-4o")["messages"][1]["content"] == "4"


def test_a_message_that_was_stored_goes_back_as_it_came(asked: Asked) -> None:
    message = asked.got(thought(reasoning_content="hm", tool_calls=[SIGNED]))
    stored = AIMessage.model_validate_json(message.model_dump_json())
    assert asked.sent(stored) == asked.sent(message)


@pytest.mark.parametrize("reply", [{"reasoning_content": "hm"}, {"reasoning": "hm", "reasoning_details": DETAILS}, {}])
def test_another_server_gets_the_call_alone(asked: Asked, reply: dict[str, Any]) -> None:
    message = asked.got(thought(**reply, tool_calls=[SIGNED]))
    with serve(asked.answer) as other:
        same = asked.server
        asked.server = other
        others = asked.sent(message)
        asked.server = same
    official = asked.sent(message, dialect="openai", model="gpt-4o")
    responses = asked.sent(message, dialect="openai", model="gpt-5.6", use_responses_api=True)
    claude = ChatAnthropic(model="claude-sonnet-4-5", api_key="k", base_url=asked.server.url, max_retries=0)
    anthropic = asked.sent(message, claude)
    for body in (others, official, responses, anthropic):
        written = json.dumps(body)
        assert not any(word in written for word in ("hm", "reasoning_", "extra_content", "thought_signature"))
        assert "c1" in written


def test_a_known_server_is_the_same_at_every_address(asked: Asked) -> None:
    message = asked.got(thought(reasoning_content="hm"), dialect="deepseek")
    assert message.response_metadata["server"] == "deepseek"
    with serve(asked.answer) as other:
        asked.server = other
        assert asked.sent(message, dialect="deepseek")["messages"][1]["reasoning_content"] == "hm"


def test_a_server_that_refuses_reasoning_gets_none(asked: Asked) -> None:
    name = next(name for name in ("groq", "mistral") if known_dialect(name).reasoning_replay == "never")
    message = asked.got(thought(reasoning="hm"), dialect=name)
    assert "hm" not in json.dumps(asked.sent(message, dialect=name)["messages"])


def test_calls_of_other_models_go_on_at_servers_that_ask_for_reasoning_or_signatures(asked: Asked) -> None:
    message = AIMessage("", tool_calls=[{"name": "read", "args": {"path": name}, "id": name} for name in ("c1", "c2")])
    results = [ToolMessage("text", tool_call_id=name) for name in ("c1", "c2")]
    for dialect in ("deepseek", "gemini"):
        answer = asked.chat(dialect=dialect).bind_tools([read]).invoke([HumanMessage("q"), message, *results])
        back = asked.server.requests[-1].json["messages"][1]
        assert ["extra_content" in made for made in back["tool_calls"]] == [dialect == "gemini", False]
        assert bool(back.get("reasoning_content")) == (dialect == "deepseek")
        assert [item["what"] for item in answer.response_metadata["adjustments"]] == ["tool calls of other servers"]


@pytest.mark.breaks_field_rules
@pytest.mark.parametrize("server, model", [("deepseek", "deepseek-v4-flash"), ("gemini", "gemini-3-flash")])
def test_a_thread_goes_on_at_another_server_in_the_middle_of_its_calls(server: str, model: str) -> None:
    with emulator() as first, emulator(server=server) as second:
        other = ChatOpenAI("gpt-4o", base_url=first.openai_url, api_key="k").bind_tools([read])
        thread: list[BaseMessage] = [HumanMessage("use read for a")]
        thread.append(other.invoke(thread))
        thread.append(ToolMessage("text", tool_call_id=thread[-1].tool_calls[0]["id"]))  # type: ignore[attr-defined]
        asked = ChatOpenAI(model, base_url=second.openai_url, api_key="k", max_retries=0).bind_tools([read])
        assert asked.invoke(thread).text


def test_a_thread_of_langchain_deepseek_goes_on(asked: Asked) -> None:
    made = {"name": "read", "args": {"path": "a"}, "id": "c1"}
    message = AIMessage(
        "",
        tool_calls=[made],
        additional_kwargs={"reasoning_content": "hm"},
        response_metadata={"model_provider": "deepseek"},
    )
    assert asked.sent(message, dialect="deepseek")["messages"][1]["reasoning_content"] == "hm"
    assert "hm" not in json.dumps(asked.sent(message)["messages"])


def test_reasoning_that_the_caller_wrote_goes_to_a_server_that_takes_it(asked: Asked) -> None:
    message = AIMessage("4", additional_kwargs={"reasoning_content": "2+2"})
    assert asked.sent(message, dialect="deepseek")["messages"][1]["reasoning_content"] == "2+2"
    assert "2+2" not in json.dumps(asked.sent(message, dialect="openai", model="gpt-4o")["messages"])


def test_an_answer_of_reasoning_alone_is_no_message_for_others(asked: Asked) -> None:
    message = asked.got(completion({"content": "", "reasoning_content": "hm"}, "length"))
    assert [each["role"] for each in asked.sent(message, dialect="openai", model="gpt-4o")["messages"]] == ["user"] * 2
    assert asked.sent(message)["messages"][1]["reasoning_content"] == "hm"


def test_claudes_thinking_of_another_server_is_left_out(asked: Asked) -> None:
    def claude(**fields: Any) -> ChatAnthropic:
        return ChatAnthropic(model="claude-sonnet-4-5", api_key="k", base_url=asked.server.url, max_retries=0, **fields)

    asked.reply = answer(
        [
            {"type": "thinking", "thinking": "hm", "signature": "S"},
            {"type": "tool_use", "id": "c1", "name": "read", "input": {}},
        ],
        "tool_use",
    )
    message = claude(dialect="generic").bind_tools([read]).invoke("q")
    assert '"hm"' in json.dumps(asked.sent(message, claude(dialect="generic")))
    assert '"hm"' not in json.dumps(asked.sent(message, claude(dialect="anthropic")))


def test_the_record_of_the_server_holds_no_secret(asked: Asked) -> None:
    address = asked.server.url.replace("http://", "http://me:secret-word@")
    message = asked.got(
        thought(reasoning_content="hm"), base_url=f"{address}/v1?key=secret-word", api_key="secret-word"
    )
    assert "secret-word" not in message.model_dump_json()


def test_chat_unified_reads_it_as_well(asked: Asked) -> None:
    asked.reply = completion({"content": "4", "reasoning": "2+2"})
    address = f"{asked.server.url}/v1"
    model = ChatUnified(model="m-1", api_key="k", base_url=address, dialect="generic", max_retries=0)
    assert [block["type"] for block in model.invoke("q").content_blocks] == ["reasoning", "text"]
