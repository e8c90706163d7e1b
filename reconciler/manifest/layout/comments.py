"""Comments of a text, each with the entry that it belongs to.

Parsers leave comments out. What they leave out lies between two of their events, where nothing
but indicators, blanks and comments can be: so each `#` there begins a comment, and none is missed.
"""

from __future__ import annotations

from typing import Final

from .syntax_tree import LINE_BREAK, Branch, Comment, Entry

# Columns of what comes next. At the end of a document, every comment belongs to what was there.
END_OF_DOCUMENT: Final = -1
# None does: it is said of what comes next.
ANY_COLUMN: Final = 2**31

_Level = tuple[int, list[Comment]]


class CommentReader:
    """A text, read from gap to gap up to `end`; whoever reads what lies between moves it on.

    `pending` are the comments that wait for their entry, `blank` tells of a blank line behind them.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = 0
        self.root: Entry | None = None  # of the document, until it is over
        self.last: Entry | None = None  # whose key or value was read last
        self.closed: list[Branch] = []  # blocks that ended since, the innermost first
        self.pending: list[Comment] = []
        self.blank = False
        self.at_dash = False  # the next gap begins with the `-` of a list's first item

    def read(self, upto: int, column: int = ANY_COLUMN, into: list[Comment] | None = None) -> None:
        """Read the comments up to a place: `into` a list, or to where their columns say.

        `column` is that of the entry that comes next.
        """
        gap = self.text[self.end : upto]
        self.end, self.blank = max(self.end, upto), self.blank and "\n" not in gap
        at_dash, self.at_dash = self.at_dash, False
        if "#" in gap or gap.count("\n") > 1:
            place = self.pending if into is None else into
            levels = self._levels(column) if into is None else []
            self._comments(LINE_BREAK.split(gap), at_dash, column, levels, place)
        self.blank &= into is None
        self.closed = []

    def begin(self, root: Entry) -> None:
        """Begin a document."""
        self.leave()
        self.root = root

    def leave(self) -> None:
        """Leave a document: what comes is said of none of its entries."""
        self.root, self.last, self.closed = None, None, []

    def take_pending(self) -> list[Comment]:
        """Return the comments that waited, for whom they waited."""
        comments, self.pending = self.pending, []
        return comments

    def _comments(
        self,
        lines: list[str],
        at_dash: bool,
        column: int,
        levels: list[_Level],
        otherwise: list[Comment],
    ) -> None:
        for number, line in enumerate(lines):
            before, sign, text = line.partition("#")
            if not sign:
                self.blank |= not before.strip() and 0 < number < len(lines) - 1
                continue
            comment = Comment(f"#{text.rstrip()}", self.blank)
            self.blank = False
            if number == 0 and self.last is not None and not at_dash:
                self.last.end_line(comment.text)
                continue
            if len(before) <= column or before.strip():
                # From here on it is said of what comes next.
                levels.clear()
            while len(levels) > 1 and len(before) < levels[0][0]:
                del levels[0]
            (levels[0][1] if levels else otherwise).append(comment)

    def _levels(self, column: int) -> list[_Level]:
        """Return where comments can go that stand deeper than what comes next, the deepest first:
        the columns, and what is said there."""
        levels = [(branch.column, branch.tail) for branch in self.closed]
        if self.last is not None and self.last.is_hollow:
            above = self.closed[0].column if self.closed else column
            levels.insert(0, (above + 1, self.last.inner))
        if column == END_OF_DOCUMENT and not self.closed and self.root is not None:
            levels.append((0, self.root.inner))
        return levels
