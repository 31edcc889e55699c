"""`python -m langchain_unified.params [path]`: write the page of parameters, to `docs/parameters.md` unless told."""

from __future__ import annotations

import sys
from pathlib import Path

from langchain_unified.params._docs import page


def main(arguments: list[str]) -> None:
    """Write the page to the path that is given, if any."""
    path = Path(arguments[0] if arguments else "docs/parameters.md")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
