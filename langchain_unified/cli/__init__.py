"""The command `langchain-unified` (or `python -m langchain_unified`): `demo`, `chat` and `emulate`.

Exit codes: 0 success; 1 the provider or the network failed; 2 the command cannot run with these arguments or settings
(a missing key, an unknown model, a missing extra, a port in use).
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command. If the extra `cli` is not installed, print how to install it and exit with 2."""
    try:
        from langchain_unified.cli.commands import commands
    except ImportError as error:
        sys.stderr.write(f"langchain-unified: {error.name} is missing. pip install 'langchain-unified[cli,emulator]'\n")
        raise SystemExit(2) from None
    commands(prog_name="langchain-unified")
