"""Recorded replies as langchain-anthropic and langchain-openai would have stored them, in each of their forms."""

from __future__ import annotations

import contextlib
import functools
import warnings
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import _construct_lc_result_from_responses_api
from openai._models import construct_type
from openai.types.responses import Response

from tests.support.corpus import replies


@functools.cache
def partner_answers() -> tuple[AIMessage, ...]:
    """The messages that the partner packages make of the recorded replies: v0, `responses/v1` and v1."""
    found: list[AIMessage] = []
    for endpoint, reader in READERS.items():
        for exchange in replies(endpoint):
            # Their classes refuse some of the recordings.
            with contextlib.suppress(Exception), warnings.catch_warnings(action="ignore"):
                found += reader(exchange["response"]["body"])
    return (*found, *(_as_v1(answer) for answer in found if isinstance(answer.content, list)))


def _as_v1(answer: AIMessage) -> AIMessage:
    metadata = {**answer.response_metadata, "output_version": "v1"}
    return answer.model_copy(update={"content": answer.content_blocks, "response_metadata": metadata})


def _of_anthropic(reply: Any) -> list[AIMessage]:
    from anthropic._models import construct_type as construct
    from anthropic.types.beta import BetaMessage

    model = ChatAnthropic(model_name="claude-opus-4-6", anthropic_api_key="any")  # type: ignore[call-arg]
    result = model._format_output(construct(type_=BetaMessage, value=reply))
    return [generation.message for generation in result.generations]  # type: ignore[misc]


def _of_chat(reply: Any) -> list[AIMessage]:
    result = ChatOpenAI(model="gpt-4o", api_key="any")._create_chat_result(reply)  # type: ignore[arg-type]
    return [generation.message for generation in result.generations]  # type: ignore[misc]


def _of_responses(reply: Any) -> list[AIMessage]:
    response: Any = construct_type(type_=Response, value=reply)
    forms = ("v0", "responses/v1")
    results = [_construct_lc_result_from_responses_api(response, output_version=form) for form in forms]
    return [generation.message for result in results for generation in result.generations]  # type: ignore[misc]


READERS = {"anthropic.messages": _of_anthropic, "openai.chat": _of_chat, "openai.responses": _of_responses}
