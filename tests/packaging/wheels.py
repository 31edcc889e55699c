"""`python -m tests.packaging.wheels [python …]`: install the wheel on each Python, and run `smoke.py` with it.

Without arguments: each `python3.11` to `python3.14` on the path or of pyenv. Those that are not here are named.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
EXTRAS = "[cli,emulator,cost,cassettes]"


def built(folder: Path, target: str) -> Path:
    """The wheel or the sdist, built by hatchling."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


def found(version: str) -> str | None:
    """The path of a Python of this version; `None` if there is none."""
    there = sorted(glob.glob(str(Path.home() / f".pyenv/versions/{version}.*/bin/python{version}")))
    on_path = shutil.which(f"python{version}")
    return on_path if on_path and "shims" not in on_path else next(reversed(there), None)


def smoke(python: str, wheel: Path, folder: Path) -> None:
    """Raises `CalledProcessError` if installing or the smoke test fails."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    own = str(folder / "bin" / "python")
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for what, kind in ((str(wheel), "plain"), (f"{wheel}{EXTRAS}", "full")):
        install = [own, "-m", "pip", "install", "-q", "--disable-pip-version-check", what]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
        # Elsewhere and without PYTHONPATH: the checkout would be imported.
        subprocess.run([own, str(Path(__file__).with_name("smoke.py")), kind], check=True, cwd=folder, env=alone)


def main(pythons: list[str]) -> int:
    chosen = {python: python for python in pythons} or {version: found(version) for version in VERSIONS}
    with tempfile.TemporaryDirectory() as folder:
        wheel = built(Path(folder) / "wheel", "wheel")
        for name, python in chosen.items():
            if python is None:
                print(f"Python {name}: not found, not tested")
                continue
            smoke(python, wheel, Path(folder) / f"venv-{Path(name).name}")
            print(f"Python {name}: the wheel works, without extras and with {EXTRAS}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
