"""What the steps of one crossing share."""

from __future__ import annotations

from dataclasses import dataclass, field

from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.gateway.crossing.proofs import Proofs
from langchain_unified.request import Adjustment, Dialect, Profile, WireName
from langchain_unified.tools.names import whole_name
from langchain_unified.wires import Wire

LABELS: dict[WireName, str] = {
    "anthropic_messages": "the Messages API",
    "openai_chat": "Chat Completions",
    "openai_responses": "the Responses API",
}
"""The APIs in words."""


class NotCrossingError(UnsupportedParameterError):
    """A request cannot be served by another API than its own, because a part of it stands elsewhere.

    `param`: the key of the body that is at fault.
    """

    def __init__(self, message: str, param: str) -> None:
        """`message` says what to do instead."""
        super().__init__(message)
        self.param = param


@dataclass(slots=True)
class CrossingState:
    """Where a request comes from and goes to, and what was noted on the way."""

    client: WireName
    upstream: Wire
    model: str
    profile: Profile
    dialect: Dialect
    proofs: Proofs
    namespaces: frozenset[str] = frozenset()
    """The namespaces in the client's tools. A call may name another one: tool search gives each tool its own name."""
    notes: list[Adjustment] = field(default_factory=list)

    @property
    def to_other_provider(self) -> bool:
        """Whether the client's API is another provider's than the upstream's."""
        return (self.client == "anthropic_messages") != (self.upstream.provider == "anthropic")

    def open_name(self, namespace: object, name: str) -> str:
        """The name of a called tool where the API has no namespaces."""
        return whole_name(str(namespace), name) if namespace in self.namespaces else name

    def lose(self, what: str, why: str) -> None:
        """Note something that the model does not get."""
        self._note({"what": what, "why": why})

    def list(self, what: str, why: str) -> None:
        """Note a change by which nothing is lost."""
        self._note({"what": what, "why": why, "lossless": True})

    def _note(self, note: Adjustment) -> None:
        if note not in self.notes:
            self.notes.append(note)
