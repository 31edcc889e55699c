"""Every notebook runs in a new kernel, without keys, and gives the stored outputs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from langchain_unified.redaction import masked

pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("langchain.agents", reason="langchain is not installed")

import nbformat
from nbformat import v4

from notebooks import check

PATHS = check.notebooks()
NAMES = [path.stem for path in PATHS]


def test_which_notebooks_there_are() -> None:
    assert NAMES == [
        "01_quick_start",
        "02_tools_and_agents",
        "03_prompt_caching",
        "04_switching_providers",
        "05_cost_and_budgets",
        "06_testing_your_agent",
        "07_moving_from_the_partner_packages",
        "08_images_and_pdfs",
        "09_reasoning",
        "10_retrieval_with_citations",
        "11_thousands_of_calls",
        "12_tracing",
    ]
    text = (check.HERE / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"({name}.ipynb)" not in text] == []


@pytest.mark.runs_a_notebook
@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_a_notebook_gives_its_stored_outputs(path: Path) -> None:
    check.check(path, seconds=3 * check.SECONDS)  # other tests run beside it


def cells(path: Path) -> list[Any]:
    return list(check.load(path).cells)


def outputs(path: Path) -> list[Any]:
    return [output for cell in cells(path) for output in cell.get("outputs", ())]


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_a_notebook_is_stored_clean(path: Path) -> None:
    notebook = check.load(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(cell.metadata == {} for cell in notebook.cells)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert [output.output_type for output in outputs(path) if output.output_type == "error"] == []
    assert [output.text for output in outputs(path) if output.get("name") == "stderr"] == []


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_a_notebook_shows_no_secret_and_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert masked(text) == text
    assert re.findall(r"/(?:home|root|Users|tmp|work)/[\w./-]*", text) == []


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_a_notebook_is_for_readers(path: Path) -> None:
    source = "\n".join(cell.source for cell in cells(path))
    assert "nest_asyncio" not in source
    assert "asyncio.run(" not in source
    assert source.count('LIVE = os.environ.get("LANGCHAIN_UNIFIED_LIVE") == "1"') == 1
    assert "emulator" in cells(path)[0].source + cells(path)[1].source
    assert max(len(line) for cell in cells(path) if cell.cell_type == "code" for line in cell.source.split("\n")) <= 100
    for name in re.findall(r"\((\w+)\.ipynb\)", source):
        assert name in NAMES


# --- the checker itself -----------------------------------------------------------------------------------------------


def stored(folder: Path, *sources: str, stdout: str = "") -> Path:
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    if stdout:
        notebook.cells[0].outputs = [v4.new_output("stream", name="stdout", text=stdout)]
    path = folder / "stored.ipynb"
    nbformat.write(notebook, path)
    return path


def test_an_error_is_found(tmp_path: Path) -> None:
    with pytest.raises(check.NotebookError, match="ZeroDivisionError"):
        check.check(stored(tmp_path, "1 / 0"))


def test_noise_and_other_outputs_are_found(tmp_path: Path) -> None:
    noise = "import sys; print('noise', file=sys.stderr)"
    path = stored(tmp_path, "print('new')", noise, "import warnings; warnings.warn('old')", stdout="old\n")
    with pytest.raises(check.NotebookError) as found:
        check.check(path)
    text = str(found.value)
    assert "The output of stored.ipynb, code cell 1 differs." in text
    assert "-stdout: old" in text
    assert "+stdout: new" in text
    assert "code cell 2 writes to stderr: noise" in text
    assert "UserWarning: old" in text
    with pytest.raises(check.NotebookError) as found:
        check.check(path, write=True)
    assert "differs" not in str(found.value)
    assert check.load(path).cells[0].outputs[0].text == "old\n"


def test_what_differs_by_time_alone_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "seen")
    source = "http://127.0.0.1:1234 in 0.01 s\n"
    ask = "import os; os.environ.get('OPENAI_API_KEY')"
    path = stored(tmp_path, "print('http://127.0.0.1:99 in 7.25 s')", ask, stdout=source)
    check.check(path, write=True)
    first, second = check.load(path).cells
    assert first.outputs[0].text == source
    assert first.execution_count == 1
    assert second.outputs == []


def test_an_output_that_may_differ_is_left_as_it_is(tmp_path: Path) -> None:
    free = "# This output may differ: prices change.\n"
    path = stored(tmp_path, f"{free}print('new')", stdout="old\n")
    check.check(path, write=True)
    assert check.load(path).cells[0].outputs[0].text == "old\n"
    with pytest.raises(check.NotebookError, match=r"code cell 1 differs\."):
        check.check(stored(tmp_path, free, stdout="old\n"))
    with pytest.raises(check.NotebookError, match="writes to stderr"):
        check.check(stored(tmp_path, f"{free}import sys; print('noise', file=sys.stderr)", stdout="old\n"))


def test_a_release_of_the_price_list_makes_no_difference(tmp_path: Path) -> None:
    check.check(
        stored(tmp_path, "print('genai-prices 9.8.7 does not know')", stdout="genai-prices 0.2 does not know\n")
    )
    with pytest.raises(check.NotebookError, match=r"code cell 1 differs\."):
        check.check(stored(tmp_path, "print('genai-prices 1.0 knows')", stdout="genai-prices 0.2 does not know\n"))


BAR = "Claude: 100%|███████████████| 8/8 [00:00<00:00, 407.19run/s, 1 failed]"
TAG = '<progress value="8" max="8"></progress> Claude: 100% 8/8 [00:00&lt;00:00, 407.19run/s, 1 failed]'


@pytest.mark.parametrize(
    "stored,new",
    [
        (BAR, "Claude: 100%|█████████████| 8/8 [01:02<00:00,  7.80s/run, 1 failed]"),
        (BAR, "Claude: 100%|█| 8/8 [1:00:02<00:00, 1234.56run/s, 1 failed]"),
        (TAG, '<progress value="8" max="8"></progress> Claude: 100% 8/8 [12:34&lt;?, ?run/s, 1 failed]'),
        ("50%|████▌    | 4/8 [00:01<00:01, 3.90run/s]", "50%|████▋     | 4/8 [00:12<00:12, 3.1s/run]"),
        ("4run [00:00, 9.96run/s]", "4run [00:01, 10.02run/s]"),
    ],
)
def test_the_time_makes_no_difference_to_a_progress_bar(stored: str, new: str) -> None:
    assert compared(stored) == compared(new)


@pytest.mark.parametrize(
    "stored,new",
    [
        (BAR, BAR.replace("8/8", "7/8")),
        (BAR, BAR.replace("100%", "87%")),
        (BAR, BAR.replace("Claude", "GPT")),
        (BAR, BAR.replace(", 1 failed", "")),
        (TAG, TAG.replace(", 1 failed", ", 2 failed")),
        ("|██| one", "|███| one"),
    ],
)
def test_everything_else_does(stored: str, new: str) -> None:
    assert compared(stored) != compared(new)


def compared(text: str) -> Any:
    return check.comparable([v4.new_output("display_data", {"text/plain": text})])


def test_new_outputs_are_taken_over(tmp_path: Path) -> None:
    path = stored(tmp_path, "print('new')", stdout="old\n")
    check.check(path, write=True)
    assert check.load(path).cells[0].outputs[0].text == "new\n"
    check.check(path)


# --- the display in a kernel ------------------------------------------------------------------------------------------

KERNEL = """
%load_ext langchain_unified.display
from langchain_core.messages import AIMessage
AIMessage("<b>one</b>")
# ---
from langchain_unified.display import ashow_stream, plot_tokens, progress, show, show_stream
show(AIMessage("two"))
# ---
total = show_stream(iter(["a ", "b"]))
# ---
async def story():
    for word in ("c ", "d"):
        yield word

total = await ashow_stream(story())
# ---
def broken():
    yield "e"
    raise ValueError("no")

try:
    show_stream(broken())
except ValueError:
    pass
# ---
from langchain_core.runnables import RunnableLambda
with progress(4, "four") as bar:
    out = RunnableLambda(str).batch([1, 2, 3, 4], {"callbacks": [bar]})
# ---
with progress(2) as bar:
    out = await RunnableLambda(str).abatch([1, 2], {"callbacks": [bar]})
# ---
from langchain_unified import ChatUnified
show(ChatUnified("openai/gpt-4o", api_key="any").check("Hi"))
# ---
usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
ax = plot_tokens([AIMessage("so", usage_metadata=usage)])
""".strip().split("\n# ---\n")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The data of the one output that each cell leaves."""
    path = stored(tmp_path_factory.mktemp("kernel"), *KERNEL)
    left = [cell.outputs for cell in check.run(path).cells]
    assert [len(outputs) for outputs in left] == [1] * len(KERNEL)
    return [dict(outputs[0].data) for outputs in left]


SHOWN = (
    ("[model]\n  <b>one</b>", "&lt;b&gt;one&lt;/b&gt;"),
    ("[model]\n  two", "two"),
    ("[text]\n  a b", "a b"),
    ("[text]\n  c d", "c d"),
    ("[text]\n  e\n[the stream failed]\n  ValueError: no", "the stream failed"),
    ("four: 100%", '<progress value="4" max="4">'),
    ("100%", '<progress value="2" max="2">'),
    ("[openai/gpt-4o] by openai_chat: goes out as written", "goes out as written"),
)


@pytest.mark.parametrize("number", range(len(SHOWN)))
def test_what_a_notebook_is_left_with(kernel: list[dict[str, Any]], number: int) -> None:
    text, part_of_page = SHOWN[number]
    assert kernel[number]["text/plain"].startswith(text)
    assert part_of_page in kernel[number]["text/html"]


def test_a_plot_is_a_picture(kernel: list[dict[str, Any]]) -> None:
    assert set(kernel[-1]) == {"image/png", "text/plain"}
