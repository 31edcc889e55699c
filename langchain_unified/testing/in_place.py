"""An emulator in the providers' place for a whole process: the set-up of a notebook in one line."""

from __future__ import annotations

import os

from langchain_unified.testing.emulation.script import Script
from langchain_unified.testing.emulation.server import Emulator, emulator

LIVE = "LANGCHAIN_UNIFIED_LIVE"
"""The variable that says that the providers answer."""


def use_emulator(script: Script = None) -> Emulator | None:
    """Start an emulator and send the calls of this process there: its address and a key go into the environment.

    `script`: as for `emulator`. It runs until the process ends. With `LANGCHAIN_UNIFIED_LIVE=1` nothing happens, and
    the result is `None`: the providers answer, with your keys.
    """
    if os.environ.get(LIVE) == "1":
        return None
    server = emulator(script).start()
    for name, url in (("ANTHROPIC", server.anthropic_url), ("OPENAI", server.openai_url)):
        os.environ |= {f"{name}_BASE_URL": url, f"{name}_API_KEY": "no-key-needed"}
    return server


__all__ = ["use_emulator"]
