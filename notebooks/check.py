"""Run the notebooks in new kernels, and compare their outputs with the stored ones.

    python notebooks/check.py                        every notebook; an error, text on stderr or a changed output fails
    python notebooks/check.py --write                store the new outputs where they differ
    python notebooks/check.py --live 01_quick_start  use the real providers and your keys; nothing is compared or stored

Times, ports and other values that change from run to run are replaced in both outputs before the comparison. A cell
that begins with the comment `# This output may differ` is not compared; it shows published prices, for example.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

HERE = Path(__file__).parent
SECONDS = 60
"""The time limit of one notebook."""

LIVE = "LANGCHAIN_UNIFIED_LIVE"
HIDDEN_VARIABLES = ("ANTHROPIC_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "LANGGRAPH_")
"""How the environment variables begin that a notebook does not see: it sets what it needs."""

ANSI = re.compile(r"\x1b\[[\d;]*m")

CHANGING: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    # tqdm: the times and the rate; then the bar, whose width depends on their length.
    (re.compile(r"\[(?:\d+:)+\d\d(?:(?:<|&lt;)[\d:?]+)?, *[^\],]*"), "[TIME"),
    (re.compile(r"\|[\u2588-\u258f ]*\|(?= *\d+/\d+ \[TIME)"), "|BAR|"),
    (re.compile(r"\d+\.\d+( ?s\b| seconds)"), "TIME"),
    (re.compile(r"(?<!\w)/(?:tmp|var|private)/[\w./-]+"), "FOLDER"),
    (re.compile(r"genai-prices \d[\w.]*"), "genai-prices VERSION"),
)
"""What may change from run to run, and what replaces it before outputs are compared."""

MAY_DIFFER = "# This output may differ"
"""How a cell begins whose outputs are not compared."""

LONGEST_DIFF = 40
"""The number of lines of a difference that are shown."""


class NotebookError(Exception):
    """A notebook fails, writes to stderr, or has an output that differs from the stored one."""


def notebooks() -> list[Path]:
    """The notebooks of this folder, in order."""
    return sorted(HERE.glob("*.ipynb"))


def load(path: Path) -> Any:
    """A notebook as nbformat reads it."""
    return nbformat.read(path, as_version=4)


def run(path: Path, *, live: bool = False) -> Any:
    """A copy of the notebook with the outputs of a new run, in an empty folder."""
    notebook = load(path)
    for cell in _code(notebook):
        cell.outputs, cell.execution_count = [], None
    if any("plot" in cell.source for cell in _code(notebook)):
        _find_fonts()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as sockets:
        client = NotebookClient(
            notebook,
            config=_kernel(sockets),
            timeout=3 * SECONDS,
            resources={"metadata": {"path": folder}},
            record_timing=False,
            coalesce_streams=True,
        )
        try:
            client.execute(env={**_environment(live=live), "IPYTHONDIR": f"{sockets}/ipython"})
        except CellExecutionError as error:
            raise NotebookError(f"{path.name} failed:\n{ANSI.sub('', str(error))}") from None
    return tidy(notebook)


@functools.cache
def _find_fonts() -> None:
    """Let matplotlib build its list of fonts: in a notebook it may write to stderr that this takes long."""
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], capture_output=True, check=True)


def _kernel(folder: str) -> Config:
    """The settings of the kernel. It uses socket files, since every user of this machine could connect to ports."""
    return Config() if os.name == "nt" else Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"})


def _environment(*, live: bool) -> dict[str, str]:
    visible = {name: value for name, value in os.environ.items() if live or not name.startswith(HIDDEN_VARIABLES)}
    return {**visible, LIVE: "1" if live else "", "PYTHONWARNINGS": "", "MPLBACKEND": ""}


def tidy(notebook: Any) -> Any:
    """The notebook without what a kernel adds: the state of widgets, times, versions."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in _code(notebook):
        cell.metadata = {}
    return notebook


def _code(notebook: Any) -> Iterator[Any]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")


# --- comparing --------------------------------------------------------------------------------------------------------


def problems(path: Path, new: Any, stored: Any) -> Iterator[str]:
    """What is wrong with a run, one text for each problem: texts on stderr, and outputs that differ."""
    for number, (new_cell, stored_cell) in enumerate(zip(_code(new), _code(stored), strict=True), start=1):
        place = f"{path.name}, code cell {number}"
        for output in new_cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                yield f"{place} writes to stderr: {output.text.strip()}"
        if not _same_outputs(new_cell, stored_cell):
            before, after = _lines(stored_cell), _lines(new_cell)
            changes = difflib.unified_diff(before, after, "stored output", "new output", n=1, lineterm="")
            yield "\n  ".join([f"The output of {place} differs.", *itertools.islice(changes, LONGEST_DIFF)])


def _same_outputs(new: Any, stored: Any) -> bool:
    """Whether the outputs of a cell are the same. For `MAY_DIFFER`: whether both runs or neither have an output."""
    if new.source.startswith(MAY_DIFFER):
        return bool(new.outputs) == bool(stored.outputs)
    return comparable(new.outputs) == comparable(stored.outputs)


def _lines(cell: Any) -> list[str]:
    """The outputs of a cell as lines, for a difference that people read."""
    outputs = comparable(cell.outputs)
    texts = (f"{mime}: {text}" for _, data in outputs for mime, text in sorted(data.items()))
    return [line for text in texts for line in text.replace("><", ">\n<").split("\n")]


def comparable(outputs: Any) -> list[tuple[str, Mapping[str, str]]]:
    """The outputs of a cell without what changes from run to run: `(output type, {mime type or stream: text})`."""
    return [
        (output.output_type, {mime: _comparable_text(mime, content) for mime, content in _contents(output)})
        for output in outputs
    ]


def _contents(output: Any) -> Iterator[tuple[str, Any]]:
    if output.output_type == "stream":
        yield output.name, output.text
    else:
        yield from output.get("data", {}).items()


def _comparable_text(mime: str, content: Any) -> str:
    if mime.startswith("image/"):
        return "a picture"  # its bytes depend on fonts and versions of libraries
    text = str(content)
    for pattern, placeholder in CHANGING:
        text = pattern.sub(placeholder, text)
    return text


def merged(new: Any, stored: Any) -> Any:
    """The new notebook, with the stored outputs of each cell whose outputs are the same."""
    for new_cell, stored_cell in zip(_code(new), _code(stored), strict=True):
        if _same_outputs(new_cell, stored_cell):
            new_cell.outputs = stored_cell.outputs
    return new


# --- the command ------------------------------------------------------------------------------------------------------


def check(path: Path, *, write: bool = False, live: bool = False, seconds: float = SECONDS) -> None:
    """Run one notebook. Raises `NotebookError` if there is a problem, or if it takes longer than `seconds`."""
    stored, began = load(path), time.monotonic()
    new = run(path, live=live)
    if time.monotonic() - began > seconds:
        raise NotebookError(f"{path.name} takes longer than {seconds} seconds.")
    if live:
        nbformat.validate(new)
        return
    found = [text for text in problems(path, new, stored) if not write or "stderr" in text.split("\n")[0]]
    if found:
        raise NotebookError("\n".join(found))
    if write:
        nbformat.write(merged(new, stored), path)


def main() -> int:
    """The command. Returns the exit code: 0 if every notebook passes, else 1."""
    parser = argparse.ArgumentParser(description="Run the notebooks and compare their outputs.")
    parser.add_argument("names", nargs="*", help="beginnings of the names of notebooks (default: all)")
    parser.add_argument("--write", action="store_true", help="store the new outputs")
    parser.add_argument("--live", action="store_true", help="use the real providers; compare and store nothing")
    given = parser.parse_args()
    failed = 0
    for path in notebooks():
        if given.names and not path.name.startswith(tuple(given.names)):
            continue
        began = time.monotonic()
        try:
            check(path, write=given.write and not given.live, live=given.live)
            print(f"{path.name}: passed, {time.monotonic() - began:.1f} s")
        except NotebookError as error:
            failed += 1
            print(f"{path.name}: FAILED\n{error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
