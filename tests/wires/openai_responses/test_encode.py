"""The Responses wire: the whole body, and a conversation that grows."""

from __future__ import annotations

import copy
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage

from langchain_unified.request import OutputFormat, Params, ToolSpec
from langchain_unified.tools.specs import tool_specs
from langchain_unified.wires.openai_responses import WIRE
from tests.wires.openai_responses.helpers import (
    CLAUDE,
    MCP,
    REASONING,
    REPLIES,
    TEXTS,
    body,
    call_item,
    marked,
    reply,
    request,
    sent,
    text_item,
)

# --- a longer conversation keeps its prefix ---------------------------------------------------------------------------

CONVERSATION = st.lists(
    st.one_of(
        TEXTS.map(HumanMessage),
        TEXTS.map(SystemMessage),
        REPLIES.map(lambda whole: WIRE.decode(whole)[0]),
        st.just(CLAUDE),
        TEXTS.map(lambda text: ToolMessage(text, tool_call_id="call_0")),
        st.just(HumanMessage([{"type": "image", "url": "https://a.b"}, {"type": "text", "text": "?"}])),
    ),
    max_size=6,
)


@given(messages=CONVERSATION, store=st.sampled_from([None, False]))
@settings(max_examples=60)
def test_a_longer_conversation_keeps_its_prefix(messages, store):
    fields = {} if store is None else {"params": Params(store=store)}
    before = copy.deepcopy(messages)
    whole = [json.dumps(item) for item in sent(*messages, **fields)]
    for length in range(len(messages)):
        shorter = [json.dumps(item) for item in sent(*messages[:length], **fields)]
        assert whole[: len(shorter)] == shorter
    assert messages == before


# --- the whole body ---------------------------------------------------------------------------------------------------


def test_a_body_says_only_what_the_request_says():
    assert body(HumanMessage("hi")) == {"model": "gpt-test", "input": [{"role": "user", "content": "hi"}]}
    assert body(HumanMessage("hi"), stream=True)["stream"] is True


def test_encoding_changes_nothing_that_it_is_given():
    message = WIRE.decode(reply([REASONING, text_item("hi"), call_item()]))[0]
    asked = request(
        HumanMessage([marked("u")]),
        message,
        ToolMessage("1", tool_call_id="call_1"),
        tools=tool_specs([MCP, ToolSpec("f")]),
        params=Params(reasoning={"summary": "auto"}, store=False, logprobs=True),
        native={"include": [], "text": {}},
        output=OutputFormat("text"),
    )
    before = copy.deepcopy(asked)
    first = WIRE.encode(asked)
    assert asked == before
    assert WIRE.encode(asked) == first


def test_counting_sends_only_what_counts(oracle):
    found = WIRE.encode_count(
        request(
            HumanMessage("hi"),
            tools=(ToolSpec("f"),),
            params=Params(max_tokens=5, reasoning_effort="low", store=False),
            native={"instructions": "i", "background": True},
            stream=True,
        )
    ).body
    assert found.keys() == {"model", "input", "tools", "reasoning", "instructions"}
    assert oracle.validate("responses-count", found) == []
    assert (WIRE.path, WIRE.count_path) == ("/responses", "/responses/input_tokens")
