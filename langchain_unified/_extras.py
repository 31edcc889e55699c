"""How to install an extra of this package: from the index, or from the checkout or file that it was installed from."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

NAME = "langchain-unified"


def install(*extras: str) -> str:
    """The command that installs extras, such as `pip install 'langchain-unified[cost]'`."""
    wanted = f"[{','.join(extras)}]"
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / "pyproject.toml").is_file():
        return f"pip install -e {shlex.quote(f'{checkout}{wanted}')}"
    return f"pip install {shlex.quote(f'{_source()}{wanted}')}"


def _source() -> str:
    """The folder or file that this package was installed from, if it is still there; else its name on the index."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        origin = json.loads(distribution(NAME).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return NAME
    url = urlsplit(str(origin.get("url", "")))
    path = Path(unquote(url.path))
    return str(path) if url.scheme == "file" and path.exists() else NAME


__all__ = ["install"]
