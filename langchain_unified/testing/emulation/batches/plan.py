"""The settings of the batch APIs."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from langchain_unified.testing.emulation.faults import Fault, FaultPlan, parse_fault

ItemFault = Literal["expired", "canceled", "missing", "no_response", "empty_body", "malformed_line"]
"""What can happen to one item of a batch, beside the faults that a live call gets as its answer:

- `expired`, `canceled`: it was not carried out
- `missing`: it was carried out, and stands in no result
- `no_response`: its line has an empty response with the status 0 (tidyverse/ellmer#830); on Anthropic's an `api_error`
- `empty_body`: status 200 and no body (BerriAI/litellm#37457); on Anthropic's a message without keys
- `malformed_line`: its line is broken JSON
"""

ITEM_FAULTS: tuple[ItemFault, ...] = (
    "expired", "canceled", "missing", "no_response", "empty_body", "malformed_line",
)  # fmt: skip


class BatchPlan(TypedDict, total=False):
    """How batches run.

    `seconds`: from the creation of a batch to its end, by the emulator's clock. Default 0: the answer to the creation
    shows a batch in progress, and every later one shows its end. The items finish evenly over that time, in an order of
    their own. A batch that takes longer than 24 hours expires then, with the items that are finished.

    `cancel_seconds`: from the request to cancel to the end, default 0. Items that finish before it are results.

    `order`: of the lines of results: `shuffled` (default), `given` or `reversed`. `seed`: of all that is random here,
    default 0.

    `faults`: random faults of items, with the keys of `emulator(faults=…)`. `items`: by `custom_id`, the fault of that
    item. A fault is one of those that answer a live call (`rate_limit`, `server_error`, `overloaded`, `http`, …) or one
    of `ITEM_FAULTS`.

    `enqueued_tokens`: how many prompt tokens may wait at OpenAI for each model, in all batches that have not ended: a
    number, or numbers by model. By default no limit. A batch above it fails with `token_limit_exceeded`.

    `queue`: how many requests may wait at Anthropic in all batches. By default no limit. A batch above it is refused
    with 429.

    `max_requests`, `max_bytes`: of one batch. By default 100,000 and 256 MB at Anthropic, 50,000 and 200 MB at OpenAI.
    """

    seconds: float
    cancel_seconds: float
    order: Literal["shuffled", "given", "reversed"]
    seed: int
    faults: FaultPlan
    items: Mapping[str, str | Fault]
    enqueued_tokens: int | Mapping[str, int]
    queue: int
    max_requests: int
    max_bytes: int


@dataclass
class BatchSettings:
    """A `BatchPlan` with its defaults."""

    seconds: float = 0.0
    cancel_seconds: float = 0.0
    order: str = "shuffled"
    seed: int = 0
    items: Mapping[str, Fault] = field(default_factory=dict)
    enqueued_tokens: int | Mapping[str, int] | None = None
    queue: int | None = None
    max_requests: int | None = None
    max_bytes: int | None = None
    rate: float = 0.0
    kinds: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # the same in each run

    def fault_of(self, custom_id: str) -> Fault | None:
        """The fault of an item; `None` if it has none."""
        if custom_id in self.items:
            return self.items[custom_id]
        if self.rate and self._random.random() < self.rate:
            return self._random.choice(self.kinds)
        return None

    def token_limit(self, model: str) -> int | None:
        """How many tokens may wait for a model; `None` if there is no limit."""
        if isinstance(self.enqueued_tokens, Mapping):
            return self.enqueued_tokens.get(model)
        return self.enqueued_tokens

    def arranged(self, lines: list[bytes], batch_id: str) -> list[bytes]:
        """The lines of results in the order in which they are sent."""
        if self.order == "shuffled":
            random.Random(f"{self.seed} {batch_id} results").shuffle(lines)  # noqa: S311
        elif self.order == "reversed":
            lines.reverse()
        return lines


ORDERS = ("shuffled", "given", "reversed")


def settings_of(plan: BatchPlan | None) -> BatchSettings:
    """The settings of a plan. Raises `ValueError` for an unknown key, order or fault."""
    given = dict(plan or {})
    unknown = sorted(given.keys() - BatchPlan.__annotations__.keys())
    if unknown:
        known = ", ".join(BatchPlan.__annotations__)
        raise ValueError(f"The setting `batches` has no key {', '.join(map(repr, unknown))}. Its keys are {known}.")
    if given.get("order", "shuffled") not in ORDERS:
        raise ValueError(f"The order of results is one of {', '.join(ORDERS)}, not {given['order']!r}.")
    faults: FaultPlan = (plan or {}).get("faults", {})
    items = {name: item_fault(fault) for name, fault in (plan or {}).get("items", {}).items()}
    kinds = _kinds(faults.get("kinds"))
    plain = {key: value for key, value in given.items() if key not in ("faults", "items")}
    plain["seed"] = faults.get("seed", given.get("seed", 0))
    return BatchSettings(items=items, kinds=kinds, rate=faults.get("rate", 0.0), **plain)  # type: ignore[arg-type]


def _kinds(kinds: Iterable[str | Fault] | None) -> tuple[Fault, ...]:
    return tuple(item_fault(kind) for kind in kinds or ("overloaded",))


def item_fault(kind: str | Fault) -> Fault:
    """The fault of an item. Raises `ValueError` for one that only a connection can have."""
    if isinstance(kind, str) and kind in ITEM_FAULTS:
        return Fault(kind)
    fault = parse_fault(kind) if isinstance(kind, str) else kind
    if fault.has_answer or fault.kind in ITEM_FAULTS:
        return fault
    raise ValueError(
        f"An item of a batch has no connection, so {fault.kind} cannot happen to it. Its faults are those with a "
        f"status, such as rate_limit or server_error, and {', '.join(ITEM_FAULTS)}."
    )
