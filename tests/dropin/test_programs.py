"""One import changed: programs send and return the same, except for the differences of `docs/differences.md`."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate import differences
from docs.generate.differences import DIFFERENCES, Difference
from tests.dropin.helpers import meaning, run, without_differences
from tests.dropin.programs import PROGRAMS

RUNS = [(program.name, api) for program in PROGRAMS for api in program.apis]


@pytest.mark.parametrize("name, api", RUNS)
def test_a_program_sends_the_same(name: str, api: str) -> None:
    theirs, ours = run(name, api, ours=False), run(name, api, ours=True)
    assert without_differences(ours.bodies) == without_differences(theirs.bodies)


@pytest.mark.parametrize("name, api", RUNS)
def test_a_program_returns_the_same(name: str, api: str) -> None:
    theirs, ours = run(name, api, ours=False), run(name, api, ours=True)
    assert meaning(ours.result) == meaning(theirs.result)


@pytest.mark.parametrize("difference", [each for each in DIFFERENCES if each.same], ids=lambda each: each.topic)
def test_a_difference_in_bodies_is_one(difference: Difference) -> None:
    """A row that no program needs goes."""
    for name, api in RUNS:
        bodies = (run(name, api, ours=ours).bodies for ours in (False, True))
        theirs, ours = (without_differences(each, leave=difference) for each in bodies)
        if theirs != ours:
            return
    pytest.fail("no program shows this difference")


def test_the_page_is_the_table() -> None:
    page = Path(differences.__file__).parents[1] / "differences.md"
    assert page.read_text(encoding="utf-8") == differences.page(), "run `make tables`"
