"""Text that is streamed to a terminal, broken between words."""

from __future__ import annotations

import re
from typing import IO

from rich.cells import cell_len

_PIECES = re.compile(r"\n|[^\S\n]+|\S+")


class Words:
    """Writes text piece by piece. A word that does not fit into the line begins the next one.

    `width`: the columns of a line; `None` (the output is no terminal) writes the text as it is. `column`: where the
    first line begins. The last word is written with the space after it, or by `end`.
    """

    def __init__(self, out: IO[str], width: int | None, column: int = 0) -> None:
        self._out = out
        self._width = width
        self._column = column
        self._space = ""
        self._word = ""

    def write(self, text: str) -> None:
        """Write the next piece of the text."""
        if self._width is None:
            self._out.write(text)
        else:
            for piece in _PIECES.findall(text):
                self._add(piece)
        self._out.flush()

    def _add(self, piece: str) -> None:
        if not piece.isspace():
            self._word += piece
            return
        self._flush_word()
        if piece == "\n":
            self._out.write("\n")
            self._column, self._space = 0, ""
        else:
            self._space += piece

    def _flush_word(self) -> None:
        if not self._word:
            return
        needed = cell_len(self._space) + cell_len(self._word)
        if self._column and self._space and self._width is not None and self._column + needed > self._width:
            self._out.write("\n" + self._word)
            self._column = cell_len(self._word)
        else:
            self._out.write(self._space + self._word)
            self._column += needed
        self._space = self._word = ""

    def end(self) -> None:
        """Write the last word and end the line."""
        self._flush_word()
        self._out.write("\n")
        self._out.flush()


__all__ = ["Words"]
