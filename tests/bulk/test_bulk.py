"""`bulk`: each row once, errors as values, what ends a run, resuming, and what is named before the network."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel

import langchain_unified
from langchain_unified import ChatUnified, abulk, bulk
from langchain_unified.bulk import Progress, Report
from langchain_unified.bulk import gate as gates
from langchain_unified.bulk.inputs import parquet_module
from langchain_unified.bulk.progress import Silent, display_of
from langchain_unified.errors import (
    AuthenticationError,
    BillingError,
    ConfigurationError,
    MissingKeyError,
    PermissionDeniedError,
)
from langchain_unified.testing import emulator
from tests.support.quota_server import QuotaServer, every, quota_server


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "FIRST_WAIT", 0.01)


def model_of(server: QuotaServer, **fields: Any) -> ChatUnified:
    return ChatUnified(
        "openai/gpt-5.6", base_url=server.base_url, api_key="k", use_responses_api=False, **fields
    )  # fmt: skip


def rows_of(count: int) -> list[dict[str, str]]:
    return [{"id": f"r{number}", "prompt": f"q{number}"} for number in range(count)]


def ids_in(report: Report) -> list[str]:
    return sorted(row["id"] for row in report.rows())


async def until(happened: Callable[[], Any]) -> None:
    while not happened():  # noqa: ASYNC110 - the server runs in another thread
        await asyncio.sleep(0.005)


# --- each row once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 429, 500, 529])
def test_each_row_is_answered_once_while_requests_fail(tmp_path: Path, status: int) -> None:
    with quota_server(fault=every(0.05, status)) as server:
        report = bulk(model_of(server), rows_of(200), out=tmp_path / "answers")
    assert ids_in(report) == sorted(row["id"] for row in rows_of(200))
    assert {row["text"] for row in report.rows()} == {f"answer to q{number}" for number in range(200)}
    assert (report.answered, report.failed, report.open, report.new) == (200, 0, 0, 200)
    assert set(server.answered.values()) == {1}
    # 4 tokens for each answer of the server, and none for the requests that failed.
    assert report.input_tokens + report.output_tokens == server.tokens == 800
    assert report.requests == sum(server.asked.values()) == 200 + report.refused + report.repeated


def test_what_is_written(tmp_path: Path) -> None:
    with quota_server() as server:
        report = bulk(
            model_of(server), rows_of(3), out=tmp_path / "answers", prices={"gpt-5.6": {"input": "1", "output": "1"}}
        )
    assert sorted(path.name for path in (tmp_path / "answers").iterdir()) == [".lock", "rows-00000.jsonl", "run.json"]
    lines = [json.loads(line) for line in (tmp_path / "answers" / "rows-00000.jsonl").read_text().splitlines()]
    assert [(line["id"], line["cost"]) for line in lines] == [
        ("r0", "0.000004"),
        ("r1", "0.000004"),
        ("r2", "0.000004"),
    ]
    assert report.cost == Decimal("0.000012")
    assert str(report).startswith("3 of 3 rows answered, 0 failed, 3 in this run")


def test_the_state_holds_no_key_and_no_prompt(tmp_path: Path) -> None:
    with quota_server() as server:
        model = ChatUnified("openai/gpt-5.6", base_url=server.base_url, api_key="sk-verysecretkey123456")
        chain = ChatPromptTemplate.from_messages([("system", "Be secretive."), ("human", "{prompt}")]) | model
        bulk(chain, rows_of(2), out=tmp_path / "answers", version="7")
    state = (tmp_path / "answers" / "run.json").read_text()
    assert '"7"' in state
    assert "verysecret" not in state
    assert "secretive" not in state


@pytest.mark.parametrize("most", [1, 5, 40])
def test_never_more_in_flight_than_asked_for(tmp_path: Path, most: int) -> None:
    with quota_server(delay=0.01) as server:
        report = bulk(model_of(server), rows_of(120), out=tmp_path / "answers", max_concurrency=most)
    assert server.peak <= most
    assert report.peak <= most


def test_a_run_begins_low(tmp_path: Path) -> None:
    with quota_server(delay=0.05) as server:
        bulk(model_of(server), rows_of(8), out=tmp_path / "answers")
    assert server.peak <= gates.START


# --- errors are values ------------------------------------------------------------------------------------------------


def test_a_bad_row_has_its_error_and_the_others_go_on(tmp_path: Path) -> None:
    with quota_server(fault=lambda text, asked: 400 if text in ("q3", "q7") else None) as server:
        report = bulk(model_of(server), rows_of(20), out=tmp_path / "answers")
        assert (report.answered, report.failed) == (18, 2)
        failures = {row["id"]: row["error"] for row in report.failures()}
    assert failures == {
        name: {
            "type": "InvalidRequestError", "status": 400, "code": "invalid_request_error",
            "message": "openai 400 invalid_request_error: status 400",
        }
        for name in ("r3", "r7")
    }  # fmt: skip


def test_retry_asks_for_exactly_the_failed_rows(tmp_path: Path) -> None:
    with quota_server(fault=lambda text, asked: 400 if text in ("q3", "q7") and asked == 1 else None) as server:
        report = bulk(model_of(server), rows_of(20), out=tmp_path / "answers")
        again = bulk(model_of(server), rows_of(20), out=tmp_path / "answers")
        assert (again.new, again.failed) == (0, 2)
        retried = report.retry()
        assert (retried.answered, retried.failed, retried.new, retried.requests) == (20, 0, 2, 2)
    assert {text for text, count in server.asked.items() if count == 2} == {"q3", "q7"}
    assert len(ids_in(retried)) == 20
    lines = (tmp_path / "answers" / "rows-00000.jsonl").read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 20


def test_a_request_that_always_fails_ends(tmp_path: Path) -> None:
    with quota_server(fault=lambda text, asked: 500 if text == "q1" else None) as server:
        report = bulk(model_of(server), rows_of(3), out=tmp_path / "answers")
    assert server.asked["q1"] == gates.MAX_FAULTS
    assert [row["id"] for row in report.failures()] == ["r1"]


def test_a_step_that_raises_is_a_value(tmp_path: Path) -> None:
    with quota_server() as server:
        chain = model_of(server) | (lambda message: json.loads(message.text))
        report = bulk(chain, rows_of(2), out=tmp_path / "answers", input="prompt")
    assert [row["error"]["type"] for row in report.failures()] == ["JSONDecodeError"] * 2
    assert report.input_tokens == 6  # the calls are paid


# --- what ends a run --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status, error", [(401, AuthenticationError), (402, BillingError), (403, PermissionDeniedError)]
)
def test_an_error_of_the_account_ends_the_run_and_its_rows_stay_open(
    tmp_path: Path, status: int, error: type[Exception]
) -> None:
    broken = {"now": True}
    with quota_server(
        delay=0.01, fault=lambda text, asked: status if broken["now"] and int(text[1:]) >= 20 else None
    ) as server:
        with pytest.raises(error) as caught:
            bulk(model_of(server), rows_of(150), out=tmp_path / "answers", max_concurrency=4)
        assert "The same call goes on" in "".join(caught.value.__notes__)
        assert sum(server.asked.values()) <= 20 + 4
        broken["now"] = False
        report = bulk(model_of(server), rows_of(150), out=tmp_path / "answers", max_concurrency=4)
    assert (report.answered, report.failed) == (150, 0)
    assert set(server.answered.values()) == {1}


def test_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingKeyError):
        bulk(ChatUnified("openai/gpt-5.6"), rows_of(3), out=tmp_path / "answers")


def test_a_budget_is_not_exceeded_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    prices = {"gpt-5.6": {"input": "1000", "output": "1000"}}  # 0.004 a row
    with quota_server() as server:
        settings: dict[str, Any] = {"out": tmp_path / "answers", "prices": prices, "max_concurrency": 4}
        report = bulk(model_of(server), rows_of(100), budget="0.10", **settings)
        assert report.stopped == "budget"
        assert report.cost is not None
        assert Decimal("0.08") < report.cost <= Decimal("0.10")
        assert report.open == 100 - report.answered
        assert "stopped by the budget" in str(report)
        again = bulk(model_of(server), rows_of(100), budget=1, **settings)
    assert (again.answered, again.cost, again.stopped) == (100, Decimal("0.400"), None)


def test_a_budget_without_a_price_ends_the_run(tmp_path: Path) -> None:
    with quota_server() as server:
        model = ChatUnified("openai/unheard", base_url=server.base_url, api_key="k", use_responses_api=False)
        with pytest.raises(ConfigurationError, match="no price is known for the model 'unheard'"):
            bulk(model, rows_of(50), out=tmp_path / "a", budget=1, max_concurrency=2)
    assert sum(server.asked.values()) <= 4


def test_a_cancelled_run_goes_on(tmp_path: Path) -> None:
    async def main(server: QuotaServer) -> None:
        run = asyncio.create_task(abulk(model_of(server), rows_of(100), out=tmp_path / "answers", max_concurrency=5))
        await until(lambda: sum(server.answered.values()) >= 30)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        await abulk(model_of(server), rows_of(100), out=tmp_path / "answers", max_concurrency=5)

    with quota_server(delay=0.01) as server:
        asyncio.run(main(server))
    assert len(server.answered) == 100
    assert sum(server.asked.values()) <= 100 + 5


# --- resuming ---------------------------------------------------------------------------------------------------------


def test_another_run_is_refused_by_name(tmp_path: Path) -> None:
    with quota_server() as server:
        bulk(model_of(server), rows_of(2), out=tmp_path / "answers")
        for changed, what in (
            (model_of(server, temperature=0.5), "the parameter 'temperature' is new"),
            (model_of(server).bind_tools([City]), "the tool 'City' is new"),
        ):
            with pytest.raises(ConfigurationError, match=what):
                bulk(changed, rows_of(2), out=tmp_path / "answers")
        with pytest.raises(ConfigurationError, match="the version is '2', it was None"):
            bulk(model_of(server), rows_of(2), out=tmp_path / "answers", version="2")
        with pytest.raises(ConfigurationError, match="the template 'input' is new"):
            bulk(model_of(server), rows_of(2), out=tmp_path / "answers", input="Say {prompt}")
    assert sum(server.asked.values()) == 2


def test_rows_that_were_added_or_moved(tmp_path: Path) -> None:
    with quota_server() as server:
        bulk(model_of(server), rows_of(10), out=tmp_path / "answers")
        report = bulk(model_of(server), [*reversed(rows_of(10)), *rows_of(15)[10:]], out=tmp_path / "answers")
    assert (report.new, report.answered) == (5, 15)
    assert set(server.asked.values()) == {1}


def test_a_torn_tail_is_cut(tmp_path: Path) -> None:
    with quota_server() as server:
        bulk(model_of(server), rows_of(10), out=tmp_path / "answers", max_concurrency=1)
        file = tmp_path / "answers" / "rows-00000.jsonl"
        data = file.read_bytes()
        for cut in (1, 300, len(data.splitlines(keepends=True)[-1]), len(data) - 1):
            file.write_bytes(data[:-cut])
            report = bulk(model_of(server), rows_of(10), out=tmp_path / "answers", max_concurrency=1)
            assert (report.answered, len(set(ids_in(report))), len(ids_in(report))) == (10, 10, 10)


def test_a_second_run_waits_for_no_lock(tmp_path: Path) -> None:
    async def main(server: QuotaServer) -> None:
        first = asyncio.create_task(abulk(model_of(server), rows_of(10), out=tmp_path / "answers"))
        await until(lambda: server.asked)
        with pytest.raises(ConfigurationError, match="Another run is writing"):
            await abulk(model_of(server), rows_of(10), out=tmp_path / "answers")
        await first

    with quota_server(delay=0.1) as server:
        asyncio.run(main(server))


def test_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["langchain_unified.bulk"], "PART", 10)
    with quota_server() as server:
        bulk(model_of(server), rows_of(45), out=tmp_path / "answers", max_concurrency=5)
        report = bulk(model_of(server), rows_of(60), out=tmp_path / "answers", max_concurrency=5)
    assert (report.new, len(ids_in(report))) == (15, 60)
    files = sorted((tmp_path / "answers").glob("rows-*.jsonl"))
    assert len(files) >= 5
    assert all(len(file.read_text().splitlines()) <= 14 for file in files)


# --- before the network -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows, arguments, message",
    [
        ([{"id": 1, "prompt": "a"}, {"id": 1, "prompt": "b"}], {}, "The id '1' occurs twice in the column 'id'"),
        ([{"id": 1, "prompt": "a"}, {"prompt": "b"}], {}, "row 2 has no column 'id'. Its columns are 'prompt'"),
        ([{"id": 1, "text": "a"}], {"input": "question"}, "row 1 has no column 'question'"),
        ([{"id": 1, "text": "a"}], {"input": "Say {what} in {text}"}, "row 1 has no column 'what'"),
        ([{"id": 1, "text": "a"}], {}, "no column for the input \\('input', 'prompt', 'messages'\\)"),
        ([{"id": None, "prompt": "a"}], {}, "row 1 has no value in the column 'id'"),
        (["a"], {"input": "prompt"}, "row 1 is a str, which has no columns"),
        ([{"id": 1, "prompt": "a"}], {"input": "{prompt.__class__}"}, "write the name of a column"),
        ([{"id": 1, "prompt": "a"}], {"max_concurrency": 0}, "`max_concurrency` takes a number"),
        ([{"id": 1, "prompt": "a"}], {"budget": "much"}, "`budget` takes US dollars"),
        ([{"id": 1, "prompt": "a"}], {"out": "answers.csv"}, "rows go to a folder, or to a file .jsonl or .parquet"),
        ("nothing.jsonl", {}, "nothing.jsonl does not exist"),
        ("rows.xlsx", {}, "rows come from .jsonl, .ndjson, .csv, .parquet files"),
        (7, {}, "`rows` takes a file or an iterable of rows, not a int"),
    ],
)
def test_what_is_named_before_the_network(tmp_path: Path, rows: Any, arguments: dict[str, Any], message: str) -> None:
    with quota_server() as server:
        with pytest.raises(ConfigurationError, match=message):
            bulk(model_of(server), rows, **{"out": tmp_path / "answers", **arguments})
        assert not server.asked


def test_a_twice_given_id_of_a_generator_ends_the_run(tmp_path: Path) -> None:
    with quota_server() as server, pytest.raises(ConfigurationError, match="'r1' occurs twice"):
        bulk(model_of(server), iter([*rows_of(3), rows_of(2)[1]]), out=tmp_path / "answers")


# --- what goes in and out ---------------------------------------------------------------------------------------------


def test_files(tmp_path: Path) -> None:
    jsonl = tmp_path / "rows.jsonl"
    jsonl.write_text('{"key": "a", "question": "q1"}\n\n{"key": "b", "question": "q2"}\n')
    table = tmp_path / "rows.csv"
    with table.open("w", newline="") as opened:
        csv.writer(opened).writerows([["key", "question"], ["a", "q1"], ["b", "q2"]])
    with quota_server() as server:
        for number, file in enumerate((jsonl, str(table))):
            out = tmp_path / f"answers{number}.jsonl"
            report = bulk(model_of(server), file, out=out, id="key", input="Say {question}!")
            lines = [json.loads(line) for line in out.read_text().splitlines()]
            assert {line["id"]: line["text"] for line in lines} == {"a": "answer to Say q1!", "b": "answer to Say q2!"}
            assert report.out == out


def test_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    import pyarrow as pa

    table = pa.table({"id": [1, 2, 3], "prompt": ["q1", "q2", "q3"]})
    parquet_module().write_table(table, tmp_path / "rows.parquet")
    with quota_server(fault=lambda text, asked: 400 if text == "q2" else None) as server:
        bulk(model_of(server), tmp_path / "rows.parquet", out=tmp_path / "answers.parquet")
    found = {row["id"]: row for row in parquet_module().read_table(tmp_path / "answers.parquet").to_pylist()}
    assert (found["1"]["text"], found["2"]["error"]["status"], found["3"]["input_tokens"]) == ("answer to q1", 400, 3)
    assert json.loads(found["1"]["message"])["type"] == "ai"


def test_rows_without_ids(tmp_path: Path) -> None:
    with quota_server() as server:
        report = bulk(model_of(server), ["q0", [("human", "q1")]], out=tmp_path / "a")
        assert {row["id"]: row["text"] for row in report.rows()} == {"0": "answer to q0", "1": "answer to q1"}
        named = bulk(model_of(server), [{"prompt": "q0"}], id=None, out=tmp_path / "b")
        assert [row["id"] for row in named.rows()] == ["0"]
        made = bulk(model_of(server), iter(rows_of(3)), input=lambda row: row["prompt"] * 2, out=tmp_path / "c")
        assert (made.total, {row["text"] for row in made.rows()}) == (3, {f"answer to q{n}q{n}" for n in range(3)})


class City(BaseModel):
    """A city."""

    name: str


def test_runnables_around_the_model(tmp_path: Path) -> None:
    def script(request: Any) -> Any:
        return '{"name": "Paris"}'

    with emulator(script) as server:
        model = ChatUnified("anthropic/claude-haiku-4-5", base_url=server.anthropic_url, api_key="k")
        runnables = {
            "chain": ChatPromptTemplate.from_template("Where is {prompt}?") | model,
            "structured": model.with_structured_output(City),
            "raw": model.with_structured_output(City, include_raw=True),
            "bound": model.bind(temperature=0),
            "retried": model.with_retry(),
            "fallback": model.with_fallbacks([model]),
            "agent": create_agent(model, []),
        }
        for name, runnable in runnables.items():
            rule = (lambda row: {"messages": [("human", row["prompt"])]}) if name == "agent" else None
            report = bulk(runnable, rows_of(2), out=tmp_path / name, input=rule)
            assert report.failed == 0, (name, list(report.failures()))
            for row in report.rows():
                assert json.loads(row["text"] or "")["name"] == "Paris", name
                assert (row["input_tokens"] or 0) > 0, name
                assert row["message"] is not None, name
                assert row["cost"] is not None, name


def test_the_async_twin_and_a_running_loop(tmp_path: Path) -> None:
    async def main(server: QuotaServer) -> tuple[Report, Report]:
        # As in a notebook: the sync function where a loop runs.
        return await abulk(model_of(server), rows_of(5), out=tmp_path / "a"), bulk(
            model_of(server), rows_of(5), out=tmp_path / "b"
        )

    with quota_server() as server:
        one, other = asyncio.run(main(server))
    first = {row["id"]: row["text"] for row in one.rows()}
    assert first == {row["id"]: row["text"] for row in other.rows()}
    assert (one.answered, one.input_tokens, one.cost) == (other.answered, other.input_tokens, other.cost)


def test_progress(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Progress] = []
    with quota_server() as server:
        bulk(model_of(server), rows_of(10), out=tmp_path / "a", progress=seen.append)
        bulk(model_of(server), rows_of(10), out=tmp_path / "b")
    assert (seen[-1].done, seen[-1].total, seen[-1].seconds_left, seen[-1].input_tokens) == (10, 10, 0.0, 30)
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""  # not a terminal


def test_rows_are_read_as_they_are_needed(tmp_path: Path) -> None:
    read = []

    def rows() -> Iterator[dict[str, str]]:
        for row in rows_of(50):
            read.append(row["id"])
            yield row

    async def main(server: QuotaServer) -> None:
        run = asyncio.create_task(abulk(model_of(server), rows(), out=tmp_path / "a", max_concurrency=3))
        await until(lambda: server.answered)
        assert len(read) <= 3 + 3 + 1
        await run

    with quota_server(delay=0.03) as server:
        asyncio.run(main(server))


def test_the_public_names() -> None:
    assert langchain_unified.abulk is abulk
    assert callable(langchain_unified.bulk)
    assert langchain_unified.Report is Report


def test_a_loaded_kernel_package_alone_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests, debuggers and editors import `ipykernel` in processes that are no notebook."""
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    assert isinstance(display_of(True), Silent)
