"""The types that the decoder of Chat Completions relies on."""

from __future__ import annotations

from langchain_unified.wires._shapes import ANY, INT, OBJECT, Fields, ListOf, Shape, texts

USAGE = Fields(
    {
        **dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"), INT),
        **dict.fromkeys(
            ("prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details"),
            OBJECT,
        ),
    }
)
LOGPROBS = Fields({"content": ListOf(OBJECT), "refusal": ListOf(OBJECT)})
CALL = texts("id type", function=texts("name", arguments=ANY), custom=texts("name", input=ANY))

_MESSAGE: dict[str, Shape] = dict(
    texts(
        "refusal reasoning_content reasoning", tool_calls=ListOf(CALL), function_call=texts("name", arguments=ANY),
        audio=texts("id data transcript"), annotations=ListOf(OBJECT), reasoning_details=ListOf(OBJECT),
    ).known
)  # fmt: skip
MESSAGE = Fields(_MESSAGE)

_HEAD: dict[str, Shape] = dict(texts("id model object service_tier system_fingerprint", usage=USAGE).known)
_CHOICE: dict[str, Shape] = {"logprobs": LOGPROBS, "message": MESSAGE, **texts("finish_reason", usage=USAGE).known}

REPLY = Fields({**_HEAD, "choices": ListOf(Fields(_CHOICE))})
EVENT = Fields({**_HEAD, "choices": ListOf(Fields({**_CHOICE, "delta": MESSAGE}))})
