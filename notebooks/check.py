"""Run the notebooks from a clean kernel, and compare what they give with what they hold.

    python notebooks/check.py                       every notebook; an error, a word on stderr or another output fails
    python notebooks/check.py --write               take the new outputs over, where they differ
    python notebooks/check.py --live 01_quick_start the real providers, with your keys: nothing is compared or written

Times, ports and the like are not compared, and an output that differs by nothing else is left as it stands.
So is that of a cell which begins with the comment `# This output may differ`, such as one that shows published prices.
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
"""The longest that a notebook may take."""

LIVE = "LANGCHAIN_UNIFIED_LIVE"
FOREIGN = ("ANTHROPIC_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "LANGGRAPH_")
"""Settings of the machine that a notebook must not see: it sets what it needs."""

ANSI = re.compile(r"\x1b\[[\d;]*m")

VOLATILE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\[\d\d:\d\d(<|&lt;)[\d:?]+,[^\]]*\]"), "[TIME]"),  # tqdm
    (re.compile(r"\d+\.\d+( ?s\b| seconds)"), "TIME"),
    (re.compile(r"(?<!\w)/(?:tmp|var|private)/[\w./-]+"), "FOLDER"),
    (re.compile(r"genai-prices \d[\w.]*"), "genai-prices VERSION"),
)
"""What may differ from run to run, and what stands for it while two runs are compared."""

FREE = "# This output may differ"
"""How a cell begins whose outputs are not compared, such as one that shows published prices."""


class NotebookError(Exception):
    """A notebook that does not run, says something on stderr, or gives something else than it holds."""


def notebooks() -> list[Path]:
    """Every notebook of this folder, in order."""
    return sorted(HERE.glob("*.ipynb"))


def load(path: Path) -> Any:
    """A notebook, as nbformat reads it."""
    return nbformat.read(path, as_version=4)


def run(path: Path, *, live: bool = False) -> Any:
    """A copy of the notebook with the outputs of this run, in a folder of its own."""
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
            raise NotebookError(f"{path.name} does not run:\n{ANSI.sub('', str(error))}") from None
    return tidy(notebook)


@functools.cache
def _find_fonts() -> None:
    """Where matplotlib was never used it looks for fonts, and says so on stderr when that takes long."""
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], capture_output=True, check=True)


def _kernel(folder: str) -> Config:
    """Settings of the kernel. Its sockets are files: every user of this machine could connect to ports."""
    return Config() if os.name == "nt" else Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"})


def _environment(*, live: bool) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if live or not name.startswith(FOREIGN)}
    return {**kept, LIVE: "1" if live else "", "PYTHONWARNINGS": "", "MPLBACKEND": ""}


def tidy(notebook: Any) -> Any:
    """The notebook without what a machine adds: widgets' state, times, versions."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in _code(notebook):
        cell.metadata = {}
    return notebook


def _code(notebook: Any) -> Iterator[Any]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")


# --- judging ----------------------------------------------------------------------------------------------------------


def complaints(path: Path, notebook: Any, held: Any) -> Iterator[str]:
    """What is wrong with a run, one line for each: noise, and outputs that are not those of `held`."""
    for number, (new, old) in enumerate(zip(_code(notebook), _code(held), strict=True), start=1):
        place = f"{path.name}, code cell {number}"
        for output in new.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                yield f"{place} writes to stderr: {output.text.strip()}"
        if not _alike(new, old):
            changes = difflib.unified_diff(_lines(old), _lines(new), "as held", "as of now", n=1, lineterm="")
            yield "\n  ".join([f"{place} gives another output.", *itertools.islice(changes, LONGEST_DIFF)])


LONGEST_DIFF = 40
"""Lines."""


def _alike(new: Any, old: Any) -> bool:
    """Whether two runs of a cell gave the same; one that is free gave something in both, or in neither."""
    if new.source.startswith(FREE):
        return bool(new.outputs) == bool(old.outputs)
    return normal(new.outputs) == normal(old.outputs)


def _lines(cell: Any) -> list[str]:
    """The outputs of a cell, for a comparison that people read."""
    outputs = normal(cell.outputs)
    texts = (f"{mime}: {text}" for _, data in outputs for mime, text in sorted(data.items()))
    return [line for text in texts for line in text.replace("><", ">\n<").split("\n")]


def normal(outputs: Any) -> list[tuple[str, Mapping[str, str]]]:
    """Outputs in the form in which they are compared."""
    return [(output.output_type, {mime: _normal(mime, said) for mime, said in _said(output)}) for output in outputs]


def _said(output: Any) -> Iterator[tuple[str, Any]]:
    if output.output_type == "stream":
        yield output.name, output.text
    else:
        yield from output.get("data", {}).items()


def _normal(mime: str, said: Any) -> str:
    if mime.startswith("image/"):
        return "a picture"  # fonts and versions of libraries draw differently
    text = str(said)
    for pattern, placeholder in VOLATILE:
        text = pattern.sub(placeholder, text)
    return text


def merged(notebook: Any, held: Any) -> Any:
    """`notebook` with the outputs of `held` wherever they differ in nothing that counts."""
    for new, old in zip(_code(notebook), _code(held), strict=True):
        if _alike(new, old):
            new.outputs = old.outputs
    return notebook


# --- the command ------------------------------------------------------------------------------------------------------


def check(path: Path, *, write: bool = False, live: bool = False, seconds: float = SECONDS) -> None:
    """Run one notebook. Raises `NotebookError` when something is wrong with it, or when it takes longer."""
    held, began = load(path), time.monotonic()
    notebook = run(path, live=live)
    if time.monotonic() - began > seconds:
        raise NotebookError(f"{path.name} takes longer than {seconds} seconds.")
    found = [line for line in complaints(path, notebook, held) if not write or "stderr" in line.split("\n")[0]]
    if live:
        nbformat.validate(notebook)
        return
    if found:
        raise NotebookError("\n".join(found))
    if write:
        nbformat.write(merged(notebook, held), path)


def main() -> int:
    """The exit code: 0 when every notebook is right."""
    parser = argparse.ArgumentParser(description="Run the notebooks and compare their outputs.")
    parser.add_argument("names", nargs="*", help="notebooks, by the beginning of their names (default: all)")
    parser.add_argument("--write", action="store_true", help="take new outputs over")
    parser.add_argument("--live", action="store_true", help="ask the real providers; compare and write nothing")
    given = parser.parse_args()
    failed = 0
    for path in notebooks():
        if given.names and not path.name.startswith(tuple(given.names)):
            continue
        began = time.monotonic()
        try:
            check(path, write=given.write and not given.live, live=given.live)
            print(f"{path.name}: right, {time.monotonic() - began:.1f} s")
        except NotebookError as error:
            failed += 1
            print(f"{path.name}: WRONG\n{error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
