"""The command `langchain-unified` (or `python -m langchain_unified`): `demo`, `chat`, `bulk`, `emulate`,
`serve` and `key`.

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
        from langchain_unified._extras import install

        sys.stderr.write(f"The command needs {error.name}. Install it: {install('cli', 'emulator', 'cost')}\n")
        raise SystemExit(2) from None
    commands(prog_name="langchain-unified")
