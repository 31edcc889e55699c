"""JSON that is nested a thousand times, as looping models write it: the answer is kept, its call is an invalid one."""

from __future__ import annotations

import json

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_unified import ChatUnified
from langchain_unified.errors import InvalidRequestError, ReplyError
from tests.support.replies import answer
from tests.support.server import Reply, serve, sse_event

MODELS = {
    "anthropic_messages": ("anthropic/claude-opus-5", {}),
    "openai_chat": ("openai/gpt-4o", {"use_responses_api": False}),
    "openai_responses": ("openai/gpt-5.6", {"use_responses_api": True}),
}
DEPTHS = (300, 900, 1000, 5000)


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def deep(reply: Reply, depth: int) -> Reply:
    """The reply with arguments that are so deep, as an object and in a text."""

    def put(data: bytes) -> bytes:
        inner = json.dumps(nested(depth))[1:-1].encode()
        return data.replace(b'{"deep": true}', nested(depth).encode()).replace(b'{\\"deep\\": true}', inner)

    body = reply.body
    return Reply(reply.status, reply.headers, put(body) if isinstance(body, bytes) else [*map(put, body)])


def build(wire: str, server) -> ChatUnified:
    model, more = MODELS[wire]
    url = server.url + ("/v1" if model.startswith("openai") else "")
    return ChatUnified(model, api_key="k", base_url=url, max_retries=0, **more)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("wire", MODELS)
def test_the_answer_is_kept(wire: str, depth: int) -> None:
    def handler(request):
        if request.path.endswith("input_tokens"):
            return Reply.json({})
        return deep(answer(request, "Well.", (("look", {"deep": True}),)), depth)

    with serve(handler) as server:
        model = build(wire, server)
        whole = model.invoke("hi")
        chunks = list(model.stream("hi"))
        events = list(model.stream_events("hi", version="v3"))
    streamed = add_ai_message_chunks(chunks[0], *chunks[1:])
    assert events
    for message in (whole, streamed):
        assert "Well." in str(message.text)
        assert (len(message.tool_calls), len(message.invalid_tool_calls)) == (0, 1)
        assert message.invalid_tool_calls[0]["args"].count("{") == depth
        assert list(message.content_blocks)
        dumpd(message)
        result = ToolMessage("no", tool_call_id=message.invalid_tool_calls[0]["id"])
        for other in MODELS:
            assert build(other, server).check([HumanMessage("hi"), message, result]).ok


@pytest.mark.parametrize("wire", MODELS)
def test_other_json_that_is_so_deep_is_no_reply(wire: str) -> None:
    body = ('{"x":' + nested(3000) + "}").encode()
    headers = {"content-type": "application/json"}
    with serve(lambda _: Reply(200, headers, body)) as server, pytest.raises(ReplyError):
        build(wire, server).invoke("hi")
    with serve(lambda _: Reply(400, headers, body)) as server, pytest.raises(InvalidRequestError):
        build(wire, server).invoke("hi")
    events = {"content-type": "text/event-stream"}
    with serve(lambda _: Reply(200, events, [b"data: " + body + b"\n\n"])) as server, pytest.raises(ReplyError):
        list(build(wire, server).stream("hi"))
    assert sse_event({"a": 1})
