"""`python -m docs.generate.typed`: mypy, and pyright where it is installed, on the programs that show typed parameters.

These are the Python blocks of README and of docs/ that name `CallParams`.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def programs() -> dict[str, str]:
    """The programs by a file name."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found = ((page.stem.lower(), block) for page in pages for block in BLOCK.findall(page.read_text(encoding="utf-8")))
    return {f"{stem}_{number}.py": block for number, (stem, block) in enumerate(found) if "CallParams" in block}


def main() -> int:
    """Returns 0 if both find nothing, or if mypy does and pyright is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        for name, block in programs().items():
            (Path(folder) / name).write_text(block, encoding="utf-8")
        files = [str(Path(folder) / name) for name in programs()]
        commands = [["mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache")]]
        commands += [["pyright"]] if importlib.util.find_spec("pyright") else []
        return max(_run(*command, *files) for command in commands)


def _run(*module_and_arguments: str) -> int:
    command = [sys.executable, "-m", *module_and_arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - our own commands


if __name__ == "__main__":
    raise SystemExit(main())
