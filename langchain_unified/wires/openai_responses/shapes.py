"""The types that the decoder of the Responses API relies on."""

from __future__ import annotations

from langchain_unified.wires._shapes import ANY, INT, OBJECT, ByType, Fields, ListOf, Shape, needing, texts

_CITATION = texts("url title file_id filename container_id", "type", start_index=INT, end_index=INT, index=INT)
ANNOTATION = ByType({"url_citation": needing(_CITATION, "url")}, other=_CITATION)
PART = ByType(
    {
        "output_text": texts("", "type text", annotations=ListOf(ANNOTATION), logprobs=ListOf(OBJECT)),
        "refusal": texts("", "type refusal"),
    },
    other=texts("text refusal", "type"),
)
_PIECES = ListOf(texts("type", "text"))
_OTHER = texts(
    "id call_id status name execution server_label", "type", action=ANY, environment=ANY, results=ListOf(OBJECT),
    outputs=ListOf(OBJECT), queries=ListOf(ANY),
)  # fmt: skip
_CALL = texts("id status namespace call_id name", "type", arguments=ANY, input=ANY)

ITEM = ByType(
    {
        "message": Fields(
            {**texts("id role status phase", "type").known, "content": ListOf(PART, or_text=True)}, ("type", "content")
        ),
        "reasoning": texts("id status encrypted_content", "type", summary=_PIECES, content=_PIECES),
        "function_call": _CALL,
        "custom_tool_call": _CALL,
        **dict.fromkeys(
            (
                "web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call",
                "mcp_list_tools", "tool_search_call", "tool_search_output",
            ),
            needing(_OTHER, "id"),
        ),
    },
    other=_OTHER,
)  # fmt: skip

USAGE = Fields(
    {
        **dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), INT),
        **dict.fromkeys(("input_tokens_details", "output_tokens_details"), OBJECT),
    }
)
_HEAD: dict[str, Shape] = dict(
    texts(
        "id model object status service_tier previous_response_id", usage=USAGE,
        incomplete_details=texts("reason"), output=ListOf(ITEM),
    ).known
)  # fmt: skip

REPLY = Fields(_HEAD)

_PLACE: dict[str, Shape] = dict(
    texts("item_id", output_index=INT, content_index=INT, summary_index=INT, annotation_index=INT).known
)
_OPEN_MESSAGE = Fields({**texts("id role status phase", "type").known, "content": ListOf(PART)}, ("type",))
_OPEN_ITEM = ByType({**ITEM.shapes, "message": _OPEN_MESSAGE}, other=ITEM.other)
_ITEM_EVENT = Fields({**_PLACE, "item": _OPEN_ITEM})
_PART_EVENT = Fields({**_PLACE, "part": PART})
_DELTA_EVENT = Fields({**_PLACE, **texts("delta", logprobs=ListOf(OBJECT)).known}, ("delta",))
_DONE_EVENT = Fields({**_PLACE, **texts("text refusal arguments input").known})
_RESPONSE_EVENT = Fields({"response": Fields(_HEAD)}, ("response",))

EVENT = ByType(
    {
        **dict.fromkeys(
            (
                "response.created", "response.queued", "response.in_progress", "response.completed",
                "response.incomplete", "response.cancelled", "response.failed",
            ),
            _RESPONSE_EVENT,
        ),
        **dict.fromkeys(("response.output_item.added", "response.output_item.done"), _ITEM_EVENT),
        **dict.fromkeys(
            (
                "response.content_part.added", "response.content_part.done", "response.reasoning_summary_part.added",
                "response.reasoning_summary_part.done",
            ),
            _PART_EVENT,
        ),
        **dict.fromkeys(
            (
                "response.output_text.delta", "response.refusal.delta", "response.function_call_arguments.delta",
                "response.custom_tool_call_input.delta", "response.reasoning_summary_text.delta",
                "response.reasoning_text.delta",
            ),
            _DELTA_EVENT,
        ),
        **dict.fromkeys(
            (
                "response.output_text.done", "response.refusal.done", "response.function_call_arguments.done",
                "response.custom_tool_call_input.done", "response.reasoning_summary_text.done",
                "response.reasoning_text.done",
            ),
            _DONE_EVENT,
        ),
        "response.output_text.annotation.added": Fields({**_PLACE, "annotation": ANNOTATION}),
    },
    other=Fields(_PLACE),
)  # fmt: skip
