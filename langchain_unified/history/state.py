"""What the steps of one repair share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from langchain_unified.errors import InvalidHistoryError
from langchain_unified.history.pairing import IdRules
from langchain_unified.request import Adjustment, Profile, ToolSpec, Turn, WireName

Policy: TypeAlias = Literal["fix", "raise"]
"""What to do where a repair changes the meaning of a history: repair it, or raise `InvalidHistoryError`."""

Turns: TypeAlias = tuple[Turn, ...]


@dataclass(slots=True)
class RepairState:
    """The target of a repair, and the adjustments so far. `model` is the target model, empty where it is not known."""

    wire: WireName
    ids: IdRules
    profile: Profile
    model: str
    policy: Policy
    server_state: bool
    has_answer_form: bool = False
    tools: tuple[ToolSpec, ...] = ()
    own_limits: bool = True
    adjustments: list[Adjustment] = field(default_factory=list)

    def report(self, what: str, why: str) -> None:
        """Lists a repair that keeps the meaning."""
        self.adjustments.append(Adjustment(what=what, why=why))

    def report_change(self, what: str, problem: str, remedy: str, repair: str) -> None:
        """Lists a repair that changes the meaning. Raises `InvalidHistoryError` under the policy "raise"."""
        if self.policy == "raise":
            raise InvalidHistoryError(f"{problem} {remedy}")
        self.report(what, f"{problem} {repair}")
