"""Content that v3 events must not lose."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, ToolMessage

from langchain_unified import ChatOpenAI
from langchain_unified.chat_models import _plan
from langchain_unified.chat_models._events import EventWriter
from langchain_unified.wires import WIRES
from tests.chat_models.events.helpers import anthropic_stream, citation, text_delta
from tests.support.streams import chunks_of
from tests.support.v3 import assembled, check_blocks, check_lifecycle, written

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")


def test_every_citation_of_a_text_is_kept() -> None:
    deltas = [{"type": "citations_delta", "citation": citation(number)} for number in range(3)]
    made = anthropic_stream(({"type": "text", "text": "", "citations": []}, [deltas[0], text_delta("a"), *deltas[1:]]))
    (block,) = assembled(written(WIRES["anthropic_messages"], made)).content_blocks
    assert [note["cited_text"] for note in block["annotations"]] == ["quote 0", "quote 1", "quote 2"]


def test_the_signature_of_a_thought_and_what_cannot_be_read() -> None:
    signed = ({"type": "thinking", "thinking": "", "signature": ""}, [
        {"type": "thinking_delta", "thinking": "Let me "}, {"type": "thinking_delta", "thinking": "see."},
        {"type": "signature_delta", "signature": "c2ln"},
    ])  # fmt: skip
    sealed = ({"type": "redacted_thinking", "data": "ZGF0YQ=="}, [])
    made = anthropic_stream(signed, sealed, ({"type": "text", "text": ""}, [text_delta("Yes.")]))
    events = written(WIRES["anthropic_messages"], made)
    assert [event["delta"]["reasoning"] for event in events if event.get("index") == 0 and "delta" in event] == [
        "Let me ", "see.",
    ]  # fmt: skip
    assert assembled(events).content == [
        {"type": "reasoning", "reasoning": "Let me see.", "extras": {"signature": "c2ln"}, "index": 0},
        {"type": "non_standard", "value": {"type": "redacted_thinking", "data": "ZGF0YQ=="}, "index": 1},
        {"type": "text", "text": "Yes.", "index": 2},
    ]


def test_a_providers_own_tool_streams_its_arguments() -> None:
    call = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in ('{"que', 'ry": "x"}')]
    found = [{"type": "web_search_result", "url": "https://example.com", "encrypted_content": "ZW5j"}]
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": found}
    events = written(WIRES["anthropic_messages"], anthropic_stream((call, pieces), (result, [])))
    check_lifecycle(events)
    start = {"type": "server_tool_call_chunk", "name": "web_search", "id": "srvtoolu_1", "args": ""}
    assert events[1]["content"] == start
    called, answered = assembled(events).content_blocks
    assert (called["type"], called["args"]) == ("server_tool_call", {"query": "x"})
    assert answered["type"] == "server_tool_result"
    assert (answered["tool_call_id"], answered["output"]) == ("srvtoolu_1", found)


def test_a_block_nobody_knows_is_kept_whole() -> None:
    block = {"type": "hologram", "input": {}, "depth": 3}
    pieces = [{"type": "input_json_delta", "partial_json": '{"a": 1}'}, {"type": "glow_delta", "glow": "soft"}]
    (found,) = assembled(written(WIRES["anthropic_messages"], anthropic_stream((block, pieces)))).content_blocks
    assert found["value"] == {"type": "hologram", "input": {"a": 1}, "depth": 3, "glow": "soft"}


def test_blocks_that_take_turns_keep_their_places_and_finish_whole() -> None:
    """No API is known to do it. What finished too early finishes again."""
    made = anthropic_stream(({"type": "text", "text": ""}, [text_delta("a")]), ({"type": "text", "text": ""}, []))
    late: Any = [
        {"type": "content_block_delta", "index": 1, "delta": text_delta("B")},
        {"type": "content_block_delta", "index": 0, "delta": text_delta("b")},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": citation(1)}},
    ]
    message = assembled(written(WIRES["anthropic_messages"], [*made[:-2], *late, *made[-2:]]))
    first, second = message.content_blocks
    assert (first["text"], second["text"], len(first["annotations"])) == ("ab", "B", 1)


BEGINNING = ("type", "id", "role", "phase", "call_id", "name")


def responses_stream(*items: tuple[dict[str, Any], list[dict[str, Any]]], **response: Any) -> list[Any]:
    """Events of the Responses API: each item as it is at the end, with the events before that."""
    made: list[Any] = [{"type": "response.created", "response": {"id": "resp_1"}}]
    for place, (item, events) in enumerate(items):
        begun = {key: value for key, value in item.items() if key in BEGINNING}
        made.append({"type": "response.output_item.added", "output_index": place, "item": begun})
        made += [{**event, "output_index": place, "item_id": item["id"]} for event in events]
        made.append({"type": "response.output_item.done", "output_index": place, "item": item})
    whole = {"id": "resp_1", "status": "completed", "output": [item for item, _ in items], **response}
    return [*made, {"type": "response.completed", "response": whole}]


def test_the_parts_of_a_summary_and_the_seal_that_comes_last() -> None:
    parts = [{"type": "summary_text", "text": text} for text in ("First.", "Second.")]
    item = {"type": "reasoning", "id": "rs_1", "summary": parts, "encrypted_content": "ZW5j"}
    said = [
        {"type": "response.reasoning_summary_text.delta", "summary_index": place, "delta": text}
        for place, text in ((0, "Fir"), (0, "st."), (1, "Second."))
    ]
    made = responses_stream((item, said))
    events = written(WIRES["openai_responses"], made)
    check_lifecycle(events)
    first, second = assembled(events).content_blocks
    assert (first["reasoning"], first["id"], first["encrypted_content"]) == ("First.", "rs_1", "ZW5j")
    assert second == {"type": "reasoning", "reasoning": "Second.", "id": "rs_1", "index": 1}
    assert [event["index"] for event in events if "delta" in event] == [0, 0, 1]


def test_raw_reasoning_is_kept_as_the_reply_has_it() -> None:
    content = [{"type": "reasoning_text", "text": "Hm, so."}]
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "content": content}
    event = {"type": "response.reasoning_text.delta", "content_index": 0}
    made = responses_stream((item, [{**event, "delta": "Hm,"}, {**event, "delta": " so."}]))
    message = assembled(written(WIRES["openai_responses"], made))
    check_blocks(message, WIRES["openai_responses"].decode(made[-1]["response"])[0])
    assert message.content_blocks[0]["extras"] == {"content": content}


def test_a_standard_block_that_core_would_drop() -> None:
    item = {"type": "text-plain", "id": "tp_1", "text": "so far"}
    (block,) = assembled(written(WIRES["openai_responses"], responses_stream((item, [])))).content_blocks
    assert (block["type"], block["value"]) == ("non_standard", item)


def test_every_source_of_a_text_is_kept() -> None:
    sources = [{"type": "url_citation", "url": f"https://example.com/{n}", "title": f"T{n}", "start_index": n,
                "end_index": n + 1} for n in range(3)]  # fmt: skip
    part = {"type": "output_text", "text": "abc", "annotations": sources}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    said: list[Any] = [{"type": "response.output_text.delta", "content_index": 0, "delta": "abc"}]
    said += [{"type": "response.output_text.annotation.added", "content_index": 0, "annotation": s} for s in sources]
    (block,) = assembled(written(WIRES["openai_responses"], responses_stream((item, said)))).content_blocks
    assert [note["url"] for note in block["annotations"]] == [source["url"] for source in sources]


def test_a_picture_and_the_items_beside_it() -> None:
    action = {"type": "search", "query": "q"}
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": action}
    image = {"type": "image_generation_call", "id": "ig_1", "result": "aW1n", "output_format": "png"}
    events = written(WIRES["openai_responses"], responses_stream((search, []), (image, [])))
    check_lifecycle(events)
    blocks = assembled(events).content_blocks
    assert [block["type"] for block in blocks] == ["server_tool_call", "server_tool_result", "image"]
    assert (blocks[2]["base64"], blocks[2]["mime_type"], blocks[2]["id"]) == ("aW1n", "image/png", "ig_1")
    assert "base64" not in events[5]["content"]
    assert events[5]["content"]["type"] == "image"


def test_a_custom_tool_of_the_responses_api_is_a_call_and_the_item_it_was() -> None:
    item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "sql", "input": "SELECT 1",
            "status": "completed"}  # fmt: skip
    said = [{"type": "response.custom_tool_call_input.delta", "delta": "SELECT "}]
    events = written(WIRES["openai_responses"], responses_stream((item, said)))
    check_lifecycle(events)
    message = assembled(events)
    kept, called = message.content_blocks
    assert kept["value"] == item
    assert called == {"type": "tool_call", "id": "call_1", "name": "sql", "args": {"__arg1": "SELECT 1"}}
    model = ChatOpenAI(model="gpt-5.6", api_key="not-a-key", use_responses_api=True)
    history = [HumanMessage("hi"), message, ToolMessage("1", tool_call_id="call_1")]
    sent = _plan.make(model, history, {}, stream=False).call.body["input"]
    assert [entry["type"] for entry in sent[1:]] == ["custom_tool_call", "custom_tool_call_output"]


REFUSALS: dict[str, list[Any]] = {
    "openai_chat": [
        {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"refusal": "I can"}}]},
        {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"refusal": "not."}}]},
        {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ],
    "openai_responses": responses_stream(
        (
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
             "content": [{"type": "refusal", "refusal": "I cannot."}]},
            [{"type": "response.refusal.delta", "content_index": 0, "delta": "I can"}],
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_kept(name: str) -> None:
    """Core drops `refusal` blocks that finish."""
    message = assembled(written(WIRES[name], REFUSALS[name]))
    (block,) = message.content_blocks
    assert block["type"] == "non_standard"
    assert block["value"]["type"] == "refusal"
    assert block["value"]["refusal"] == "I cannot."
    assert message.response_metadata["finish_reason"] == "refusal"
    assert message.additional_kwargs.get("refusal") == ("I cannot." if name == "openai_chat" else None)


def test_a_refusal_of_anthropic_tells_why() -> None:
    made = anthropic_stream(({"type": "text", "text": ""}, [text_delta("I ")]))
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    made[-2] = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}
    message = assembled(written(WIRES["anthropic_messages"], made))
    metadata = message.response_metadata
    assert (metadata["finish_reason"], metadata["stop_details"]) == ("refusal", details)


def test_the_chunks_are_left_alone() -> None:
    chunks = chunks_of(WIRES["openai_responses"], REFUSALS["openai_responses"])
    before = copy.deepcopy(chunks)
    writer = EventWriter("m")
    assert [*(event for chunk in chunks for event in writer.feed(chunk)), *writer.close()]
    assert chunks == before
