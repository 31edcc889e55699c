"""Answers that OpenAI stores: asking for them by their id, and ending those that are still made in the background."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableConfig

from langchain_unified.chat_models._deferred import Deferred
from langchain_unified.chat_models._model import ModelBase
from langchain_unified.errors import ConfigurationError, UnsupportedParameterError
from langchain_unified.request import JsonObject
from langchain_unified.transport import Answer

if TYPE_CHECKING:
    Methods = ModelBase
    from langchain_unified.chat_models import _answer, _plan
else:  # imported by the first call
    Methods = object  # a pydantic class between the model and its base costs 3 ms at import
    _answer = Deferred("langchain_unified.chat_models._answer")
    _plan = Deferred("langchain_unified.chat_models._plan")

STORED = "stored_response"
"""The keyword with which `retrieve` and `cancel` call the model: a `StoredResponse`."""

PENDING = frozenset({"queued", "in_progress"})
"""The statuses of a response that is not finished."""

FIRST_INTERVAL, LONGEST_INTERVAL = 0.5, 5.0
"""Seconds between two requests for the status: at first, and after doubling."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """What to do with a stored response. `wait`: for how many seconds it may still be pending."""

    id: str
    action: Literal["retrieve", "cancel"] = "retrieve"
    wait: float = 0.0


class StoredCall(NamedTuple):
    """A call about a stored response: on what model, with which input and keywords."""

    model: ModelBase
    input: list[BaseMessage]
    keywords: JsonObject

    def invoke(self, config: RunnableConfig | None) -> AIMessage:
        return self.model.invoke(self.input, config, **self.keywords)

    async def ainvoke(self, config: RunnableConfig | None) -> AIMessage:
        return await self.model.ainvoke(self.input, config, **self.keywords)


def stored_call(
    model: ModelBase, response: AIMessage | str, keywords: Mapping[str, Any], *, wait: float = 0.0, cancel: bool = False
) -> StoredCall:
    """The call for a response. It is one call to callbacks, however often the status is asked for.

    Raises `ConfigurationError` for a message that is no stored response, or a provider that stores none.
    """
    if model._route(keywords.get("model")).provider != "openai":
        raise UnsupportedParameterError("Only OpenAI stores answers. On Anthropic, `invoke` waits for the answer.")
    found = StoredResponse(_id_of(response), "cancel" if cancel else "retrieve", wait)
    # A cache of answers must not keep the status, and there is nothing to stream.
    copied = model._copy_for_call("openai", cache=False)
    return StoredCall(copied, [HumanMessage(f"({found.id})")], {**keywords, STORED: found, "stream": False})


def _id_of(response: AIMessage | str) -> str:
    if isinstance(response, str):
        if not response.strip():
            raise ConfigurationError("The id of the response is empty. It is `response_metadata['id']` of its message.")
        return response
    found = response.response_metadata.get("id") or response.id
    if not str(found).startswith("resp_"):
        raise ConfigurationError(
            f"The message is no stored response: its id is {found!r}. Only the Responses API stores answers "
            "(use_responses_api=True), under ids that begin with 'resp_'."
        )
    return str(found)


# --- the call itself --------------------------------------------------------------------------------------------------


def answer(model: ModelBase, keywords: Mapping[str, Any]) -> ChatResult:
    """Send the request of a `StoredResponse`, and again while the response is pending and there is time."""
    plan, intervals = _planned(model, keywords)
    transport = model._transport("openai")
    found = transport.send(plan.call)
    for seconds in intervals:
        if not _is_pending(found):
            break
        time.sleep(seconds)
        found = transport.send(plan.call)
    return _answer.read_answers(plan, [found])


async def aanswer(model: ModelBase, keywords: Mapping[str, Any]) -> ChatResult:
    """Async twin of `answer`."""
    plan, intervals = _planned(model, keywords)
    transport = model._transport("openai")
    found = await transport.asend(plan.call)
    for seconds in intervals:
        if not _is_pending(found):
            break
        await asyncio.sleep(seconds)
        found = await transport.asend(plan.call)
    return _answer.read_answers(plan, [found])


def _planned(model: ModelBase, keywords: Mapping[str, Any]) -> tuple[_plan.Plan, Iterator[float]]:
    stored: StoredResponse = keywords[STORED]
    path = f"/responses/{quote(stored.id, safe='')}"
    rest = {key: value for key, value in keywords.items() if key not in (STORED, "stream")}
    if stored.action == "cancel":
        return _plan.make_stored(model, rest, f"{path}/cancel", "POST"), iter(())
    return _plan.make_stored(model, rest, path, "GET"), _intervals(stored.wait)


def _intervals(wait: float) -> Iterator[float]:
    """The seconds to sleep between requests, which end after `wait` seconds."""
    end, interval = time.monotonic() + wait, FIRST_INTERVAL
    while (left := end - time.monotonic()) > 0:
        yield min(interval, left)
        interval = min(interval * 2, LONGEST_INTERVAL)


def _is_pending(found: Answer) -> bool:
    return found.data.get("status") in PENDING


# --- the methods ------------------------------------------------------------------------------------------------------


class StoredAnswers(Methods):
    """The methods of a chat model for answers that OpenAI stores."""

    def retrieve(
        self,
        response: AIMessage | str,
        config: RunnableConfig | None = None,
        *,
        wait: float = 0.0,
        **kwargs: Any,
    ) -> AIMessage:
        """The answer to a call with `background=True`, as `invoke` returns it without: OpenAI's `responses.retrieve`.

        `response`: the message that such a call returned, or its id. While the answer is made, the message is empty and
        its `response_metadata` has the `status` (`queued`, `in_progress`) and `finish_reason="pause"`. `wait`: for how
        many seconds to ask again until it is there, `math.inf` for as long as it takes; 0 asks once. Give the tools and
        the `response_format` of the call, or call it on the model to which they are bound. Raises `NotFoundError` for
        an id that OpenAI does not know (any more).
        """
        return stored_call(self, response, kwargs, wait=wait).invoke(config)

    async def aretrieve(
        self,
        response: AIMessage | str,
        config: RunnableConfig | None = None,
        *,
        wait: float = 0.0,
        **kwargs: Any,
    ) -> AIMessage:
        """Async twin of `retrieve`."""
        return await stored_call(self, response, kwargs, wait=wait).ainvoke(config)

    def cancel(self, response: AIMessage | str, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:
        """End an answer that is made in the background; its `status` is then `cancelled`, or what it ended with."""
        return stored_call(self, response, kwargs, cancel=True).invoke(config)

    async def acancel(
        self, response: AIMessage | str, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """Async twin of `cancel`."""
        return await stored_call(self, response, kwargs, cancel=True).ainvoke(config)
