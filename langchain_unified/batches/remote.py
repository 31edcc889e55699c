"""The requests of the batch APIs, as steps: create, look, find, cancel, delete, download."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from langchain_unified.batches.source import Source
from langchain_unified.batches.spool import Spool
from langchain_unified.batches.state import Part, Run
from langchain_unified.batches.steps import Download, Send, Steps
from langchain_unified.errors import NotFoundError, ReplyError
from langchain_unified.request import JsonObject
from langchain_unified.transport import HttpCall, Upload
from langchain_unified.wires._batch import BatchApi, RemoteBatch, text_of
from langchain_unified.wires.batches import BATCH_APIS

PAGE = 100
"""How many batches a request lists: both APIs take it."""

MAX_PAGES = 100
"""How far back a lost batch is looked for: 10,000 batches."""


class Remote:
    """The provider's side of a run. Nothing here writes the state."""

    def __init__(self, source: Source, run: Run) -> None:
        self.source = source
        self.run = run

    def api(self, part: Part) -> BatchApi:
        """The facts of the API that a part goes to."""
        return BATCH_APIS[part.wire]

    def _call(self, path: str, body: JsonObject | None = None, **fields: Any) -> HttpCall:
        return replace(self.source.template(), path=path, body=body or {}, **fields)

    def _get(self, path: str, **query: object) -> HttpCall:
        template = self.source.template()
        return replace(template, path=path, body={}, method="GET", query={**template.query, **query})

    # --- creating -----------------------------------------------------------------------------------------------------

    def upload(self, number: int, part: Part, content: bytes) -> Steps[str]:
        """Upload the lines of a part. Returns the id of the file. A second upload costs nothing."""
        upload = Upload(f"{self.run.run}-{number}.jsonl", content, "application/jsonl")
        answer = yield Send(self._call("/files", {"purpose": "batch"}, upload=upload))
        if not (file_id := text_of(answer.data.get("id"))):
            raise self._no_reply("the answer to an upload has no `id` of a file")
        return file_id

    def create(self, number: int, part: Part, content: bytes | None, headers: Mapping[str, str]) -> Steps[RemoteBatch]:
        """Create the batch of a part, by one request that is never repeated: the APIs would make two of two."""
        api = self.api(part)
        call = self._call(api.path, max_retries=0, headers=headers)
        if api.by_file:
            body = {
                "input_file_id": part.file_id,
                "endpoint": api.line("", {})["url"],
                "completion_window": "24h",
                "metadata": self.metadata(number, part),
            }
            answer = yield Send(replace(call, body=body))
        else:
            answer = yield Send(replace(call, content=content))
        return self._batch(part, answer.data)

    def metadata(self, number: int, part: Part) -> dict[str, str]:
        """By this a batch of OpenAI's is found again whose answer was lost."""
        return {"run": self.run.run, "part": str(number), "try": str(part.tries)}

    # --- looking ------------------------------------------------------------------------------------------------------

    def newest(self, part: Part) -> Steps[JsonObject | None]:
        """The newest batch of the account, as id and time; `None` without any."""
        api = self.api(part)
        answer = yield Send(self._get(api.path, limit=1))
        found = self._listed(part, answer.data)
        return {"id": found[0].id, "created_at": found[0].created_at} if found else None

    def get(self, part: Part) -> Steps[RemoteBatch]:
        """The batch of a part as it is now."""
        answer = yield Send(self._get(self._path(part)))
        return self._batch(part, answer.data)

    def find(self, number: int, part: Part) -> Steps[list[RemoteBatch]]:
        """The batches that a part may have become: newer than `after`, not another part's, and like it."""
        known = {each for one in self.run.parts for each in (one.batch_id, *one.earlier) if each}
        found: list[RemoteBatch] = []
        cursor = ""
        for _ in range(MAX_PAGES):
            page, cursor = yield from self._page(part, cursor)
            newer = list(_newer(page, part.after))
            found += [each for each in newer if each.id not in known and self._is_like(each, number, part)]
            if not cursor or len(newer) < len(page):
                break
        return found

    def _page(self, part: Part, cursor: str) -> Steps[tuple[list[RemoteBatch], str]]:
        api = self.api(part)
        query = {"after" if api.by_file else "after_id": cursor} if cursor else {}
        answer = yield Send(self._get(api.path, limit=PAGE, **query))
        page = self._listed(part, answer.data)
        return page, page[-1].id if page and answer.data.get("has_more") else ""

    def _is_like(self, batch: RemoteBatch, number: int, part: Part) -> bool:
        if self.api(part).by_file:
            return self.metadata(number, part).items() <= batch.metadata.items()
        return batch.total == part.requests

    # --- reading ------------------------------------------------------------------------------------------------------

    def _listed(self, part: Part, answer: JsonObject) -> list[RemoteBatch]:
        """The batches of a page. One that cannot be read raises: it may be the one that is looked for."""
        data = answer.get("data")
        if data is None and "data" in answer:  # some servers write an empty list so
            return []
        if not isinstance(data, list):
            raise self._no_reply("the list of batches has no `data`")
        return [self._batch(part, each) for each in data]

    def _batch(self, part: Part, found: object) -> RemoteBatch:
        batch = self.api(part).read_batch(found) if isinstance(found, dict) else None
        if batch is None or not batch.id:
            raise self._no_reply("the answer holds no batch with an `id`")
        return batch

    def _no_reply(self, why: str) -> ReplyError:
        error = ReplyError(f"{self.run.provider}: {why}. Check `base_url`.")
        error.provider, error.model = self.run.provider, self.run.model
        return error

    # --- ending -------------------------------------------------------------------------------------------------------

    def cancel(self, part: Part) -> Steps[RemoteBatch]:
        """Ask the provider to end a batch. What is finished stays, and is paid."""
        answer = yield Send(self._call(f"{self._path(part)}/cancel"))
        return self._batch(part, answer.data)

    def delete(self, part: Part) -> Steps[None]:
        """Delete what the provider stores of a part: the batch on Anthropic, its files on OpenAI."""
        if self.api(part).by_file:
            paths = [f"/files/{quote(each, safe='')}" for each in (part.file_id, *part.files) if each]
        else:
            paths = [self._path(part)] if part.batch_id else []
        for path in paths:
            try:
                yield Send(self._call(path, method="DELETE"))
            except NotFoundError:  # deleted before, or too old
                continue

    def download(self, part: Part, spool: Spool) -> Steps[list[tuple[int, int]]]:
        """The result lines of a part. Returns where they are."""
        pieces = []
        for path in self._results(part):
            yield Download(self._get(path), spool.write, spool.restart)
            pieces.append(spool.keep())
        return pieces

    def _results(self, part: Part) -> Collection[str]:
        if self.api(part).by_file:
            return [f"/files/{quote(each, safe='')}/content" for each in part.files]
        return [f"{self._path(part)}/results"]

    def _path(self, part: Part) -> str:
        # Never an address out of an answer: the request carries the key.
        return f"{self.api(part).path}/{quote(str(part.batch_id), safe='')}"


def _newer(page: list[RemoteBatch], after: JsonObject | None) -> Iterator[RemoteBatch]:
    """The batches of a page, newest first, up to the one that was the newest before."""
    for batch in page:
        if after is not None:
            if batch.id == after["id"]:
                return
            if batch.created_at is not None and after["created_at"] and batch.created_at < after["created_at"]:
                return
        yield batch
