"""Laws: any order of lines over any split answers the inputs in their order; parts keep all limits; memory is flat."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langchain_unified import ChatUnified, MissingResultError
from langchain_unified.batches.ranges import ranges_of, rows_in, size, without
from langchain_unified.batches.results import Results
from langchain_unified.batches.rows import Inputs, Planner
from langchain_unified.batches.runner import Runner
from langchain_unified.batches.split import Limits, Sized, Splitter
from langchain_unified.batches.state import Run, Store
from tests.batches.conftest import KEY, MODELS

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

rows = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 60), st.integers(1, 3)), min_size=1, max_size=60)


@quick
@given(rows, st.integers(1, 10), st.integers(1, 100), st.one_of(st.none(), st.integers(1, 30)))
def test_the_parts_are_the_rows_and_each_keeps_all_limits(
    given_rows: list[tuple[str, int, int]], requests: int, length: int, tokens: int | None
) -> None:
    limits = Limits(requests, length, tokens)
    splitter = Splitter(limits)
    sized = [Sized(at, key, bytes_, count) for at, (key, bytes_, count) in enumerate(given_rows)]
    for row in sized:
        splitter.add(row)
    assert sorted(row for part in splitter.parts for row in part.rows) == list(range(len(sized)))
    for part in splitter.parts:
        inside = [sized[row] for row in part.rows]
        assert {row.key for row in inside} == {part.key}
        assert part.rows == sorted(part.rows)
        assert (part.requests, part.bytes) == (sum(r.requests for r in inside), sum(r.bytes for r in inside))
        alone = len(inside) == 1  # a row that no part can hold is a part of its own; the provider's limit was checked
        assert alone or (part.requests <= requests and part.bytes <= length)
        assert alone or tokens is None or part.tokens <= tokens


@quick
@given(st.sets(st.integers(0, 200)), st.sets(st.integers(0, 200)))
def test_ranges_are_sets(numbers: set[int], gone: set[int]) -> None:
    ranges = ranges_of(sorted(numbers))
    assert list(rows_in(ranges)) == sorted(numbers)
    assert size(ranges) == len(numbers)
    assert list(rows_in(without(ranges, frozenset(gone)))) == sorted(numbers - gone)


# --- results ----------------------------------------------------------------------------------------------------------


def planned(api: str, inputs: Sequence[Any], max_requests: int) -> Results:
    """The results of a run that was planned and whose parts have ended, without a server."""
    model = ChatUnified(MODELS[api], api_key=KEY)
    source = model.batches._source({})
    run = Run("0123456789ab", source.provider, source.model, len(inputs))
    Planner(source, run).plan(inputs, Limits(requests=max_requests))
    for number, part in enumerate(run.parts):
        part.state, part.batch_id, part.files = "ended", f"batch_{number}", ["file-1"]
    return Results(Runner(source, run, Store(), Inputs(source, run, inputs, "here")))


def line(api: str, custom_id: str, text: str) -> bytes:
    usage = {"input_tokens": 1, "output_tokens": 1}
    if api == "messages":
        content = [{"type": "text", "text": text}]
        message = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": content}
        result = {"type": "succeeded", "message": {**message, "stop_reason": "end_turn", "usage": usage}}
        return orjson.dumps({"custom_id": custom_id, "result": result})
    if api == "chat":
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        body: dict[str, Any] = {"id": "c", "object": "chat.completion", "model": "gpt", "choices": [choice]}
    else:
        item = {"type": "message", "id": "i", "role": "assistant", "status": "completed"}
        item["content"] = [{"type": "output_text", "text": text, "annotations": []}]  # type: ignore[assignment]
        body = {"id": "r", "object": "response", "status": "completed", "model": "gpt", "output": [item]}
    response = {"status_code": 200, "request_id": "req", "body": {**body, "usage": usage}}
    return orjson.dumps({"id": "l", "custom_id": custom_id, "response": response, "error": None})


def spooled(results: Results, lines: dict[int, list[bytes]]) -> None:
    """Write the lines of each part as two files, the first without a line break at its end."""
    spool = results.runner.spool
    for number, found in lines.items():
        half, pieces = len(found) // 2, []
        for piece in (found[:half], found[half:]):
            spool.write(b"\n".join(piece))
            pieces.append(spool.keep())
        spool.set(number, pieces)


@quick
@given(
    api=st.sampled_from(list(MODELS)),
    count=st.integers(1, 25),
    max_requests=st.integers(1, 25),
    seed=st.integers(0, 2**32),
    lost=st.sets(st.integers(0, 24)),
    noise=st.lists(st.sampled_from([b"", b"{", b'{"custom_id": 3}', b"[]", b"null", b"\xff\xfe"]), max_size=4),
)
def test_each_result_answers_its_input_for_any_order_of_lines_over_any_split(
    *, api: str, count: int, max_requests: int, seed: int, lost: set[int], noise: list[bytes]
) -> None:
    results = planned(api, [f"question {n}" for n in range(count)], max_requests)
    run, order = results.run, random.Random(seed)
    lines = {}
    for number, part in enumerate(run.parts):
        found = [line(api, run.custom_id(row), f"answer {row}") for row in rows_in(part.rows) if row not in lost]
        found += [line(api, "ffffffffffff-0", "of another run"), *noise]
        found += [line(api, run.custom_id(count + 1), "of no row")]
        order.shuffle(found)
        lines[number] = found
    spooled(results, lines)
    answers = {answer.row: answer.outcome for at in range(len(run.parts)) for answer in results.answers(at)}
    assert sorted(answers) == list(range(count))
    for row, outcome in answers.items():
        if row in lost:
            assert isinstance(outcome, MissingResultError)
        else:
            assert outcome.text == f"answer {row}"


def test_a_line_that_comes_twice_counts_once() -> None:
    results = planned("chat", ["a", "b"], 10)
    first, second = (line("chat", results.run.custom_id(0), text) for text in ("first", "second"))
    spooled(results, {0: [first, second, line("chat", results.run.custom_id(1), "other")]})
    assert [answer.outcome.text for answer in results.answers(0)] == ["first", "other"]
    assert len(list(results.messages(0))) == 2


# --- memory -----------------------------------------------------------------------------------------------------------


class Numbers(Sequence[str]):
    """Inputs that are made when they are asked for, so that only what we keep of them is measured."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: Any) -> Any:
        if index >= self.count:
            raise IndexError(index)
        return f"question {index} " * 20


def peak(count: int) -> int:
    """Bytes at most while a run is planned, its parts are built and its results are read, part by part."""
    tracemalloc.start()
    try:
        results = planned("messages", Numbers(count), 250)
        for number, part in enumerate(results.run.parts):
            content, _ = results.runner.inputs.build(part)
            assert len(content) > 50_000
            spooled(
                results,
                {number: [line("messages", results.run.custom_id(row), "x" * 200) for row in rows_in(part.rows)]},
            )
            assert sum(1 for _ in results.answers(number)) == 250
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_rows() -> None:
    assert peak(1500) - peak(500) < 400_000  # the bodies of 1,000 more rows are 500 KB, their answers as much


def test_the_state_of_100_000_rows_is_small(tmp_path: Path) -> None:
    run = Run("0123456789ab", "anthropic", "claude", 100_000, readings=[{}], row_readings=[[100_000, 0]])
    from langchain_unified.batches.state import Part

    run.parts = [Part([[at, at + 10_000]], "anthropic_messages", 10_000, 1, 1) for at in range(0, 100_000, 10_000)]
    Store(tmp_path / "run.json").write(run)
    assert (tmp_path / "run.json").stat().st_size < 20_000
