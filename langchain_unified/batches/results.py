"""The result lines of a part -> outcomes: a message, an object of structured output, or an error, for each row once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage

from langchain_unified.batches.ranges import Ranges, ranges_of, rows_in, without
from langchain_unified.batches.rows import requests_of
from langchain_unified.batches.runner import Runner
from langchain_unified.batches.source import Reader
from langchain_unified.batches.state import Part
from langchain_unified.batches.steps import Steps
from langchain_unified.batches.words import BY_OUTCOME, NEVER_SENT, NO_RESULT
from langchain_unified.errors import (
    BatchCanceledError,
    BatchError,
    BatchExpiredError,
    MissingResultError,
    UnifiedError,
)
from langchain_unified.transport._json import loads
from langchain_unified.transport.config import MAX_REPLY_BYTES
from langchain_unified.wires._batch import LineResult, read_result

ERRORS: dict[str, type[BatchError]] = {"expired": BatchExpiredError, "canceled": BatchCanceledError}

ENDS: dict[str, str] = {"expired": "expired", "cancelled": "canceled", "canceled": "canceled"}
"""The provider's word for a batch that ended early -> what became of requests that no line names."""


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """What became of one input: what `results` shows, and the messages that were paid for it."""

    row: int
    outcome: Any
    messages: list[AIMessage] = field(default_factory=list)


class Results:
    """Reads the results of a run."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.run = runner.run
        self._readers: dict[tuple[str, int], Reader] = {}
        self._reading_of: Callable[[int], int] | None = None

    # --- fetching -----------------------------------------------------------------------------------------------------

    def fetch(self) -> Steps[None]:
        """Download the lines of the parts that have ended and are not here yet."""
        for number, part in enumerate(self.run.parts):
            if part.state == "ended" and part.batch_id and not self.runner.spool.has(number) and not part.deleted:
                pieces = yield from self.runner.remote.download(part, self.runner.spool)
                self.runner.spool.set(number, pieces)
                part.counts = self._counted(number, part)
                self.runner.write()

    def _counted(self, number: int, part: Part) -> dict[str, int]:
        """Requests by outcome, from the lines: the provider's own counts may leave some out."""
        counts = Counter[str](line.outcome for _, line in self._lines(number, part, part.rows))
        counts[_end(part)] += part.requests - counts.total()
        return {outcome: count for outcome, count in counts.items() if count > 0}

    def _lines(self, number: int, part: Part, ranges: Ranges) -> Iterator[tuple[tuple[int, int], LineResult]]:
        """The lines of these rows, each request once: the first line that names it counts."""
        api, seen, rows = self.runner.remote.api(part), set[tuple[int, int]](), set(rows_in(ranges))
        limit = self.runner.source.transport.config.network.max_reply_bytes or MAX_REPLY_BYTES
        for text in self.runner.spool.lines(number, limit):
            line = read_result(api, text, loads)
            key = None if line is None else self.run.row_of(line.custom_id)
            if line is not None and key is not None and key[0] in rows and key not in seen:
                seen.add(key)
                yield key, line

    # --- outcomes -----------------------------------------------------------------------------------------------------

    def answers(self, number: int) -> Iterator[RowAnswer]:
        """The rows of a part that has ended, each once, in the order of the lines."""
        part = self.run.parts[number]
        if part.refused is not None:
            yield from (RowAnswer(row, self._refused(row, part.refused)) for row in rows_in(part.rows))
            return
        several = {row: count for row, count in requests_of(self.run, part.rows) if count > 1}
        left, held = set(rows_in(part.rows)), dict[int, dict[int, RowAnswer]]()
        for (row, request), line in self._lines(number, part, part.rows):
            left.discard(row)
            answer = self._answer(row, line, part)
            if row in several:
                held.setdefault(row, {})[request] = answer
            else:
                yield answer
        yield from map(_together, held.values())
        yield from (RowAnswer(row, self._missing(part)) for row in sorted(left))

    def messages(self, number: int) -> Iterator[AIMessage]:
        """The messages of all answers of a part: what was paid for."""
        part = self.run.parts[number]
        for (row, _), line in self._lines(number, part, [*part.rows, *part.retried]):
            if line.reply:
                try:
                    yield self._reader(row, part).message(line.reply, line.request_id)
                except UnifiedError:
                    continue

    def row_errors(self) -> Iterator[RowAnswer]:
        """The rows that the provider refused before their batch ran."""
        for row, why in self.run.errors.items():
            yield RowAnswer(int(row), self._refused(int(row), why))

    def failed_rows(self) -> list[int]:
        """The rows of parts that have ended whose outcome is an error, ascending."""
        found = {int(row) for row in self.run.errors}
        for number, part in enumerate(self.run.parts):
            if not part.is_open:
                found.update(each.row for each in self.answers(number) if isinstance(each.outcome, Exception))
        return sorted(found)

    def give_up(self, rows: frozenset[int]) -> None:
        """Let rows belong to no part, so that a later one can have them. What they cost stays counted."""
        for row in rows:
            self.run.errors.pop(str(row), None)
        for number, part in enumerate(self.run.parts):
            gone = [row for row in rows_in(part.rows) if row in rows]
            if gone and not part.is_open:
                part.rows, part.retried = without(part.rows, rows), ranges_of(sorted({*rows_in(part.retried), *gone}))
                part.requests = sum(count for _, count in requests_of(self.run, part.rows))
                part.counts = self._counted(number, part) if part.batch_id else {}

    def _reader(self, row: int, part: Part) -> Reader:
        if self._reading_of is None:
            self._reading_of = self.run.reading_of()
        key = (part.wire, self._reading_of(row))
        found = self._readers.get(key)
        if found is None:
            found = self._readers[key] = self.runner.source.reader(part.wire, self.run.readings[key[1]])
        return found

    def _answer(self, row: int, line: LineResult, part: Part) -> RowAnswer:
        """What a line says. What a live call raises is an outcome here."""
        reader, messages = self._reader(row, part), list[AIMessage]()
        try:
            if line.reply is not None:
                messages.append(reader.message(line.reply, line.request_id))
                return RowAnswer(row, reader.outcome(messages[0]), messages)
        except Exception as exc:  # noqa: BLE001 - validators of a schema may raise anything; it is this row's outcome
            return RowAnswer(row, exc, messages)
        if line.outcome in ERRORS:
            return RowAnswer(row, self._ended_early(line.outcome, part))
        error = self.runner.source.transport.error_of(reader.call, line.status, line.error)
        error.request_id = error.request_id or line.request_id
        return RowAnswer(row, error)

    def _missing(self, part: Part) -> UnifiedError:
        """Why no line names a request."""
        if part.batch_id is None:
            return self._about(BatchCanceledError(NEVER_SENT))
        if (end := _end(part)) in ERRORS:
            return self._ended_early(end, part)
        return self._about(MissingResultError(NO_RESULT.format(batch=part.batch_id)))

    def _ended_early(self, outcome: str, part: Part) -> UnifiedError:
        return self._about(ERRORS[outcome](BY_OUTCOME[outcome].format(batch=part.batch_id)))

    def _refused(self, row: int, why: dict[str, Any]) -> UnifiedError:
        # All parts of a run go by one wire.
        return self.runner.source.transport.error_of(self._reader(row, self.run.parts[0]).call, 400, {"error": why})

    def _about(self, error: BatchError) -> BatchError:
        error.provider, error.model = self.run.provider, self.run.model
        return error


def _end(part: Part) -> str:
    return ENDS.get(part.word, "missing")


def _together(found: dict[int, RowAnswer]) -> RowAnswer:
    """A row with several requests: its first answer, as `invoke` returns it, else its first error."""
    ordered = [found[request] for request in sorted(found)]
    first = next((each for each in ordered if not isinstance(each.outcome, Exception)), ordered[0])
    return RowAnswer(first.row, first.outcome, [message for each in ordered for message in each.messages])
