"""The input of a free-form tool while its arguments stream: `{"__arg1": "…"}` in pieces -> the text in pieces."""

from __future__ import annotations

import json
import re

from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT

_START = re.compile(rf'\s*\{{\s*"{CUSTOM_ARGUMENT}"\s*:\s*"')
_COMPLETE = re.compile(r'(?:[^"\\]|\\u[0-9a-fA-F]{4}|\\[^u])*', re.DOTALL)
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}$")


class CustomText:
    """The text of one call. `begun`: it is a call of a free-form tool, as far as it came."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self.begun = self.ended = False
        self.text = ""
        """What came of the text."""
        self._rest = ""

    def feed(self, fragment: str) -> str:
        """What a fragment adds to the text: an escape that is cut waits for its end."""
        self._rest += fragment
        if not self.begun:
            start = _START.match(self._rest)
            if start is None:
                return ""
            self.begun, self._rest = True, self._rest[start.end() :]
        if self.ended:
            return ""
        found = _COMPLETE.match(self._rest)
        piece = found.group() if found else ""
        rest = self._rest[len(piece) :]
        if not rest.startswith('"') and (half := _HALF_PAIR.search(piece)):
            piece, rest = piece[: half.start()], half.group() + rest  # its other half may still come
        self._rest, self.ended = rest, rest.startswith('"')
        added = str(json.loads(f'"{piece}"', strict=False))
        self.text += added
        return added


def custom_text(arguments: str) -> str:
    """The text in arguments that are cut; the arguments where they are none of a free-form tool's."""
    reader = CustomText()
    reader.feed(arguments)
    return reader.text if reader.begun else arguments
