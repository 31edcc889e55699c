"""Whole answers as they were reported."""

from __future__ import annotations

from typing import Any

from tests.servers.shapes import Api, Shape, answer, call, call_item, completion, message_item, response

A = '{"path": "a"}'
ONE = [("read", {"path": "a"})]
NONE: list[Any] = [("greet", {})]


def shape(api: Api, name: str, source: str, reply: dict[str, Any], **expected: Any) -> Shape:
    return Shape(name, source, api, reply=reply, **expected)


def made(*calls: Any, **message: Any) -> dict[str, Any]:
    return completion({"content": None, "tool_calls": list(calls), **message}, "tool_calls")


def use(**block: Any) -> dict[str, Any]:
    return answer([{"type": "tool_use", **block}], "tool_use")


CHAT = [
    shape("chat", "no name", "sibling of agno-agi/agno#8880", made(call(A, call_id="x")), invalid=1),
    shape(
        "chat",
        "null as arguments",
        "langchain-ai/langchain#33896",
        made(call("null", name="greet", call_id="x")),
        calls=NONE,
    ),
    shape("chat", "empty arguments", "sigoden/aichat#1217", made(call("", name="greet", call_id="x")), calls=NONE),
    shape(
        "chat",
        "arguments as an object",
        "ggml-org/llama.cpp#20198, mrdushidush/claudette#238",
        made(call({"path": "a"}, name="read", call_id="x")),
        calls=ONE,
    ),
    shape(
        "chat",
        "arguments encoded twice",
        "quarkiverse/quarkus-langchain4j#2642",
        made(call('"{\\"path\\": \\"a\\"}"', name="read", call_id="x")),
        calls=ONE,
    ),
    shape(
        "chat",
        "arguments beside the function",
        "sibling of ollama/ollama#11509",
        made({"id": "x", "type": "function", "function": {"name": "read"}, "arguments": A}),
        calls=ONE,
    ),
    shape(
        "chat",
        "arguments named parameters",
        "ollama/ollama#11509",
        made({"id": "x", "function": {"name": "read", "parameters": {"path": "a"}}}),
        calls=ONE,
    ),
    shape("chat", "no id", "vllm-project/vllm#18412", made(call(A, name="read")), calls=ONE),
    shape(
        "chat",
        "a legacy call",
        "https://platform.openai.com/docs/api-reference/chat/object (function_call)",
        completion({"content": None, "function_call": {"name": "read", "arguments": A}}, "function_call"),
        calls=ONE,
    ),
    shape(
        "chat",
        "tool_calls that are null",
        "sibling of openai/openai-python#1677",
        completion({"content": "hi", "tool_calls": None}),
        text="hi",
    ),
    shape(
        "chat",
        "content in parts",
        "vercel/ai#13703",
        completion({"content": [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]}),
        text="hi",
    ),
    shape(
        "chat",
        "a refusal",
        "https://platform.openai.com/docs/guides/structured-outputs (refusals)",
        completion({"content": None, "refusal": "no"}),
        finish="refusal",
    ),
    shape("chat", "no finish reason", "anomalyco/opencode#43882", completion({"content": "hi"}, None), text="hi"),
    shape(
        "chat",
        "usage in the choice",
        "earendil-works/pi#2017",
        {
            **completion({"content": "hi"}, usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}),
            "usage": None,
        },
        text="hi",
        tokens=7,
    ),
    shape(
        "chat",
        "reasoning_content",
        "langchain-ai/langchain#35006",
        completion({"content": "4", "reasoning_content": "2+2"}),
        text="4",
        reasoning="2+2",
    ),
    shape(
        "chat",
        "reasoning",
        "https://docs.vllm.ai/en/v0.26.0/features/reasoning_outputs/",
        completion({"content": "4", "reasoning": "2+2"}),
        text="4",
        reasoning="2+2",
    ),
    shape(
        "chat",
        "reasoning and its details",
        "jeremychone/rust-genai#298",
        completion(
            {"content": "4", "reasoning": "2+2", "reasoning_details": [{"type": "reasoning.text", "text": "2+2"}]}
        ),
        text="4",
        reasoning="2+2",
    ),
    shape(
        "chat",
        "details alone",
        "agentjido/req_llm#300",
        completion({"content": "4", "reasoning_details": [{"type": "reasoning.summary", "summary": "2+2"}]}),
        text="4",
        reasoning="2+2",
    ),
    shape(
        "chat",
        "thoughts in tags stay text",
        "https://api-docs.deepseek.com/guides/thinking_mode (a field, not tags)",
        completion({"content": "<think>2+2</think>4"}),
        text="<think>2+2</think>4",
    ),
]

RESPONSES = [
    shape(
        "responses",
        "arguments as an object",
        "sibling of ggml-org/llama.cpp#20198",
        response([call_item({"path": "a"})]),
        calls=ONE,
        finish="tool_calls",
    ),
    shape(
        "responses",
        "null as arguments",
        "sibling of langchain-ai/langchain#33896",
        response([call_item("null", name="greet")]),
        calls=NONE,
    ),
    shape(
        "responses",
        "no call_id",
        "sibling of vllm-project/vllm#18412",
        response([call_item(A, call_id=None)]),
        calls=ONE,
    ),
    shape(
        "responses",
        "content as text",
        "sibling of vercel/ai#13703",
        response([{**message_item(""), "content": "hi"}]),
        text="hi",
    ),
    shape(
        "responses", "no usage", "sibling of ollama/ollama#13934", response([message_item("hi")], usage=None), text="hi"
    ),
]

MESSAGES = [
    shape(
        "messages", "input as text", "sibling of openclaw/openclaw#40425", use(id="c1", name="read", input=A), calls=ONE
    ),
    shape(
        "messages",
        "input that is null",
        "sibling of langchain-ai/langchain#33896",
        use(id="c1", name="greet", input=None),
        calls=NONE,
    ),
    shape(
        "messages",
        "no input",
        "sibling of mrdushidush/claudette#238: no call may run without its arguments",
        use(id="c1", name="read"),
        invalid=1,
    ),
    shape(
        "messages",
        "arguments as OpenAI names them",
        "sibling of ollama/ollama#11509",
        use(id="c1", name="read", arguments=A),
        calls=ONE,
    ),
    shape("messages", "no id", "sibling of vllm-project/vllm#18412", use(name="read", input={"path": "a"}), calls=ONE),
    shape("messages", "content as text", "sibling of vercel/ai#13703", answer("hi"), text="hi", tokens=12),
]

SHAPES = [*CHAT, *RESPONSES, *MESSAGES]
