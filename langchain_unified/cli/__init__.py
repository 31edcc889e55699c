"""The command `langchain-unified`: the demo, one question, and the emulator.

Exit codes: 0 done, 1 the provider or the network failed, 2 the command cannot run as it was given (a missing key, an
unknown model, a missing extra).
"""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point. Without the extra `cli` it says how to install it."""
    try:
        from langchain_unified.cli.commands import commands
    except ImportError as exc:
        sys.stderr.write(f"langchain-unified: {exc.name} is missing. pip install 'langchain-unified[cli,emulator]'\n")
        raise SystemExit(2) from None
    commands()


if __name__ == "__main__":
    main()
