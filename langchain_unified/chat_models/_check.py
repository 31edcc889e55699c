"""A dry run: what a call would send, change, leave out or refuse, without a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from langchain_unified.catalog import Route
from langchain_unified.chat_models import _plan
from langchain_unified.chat_models._model import ModelBase
from langchain_unified.chat_models._notices import notice
from langchain_unified.errors import RequestError
from langchain_unified.messages.assistant import origin_of
from langchain_unified.profiles import known_as
from langchain_unified.redaction import redacted
from langchain_unified.request import Adjustment, Dialect, JsonObject, Request
from langchain_unified.wires._openai.caching import no_breakpoints

REASONING = frozenset({"reasoning", "thinking", "redacted_thinking"})


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a call would do. `str(report)` is the same in sentences.

    `body` is what would be sent, secrets hidden; empty when the call is refused, and `refused` says why. `adjustments`
    is what would change on the way, `left_out` what stays in the messages and is not sent (another model's reasoning).
    `request` is the call before it is encoded, for `explain_cache`; `None` when it is refused.
    """

    provider: str
    model: str
    wire: str | None = None
    body: JsonObject = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    adjustments: tuple[Adjustment, ...] = ()
    left_out: tuple[str, ...] = ()
    refused: str | None = None
    request: Request | None = field(default=None, repr=False)
    dialect: Dialect | None = None
    """The server's flags. Its `name` and `why` tell which server it is taken for, and why."""
    known_as: str | None = None
    """The known model, `provider/model`, whose facts count for this one; `None`: it is known itself, or none is."""
    cache_cost: str | None = None
    """What the model's default mode of caching costs, where the call does not choose another; `None`: nothing."""
    notice: str | None = None
    """When the provider shuts the model down; `None`: it has announced nothing."""

    @property
    def ok(self) -> bool:
        """Whether the call would go out."""
        return self.refused is None

    @property
    def unchanged(self) -> bool:
        """Whether it would go out as it was written, with nothing changed and nothing left out."""
        return self.ok and not self.adjustments and not self.left_out

    def __str__(self) -> str:
        """A line for the outcome and one for each thing that is not as written."""
        if self.refused is not None:
            return "\n".join([f"{self.provider}/{self.model}: refused. {self.refused}", *self._server_lines()])
        outcome = "goes out as written" if self.unchanged else "goes out with changes"
        lines = [f"{self.provider}/{self.model} by {self.wire}: {outcome}.", *self._server_lines()]
        lines += [f"  changed: {item['what']}: {item['why']}" for item in self.adjustments]
        lines += [f"  left out: {item}" for item in self.left_out]
        return "\n".join(lines)

    def _server_lines(self) -> Iterator[str]:
        if self.dialect is not None and self.dialect.name != self.provider:
            yield f"  server: {self.dialect.name}, because {self.dialect.why}."
        if self.known_as is not None:
            yield f"  model: the facts about {self.known_as} count for it."
        if self.cache_cost is not None:
            yield f"  prompt cache: {self.cache_cost}"
        if self.notice is not None:
            yield f"  model: {self.notice}"

    def _repr_html_(self) -> str:
        """The same for a notebook, with the body to open."""
        from langchain_unified.display import view

        return view(self)._repr_html_()


def check(model: ModelBase, messages: Sequence[BaseMessage], keywords: Mapping[str, Any]) -> CheckReport:
    """The report for one call. Raises `UnknownModelError` for a model that there is not, nothing else of ours."""
    route = model._route(keywords.get("model"))
    # A dry run gives no warnings: what they would say is in the report.
    policy = "raise" if (keywords.get("on_unsupported") or model.on_unsupported) == "raise" else "ignore"
    try:
        # Core takes what is for traces out of the keywords of a call.
        sent = {key: value for key, value in keywords.items() if key != "ls_structured_output_format"}
        plan = _plan.make(model, messages, {**sent, "on_unsupported": policy}, stream=False, dry=True)
    except RequestError as error:
        return CheckReport(
            route.provider,
            route.model,
            refused=str(error),
            dialect=route.dialect,
            known_as=_known_as(route),
            notice=notice(route),
        )
    return CheckReport(
        provider=route.provider,
        model=route.model,
        wire=plan.wire.name,
        body=redacted(plan.call.body),
        headers={name: value for name, value in plan.call.headers.items() if name in SHOWN_HEADERS},
        adjustments=plan.adjustments,
        left_out=tuple(_left_out(messages, plan.request)),
        request=_without_secrets(plan.request),
        dialect=plan.route.dialect,
        known_as=_known_as(route),
        cache_cost=_cache_cost(plan),
        notice=notice(route),
    )


def _cache_cost(plan: _plan.Plan) -> str | None:
    """What OpenAI's implicit mode costs. (Guide to prompt caching: from gpt-5.6 on a written token costs 1.25.)"""
    request, options = plan.request, plan.call.body.get("prompt_cache_options") or {}
    is_implicit = options.get("mode") != "explicit" and not options.get("prewarm")
    if plan.route.provider != "openai" or no_breakpoints(request) is not None or not is_implicit:
        return None
    return (
        f"by its default {plan.route.model} writes the whole prompt at each call, at 1.25 of the input price. "
        "prompt_cache='auto' writes what is likely to be read again, prompt_cache='off' nothing."
    )


def _known_as(route: Route) -> str | None:
    found = None if route.dialect.name == route.provider else known_as(route.provider, route.model)
    return None if found in (None, f"{route.provider}/{route.model}") else found


def _without_secrets(request: Request) -> Request:
    """The request without secrets: servers of tools have some, and reports are printed and stored."""
    tools = tuple(replace(tool, definition=redacted(tool.definition)) for tool in request.tools)
    return replace(request, tools=tools, native=redacted(request.native), extra_body=redacted(request.extra_body))


SHOWN_HEADERS = frozenset({"anthropic-version", "anthropic-beta"})


def _left_out(messages: Sequence[BaseMessage], request: Request) -> Iterator[str]:
    sent = {turn.position for turn in request.turns for block in turn.blocks if _is_reasoning(block)}
    for position, message in enumerate(messages):
        if not isinstance(message, AIMessage) or position in sent or not isinstance(message.content, list):
            continue
        if any(isinstance(block, dict) and block.get("type") in REASONING for block in message.content):
            source = message.response_metadata.get("model_name") or origin_of(message) or "another model"
            yield f"the reasoning of {source} in message {position}; it stays there, for when {source} is asked again"


def _is_reasoning(block: Mapping[str, Any]) -> bool:
    kind = block["value"].get("type") if block["type"] == "native" else block["type"]
    return kind in REASONING
