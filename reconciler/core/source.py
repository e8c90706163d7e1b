"""Where in a file something was written."""

from __future__ import annotations

import msgspec


class Source(msgspec.Struct, frozen=True, order=True):
    """A place in a text file: path as the user would type it, line and column counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"
