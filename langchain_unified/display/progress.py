"""A progress bar for many calls.

    with progress(len(questions)) as bar:
        replies = model.batch(questions, config={"callbacks": [bar]})

It is a callback, so it counts everything that LangChain runs: models, chains and agents, sync and async.
"""

from __future__ import annotations

import threading
from typing import Any, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables.config import var_child_runnable_config

from langchain_unified._extras import install
from langchain_unified.display.as_html import escaped, framed
from langchain_unified.display.parts import clean
from langchain_unified.display.views import display_in_notebook, in_notebook


def progress(total: int | None = None, description: str = "") -> Progress:
    """Return a callback that counts runs on a tqdm progress bar.

    `total`: the number of runs, if known. `description`: a text before the bar. Raises `ImportError` without tqdm.
    """
    return Progress(tqdm_bar(total, clean(description)))


class Progress(BaseCallbackHandler):
    """A callback that counts the outermost runs: one for each input of a `batch`, whatever a chain or an agent calls.

    Failed runs count, and their number is shown beside the bar. The end of a `with` block closes the bar; so does
    `close`.
    """

    run_inline = True

    def __init__(self, bar: Any) -> None:
        self.bar = bar
        self.failed = 0
        self._outer: set[UUID] = set()
        self._known: set[UUID] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Finish the bar."""
        self.bar.close()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _begin(self, *_: Any, run_id: UUID, parent_run_id: UUID | None = None, **__: Any) -> None:
        # A run above may have started without this handler. Outermost are the runs without a parent that it knows.
        # Runs of `with_fallbacks` have no parent id; their context has it.
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


def tqdm_bar(total: int | None, description: str, *, unit: str = "run", dynamic_ncols: bool = False) -> Any:
    """A bar of tqdm, in a notebook on one output of its cell. Raises `ImportError` without tqdm."""
    try:
        from tqdm.std import tqdm  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise ImportError(f"A progress bar needs tqdm. Install it: {install('notebook')}") from error
    kind: Any = _notebook_bar(tqdm) if in_notebook() else tqdm
    return kind(total=total, desc=description or None, unit=unit, dynamic_ncols=dynamic_ncols)


def _notebook_bar(tqdm: Any) -> Any:
    """A tqdm class that draws on one output of the notebook cell.

    tqdm's own notebook bar is a widget: it warns without ipywidgets, and a saved notebook shows it at 0 %.
    """

    class NotebookBar(tqdm):  # type: ignore[misc]
        _handle: Any = None
        disable: bool

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            if self._handle is None:
                self._handle = display_in_notebook(_BarState(self))
            else:
                self._handle.update(_BarState(self))

        def close(self) -> None:
            if not self.disable:
                self.disable = True
                self._instances.discard(self)
                self.display()

        def clear(self, *_: Any, **__: Any) -> None:
            pass

    return NotebookBar


class _BarState:
    """The state of a bar, to display."""

    def __init__(self, bar: Any) -> None:
        state = bar.format_dict
        self._text = clean(bar.format_meter(**{**state, "ncols": 60, "ascii": None}))
        self._caption = clean(bar.format_meter(**{**state, "ncols": 0}))
        self._done, self._total = bar.n, bar.total

    def __repr__(self) -> str:
        """The line of tqdm."""
        return self._text

    def _repr_html_(self) -> str:
        drawn = f'<progress value="{int(self._done)}" max="{int(self._total)}"></progress> ' if self._total else ""
        return framed(drawn + escaped(self._caption))
