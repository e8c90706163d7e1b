"""Stage 1, texts behind `|` and `>`: their own lines, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_HEADER: Final = re.compile(r"([|>])([-+0-9]*)[ \t]*(#.*)?")


@dataclass(frozen=True, slots=True)
class TextBlock:
    """`lines` as they are but for how far they stand right; `length` of what was written, up to
    the end of the last of them. `chomping` is `-`, `+` or nothing."""

    style: str
    chomping: str
    comment: str | None
    lines: tuple[str, ...]
    length: int

    def header(self, step: int) -> str:
        """Return the first line, of lines that stand `step` further right than what is above."""
        first = next((line for line in self.lines if line), "")
        # Where they begin with a blank, how far has to be told.
        depth = str(step) if first.startswith((" ", "\t")) else ""
        return f"{self.style}{depth}{self.chomping}"


def read_block(raw: str, value: str) -> TextBlock:
    """Return what is written, which reads as the value."""
    header, *written = raw.split("\n")
    signs = _HEADER.match(header)
    assert signs is not None
    is_keeping = "+" in signs[2]
    margin = _margin(written, value.split("\n"))
    lines = [line[margin:] for line in written]
    # The last piece stands behind the last line feed, and is no line.
    if lines and not lines[-1]:
        lines.pop()
    while not is_keeping and lines and not lines[-1]:
        lines.pop()
    chomping = "-" if "-" in signs[2] else "+" if is_keeping else ""
    if value and not value.endswith("\n"):
        chomping = "-"  # whatever it says: the file ends with the text
    comment = signs[3].rstrip() if signs[3] else None
    length = len(header) + sum(len(line) + 1 for line in written[: len(lines)])
    return TextBlock(signs[1], chomping, comment, tuple(lines), length)


def _margin(written: Sequence[str], read: Sequence[str]) -> int:
    """Return how far a text stands right, by what was read of its lines."""
    for line in written:
        if line.strip(" "):
            told = next((one for one in read if one.strip(" ")), line)
            return _blanks(line) - _blanks(told)
    return max(map(len, written), default=0) - max(map(len, read), default=0)


def _blanks(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
