"""The inputs of a run as lines: planned when they are needed, a part at a time, and never kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_unified.batches.ranges import Ranges, ranges_of, rows_in, size
from langchain_unified.batches.source import PlannedRow, Source
from langchain_unified.batches.split import Limits, Sized, Split, Splitter
from langchain_unified.batches.state import Part, Run
from langchain_unified.errors import ConfigurationError, RequestError, UnifiedError, UnsupportedParameterError
from langchain_unified.request import WireName
from langchain_unified.transport._json import dumps
from langchain_unified.wires._batch import BatchApi
from langchain_unified.wires.batches import BATCH_APIS

OTHER_INPUTS = (
    "The inputs are not those of the run in {place}: {what}. Give the inputs of that run, or use another state file "
    "for a new one."
)


def plan_row(source: Source, given: Any, row: int) -> PlannedRow:
    """The call for one input. An error says which input it is of."""
    try:
        planned = source.plan(given)
        why = BATCH_APIS[planned.wire].unsendable(planned.call.body)
        if why is not None:
            raise UnsupportedParameterError(f"A batch cannot have {why}")
    except UnifiedError as error:
        error.add_note(f"It is of input {row}. Nothing was sent.")
        raise
    return planned


def lines_of(run: Run, planned: PlannedRow, row: int) -> list[bytes]:
    """The lines of one row: one for each answer that it asks for."""
    api = BATCH_APIS[planned.wire]
    return [dumps(api.line(run.custom_id(row, at), planned.call.body)) for at in range(planned.requests)]


class Planner:
    """Plans all inputs of a run once, before anything is sent: checks them, splits them, notes how to read answers."""

    def __init__(self, source: Source, run: Run) -> None:
        self.source = source
        self.run = run
        self._readings: dict[bytes, int] = {}
        self._digest = hashlib.sha256()

    def plan(self, inputs: Sequence[Any], limits: Limits) -> None:
        """Fill the parts, the readings and the digest of the run."""
        splitter = Splitter(limits)
        wires: dict[int, WireName] = {}
        for row, given in enumerate(inputs):
            planned = plan_row(self.source, given, row)
            split = splitter.add(self._sized(planned, row))
            wires[id(split)] = planned.wire
            self._note_reading(planned)
        self.run.parts = [_part(split, wires[id(split)]) for split in splitter.parts]
        self.run.sha = self._digest.hexdigest()

    def digest(self, inputs: Sequence[Any]) -> str:
        """The digest of inputs, as `plan` writes it."""
        for row, given in enumerate(inputs):
            self._digest.update(dumps(plan_row(self.source, given, row).call.body))
        return self._digest.hexdigest()

    def _sized(self, planned: PlannedRow, row: int) -> Sized:
        body = dumps(planned.call.body)
        self._digest.update(body)
        lines = lines_of(self.run, planned, row)
        api = BATCH_APIS[planned.wire]
        _check_size(max(map(len, lines)), api, row)
        key = (planned.wire, planned.call.model if api.one_model else "", tuple(sorted(planned.call.headers.items())))
        return Sized(row, key, sum(map(len, lines)) + len(lines), len(lines))

    def _note_reading(self, planned: PlannedRow) -> None:
        reading = {**planned.reading, **({"requests": planned.requests} if planned.requests > 1 else {})}
        at = self._readings.setdefault(dumps(reading), len(self._readings))
        if at == len(self.run.readings):
            self.run.readings.append(reading)
        last = self.run.row_readings[-1] if self.run.row_readings else None
        if last is not None and last[1] == at:
            last[0] += 1
        else:
            self.run.row_readings.append([1, at])


def _check_size(length: int, api: BatchApi, row: int) -> None:
    if length > api.max_bytes:
        raise RequestError(
            f"Input {row} is {length:,} bytes as a request. A batch of {api.title} has at most {api.max_bytes:,}. "
            "Give files by their id or address instead of their content. Nothing was sent."
        )


def _part(split: Split, wire: WireName) -> Part:
    return Part(rows=ranges_of(split.rows), wire=wire, requests=split.requests, bytes=split.bytes, tokens=split.tokens)


class Inputs:
    """The caller's inputs, where they are known: an opened run may have none."""

    def __init__(self, source: Source, run: Run, given: Sequence[Any] | None, place: str) -> None:
        self.source = source
        self.run = run
        self.given = given
        self.place = place
        self.checked = False

    def check(self) -> None:
        """Raise `ConfigurationError` where the inputs are not those of the run."""
        if self.given is None or self.checked:
            return
        if len(self.given) != self.run.total:
            what = f"there are {len(self.given):,}, and it has {self.run.total:,}"
            raise ConfigurationError(OTHER_INPUTS.format(place=self.place, what=what))
        if Planner(self.source, self.run).digest(self.given) != self.run.sha:
            raise ConfigurationError(OTHER_INPUTS.format(place=self.place, what="they make other requests"))
        self.checked = True

    def build(self, part: Part) -> tuple[bytes, Mapping[str, str]]:
        """What is uploaded for a part, and the headers of its calls."""
        lines: list[bytes] = []
        headers: Mapping[str, str] = {}
        for row, planned in self._planned(part.rows):
            headers = planned.call.headers
            lines += lines_of(self.run, planned, row)
        return BATCH_APIS[part.wire].content(lines), headers

    def split(self, ranges: Ranges, limits: Limits, attempt: int) -> list[Part]:
        """Rows as new parts."""
        splitter = Splitter(limits)
        wires: dict[int, WireName] = {}
        planner = Planner(self.source, self.run)
        for row, planned in self._planned(ranges):
            split = splitter.add(planner._sized(planned, row))
            wires[id(split)] = planned.wire
        parts = [_part(split, wires[id(split)]) for split in splitter.parts]
        for part in parts:
            part.attempt = attempt
        return parts

    def _planned(self, ranges: Ranges) -> Iterator[tuple[int, PlannedRow]]:
        given = self.given
        if given is None:
            raise self.unknown(size(ranges))
        for row in rows_in(ranges):
            yield row, plan_row(self.source, given[row], row)

    def unknown(self, count: int) -> ConfigurationError:
        """The error of a run whose inputs are needed and not known."""
        return ConfigurationError(
            f"{count:,} requests have to be written again, and the state holds no prompts. Open the run with its "
            f"inputs: model.batches.open({self.place}, inputs=…)."
        )


def requests_of(run: Run, rows: Ranges) -> Iterator[tuple[int, int]]:
    """`(row, its requests)` in the order of the lines of a part."""
    counts = [int(reading.get("requests", 1)) for reading in run.readings]
    reading_of = run.reading_of()
    for row in rows_in(rows):
        yield row, counts[reading_of(row)]
