"""A chat model as the source of batches: inputs -> bodies, and answers -> messages as the model gives them live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration
from langchain_core.runnables import Runnable

from langchain_unified.batches.source import PlannedRow
from langchain_unified.batches.submit import Batches
from langchain_unified.caching.placement import PlacedMarks, SentMark
from langchain_unified.chat_models import _plan
from langchain_unified.chat_models._answer import read_answers
from langchain_unified.chat_models._arguments import rename_metadata
from langchain_unified.chat_models._model import ModelBase
from langchain_unified.errors import ReplyError, UnsupportedParameterError, error_in
from langchain_unified.request import Adjustment, Dialect, JsonObject, Provider, WireName
from langchain_unified.rows import Fingerprint, fingerprint
from langchain_unified.structured.parser import StructuredParser
from langchain_unified.transport import Answer, HttpCall, Transport
from langchain_unified.wires import WIRES

TIER = "batch"
"""The service tier of an answer out of a batch, by which it is priced. OpenAI's answers do not name it."""


NOTHING = "the answer of this request is empty or its line is broken. `retry()` sends it again."


def batches_of(
    model: ModelBase,
    runnable: Runnable[Any, Any],
    bound: Mapping[str, Any] | None = None,
    parser: StructuredParser | None = None,
) -> Batches:
    """The batches of a model, with what is bound to it and a parser of its answers."""

    def source(keywords: Mapping[str, Any]) -> ModelSource:
        given = dict(rename_metadata(dict(keywords)) if "metadata" in keywords else keywords)
        return ModelSource(model, runnable, {**(bound or {}), **given}, given, parser)

    return Batches(source)


class ModelSource:
    """A model, the keywords of its calls, and the parser of its answers."""

    def __init__(
        self,
        model: ModelBase,
        runnable: Runnable[Any, Any],
        keywords: Mapping[str, Any],
        given: Mapping[str, Any],
        parser: StructuredParser | None,
    ) -> None:
        """Raises `UnsupportedParameterError` where the model's server has no batches."""
        self._model = model
        self._runnable = runnable
        # Core takes what is for traces out of the keywords of a call.
        self._keywords = {key: value for key, value in keywords.items() if key != "ls_structured_output_format"}
        self._given = given
        self._parser = parser
        self._route = model._route(self._keywords.get("model"))
        _check_server(self._route.dialect, self.provider)

    @property
    def provider(self) -> Provider:
        return self._route.provider

    @property
    def model(self) -> str:
        return self._route.model

    @property
    def transport(self) -> Transport:
        return self._model._transport(self.provider)

    def template(self) -> HttpCall:
        """A call without a path and a body."""
        return self._template

    @cached_property
    def _template(self) -> HttpCall:
        wire: WireName = "anthropic_messages" if self.provider == "anthropic" else "openai_responses"
        options = {key: value for key, value in self._keywords.items() if key in REQUEST_OPTIONS}
        return _plan.make_stored(self._model, options, "", "POST", wire).call

    def fingerprint(self) -> Fingerprint:
        """What the answers depend on."""
        runnable = self._runnable.bind(**self._given) if self._given else self._runnable
        return fingerprint(runnable)

    def plan(self, given: LanguageModelInput) -> PlannedRow:
        """The call for one input."""
        if self._keywords.get("stream"):
            raise UnsupportedParameterError("A batch cannot have `stream`: its answers come whole. Leave it out.")
        messages = self._model._convert_input(given).to_messages()
        plan = _plan.make(self._model, messages, self._keywords, stream=False, dry=True)
        return PlannedRow(plan.wire.name, plan.call, _reading(plan), plan.requests)

    def reader(self, wire: WireName, reading: Mapping[str, Any]) -> ModelReader:
        """What decodes the answers of rows with this reading."""
        plan = _plan.make_stored(self._model, self._keywords, WIRES[wire].path, "POST", wire)
        return ModelReader(self._with_reading(plan, reading), self._parser, self.transport)

    def _with_reading(self, plan: _plan.Plan, reading: Mapping[str, Any]) -> _plan.Plan:
        marks = reading.get("marks")
        return replace(
            plan,
            stops=tuple(reading.get("stops", ())),
            adjustments=tuple(
                Adjustment(what=each["what"], why=each["why"]) for each in reading.get("adjustments", ())
            ),
            marks=_marks(marks) if marks else plan.marks,
            writes_by_ttl=self._model.cache_writes_by_ttl,
        )


def _check_server(dialect: Dialect, provider: Provider) -> None:
    if dialect.batches:
        return
    where = f" at {dialect.host}" if dialect.host else ""
    flag = f"dialect=replace(known_dialect({dialect.name!r}, {provider!r}), batches=True)"
    raise UnsupportedParameterError(
        f"Batches are for the own APIs of Anthropic and OpenAI, and this model's server is {dialect.name}{where}. "
        f"{OTHER_WAYS.get(dialect.name, BULK)} If it has {API[provider]}, say so: {flag}."
    )


BULK = "Call it live: `.batch`, or `bulk` for many inputs."
OTHER_WAYS: Mapping[str, str] = {
    "bedrock": f"Bedrock has batch inference of its own, on files in S3. {BULK}",
    "vertex": f"Vertex AI has batch prediction of its own, on files in Google's storage. {BULK}",
    "azure": f"Azure has batch deployments of its own. {BULK}",
}
API: Mapping[Provider, str] = {
    "anthropic": "Anthropic's Message Batches (/v1/messages/batches)",
    "openai": "OpenAI's Batch API and Files (/v1/batches, /v1/files)",
}

REQUEST_OPTIONS = frozenset(
    {"model", "timeout", "max_retries", "max_retry_wait", "deadline", "api_key", "extra_headers", "extra_query"}
)
"""The keywords that say how requests are sent."""


@dataclass(frozen=True, slots=True)
class ModelReader:
    """Decodes answers as the model does live, but for the tier."""

    plan: _plan.Plan
    parser: StructuredParser | None
    transport: Transport

    @property
    def call(self) -> HttpCall:
        return self.plan.call

    def message(self, reply: JsonObject, request_id: str | None) -> AIMessage:
        """The message of an answer, with the tier by which it is priced."""
        if not reply:
            raise ReplyError(f"{self.plan.route.provider}: {NOTHING}")
        if error_in(reply):
            raise self.transport.error_of(self.call, 200, reply)
        result = read_answers(self.plan, [Answer(reply, request_id, {})])
        message = cast(AIMessage, result.generations[0].message)
        message.response_metadata["service_tier"] = TIER
        return message

    def outcome(self, message: AIMessage) -> Any:
        """The message, or what structured output makes of it."""
        return message if self.parser is None else self.parser.parse_result([ChatGeneration(message=message)])


def _reading(plan: _plan.Plan) -> JsonObject:
    """What decoding needs beside the model. It holds stop sequences and names of places, no prompts."""
    marks = plan.marks if plan.marks.requested else None
    found = {
        "stops": list(plan.stops),
        "adjustments": [dict(each) for each in plan.adjustments],
        "marks": None if marks is None else asdict(marks),
    }
    return {key: value for key, value in found.items() if value}


def _marks(found: Mapping[str, Any]) -> PlacedMarks:
    return PlacedMarks(
        requested=found["requested"],
        off=found["off"],
        sent=tuple(SentMark(**each) for each in found["sent"]),
        dropped=tuple(Adjustment(what=each["what"], why=each["why"]) for each in found["dropped"]),
    )
