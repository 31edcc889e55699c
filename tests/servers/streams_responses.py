"""Streams of the Responses API as they were reported."""

from __future__ import annotations

from tests.servers.shapes import CREATED, DONE, Shape, added, call_item, completed, done, event, message_item, response

A = '{"path": "a"}'
ONE = [("read", {"path": "a"})]
HELLO = message_item("hello")
PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
CALL = {"item_id": "fc_1", "output_index": 0}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}


def shape(name: str, source: str, *events: object, **expected: object) -> Shape:
    return Shape(name, source, "responses", events=[CREATED, *events], **expected)  # type: ignore[arg-type]


def text(kind: str, **more: object) -> dict[str, object]:
    return event(f"output_text.{kind}", **{**PLACE, **more})


def arguments(kind: str, **more: object) -> dict[str, object]:
    return event(f"function_call_arguments.{kind}", **{**CALL, **more})


TEXTS = [
    shape(
        "text in a done event",
        "Sophomoresty/gemini-web2api#57",
        text("done", text="hello"),
        completed(HELLO),
        text="hello",
    ),
    shape(
        "text in a done event, and an empty output",
        "Oaklight/llm-rosetta#56",
        text("done", text="hello"),
        completed(),
        text="hello",
    ),
    shape(
        "text in a part's done event",
        "sibling of Oaklight/llm-rosetta#56",
        event("content_part.done", **PLACE, part=HELLO["content"][0]),
        completed(),
        text="hello",
    ),
    shape("text in the item's done event", "NVIDIA-NeMo/Switchyard#777", done(HELLO), completed(), text="hello"),
    shape("text in the last event", "NVIDIA-NeMo/Switchyard#777", completed(HELLO), text="hello", tokens=12),
    shape(
        "an empty output at the end",
        "jeremychone/rust-genai#227",
        added(message_item("")),
        text("delta", delta="hello"),
        text("done", text="hello"),
        done(HELLO),
        completed(),
        text="hello",
    ),
    shape(
        "deltas without id and place",
        "jeremychone/rust-genai#227",
        event("output_text.delta", delta="hel"),
        event("output_text.delta", delta="lo"),
        completed(HELLO),
        text="hello",
    ),
    shape(
        "deltas without id and place after the item",
        "jeremychone/rust-genai#227",
        added(message_item("")),
        event("output_text.delta", delta="hel"),
        event("output_text.delta", delta="lo"),
        completed(HELLO),
        text="hello",
    ),
    shape(
        "ids that change",
        "BerriAI/litellm#30071, vercel/ai#18548",
        added(message_item("", "a")),
        text("delta", delta="hello", item_id="b"),
        done(message_item("hello", "c")),
        completed(message_item("hello", "d")),
        text="hello",
    ),
    shape(
        "ids and places that change",
        "sibling of BerriAI/litellm#30071",
        added(message_item("", "a"), 3),
        text("delta", delta="hello", item_id="a", output_index=3),
        completed(message_item("hello", "d")),
        text="hello",
    ),
    shape(
        "no items",
        "tenstorrent/tt-inference-server#3497",
        text("delta", delta="hel"),
        text("delta", delta="lo"),
        completed(HELLO),
        text="hello",
    ),
    shape(
        "a refusal in a done event",
        "sibling of Oaklight/llm-rosetta#56",
        event("refusal.done", **PLACE, refusal="no"),
        completed(),
        finish="refusal",
    ),
    shape(
        "no id of the message",
        "sibling of jeremychone/rust-genai#227",
        added(message_item("", None), None),
        event("output_text.delta", delta="hello"),
        done(message_item("hello", None), None),
        completed(message_item("hello", None)),
        text="hello",
    ),
]

CALLS = [
    shape(
        "arguments of a call without a name",
        "sibling of openai/openai-dotnet#424",
        arguments("delta", delta=A),
        arguments("done", arguments=A),
        completed(),
        invalid=1,
    ),
    shape(
        "arguments in a done event",
        "Wei-Shaw/sub2api#6629",
        added(call_item()),
        arguments("done", arguments=A),
        completed(),
        calls=ONE,
        finish="tool_calls",
    ),
    shape(
        "arguments in the item's done event",
        "rsalmn/ExtremeRouter#9",
        added(call_item()),
        done(call_item(A)),
        completed(),
        calls=ONE,
        finish="tool_calls",
    ),
    shape(
        "arguments in the last event",
        "NVIDIA-NeMo/Switchyard#777",
        added(call_item()),
        completed(call_item(A)),
        calls=ONE,
        finish="tool_calls",
    ),
    shape("a call in the last event", "NVIDIA-NeMo/Switchyard#777", completed(call_item(A)), calls=ONE),
    shape(
        "arguments when the item is added",
        "lidge-jun/opencodex#4652",
        added(call_item(A)),
        done(call_item(A)),
        completed(call_item(A)),
        calls=ONE,
    ),
    shape(
        "arguments as deltas, and an empty output",
        "Wei-Shaw/sub2api#6629",
        added(call_item()),
        arguments("delta", delta='{"path": '),
        arguments("delta", delta='"a"}'),
        completed(),
        calls=ONE,
    ),
    shape(
        "arguments without id and place",
        "iii-hq/workers#1020",
        added(call_item()),
        event("function_call_arguments.delta", delta='{"path": '),
        event("function_call_arguments.delta", delta='"a"}'),
        completed(call_item(A)),
        calls=ONE,
    ),
    shape(
        "a done event without id and place",
        "iii-hq/workers#1020",
        added(call_item()),
        event("function_call_arguments.done", arguments=A),
        completed(),
        calls=ONE,
    ),
    shape(
        "deltas and done events agree",
        "Wei-Shaw/sub2api#6629",
        added(call_item()),
        arguments("delta", delta=A),
        arguments("done", arguments=A),
        done(call_item(A)),
        completed(call_item(A)),
        calls=ONE,
    ),
    shape(
        "arguments as an object",
        "sibling of ggml-org/llama.cpp#20198",
        done(call_item({"path": "a"})),
        completed(call_item({"path": "a"})),
        calls=ONE,
    ),
    shape(
        "null as text",
        "sibling of langchain-ai/langchain#33896",
        added(call_item(name="greet")),
        arguments("delta", delta="null"),
        done(call_item("null", name="greet")),
        completed(call_item("null", name="greet")),
        calls=[("greet", {})],
    ),
    shape(
        "a call without call_id",
        "sibling of vllm-project/vllm#18412",
        done(call_item(A, call_id=None)),
        completed(call_item(A, call_id=None)),
        calls=ONE,
    ),
    shape(
        "a call that was cut",
        "sibling of vercel/ai#19165",
        added(call_item()),
        arguments("delta", delta='{"path": "a'),
        event(
            "incomplete", response=response([], status="incomplete", incomplete_details={"reason": "max_output_tokens"})
        ),
        invalid=1,
        finish="length",
    ),
    shape(
        "a connection that was cut in a call",
        "sibling of LibreChat-AI/agents#493",
        added(call_item()),
        invalid=1,
        metadata={"incomplete": True},
    ),
    shape(
        "no name but in the done event",
        "openai/openai-dotnet#424",
        arguments("done", arguments=A, name="read"),
        completed(),
        calls=ONE,
    ),
]

THOUGHTS = [
    shape(
        "one reasoning item under many ids",
        "BerriAI/litellm#30071",
        added({**THOUGHT, "id": "a"}),
        done({**THOUGHT, "id": "b", "encrypted_content": "E"}),
        added(message_item(""), 1),
        text("delta", delta="hello", output_index=1),
        done(HELLO, 1),
        completed({**THOUGHT, "id": "c", "encrypted_content": "E"}, HELLO),
        text="hello",
    ),
    shape(
        "reasoning text in a done event",
        "sibling of Oaklight/llm-rosetta#56",
        added(THOUGHT),
        event("reasoning_summary_text.done", item_id="rs_1", output_index=0, summary_index=0, text="hm"),
        text("done", text="hello", output_index=1),
        completed(),
        text="hello",
        reasoning="hm",
    ),
    shape(
        "reasoning as deltas and done",
        "https://platform.openai.com/docs/api-reference/responses-streaming",
        added(THOUGHT),
        event("reasoning_summary_text.delta", item_id="rs_1", output_index=0, summary_index=0, delta="hm"),
        event("reasoning_summary_text.done", item_id="rs_1", output_index=0, summary_index=0, text="hm"),
        completed({**THOUGHT, "summary": [{"type": "summary_text", "text": "hm"}]}, HELLO),
        text="hello",
        reasoning="hm",
    ),
]

ENDS = [
    shape(
        "a connection that stays open",
        "sibling of agentscope-ai/agentscope-java#2073",
        completed(HELLO),
        text="hello",
        options={"stall": 1.5},
    ),
    shape(
        "no closing chunk",
        "sibling of agentscope-ai/agentscope-java#2073",
        completed(HELLO),
        text="hello",
        options={"cut": True},
    ),
    shape(
        "the word of Chat at the end",
        "sibling of oobabooga/textgen#4778",
        text("delta", delta="hello"),
        DONE,
        text="hello",
    ),
    shape("the word of Chat after the end", "sibling of oobabooga/textgen#4778", completed(HELLO), DONE, text="hello"),
    shape(
        "less at the end than at the start",
        "sibling of Oaklight/llm-rosetta#56",
        text("delta", delta="hello"),
        event("completed", response={"status": "completed", "output": [HELLO]}),
        text="hello",
        metadata={"model_name": "m-1", "id": "resp_9"},
    ),
]

SHAPES = [*TEXTS, *CALLS, *THOUGHTS, *ENDS]
