"""Lines of canonical text, and the blank ones between them.

At most one of those, and none at the start of a block.
"""

from __future__ import annotations

from collections.abc import Iterable

from .syntax_tree import Comment


class Emitter:
    """The lines so far; those of `eols` get a comment at their ends."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.eols: dict[int, str] = {}  # by the line's number
        # No blank line at the start of a file or block, nor where it would be part of a text.
        self.is_fresh = True

    def line(self, text: str, eol: str | None = None) -> None:
        """Write a line."""
        if eol is not None:
            self.eols[len(self.lines)] = eol
        self.lines.append(text)
        self.is_fresh = False

    def blank(self, wanted: bool) -> None:
        """Write a blank line, where one may be."""
        if wanted and not self.is_fresh:
            self.lines.append("")
            self.is_fresh = True

    def comments(self, comments: Iterable[Comment], indent: int) -> None:
        """Write comments, each in a line of its own."""
        for comment in comments:
            self.blank(comment.blank)
            self.line(" " * indent + comment.text)

    def text(self) -> str:
        """Return it all; comments at the ends of lines that follow each other begin in one
        column."""
        lines = list(self.lines)
        group: list[int] = []
        for number in (*self.eols, None):
            if group and (number is None or not self._is_next(group[-1], number)):
                width = max(len(lines[member]) for member in group)
                for member in group:
                    lines[member] = f"{lines[member]:{width}}  {self.eols[member]}"
                group = []
            group += [] if number is None else [number]
        return "".join(f"{line}\n" for line in lines)

    def _is_next(self, first: int, second: int) -> bool:
        depths = {len(line) - len(line.lstrip(" ")) for line in self.lines[first : second + 1]}
        return second == first + 1 and len(depths) == 1
