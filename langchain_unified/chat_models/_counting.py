"""The input tokens of a call, by the provider's own endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

from langchain_unified.chat_models._deferred import Deferred
from langchain_unified.chat_models._model import ModelBase
from langchain_unified.errors import InvalidHistoryError, ProviderError, ReplyError
from langchain_unified.transport import Answer

if TYPE_CHECKING:
    Methods = ModelBase
    from langchain_unified.chat_models import _plan
else:  # imported by the first call
    Methods = object  # a pydantic class between the model and its base costs 3 ms at import
    _plan = Deferred("langchain_unified.chat_models._plan")


class CountedTokens(Methods):
    """The methods of a chat model that count tokens."""

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """The input tokens of a call, counted by the provider's endpoint: one request, which generates nothing.

        Anthropic's endpoint refuses the tools that it runs itself, so these are not counted. It is LangChain's estimate
        where there is nothing to send, and at a server that has no such endpoint.
        """
        plan = self._count_plan(messages, tools, kwargs)
        if plan is not None:
            try:
                return self._counted(self._transport(plan.route.provider).send(plan.call), plan)
            except (ProviderError, ReplyError) as error:
                self._raise_unless_uncounted(error, plan)
        return count_tokens_approximately(messages, tools=cast("Any", tools))

    async def aget_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """Async twin of `get_num_tokens_from_messages`."""
        plan = self._count_plan(messages, tools, kwargs)
        if plan is not None:
            try:
                return self._counted(await self._transport(plan.route.provider).asend(plan.call), plan)
            except (ProviderError, ReplyError) as error:
                self._raise_unless_uncounted(error, plan)
        return count_tokens_approximately(messages, tools=cast("Any", tools))

    def _count_plan(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None, keywords: Mapping[str, Any]
    ) -> _plan.Plan | None:
        try:
            plan = _plan.make_count(self, messages, {**keywords, "tools": tools} if tools else keywords)
        except InvalidHistoryError:
            return None  # nothing that could be sent: parts of a conversation are counted to trim it
        return None if plan is not None and plan.route.provider in self._current().uncounted else plan

    @staticmethod
    def _counted(answer: Answer, plan: _plan.Plan) -> int:
        """The number in an answer. Raises `ReplyError` for the answer of another server that has none."""
        if "input_tokens" not in answer.data and plan.route.dialect.counting != "endpoint":
            raise ReplyError("The server did not count the tokens.")
        return int(answer.data.get("input_tokens", 0))

    def _raise_unless_uncounted(self, error: ProviderError | ReplyError, plan: _plan.Plan) -> None:
        """Raise the error of a counting endpoint, unless it says that the server has none; that is remembered."""
        no_model = bool(plan.route.model) and f"model: {plan.route.model}" in str(error)  # the endpoint is there
        no_count = isinstance(error, ReplyError) or (error.status in NO_SUCH_ENDPOINT and not no_model)
        if plan.route.dialect.counting == "endpoint" or not no_count:
            raise error
        self._current().uncounted.add(plan.route.provider)

    def get_num_tokens(self, text: str) -> int:
        """The tokens of a text: by `custom_get_token_ids` if given, else counted as one user message."""
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return self.get_num_tokens_from_messages([HumanMessage(text)])


NO_SUCH_ENDPOINT = frozenset({404, 405, 501})
"""The statuses by which a server says that it has no endpoint of this name."""
