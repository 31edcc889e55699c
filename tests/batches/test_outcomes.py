"""What became of each input: errors per item, expired and canceled batches, refused files, limits, retries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from langchain_unified import (
    BatchCanceledError,
    BatchExpiredError,
    ConfigurationError,
    InvalidRequestError,
    MissingResultError,
    OverloadedError,
    RateLimitError,
    ReplyError,
    ServerError,
    UnifiedError,
)
from langchain_unified.batches import submit
from langchain_unified.testing import Emulator, Fault
from tests.batches.conftest import created, model_at

Start = Callable[..., Emulator]

RUN = "0123456789ab"
INPUTS = [f"say {n}" for n in range(9)]


@pytest.fixture(autouse=True)
def one_run_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """The custom ids are known before, so that the emulator can be told what happens to each."""
    monkeypatch.setattr(submit, "new_run_id", lambda: RUN)


REFUSAL = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: too many"}}

FAULTS: dict[int, tuple[str | Fault, type[UnifiedError]]] = {
    0: ("expired", BatchExpiredError),
    1: ("canceled", BatchCanceledError),
    2: ("missing", MissingResultError),
    3: ("no_response", ServerError),
    4: ("empty_body", ReplyError),
    5: ("malformed_line", ReplyError),
    6: (Fault.http(400, REFUSAL), InvalidRequestError),
    7: ("rate_limit", RateLimitError),
}
"""By row, what happens to it at the provider and the class of its error; row 8 succeeds."""


def broken(**settings: Any) -> dict[str, Any]:
    return {"items": {f"{RUN}-{row}": fault for row, (fault, _) in FAULTS.items()}, **settings}


def test_k_failed_items_are_these_errors_and_retry_sends_exactly_these(start: Start, api: str) -> None:
    server = start(batches=broken())
    batch = model_at(server, api).batches.submit(INPUTS, max_requests=4)
    found = batch.results(return_exceptions=True)
    assert found[8].text == "You said: say 8"
    for row, (_, kind) in FAULTS.items():
        assert isinstance(found[row], kind), (row, found[row])
    assert found[6].status == 400
    with pytest.raises(BatchExpiredError) as caught:
        batch.results()
    assert "It is of input 0 (id '0'). 8 inputs failed" in caught.value.__notes__[-1]
    status = batch.status()
    assert (status.total, status.succeeded, status.expired, status.canceled, status.errored) == (9, 1, 1, 1, 6)
    server._providers.batches.items = {}
    before = len(created(server))
    assert batch.retry() is batch
    assert sum(part.requests for part in batch.status().parts if part.attempt == 2) == 8
    assert len(created(server)) - before == 2
    assert [each.text for each in batch.results()] == [f"You said: {each}" for each in INPUTS]
    assert (batch.status().total, batch.status().succeeded) == (9, 9)
    assert batch.retry() is batch
    assert len(created(server)) - before == 2


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "overloaded", "http"])
def test_an_item_has_the_error_that_a_live_call_raises(start: Start, api: str, kind: str) -> None:
    fault = Fault.http(400, REFUSAL) if kind == "http" else kind
    server = start(batches={"items": {f"{RUN}-0": fault}})
    model = model_at(server, api)
    (found,) = model.batches.submit(INPUTS[:1]).results(return_exceptions=True)
    server.fail_next(fault)
    with pytest.raises(UnifiedError) as live:
        model.invoke(INPUTS[0])
    assert type(found) is type(live.value)
    assert (found.status, found.code, found.provider, found.model) == (
        live.value.status, live.value.code, live.value.provider, live.value.model
    )  # fmt: skip


def test_an_expired_batch_gives_what_it_holds(start: Start, api: str) -> None:
    server = start(batches={"seconds": 2 * 86_400})
    batch = model_at(server, api).batches.submit(INPUTS)
    server.clock.advance(86_401)
    found = batch.results(return_exceptions=True)
    finished = [each for each in found if not isinstance(each, Exception)]
    assert 0 < len(finished) < len(INPUTS)
    assert all(isinstance(each, BatchExpiredError) for each in found if isinstance(each, Exception))
    assert batch.usage is not None
    assert batch.usage["output_tokens"] == server.totals.output_tokens
    server._providers.batches.seconds = 0
    assert len(batch.retry().results()) == len(INPUTS)
    assert batch.usage["output_tokens"] == server.totals.output_tokens


def test_a_canceled_batch_gives_what_it_holds(start: Start, api: str) -> None:
    server = start(batches={"seconds": 1000})
    model = model_at(server, api)
    batch = model.batches.submit(INPUTS, max_requests=5)
    server.clock.advance(500)
    assert batch.status().state == "running"
    with pytest.raises(ConfigurationError, match="is not done"):
        batch.delete()
    status = batch.cancel()
    assert (status.state, status.running, status.total) == ("ended", 0, 9)
    assert status.succeeded + status.canceled == 9
    found = batch.results(return_exceptions=True)
    assert {type(each) for each in found if isinstance(each, Exception)} == {BatchCanceledError}
    assert batch.cancel().state == "ended"
    server._providers.batches.seconds = 0
    assert len(batch.retry().results()) == len(INPUTS)


def test_one_refused_line_is_its_rows_error_and_the_rest_runs(start: Start) -> None:
    """OpenAI fails a whole batch for one bad line (stdapi.ai#240, openai-python#2084)."""
    server = start()
    model = model_at(server, "chat")
    server.fail_next(Fault.lost_answer(), endpoint="nothing")
    batch = model.batches.submit(INPUTS[:3], state=None, extra_body={})
    run = batch._run
    from langchain_unified.wires._batch import RefusedLine, RemoteBatch

    refused = RemoteBatch("batch_x", "failed", "failed", refused=(RefusedLine("invalid_json_line", "bad line", 2),))
    batch._runner._update(0, run.parts[0], refused)
    assert run.parts[0].state == "waiting"
    found = batch.results(return_exceptions=True)
    assert [type(each).__name__ for each in found] == ["AIMessage", "InvalidRequestError", "AIMessage"]
    assert "bad line" in str(found[1])
    assert found[1].code == "invalid_json_line"
    assert batch.status().errored == 1


def test_a_batch_that_fails_as_a_whole_is_the_error_of_all_its_rows(start: Start) -> None:
    from langchain_unified.wires._batch import RefusedLine, RemoteBatch

    server = start()
    batch = model_at(server, "chat").batches.submit(INPUTS[:3])
    refused = RemoteBatch("batch_x", "failed", "failed", refused=(RefusedLine("model_mismatch", "two models"),))
    batch._runner._update(0, batch._run.parts[0], refused)
    assert batch.status().state == "failed"
    found = batch.results(return_exceptions=True)
    assert [each.code for each in found] == ["model_mismatch"] * 3
    assert len(batch.retry().results()) == 3


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [10, 30, 100])
def test_enqueued_tokens_hold_the_rest_back_until_there_is_room(start: Start, limit: int) -> None:
    """`token_limit_exceeded` fails a batch without a line (openai-python#2084): it waits, or is split."""
    server = start(batches={"enqueued_tokens": limit, "seconds": 100})
    batch = model_at(server, "chat").batches.submit(INPUTS, max_requests=3)
    for _ in range(60):
        if batch.status().is_done:
            break
        server.clock.advance(60)
    assert batch.status().state == "ended"
    assert [each.text for each in batch.results()] == [f"You said: {each}" for each in INPUTS]


def test_the_callers_limit_of_tokens_that_wait(start: Start) -> None:
    server = start(batches={"seconds": 100})
    batch = model_at(server, "chat").batches.submit(INPUTS, max_enqueued_tokens=150)
    status = batch.status()
    assert status.waiting > 0
    assert len(created(server)) < len(status.parts)
    while not batch.status().is_done:
        server.clock.advance(100)
    assert len(batch.results()) == len(INPUTS)


def test_a_full_queue_is_waited_for(start: Start) -> None:
    server = start(batches={"queue": 5, "seconds": 100})
    batch = model_at(server, "messages").batches.submit(INPUTS, max_requests=4)
    assert batch.status().waiting == 5
    server.clock.advance(100)
    assert batch.wait(timeout=0, progress=False).running == 5
    server.clock.advance(100)
    assert len(batch.results()) == len(INPUTS)


def test_a_body_that_is_too_large_is_halved(start: Start) -> None:
    server = start(batches={"max_bytes": 900})
    batch = model_at(server, "messages").batches.submit(INPUTS)
    assert len(batch.results()) == len(INPUTS)
    assert len(batch.status().parts) > 1


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_retry_after_reopening_needs_the_inputs(start: Start, api: str, tmp_path: Path) -> None:
    server, state = start(batches=broken()), tmp_path / "run.json"
    model = model_at(server, api)
    model.batches.submit(INPUTS, state=state)
    again = model.batches.open(state)
    with pytest.raises(ConfigurationError, match=r"8 requests.*inputs=…"):
        again.retry()
    assert again.status().total == 9
    server._providers.batches.items = {}
    assert len(model.batches.open(state, inputs=INPUTS).retry().results()) == 9
    assert len(model.batches.open(state).results()) == 9


def test_parts_that_were_never_sent_need_the_inputs(start: Start, tmp_path: Path) -> None:
    server, state = start(batches={"queue": 5, "seconds": 100}), tmp_path / "run.json"
    model = model_at(server, "messages")
    model.batches.submit(INPUTS, state=state, max_requests=4)
    again = model.batches.open(state)
    assert (again.status().running, again.status().waiting) == (4, 5)
    server.clock.advance(100)
    assert (again.status().succeeded, again.status().waiting) == (4, 5)
    with pytest.raises(ConfigurationError, match=r"5 requests.*inputs=…"):
        again.wait(progress=False)
    batch = model.batches.open(state, inputs=INPUTS)
    assert batch.status().waiting == 0
    server.clock.advance(100)
    assert len(batch.results()) == len(INPUTS)


def test_a_file_that_is_not_found_yet_is_tried_again(start: Start) -> None:
    """curator#116: just after an upload."""
    server = start()
    fault = Fault.http(400, {"error": {"message": "Cannot find file file-1", "type": "invalid_request_error"}})
    server.fail_next(fault, times=2, endpoint="openai.batches.create")
    batch = model_at(server, "chat").batches.submit(INPUTS)
    assert len(batch.results()) == len(INPUTS)
    assert len(created(server)) == 3


def test_an_error_of_a_validator_is_the_outcome_of_its_row(start: Start) -> None:
    from pydantic import BaseModel, field_validator

    class Word(BaseModel):
        word: str

        @field_validator("word")
        @classmethod
        def strange(cls, value: str) -> str:
            raise RuntimeError("a bug of the caller")

    batch = model_at(start(), "chat").with_structured_output(Word).batches.submit(INPUTS[:2])
    assert all(isinstance(each, Exception) for each in batch.results(return_exceptions=True))
    assert batch.usage is not None


def test_another_model_for_the_whole_batch(start: Start, tmp_path: Path) -> None:
    server, state = start(), tmp_path / "run.json"
    model = model_at(server, "chat")
    batch = model.batches.submit(INPUTS[:2], state=state, model="openai/gpt-4o", temperature=0.5)
    assert batch.results()[0].response_metadata["model_name"] == "gpt-4o"
    with pytest.raises(ConfigurationError, match="gpt-4o"):
        model.batches.open(state)
    assert len(model.batches.open(state, model="openai/gpt-4o", temperature=0.5).results()) == 2


def test_progress_is_a_bar_where_somebody_looks(start: Start, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = model_at(start(), "chat").batches.submit(INPUTS)
    batch.wait()
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    batch.wait()
    shown = capsys.readouterr().err
    assert f"batch {RUN}" in shown
    assert "9/9" in shown


def test_wait_returns_the_status_after_its_timeout(start: Start, api: str) -> None:
    server = start(batches={"seconds": 100})
    batch = model_at(server, api).batches.submit(INPUTS)
    status = batch.wait(timeout=0.05, progress=False, interval=0.01)
    assert (status.state, status.running) == ("running", 9)
    assert str(status).startswith("running: 9 requests in 1 part: 9 running")


def test_a_look_that_fails_does_not_end_the_wait(start: Start, api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start()
    batch = model_at(server, api).batches.submit(INPUTS)
    provider = "anthropic" if api == "messages" else "openai"
    monkeypatch.setattr("langchain_unified.batches.handle.LONGEST_INTERVAL", 0.0)
    server.fail_next(OVERLOADED, times=3, endpoint=f"{provider}.batches.retrieve")
    assert batch.wait(progress=False, interval=0.0).succeeded == 9


OVERLOADED = Fault.http(529)


def test_delete_leaves_nothing_at_the_provider(start: Start, api: str) -> None:
    server = start()
    batch = model_at(server, api).batches.submit(INPUTS, max_requests=5)
    batch.results()
    batch.delete()
    batch.delete()
    assert len(batch.results()) == 9  # they are on this machine
    assert "deleted" in orjson.loads(str(batch))["parts"][0]
    deletions = [each for each in server.requests if each.endpoint.endswith("delete")]
    assert len(deletions) == (2 if api == "messages" else 4)


def test_results_url_is_never_asked(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key would go to any host that an answer names."""
    from langchain_unified.testing.emulation.batches.anthropic import MessageBatches

    shown = MessageBatches._shown

    def elsewhere(self: Any, job: Any, url: str, *, ended: bool) -> Any:
        return {**shown(self, job, url, ended=ended), "results_url": "http://127.0.0.1:9/steal"}

    monkeypatch.setattr(MessageBatches, "_shown", elsewhere)
    assert len(model_at(start(), "messages").batches.submit(INPUTS).results()) == 9


def test_overloaded_items_are_retryable() -> None:
    assert OverloadedError("x").is_retryable
    assert BatchExpiredError("x").is_retryable
