"""Progress bars."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda

from langchain_unified._extras import install
from langchain_unified.display import plot_tokens, progress
from tests.display.helpers import NEEDS_TQDM


def fake() -> FakeListChatModel:
    return FakeListChatModel(responses=["so"])


def failing(_: Any) -> Any:
    raise ValueError("no")


RUNNABLES: dict[str, tuple[Any, int]] = {
    "model": (fake(), 0),
    "chain": (RunnableLambda(str) | fake() | RunnableLambda(str), 0),
    "fallbacks": ((RunnableLambda(str) | failing).with_fallbacks([fake()]), 0),
    "failing": (RunnableLambda(failing), 5),
}


@NEEDS_TQDM
@pytest.mark.parametrize("runnable,failed", RUNNABLES.values(), ids=RUNNABLES)
@pytest.mark.parametrize("way", ["batch", "abatch", "one by one"])
async def test_a_bar_counts_the_inputs(
    runnable: Any, failed: int, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = list("abcde")
    with progress(5, "asking") as bar:
        config: Any = {"callbacks": [bar]}
        if way == "batch":
            runnable.batch(inputs, config, return_exceptions=True)
        elif way == "abatch":
            await runnable.abatch(inputs, config, return_exceptions=True)
        else:
            await asyncio.gather(*(runnable.ainvoke(each, config) for each in inputs), return_exceptions=True)
    assert (bar.bar.n, bar.failed) == (5, failed)
    line = capsys.readouterr().err.split("\r")[-1]
    assert line.startswith("asking: 100%")
    assert " 5/5 " in line
    assert ("5 failed" in line) == bool(failed)


@NEEDS_TQDM
def test_a_bar_below_a_run_that_does_not_know_it() -> None:
    with progress(3) as bar:
        outer = RunnableLambda(lambda _: fake().batch(list("abc"), {"callbacks": [bar]}))
        outer.invoke("so")
    assert bar.bar.n == 3


@pytest.mark.parametrize("module,use", [("tqdm.std", progress), ("matplotlib.pyplot", lambda: plot_tokens([]))])
def test_a_missing_extra_is_named(module: str, use: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=re.escape(install("notebook"))):
        use()
