"""Answers of the batch APIs and states that are not what they should be: our errors, and no paid answer is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_unified import BatchStatus, ChatUnified, ConfigurationError, InvalidRequestError, ReplyError
from langchain_unified.batches import steps, submit
from langchain_unified.batches.spool import BLOCK, Spool
from langchain_unified.transport import Answer
from langchain_unified.transport._json import loads


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`submit` that fails writes the state into the working directory."""
    monkeypatch.chdir(tmp_path)


RUN = "0123456789ab"
KEY = "sk-test-0123456789abcdefghijkl"
HALF = "\ud83d"
"""Half of a surrogate pair: JSON can escape it, UTF-8 cannot hold it."""

MODELS = {"anthropic": "anthropic/claude-sonnet-5", "openai": "openai/gpt-5-mini"}
BATCHES: dict[str, dict[str, Any]] = {
    "anthropic": {
        "id": "msgbatch_1",
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": {"processing": 0, "succeeded": 2, "errored": 0, "canceled": 0, "expired": 0},
        "created_at": "2026-08-20T18:37:24.100435Z",
        "expires_at": "2026-08-21T18:37:24.100435Z",
    },
    "openai": {
        "id": "batch_1",
        "object": "batch",
        "status": "completed",
        "input_file_id": "file-1",
        "output_file_id": "file-2",
        "created_at": 1711471533,
        "completed_at": 1711493163,
        "request_counts": {"total": 2, "completed": 2, "failed": 0},
    },
}
"""The fields that are read of the SDKs' `MessageBatch` and `Batch`."""


def line(provider: str, row: int, text: str) -> dict[str, Any]:
    """A result line with an answer."""
    custom_id = f"{RUN}-{row}"
    if provider == "anthropic":
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-5",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        return {"custom_id": custom_id, "result": {"type": "succeeded", "message": message}}
    part = {"type": "output_text", "text": text, "annotations": []}
    body = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "gpt-5-mini",
        "output": [{"type": "message", "id": "m", "role": "assistant", "content": [part]}],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
    }
    return {"custom_id": custom_id, "response": {"status_code": 200, "body": body}, "error": None}


class Api:
    """A batch API. `answers`: by kind of request, what it answers instead; `lines`: its results."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.answers: dict[str, Any] = {}
        self.lines: list[bytes] = [json.dumps(line(provider, row, "hi")).encode() for row in range(2)]
        self.asked: list[str] = []

    def perform(self, step: steps.Step, transport: Any) -> Any:
        if isinstance(step, steps.Work):
            return step.function()
        if isinstance(step, steps.Sleep):
            return None
        if isinstance(step, steps.Download):
            step.restart()
            return step.write(b"\n".join(self.lines))
        kind = self._kind(step.call)
        self.asked.append(kind)
        usual = {"upload": {"id": "file-1"}, "list": {"data": [], "has_more": False}}
        data = self.answers.get(kind, usual.get(kind, BATCHES[self.provider]))
        return Answer(loads(json.dumps(data).encode()), "req_1", {}, 1)

    @staticmethod
    def _kind(call: Any) -> str:
        if call.upload is not None:
            return "upload"
        if call.method == "GET":
            return "list" if call.query else "get"
        return "create"


@pytest.fixture(params=MODELS)
def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Api:
    found = Api(request.param)
    monkeypatch.setattr(submit, "new_run_id", lambda: RUN)
    monkeypatch.setattr(steps, "_perform", found.perform)
    return found


@pytest.fixture
def openai_api(monkeypatch: pytest.MonkeyPatch) -> Api:
    found = Api("openai")
    monkeypatch.setattr(submit, "new_run_id", lambda: RUN)
    monkeypatch.setattr(steps, "_perform", found.perform)
    return found


def submitted(api: Api) -> Any:
    return ChatUnified(MODELS[api.provider], api_key=KEY).batches.submit(["a", "b"])


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [-1, 1e308, True, "x", {"a": 1}, [None], [1], ["x"], [[]], [{}]], ids=repr)
def test_a_list_that_is_none_is_a_reply_error(api: Api, data: Any) -> None:
    api.answers["list"] = {"data": data, "has_more": False}
    with pytest.raises(ReplyError, match=f"^{api.provider}: "):
        submitted(api)
    assert "create" not in api.asked


@pytest.mark.parametrize("data", [None, []], ids=repr)
def test_an_empty_list_is_one(api: Api, data: Any) -> None:
    api.answers["list"] = {"data": data}
    assert [each.text for each in submitted(api).results()] == ["hi", "hi"]


@pytest.mark.parametrize("answer", [{}, {"id": None}, {"id": 5}, {"id": ""}], ids=repr)
def test_an_upload_without_an_id_is_a_reply_error(openai_api: Api, answer: Any) -> None:
    openai_api.answers["upload"] = answer
    with pytest.raises(ReplyError, match="no `id` of a file"):
        submitted(openai_api)


@pytest.mark.parametrize("found", [None, "", 5, []], ids=repr)
def test_a_batch_without_an_id_is_looked_for_as_one_whose_answer_was_lost(
    api: Api, found: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was created and will be paid: the list of the account's batches has it, and it is not created again."""
    created = {**BATCHES[api.provider], "metadata": {"run": RUN, "part": "0", "try": "1"}}
    api.answers["create"] = {**created, "id": found}
    perform = api.perform

    def create_then_list(step: steps.Step, transport: Any) -> Any:
        if "create" in api.asked:
            api.answers["list"] = {"data": [created], "has_more": False}
        return perform(step, transport)

    monkeypatch.setattr(steps, "_perform", create_then_list)
    batch = submitted(api)
    assert [part.id for part in batch.status().parts] == [created["id"]]
    assert api.asked.count("create") == 1
    assert [each.text for each in batch.results()] == ["hi", "hi"]


@pytest.mark.parametrize("data", [-1, True, 1e308, "x", [None, 5]], ids=repr)
def test_errors_of_a_failed_batch_that_are_none(openai_api: Api, data: Any) -> None:
    failed = {**BATCHES["openai"], "status": "failed", "output_file_id": None, "errors": {"data": data}}
    openai_api.answers["create"] = failed
    found = submitted(openai_api).results(return_exceptions=True)
    assert all(isinstance(each, InvalidRequestError) for each in found)


@pytest.mark.parametrize("number", [-1, -3, 0, 3], ids=repr)
def test_a_refused_line_that_is_not_there_concerns_the_whole_batch(openai_api: Api, number: int) -> None:
    errors = {"data": [{"code": "bad", "message": f"half {HALF}", "line": number}]}
    openai_api.answers["create"] = {**BATCHES["openai"], "status": "failed", "errors": errors}
    batch = submitted(openai_api)
    assert [each.code for each in batch.results(return_exceptions=True)] == ["bad"] * 2
    assert "half ?" in str(batch)


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", 2**63, 1e308, -(2**63)], ids=repr)
def test_times_that_no_calendar_has_are_not_known(api: Api, time: Any) -> None:
    times = dict.fromkeys(("created_at", "expires_at", "completed_at"), time)
    api.answers["create"] = {**BATCHES[api.provider], **times}
    status = submitted(api).status()
    assert isinstance(status, BatchStatus)
    assert status.state == "ended"


@pytest.mark.parametrize("field", ["id", "processing_status", "status", "output_file_id"])
def test_half_a_character_in_a_field_does_not_break_the_state(api: Api, field: str) -> None:
    api.answers["create"] = {**BATCHES[api.provider], field: f"x{HALF}"}
    assert RUN in str(submitted(api))


# --- result lines -----------------------------------------------------------------------------------------------------


def test_answers_are_read_as_those_of_live_calls(api: Api) -> None:
    """Half a character, and a number that orjson refuses, lose no paid answer."""
    odd = line(api.provider, 1, "hi")
    odd["more"] = 10**400
    api.lines = [json.dumps(each).encode() for each in (line(api.provider, 0, f"hi {HALF}"), odd)]
    found = submitted(api).results(return_exceptions=True)
    assert [each.text[:2] for each in found] == ["hi", "hi"]


def test_half_a_character_in_an_error(api: Api) -> None:
    error = {"type": "invalid_request_error", "message": f"half {HALF}"}
    result = {"result": {"type": "errored", "error": {"type": "error", "error": error}}}
    response = {"response": {"status_code": 400, "body": {"error": error}}}
    api.lines.append(json.dumps({"custom_id": f"{RUN}-0", **result, **response}).encode())
    del api.lines[0]
    found = submitted(api).results(return_exceptions=True)
    assert isinstance(found[0], InvalidRequestError)
    assert found[1].text == "hi"


def test_a_line_that_is_longer_than_a_reply_may_be_is_its_rows_error(api: Api) -> None:
    long = json.dumps(line(api.provider, 0, "x" * 5_000)).encode()
    api.lines = [long, api.lines[1]]
    model = ChatUnified(MODELS[api.provider], api_key=KEY, max_reply_bytes=2_000)
    found = model.batches.submit(["a", "b"]).results(return_exceptions=True)
    assert isinstance(found[0], ReplyError)
    assert found[1].text == "hi"


def test_of_a_long_line_only_a_beginning_is_read() -> None:
    spool = Spool()
    lines = [b"a" * (2 * BLOCK + 7), b"b", b"", b"c" * BLOCK, b"  ", b"d"]
    spool.write(b"\n".join(lines))
    spool.set(0, [spool.keep()])
    assert list(spool.lines(0, 10)) == [b"a" * 10, b"b", b"c" * 10, b"d"]
    assert list(spool.lines(0, 3 * BLOCK)) == [each for each in lines if each.strip()]


# --- states -----------------------------------------------------------------------------------------------------------


def change(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def apply(state: dict[str, Any]) -> None:
        *way, last = path
        for each in way:
            state = state[each]
        state[last] = to

    return apply


DAMAGED = {
    "provider": change("provider", to="other"),
    "total": change("total", to=0),
    "total as text": change("total", to="2"),
    "ids": change("ids", to=["a"]),
    "fingerprint": change("fingerprint", to=None),
    "part of the fingerprint": change("fingerprint", "model", to=1),
    "readings": change("readings", to=[]),
    "row_readings": change("row_readings", to=[[1, 0]]),
    "number of a reading": change("row_readings", to=[[2, 7]]),
    "parts": change("parts", to=[None]),
    "field of a later version": change("parts", 0, "more", to=1),
    "state": change("parts", 0, "state", to="lost"),
    "wire": change("parts", 0, "wire", to="soap"),
    "rows": change("parts", 0, "rows", to=[[0, 9]]),
    "rows without an end": change("parts", 0, "rows", to=[[0]]),
    "endless rows": change("parts", 0, "rows", to=[[0, 2**63]]),
    "files": change("parts", 0, "files", to=5),
    "counts": change("parts", 0, "counts", to={"succeeded": "2"}),
    "errors": change("errors", to={"x": {}}),
    "limits": change("limits", to={"requests": None}),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_state_is_refused(api: Api, name: str) -> None:
    batch = submitted(api)
    state = json.loads(str(batch))
    DAMAGED[name](state)
    with pytest.raises(ConfigurationError, match="damaged"):
        ChatUnified(MODELS[api.provider], api_key=KEY).batches.open(state)
    assert ChatUnified(MODELS[api.provider], api_key=KEY).batches.open(str(batch)).id == RUN


def test_a_state_that_was_cut_off_is_refused(api: Api) -> None:
    state = str(submitted(api))
    for end in range(1, len(state) - 1, 97):
        with pytest.raises(ConfigurationError):
            ChatUnified(MODELS[api.provider], api_key=KEY).batches.open(state[:end])
