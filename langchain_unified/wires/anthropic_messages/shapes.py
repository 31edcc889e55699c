"""The types that the decoder of the Messages API relies on."""

from __future__ import annotations

from langchain_unified.wires._shapes import ANY, INT, OBJECT, ByType, Fields, ListOf, Shape, needing, texts

CITATION = texts(
    "cited_text title document_title url source encrypted_index", "type", document_index=INT, start_char_index=INT,
    end_char_index=INT, start_page_number=INT, end_page_number=INT, start_block_index=INT, end_block_index=INT,
    search_result_index=INT, index=INT,
)  # fmt: skip
_RESULT = texts("id name", "type tool_use_id")
_CALL = texts("id name", "type", input=ANY, caller=OBJECT)
_SERVER_CALL = needing(_CALL, "id", "name")

BLOCK = ByType(
    {
        "text": texts("text", "type", citations=ListOf(CITATION)),
        "thinking": texts("thinking signature", "type"),
        "redacted_thinking": texts("data", "type"),
        "tool_use": _CALL,
        "server_tool_use": _SERVER_CALL,
        "mcp_tool_use": texts("server_name", "type id name", input=ANY),
        "compaction": texts("content", "type"),
        "container_upload": texts("file_id", "type"),
        **dict.fromkeys(
            (
                "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
                "bash_code_execution_tool_result", "text_editor_code_execution_tool_result", "tool_search_tool_result",
                "mcp_tool_result", "advisor_tool_result",
            ),
            _RESULT,
        ),
    },
    other=texts("id name tool_use_id text thinking signature data", "type"),
)  # fmt: skip

_COUNTS = texts(
    "service_tier inference_geo type model", input_tokens=INT, output_tokens=INT, cache_creation_input_tokens=INT,
    cache_read_input_tokens=INT, cache_creation=OBJECT, server_tool_use=OBJECT,
    output_tokens_details=Fields({"thinking_tokens": INT}),
)  # fmt: skip
USAGE = Fields({**_COUNTS.known, "iterations": ListOf(_COUNTS)})

_HEAD: dict[str, Shape] = dict(
    texts(
        "id type role model stop_reason stop_sequence", usage=USAGE, container=OBJECT, context_management=OBJECT,
        stop_details=OBJECT, diagnostics=OBJECT, input_transformations=ListOf(OBJECT),
    ).known
)  # fmt: skip

REPLY = Fields({**_HEAD, "content": ListOf(BLOCK, or_text=True)})

DELTA = ByType(
    {
        "text_delta": texts("", "type text"),
        "thinking_delta": texts("", "type thinking"),
        "signature_delta": texts("", "type signature"),
        "input_json_delta": texts("", "type partial_json"),
        "citations_delta": needing(texts("", "type", citation=CITATION), "citation"),
    },
    other=texts("", "type"),
)

EVENT = ByType(
    {
        "message_start": Fields({"message": Fields(_HEAD)}, ("message",)),
        "content_block_start": Fields({"index": INT, "content_block": BLOCK}, ("content_block",)),
        "content_block_delta": Fields({"index": INT, "delta": DELTA}, ("delta",)),
        "content_block_stop": Fields(),
        "message_delta": Fields({"delta": Fields(_HEAD), "usage": USAGE}, ("delta",)),
        "message_stop": Fields(),
    }
)
