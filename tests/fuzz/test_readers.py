"""The seeds and mutations of `make fuzz-atheris`, which itself needs atheris."""

from __future__ import annotations

import pytest

from langchain_unified.wires import WIRES
from tests.fuzz.read import read
from tests.fuzz.readers import mutate, seeds, written


@pytest.mark.parametrize("wire", WIRES)
def test_mutated_streams_are_read_or_refused_in_our_words(wire: str) -> None:
    first = next(seeds(wire))
    data, changed = written(first, 40), 0
    for seed in range(100):
        made = mutate(data, 100_000, seed)
        assert made is not None
        changed += made[1:] != data[1:]
        read(wire, made)  # an exception that is not ours would end the test
    assert changed > 90


def test_bytes_that_are_no_stream_are_left_to_atheris() -> None:
    assert mutate(b"\x00\xff", 100, 1) is None
    assert mutate(b"", 100, 1) is None
    assert mutate(b"\x00data: {\n\n", 100, 1) is None
