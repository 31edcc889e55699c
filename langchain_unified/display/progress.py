"""A progress bar for many calls.

    with progress(len(questions)) as bar:
        replies = model.batch(questions, config={"callbacks": [bar]})

It is a callback, so that it counts whatever LangChain runs, models, chains and agents, in sync and async.
"""

from __future__ import annotations

import threading
from typing import Any, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables.config import var_child_runnable_config

from langchain_unified.display.as_html import escaped, framed
from langchain_unified.display.parts import clean
from langchain_unified.display.views import drawn, in_notebook

MISSING = "A progress bar needs tqdm. Install it: pip install 'langchain-unified[notebook]'."


def progress(total: int | None = None, description: str = "") -> Progress:
    """A callback that counts the runs it is given to, on tqdm's bar. `total`: how many there will be, if known."""
    return Progress(_bar(total, clean(description)))


class Progress(BaseCallbackHandler):
    """Counts the outermost runs: each input of a `batch`, however many calls a chain or an agent makes for it.

    Runs that fail are counted, and said beside the bar. `with` closes the bar at the end; so does `close`.
    """

    run_inline = True

    def __init__(self, bar: Any) -> None:
        self.bar = bar
        self.failed = 0
        self._outer: set[UUID] = set()
        self._known: set[UUID] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Leave the bar as it is."""
        self.bar.close()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _begin(self, *_: Any, run_id: UUID, parent_run_id: UUID | None = None, **__: Any) -> None:
        # The handler may hang below a run that was begun without it: outermost is what no run that it saw has begun.
        # Runs of `with_fallbacks` do not say whose they are; their context does.
        around = (var_child_runnable_config.get() or {}).get("callbacks")
        above = {parent_run_id, getattr(around, "parent_run_id", None)}
        with self._lock:
            if not above & self._known:
                self._outer.add(run_id)
            self._known.add(run_id)

    def _end(self, *_: Any, run_id: UUID, **__: Any) -> None:
        with self._lock:
            self._known.discard(run_id)
            if run_id in self._outer:
                self._outer.discard(run_id)
                self.bar.update(1)

    def _fail(self, *_: Any, run_id: UUID, **__: Any) -> None:
        with self._lock:
            if run_id in self._outer:
                self.failed += 1
                self.bar.set_postfix_str(f"{self.failed} failed", refresh=False)
        self._end(run_id=run_id)

    on_chain_start = on_chat_model_start = on_llm_start = on_tool_start = on_retriever_start = _begin
    on_chain_end = on_llm_end = on_tool_end = on_retriever_end = _end
    on_chain_error = on_llm_error = on_tool_error = on_retriever_error = _fail


def _bar(total: int | None, description: str) -> Any:
    try:
        from tqdm.std import tqdm  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise ImportError(MISSING) from error
    kind: Any = _notebook_bar(tqdm) if in_notebook() else tqdm
    return kind(total=total, desc=description or None, unit="run")


def _notebook_bar(tqdm: Any) -> Any:
    """A tqdm that draws on one output of the cell.

    tqdm's own notebook bar is a widget: without ipywidgets it warns, and a stored notebook shows it at 0 %.
    """

    class NotebookBar(tqdm):  # type: ignore[misc]
        _handle: Any = None
        disable: bool

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            if self._handle is None:
                self._handle = drawn(_Drawn(self))
            else:
                self._handle.update(_Drawn(self))

        def close(self) -> None:
            if not self.disable:
                self.disable = True
                self._instances.discard(self)
                self.display()

        def clear(self, *_: Any, **__: Any) -> None:
            pass

    return NotebookBar


class _Drawn:
    """A bar as it is now."""

    def __init__(self, bar: Any) -> None:
        state = bar.format_dict
        self._text = clean(bar.format_meter(**{**state, "ncols": 60, "ascii": None}))
        self._words = clean(bar.format_meter(**{**state, "ncols": 0}))
        self._done, self._total = bar.n, bar.total

    def __repr__(self) -> str:
        """The line that tqdm writes."""
        return self._text

    def _repr_html_(self) -> str:
        drawn = f'<progress value="{int(self._done)}" max="{int(self._total)}"></progress> ' if self._total else ""
        return framed(drawn + escaped(self._words))
