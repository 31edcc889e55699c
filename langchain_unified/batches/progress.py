"""The progress of a run as a bar, where somebody looks: in a terminal and in a notebook."""

from __future__ import annotations

import sys
from typing import Any, Self

from langchain_unified.batches.state import Run
from langchain_unified.batches.status import rows_done, status_of


class Bar:
    """A tqdm bar of the requests that are done. Without a terminal, a notebook or tqdm it is nothing."""

    def __init__(self, run: Run, wanted: bool) -> None:
        self.run = run
        self.bar: Any = _bar(run) if wanted else None

    def show(self) -> None:
        """Show the state of the run."""
        if self.bar is None:
            return
        status = status_of(self.run)
        told = [f"{status.waiting:,} waiting"] if status.waiting else []
        words = {part.word for part in self.run.parts if part.word and part.is_open}
        self.bar.set_postfix_str(", ".join([*sorted(words), *told]), refresh=False)
        self.bar.update(rows_done(self.run) - self.bar.n)
        self.bar.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()


def _bar(run: Run) -> Any:
    from langchain_unified.display import progress
    from langchain_unified.display.views import in_notebook

    if not (in_notebook() or sys.stderr.isatty()):
        return None
    try:
        return progress(run.total, f"batch {run.run}").bar
    except ImportError:  # no tqdm
        return None
