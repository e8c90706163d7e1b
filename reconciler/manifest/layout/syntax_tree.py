"""Syntax tree of a file: what stands in it, comments and spelling included.

Where documents.py reads what a file means, this is what it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

# Line ends as libyaml has them; of returns the text is free.
LINE_BREAK: Final = re.compile("[\n\x85\u2028\u2029]")


@dataclass(slots=True)
class Comment:
    """A comment from its `#` on; `blank`: a blank line stands before it."""

    text: str
    blank: bool = False


@dataclass(slots=True)
class Scalar:
    """A value as it is written (`raw`, from the character `at`) and what that reads as.

    `style` is "" or one of `"'|>`.
    """

    raw: str
    value: str
    at: int = 0
    style: str = ""
    anchor: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written, which reads as null."""
        return not self.raw

    @property
    def is_block(self) -> bool:
        """Whether the text stands below, in lines of its own."""
        return self.style in ("|", ">")


@dataclass(slots=True)
class Alias:
    """A mention of what an anchor names."""

    name: str


@dataclass(slots=True)
class Branch:
    """A mapping or a list. `in_line`: in brackets, in one line. `tail` follows its last entry.

    `column` is where the entries of a block begin.
    """

    is_mapping: bool
    column: int
    is_flow: bool = False
    in_line: bool = False
    anchor: str | None = None
    entries: list[Entry] = field(default_factory=list)
    tail: list[Comment] = field(default_factory=list)


Node: TypeAlias = Scalar | Alias | Branch


@dataclass(slots=True)
class Entry:
    """A value with what belongs to it; `key` is None in lists and at the root of a document.

    `before` are the comments above, `eol` the one at the end of the line, `inner` those that stand
    deeper where there is no value. `blank`: a blank line stands right above, below `before`.
    """

    key: Scalar | None = None
    value: Node | None = None
    before: list[Comment] = field(default_factory=list)
    blank: bool = False
    eol: str | None = None
    inner: list[Comment] = field(default_factory=list)

    @property
    def is_hollow(self) -> bool:
        """Whether there is nothing in it but comments."""
        match self.value:
            case Scalar():
                return self.value.is_empty
            case Branch():
                return self.value.is_flow and not self.value.entries
            case _:
                return False

    def end_line(self, comment: str) -> None:
        """Take what is said at the end of the line; what was said there before goes above."""
        if self.eol is not None:
            self.before.append(Comment(self.eol))
        self.eol = comment


@dataclass(slots=True)
class Page:
    """One document. `preamble` and `directives` stand before its `---`.

    The comments above all of it are those of its root; `head_blank`: a blank line follows them.
    `blank`: one stands before the `---`.
    """

    root: Entry = field(default_factory=Entry)
    preamble: list[Comment] = field(default_factory=list)
    directives: list[str] = field(default_factory=list)
    is_marked: bool = False
    blank: bool = False
    head_blank: bool = False
    has_aliases: bool = False


def all_comments(pages: list[Page]) -> Iterator[str]:
    """Yield the text of every comment."""
    for page in pages:
        yield from (comment.text for comment in page.preamble)
        todo = [page.root]
        while todo:
            entry = todo.pop()
            yield from (comment.text for comment in (*entry.before, *entry.inner))
            if entry.eol is not None:
                yield entry.eol
            if isinstance(entry.value, Branch):
                yield from (comment.text for comment in entry.value.tail)
                todo += entry.value.entries
