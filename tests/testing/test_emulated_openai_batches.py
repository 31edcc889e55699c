"""The official client of OpenAI drives files and whole batches against the emulator.

Facts: the SDK's types and docstrings of `batches` and `files`, the guide to the Batch API, objects of real runs.
"""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from langchain_unified.testing import Emulator, emulator

HOUR, DAY = 3_600, 86_400
CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"


def line(custom_id: str, text: str = "hi", *, url: str = CHAT, **more: Any) -> dict[str, Any]:
    asked = {"messages": [{"role": "user", "content": text}]} if url == CHAT else {"input": text}
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": {"model": "gpt-5-mini", **asked, **more}}


def jsonl(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def client(server: Emulator) -> openai.OpenAI:
    return openai.OpenAI(api_key="any", base_url=server.openai_url, max_retries=0)


def create(sdk: openai.OpenAI, data: bytes, endpoint: Any = CHAT, **more: Any) -> Any:
    uploaded = sdk.files.create(file=("in.jsonl", data), purpose="batch")
    return sdk.batches.create(input_file_id=uploaded.id, endpoint=endpoint, completion_window="24h", **more)


def read(sdk: openai.OpenAI, file_id: str | None) -> dict[str, Any]:
    assert file_id is not None
    return {each["custom_id"]: each for each in map(json.loads, sdk.files.content(file_id).text.splitlines())}


def counts(batch: Any) -> tuple[int, int, int]:
    return batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed


@pytest.mark.parametrize("endpoint", [CHAT, RESPONSES])
def test_a_whole_batch(endpoint: str) -> None:
    with emulator(batches={"seconds": 1000}) as server:
        sdk = client(server)
        lines = [line(f"row-{at}", f"hi {at}", url=endpoint) for at in range(20)]
        made = create(sdk, jsonl(*lines), endpoint, metadata={"run": "7"})
        assert (made.status, made.metadata, counts(made)) == ("validating", {"run": "7"}, (0, 0, 0))
        seen = []
        for seconds in (0, 100, 400, 400, 100):
            server.clock.advance(seconds)
            seen.append(sdk.batches.retrieve(made.id))
        assert [batch.status for batch in seen] == [
            "validating", "in_progress", "in_progress", "finalizing", "completed"
        ]  # fmt: skip
        assert [counts(batch) for batch in seen] == [(0, 0, 0), (20, 0, 0), (20, 10, 0), (20, 20, 0), (20, 20, 0)]
        done = seen[-1]
        assert (done.completed_at, done.expires_at) == (made.created_at + 1000, made.created_at + DAY)
        assert done.error_file_id is None
        found = read(sdk, done.output_file_id)
        assert sorted(found) == sorted(each["custom_id"] for each in lines)
        assert [*found] != [each["custom_id"] for each in lines]
        assert {each["response"]["status_code"] for each in found.values()} == {200}
        assert f"You said: hi {3}" in json.dumps(found["row-3"]["response"]["body"])
        # The body does not say that it was answered in a batch.
        assert {each["response"]["body"]["service_tier"] for each in found.values()} == {"default"}
        key = "total_tokens"
        assert done.usage.total_tokens == sum(each["response"]["body"]["usage"][key] for each in found.values()) > 0
        assert sdk.files.delete(made.input_file_id).deleted
        with pytest.raises(openai.NotFoundError):
            sdk.files.retrieve(made.input_file_id)


async def test_a_whole_batch_async() -> None:
    async with emulator() as server:
        sdk = openai.AsyncOpenAI(api_key="any", base_url=server.openai_url, max_retries=0)
        async with sdk:
            data = jsonl(line("a"), line("b", bogus=1))
            uploaded = await sdk.files.create(file=("in.jsonl", data), purpose="batch")
            assert (await sdk.files.content(uploaded.id)).content == data
            made = await sdk.batches.create(input_file_id=uploaded.id, endpoint=CHAT, completion_window="24h")
            done = await sdk.batches.retrieve(made.id)
            assert (made.status, done.status, counts(done)) == ("validating", "completed", (2, 1, 1))
            failed = json.loads((await sdk.files.content(done.error_file_id or "")).text)
            assert (failed["custom_id"], failed["response"]["status_code"], failed["error"]) == ("b", 400, None)
            assert [batch.id async for batch in sdk.batches.list()] == [made.id]
            assert {file.purpose async for file in sdk.files.list()} == {"batch", "batch_output"}


def test_pages_newest_first() -> None:
    with emulator() as server:
        sdk = client(server)
        made = [create(sdk, jsonl(line("a"))).id for _ in range(5)]
        newest = made[::-1]
        assert [batch.id for batch in sdk.batches.list(limit=2)] == newest
        page = sdk.batches.list(limit=2, after=newest[1])
        assert ([batch.id for batch in page.data], page.has_more) == (newest[2:4], True)
        with pytest.raises(openai.BadRequestError, match="limit"):
            sdk.batches.list(limit=101)
        names = [file.id for file in sdk.files.list(purpose="batch", order="asc")]
        assert len(names) == 5
        assert names == sorted(names)


# --- files ------------------------------------------------------------------------------------------------------------


def test_files_expire() -> None:
    with emulator() as server:
        sdk = client(server)
        soon = sdk.files.create(
            file=("a.jsonl", b"{}"), purpose="batch", expires_after={"anchor": "created_at", "seconds": HOUR}
        )
        month = sdk.files.create(file=("b.jsonl", b"{}"), purpose="batch")
        never = sdk.files.create(file=("c.txt", b"{}"), purpose="user_data")
        assert (soon.bytes, soon.filename, soon.status) == (2, "a.jsonl", "processed")
        assert (soon.expires_at, month.expires_at, never.expires_at) == (
            soon.created_at + HOUR, soon.created_at + 30 * DAY, None
        )  # fmt: skip
        server.clock.advance(HOUR)
        assert [file.id for file in sdk.files.list()] == [never.id, month.id]
        with pytest.raises(openai.NotFoundError):
            sdk.files.content(soon.id)


@pytest.mark.parametrize("given, message", [
    ({"file": ("notes.txt", b"{}")}, "Invalid file format for Batch API. Must be .jsonl"),
    ({"file": ("a.jsonl", b"{}"), "purpose": "party"}, "purpose"),
    ({"file": ("a.jsonl", b"{}"), "expires_after": {"anchor": "created_at", "seconds": 60}}, "3600 to 2592000"),
    ({"file": ("a.jsonl", b"{}"), "expires_after": {"anchor": "never", "seconds": HOUR}}, "created_at"),
])  # fmt: skip
def test_uploads_that_are_refused(given: Any, message: str) -> None:
    with emulator() as server, pytest.raises(openai.BadRequestError, match=message):
        client(server).files.create(**{"purpose": "batch", **given})


def test_a_file_that_is_too_large() -> None:
    with emulator(batches={"max_bytes": 100}) as server, pytest.raises(openai.APIStatusError) as error:
        client(server).files.create(file=("a.jsonl", b"x" * 101), purpose="batch")
    assert error.value.status_code == 413


# --- batches that fail as a whole -------------------------------------------------------------------------------------

GOOD = jsonl(line("a"))


@pytest.mark.parametrize("data, found", [
    (GOOD + b"{\n", ("invalid_json_line", 2, None)),
    (b"[]\n", ("invalid_json_line", 1, None)),
    (GOOD + b"\n" + GOOD, ("duplicate_custom_id", 3, "custom_id")),
    (GOOD + jsonl(line("b", url=RESPONSES, messages=[])), ("missing_required_parameter", 2, "body.messages")),
    (GOOD + jsonl({**line("b"), "url": RESPONSES}), ("url_mismatch", 2, "url")),
    (GOOD + jsonl(line("b", model="gpt-5")), ("model_mismatch", 2, "body.model")),
    (GOOD + jsonl({"custom_id": "b", "url": CHAT, "body": line("b")["body"]}),
     ("missing_required_parameter", 2, "method")),
    (b"", ("empty_file", None, None)),
    (jsonl(line("a"), line("b"), line("c"), line("d")), ("too_many_tasks", None, None)),
])  # fmt: skip
def test_one_bad_line_fails_the_batch(data: bytes, found: tuple[Any, ...]) -> None:
    with emulator(batches={"seconds": 100, "max_requests": 3}) as server:
        sdk = client(server)
        made = create(sdk, data)
        assert made.status == "validating"
        server.clock.advance(10)
        failed = sdk.batches.retrieve(made.id)
        error = failed.errors.data[0]
        assert (failed.status, counts(failed), failed.output_file_id) == ("failed", (0, 0, 0), None)
        assert (error.code, error.line, error.param) == found
        with pytest.raises(openai.ConflictError, match="status 'failed'"):
            sdk.batches.cancel(made.id)


def test_a_file_that_is_not_there_shows_later() -> None:
    with emulator() as server:
        sdk = client(server)
        made = sdk.batches.create(input_file_id="file-lost", endpoint=CHAT, completion_window="24h")
        assert (made.status, sdk.batches.retrieve(made.id).status) == ("validating", "failed")


@pytest.mark.parametrize("given, param", [
    ({"endpoint": "/v1/nothing"}, "endpoint"), ({"endpoint": "/v1/embeddings"}, "endpoint"),
    ({"completion_window": "1h"}, "completion_window"), ({"input_file_id": None}, "input_file_id"),
    ({"metadata": {str(at): "x" for at in range(17)}}, "metadata"), ({"metadata": {"a": "x" * 513}}, "metadata"),
    ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, "output_expires_after.seconds"),
])  # fmt: skip
def test_creations_that_are_refused(given: Any, param: str) -> None:
    with emulator() as server, pytest.raises(openai.BadRequestError) as error:
        client(server).batches.create(
            **{"input_file_id": "file-a", "endpoint": CHAT, "completion_window": "24h", **given}
        )
    assert error.value.param == param


def test_enqueued_tokens_are_limited_for_each_model() -> None:
    data = jsonl(line("a", "x" * 4000))  # 1,000 tokens as the emulator counts
    with emulator(batches={"seconds": 100, "enqueued_tokens": {"gpt-5-mini": 1500}}) as server:
        sdk = client(server)
        first, second = create(sdk, data), create(sdk, data)
        other = create(sdk, jsonl(line("a", "x" * 8000, model="gpt-5")))
        server.clock.advance(50)
        states = [sdk.batches.retrieve(made.id) for made in (first, second, other)]
        assert [batch.status for batch in states] == ["in_progress", "failed", "in_progress"]
        error = states[1].errors.data[0]
        assert (error.code, error.line) == ("token_limit_exceeded", None)
        assert "Limit: 1,500 enqueued tokens" in error.message
        server.clock.advance(50)
        again = create(sdk, data)
        server.clock.advance(50)
        assert sdk.batches.retrieve(again.id).status == "in_progress"


# --- ends -------------------------------------------------------------------------------------------------------------


def test_only_errors_leave_no_output_file() -> None:
    with emulator() as server:
        sdk = client(server)
        done = sdk.batches.retrieve(create(sdk, jsonl(line("a", bogus=1))).id)
    assert (done.status, done.output_file_id, counts(done)) == ("completed", None, (1, 0, 1))
    assert done.error_file_id is not None


def test_an_expired_batch_has_what_was_finished() -> None:
    with emulator(batches={"seconds": 2 * DAY}) as server:
        sdk = client(server)
        made = create(sdk, jsonl(*(line(str(at)) for at in range(8))))
        server.clock.advance(DAY)
        over = sdk.batches.retrieve(made.id)
        done, late = read(sdk, over.output_file_id), read(sdk, over.error_file_id)
    assert (over.status, over.expired_at, over.completed_at) == ("expired", made.created_at + DAY, None)
    assert (len(done), len(late), counts(over)) == (4, 4, (8, 4, 0))
    assert {(each["response"], each["error"]["code"]) for each in late.values()} == {(None, "batch_expired")}


def test_a_cancelled_batch_has_what_was_finished() -> None:
    with emulator(batches={"seconds": 1000, "cancel_seconds": 60}) as server:
        sdk = client(server)
        made = create(sdk, jsonl(*(line(str(at)) for at in range(8))))
        server.clock.advance(500)
        assert sdk.batches.cancel(made.id).status == "cancelling"
        server.clock.advance(60)
        over = sdk.batches.retrieve(made.id)
        # Seen in a real run of eight: four answers, an error file, no failures.
        assert (over.status, counts(over)) == ("cancelled", (8, 4, 0))
        assert (len(read(sdk, over.output_file_id)), len(read(sdk, over.error_file_id))) == (4, 4)
        assert (over.cancelling_at, over.cancelled_at) == (made.created_at + 500, made.created_at + 560)
        assert sdk.batches.cancel(made.id).status == "cancelled"


def test_a_completed_batch_cannot_be_cancelled() -> None:
    with emulator() as server:
        sdk = client(server)
        made = create(sdk, GOOD)
        with pytest.raises(openai.ConflictError, match="Cannot cancel a batch with status 'completed'"):
            sdk.batches.cancel(made.id)


def test_faults_of_items() -> None:
    plan: Any = {"items": {"none": "no_response", "empty": "empty_body", "gone": "missing", "late": "expired",
                           "over": "overloaded", "torn": "malformed_line"}}  # fmt: skip
    with emulator(batches=plan) as server:
        sdk = client(server)
        made = create(sdk, jsonl(*(line(name) for name in ("good", *plan["items"]))))
        over = sdk.batches.retrieve(made.id)
        lines = sdk.files.content(over.output_file_id or "").text.splitlines()
        bad = read(sdk, over.error_file_id)
    torn = [each for each in lines if not each.endswith("}")]
    good = {found["custom_id"]: found for found in map(json.loads, (each for each in lines if each not in torn))}
    assert (len(torn), sorted(good), sorted(bad)) == (1, ["empty", "good"], ["late", "none", "over"])
    assert bad["none"]["response"] == {"status_code": 0, "request_id": "", "body": {}}
    assert bad["none"]["error"] is None
    assert (good["empty"]["response"]["status_code"], good["empty"]["response"]["body"]) == (200, {})
    assert bad["over"]["response"]["status_code"] == 503
    # The count of failures does not include the line without a response, as in tidyverse/ellmer#830.
    assert counts(over) == (7, 5, 1)


def test_random_faults_are_the_same_in_each_run() -> None:
    def failed() -> list[str]:
        with emulator(batches={"faults": {"rate": 0.3, "kinds": ["server_error"], "seed": 3}}) as server:
            sdk = client(server)
            made = create(sdk, jsonl(*(line(str(at)) for at in range(30))))
            return sorted(read(sdk, sdk.batches.retrieve(made.id).error_file_id))

    first = failed()
    assert 2 <= len(first) <= 20
    assert failed() == first


def test_an_answer_that_is_lost_leaves_the_file_and_the_batch() -> None:
    with emulator() as server:
        sdk = client(server)
        server.fail_next("lost_answer", 2, endpoint="openai")
        with pytest.raises(openai.APIConnectionError):
            sdk.files.create(file=("in.jsonl", GOOD), purpose="batch")
        with pytest.raises(openai.APIConnectionError):
            sdk.batches.create(input_file_id="file-x", endpoint=CHAT, completion_window="24h", metadata={"part": "1"})
        assert [file.filename for file in sdk.files.list()] == ["in.jsonl"]
        assert [batch.metadata for batch in sdk.batches.list()] == [{"part": "1"}]
    upload = server.requests[0]
    assert upload.body == {"purpose": "batch", "file": {"filename": "in.jsonl", "bytes": len(GOOD)}}


def test_a_live_answer_that_is_lost() -> None:
    with emulator(["first", "second"]) as server:
        server.fail_next("lost_answer")
        asked: Any = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hi"}]}
        with pytest.raises(openai.APIConnectionError):
            client(server).chat.completions.create(**asked)
        assert client(server).chat.completions.create(**asked).choices[0].message.content == "second"


def test_the_clock_can_run() -> None:
    with emulator(batches={"seconds": HOUR}, clock_speed=1e6) as server:
        sdk = client(server)
        made = create(sdk, GOOD)
        for _ in range(1000):
            if sdk.batches.retrieve(made.id).status == "completed":
                break
        assert sdk.batches.retrieve(made.id).status == "completed"
