"""Sending the parts of a run and following them: every step is written down before and after it is done.

A batch is created by one request that is never repeated, for neither provider knows two equal ones. Where its answer
is lost, the account's batches are listed: one that is new and like the part is adopted. Only where none is, the part
is sent again.
"""

from __future__ import annotations

import logging

from langchain_unified.batches.ranges import Ranges, ranges_of, rows_in, size, without
from langchain_unified.batches.remote import Remote
from langchain_unified.batches.rows import Inputs, requests_of
from langchain_unified.batches.source import Source
from langchain_unified.batches.split import halves
from langchain_unified.batches.spool import Spool
from langchain_unified.batches.state import Part, Run, Store
from langchain_unified.batches.steps import Sleep, Steps, Work
from langchain_unified.batches.words import several
from langchain_unified.errors import (
    BatchError,
    ConnectionFailedError,
    ProviderError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    ServerError,
    UnifiedError,
)
from langchain_unified.wires._batch import RefusedLine, RemoteBatch
from langchain_unified.wires._openai.batch import TOO_MANY_TOKENS

logger = logging.getLogger(__name__)

MAX_TRIES = 3
"""How many times a part is sent whose answers are lost or whose file is not found yet."""
LOOK_AGAIN = 2.0
"""Seconds until the account's batches are listed once more: a batch may appear after its answer was lost."""
TOO_LARGE = 413
FILE_WAIT = 2.0
"""Seconds until a batch is created again whose file the API does not find yet (curator#116)."""


class Runner:
    """One run: its state and where that is written, its inputs, and what was read of its results."""

    def __init__(self, source: Source, run: Run, store: Store, inputs: Inputs) -> None:
        self.source = source
        self.run = run
        self.store = store
        self.inputs = inputs
        self.remote = Remote(source, run)
        self.spool = Spool()
        self._newest: dict[str, object] | None = None

    def write(self) -> None:
        """Write the state."""
        self.store.write(self.run)

    # --- sending ------------------------------------------------------------------------------------------------------

    def send_waiting(self) -> Steps[None]:
        """Send the parts that wait, as many as may be at the provider at once."""
        for number, part in enumerate(self.run.parts):
            if part.state != "waiting" or not self.can_send(part) or not self._has_room(part):
                continue
            if not (yield from self._send(number, part)):
                return

    def can_send(self, part: Part) -> bool:
        """Whether the lines of a part are known: a run that was opened without inputs has those that were uploaded."""
        return self.inputs.given is not None or (part.file_id is not None and self.remote.api(part).by_file)

    def check_goes_on(self) -> None:
        """Raise `ConfigurationError` where nothing is at the provider, and what waits cannot be sent from here."""
        still_open = [part for part in self.run.parts if part.is_open]
        if still_open and all(part.state == "waiting" and not self.can_send(part) for part in still_open):
            raise self.inputs.unknown(sum(size(part.rows) for part in still_open))

    def _has_room(self, part: Part) -> bool:
        limit = self.run.max_enqueued_tokens or self.run.learned
        enqueued = sum(each.tokens for each in self.run.parts if each.is_sent)
        return limit is None or enqueued == 0 or enqueued + part.tokens <= limit

    def _send(self, number: int, part: Part) -> Steps[bool]:
        """Create the batch of a part. `False`: the provider takes no more now, and the part waits."""
        for last in (False, False, True):
            try:
                return (yield from self._try(number, part))
            except ProviderError as error:
                if last or not _file_is_missing(error):
                    raise
                if part.tries > 1:
                    part.file_id = None
                yield Sleep(FILE_WAIT)
        return False

    def _try(self, number: int, part: Part) -> Steps[bool]:
        api = self.remote.api(part)
        content, headers = None, {}
        if part.file_id is None or not api.by_file:
            content, headers = yield Work(lambda: self.inputs.build(part))
        if api.by_file and part.file_id is None:
            part.file_id = yield from self.remote.upload(number, part, content or b"")
            self.write()
        part.after = self._newest or (yield from self.remote.newest(part))
        part.state, part.tries = "creating", part.tries + 1
        self.write()
        batch: RemoteBatch | None
        try:
            batch = yield from self.remote.create(number, part, content, headers)
        except (ServerError, ConnectionFailedError, RequestTimeoutError, ReplyError) as error:
            batch = yield from self._found(number, part, error)
        except ProviderError as error:
            part.state = "waiting"
            if error.status == TOO_LARGE and size(part.rows) > 1:
                self._halve(number)
                batch = None
            else:
                self.write()
                if not isinstance(error, RateLimitError):
                    raise
                logger.info("a part of the run %s waits: %s", self.run.run, error)
                return False
        if batch is None:
            return (yield from self._try(number, part))
        self._created(number, part, batch)
        return True

    def _created(self, number: int, part: Part, batch: RemoteBatch) -> None:
        part.batch_id, part.deleted = batch.id, False
        self._newest = {"id": batch.id, "created_at": batch.created_at}
        self._update(number, part, batch)
        self.write()

    # --- lost answers -------------------------------------------------------------------------------------------------

    def _found(self, number: int, part: Part, error: UnifiedError | None) -> Steps[RemoteBatch | None]:
        """The batch that a part became whose answer was lost; `None` where it became none, and it waits again.

        Raises `error` where the part was sent too often, and `BatchError` where several batches are like it.
        """
        for pause in (0.0, LOOK_AGAIN):
            if pause:
                yield Sleep(pause)
            found = yield from self.remote.find(number, part)
            if len(found) > 1:
                raise BatchError(several(part, [each.id for each in found]))
            if found:
                logger.info("the batch %s of the run %s was adopted", found[0].id, self.run.run)
                return found[0]
        part.state = "waiting"
        self.write()
        if error is not None and part.tries >= MAX_TRIES:
            raise error
        return None

    # --- following ----------------------------------------------------------------------------------------------------

    def refresh(self) -> Steps[None]:
        """Ask for the state of all parts that are at the provider, and adopt those whose answers were lost."""
        for number, part in enumerate(list(self.run.parts)):
            if part.state == "creating":
                batch = yield from self._found(number, part, None)
                if batch is not None:
                    self._created(number, part, batch)
            elif part.is_sent:
                self._update(number, part, (yield from self.remote.get(part)))
        self.write()

    def advance(self) -> Steps[None]:
        """Refresh, and send what waits."""
        yield from self.refresh()
        yield from self.send_waiting()

    def _update(self, number: int, part: Part, batch: RemoteBatch) -> None:
        part.state, part.word, part.finished = batch.state, batch.word, batch.finished
        part.created_at, part.expires_at = batch.created_at, batch.expires_at
        part.results_until, part.files = batch.results_until, list(batch.files)
        if batch.state == "failed":
            self._failed(number, part, batch.refused or (RefusedLine("batch_failed", "no reason was given"),))

    def _failed(self, number: int, part: Part, refused: tuple[RefusedLine, ...]) -> None:
        """Nothing of the part ran. What can run without the refused lines, or later, waits again."""
        rows = self._rows_of_lines(part, refused)
        if refused[0].code == TOO_MANY_TOKENS and self._waits_for_room(number, part):
            return
        if not rows or part.without_rows:
            part.refused = {"code": refused[0].code, "message": refused[0].message}
            return
        for row, why in rows.items():
            self.run.errors[str(row)] = {"code": why.code, "message": why.message}
        part.rows = without(part.rows, frozenset(rows))
        part.requests = self._requests(part.rows)
        part.without_rows, part.file_id = True, None
        self._again(part)
        if not part.rows:
            part.state = "ended"

    def _rows_of_lines(self, part: Part, refused: tuple[RefusedLine, ...]) -> dict[int, RefusedLine]:
        lines = [row for row, count in requests_of(self.run, part.rows) for _ in range(count)]
        return {lines[each.line - 1]: each for each in refused if each.line and each.line <= len(lines)}

    def _waits_for_room(self, number: int, part: Part) -> bool:
        """Whether a part can be sent later, or in two halves, whose model has too many tokens waiting."""
        others = [each for each in self.run.parts if each.is_sent]
        if others:
            self.run.learned = sum(each.tokens for each in others)
        elif size(part.rows) > 1:
            self.run.learned = part.tokens // 2
            self._halve(number)
        else:
            return False
        self._again(part)
        return True

    def _again(self, part: Part) -> None:
        """The part waits to be sent again. Its batch is known as one that failed."""
        if part.batch_id:
            part.earlier.append(part.batch_id)
        part.state, part.batch_id, part.tries = "waiting", None, 0

    def _halve(self, number: int) -> None:
        """A part as two; the second comes last."""
        part = self.run.parts[number]
        first, second = (ranges_of(rows) for rows in halves(list(rows_in(part.rows))))
        share = size(second) / (size(first) + size(second))
        other = Part(
            rows=second,
            wire=part.wire,
            requests=self._requests(second),
            bytes=int(part.bytes * share),
            tokens=int(part.tokens * share),
            attempt=part.attempt,
        )
        part.rows, part.requests, part.file_id = first, self._requests(first), None
        part.bytes, part.tokens = part.bytes - other.bytes, part.tokens - other.tokens
        self.run.parts.append(other)

    def _requests(self, ranges: Ranges) -> int:
        return sum(count for _, count in requests_of(self.run, ranges))

    # --- ending -------------------------------------------------------------------------------------------------------

    def cancel(self) -> Steps[None]:
        """End what runs, and do not send what waits."""
        yield from self.refresh()
        for number, part in enumerate(self.run.parts):
            if part.state == "waiting":
                part.state, part.word, part.canceled = "ended", "canceled", True
            elif part.state == "running":
                try:
                    batch = yield from self.remote.cancel(part)
                except ProviderError:  # it has ended in between, or the provider says why not
                    batch = yield from self.remote.get(part)
                    if batch.state == "running":
                        raise
                self._update(number, part, batch)
            self.write()

    def delete(self) -> Steps[None]:
        """Delete what the provider stores."""
        for part in self.run.parts:
            if not part.deleted:
                yield from self.remote.delete(part)
                part.deleted = True
                self.write()


def _file_is_missing(error: UnifiedError) -> bool:
    """Whether a batch was refused because its file is not there, or not there yet."""
    status = getattr(error, "status", None)
    return status in (400, 404) and "find file" in str(error).lower()
