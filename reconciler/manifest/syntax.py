"""Stage 1, from text to what stands in it: every comment with the entry that it belongs to.

Parsers leave comments out. What they leave out lies between two of their events, where nothing
but indicators, blanks and comments can be: so each `#` there begins a comment, and none is missed.
"""

from __future__ import annotations

import re
from typing import Final

from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    StreamEndEvent,
)

from .events import FASTEST, Opener
from .nodes import Alias, Branch, Comment, Entry, Page, Scalar
from .textblock import read_block

# Line ends as libyaml has them; of returns the text is free.
_BREAK: Final = re.compile("[\n\x85\u2028\u2029]")
# What may stand between an anchor and its value.
_AFTER_ANCHOR: Final = re.compile("(?:[ \t\n\x85\u2028\u2029]+(?:#[^\n\x85\u2028\u2029]*)?)*")
# Columns of what comes next. At the end of a document, every comment belongs to what was there.
_OUTSIDE: Final = -1
# None does: it is said of what comes next.
_EVERY: Final = 2**31
_UNKNOWN: Final = -2
_Level = tuple[int, list[Comment]]


def read_pages(text: str, opener: Opener = FASTEST) -> list[Page]:
    """Return the documents of a text whose lines end in line feeds, and that is known to be YAML:
    raises YAMLError otherwise."""
    builder = _Builder(text)
    events = opener(text)
    while True:
        event = events.get_event()
        assert event is not None
        builder.take(event)
        if isinstance(event, StreamEndEvent):
            return builder.pages


class _Builder:
    """Where the reading stands: the open branches, and the comments that wait for their entry."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pages: list[Page] = []
        self.end = 0  # up to here the text is read
        self.stack: list[Branch] = []
        self.owners: list[Entry] = []  # whose value each open branch is
        self.begun: list[int] = []  # where those in brackets begin
        self.waiting: Entry | None = None  # its value comes next
        self.last: Entry | None = None  # whose key or value was read last
        self.closed: list[Branch] = []  # blocks that ended since, the innermost first
        self.pending: list[Comment] = []
        self.blank = False
        self.at_dash = False  # the next gap begins with the `-` of a list's first item
        self.is_over = True  # the document, by its end or by `...`

    def take(self, event: Event) -> None:
        match event:
            case ScalarEvent():
                self._scalar(event)
            case CollectionStartEvent():
                self._open(event)
            case CollectionEndEvent():
                self._close(event)
            case AliasEvent():
                self._alias(event)
            case DocumentStartEvent():
                self._begin(event)
            case DocumentEndEvent() if event.explicit:
                start, end, _ = _span(event)
                self._gap(start, _OUTSIDE)
                self.end = end
                self._leave()
            case StreamEndEvent():
                self._gap(len(self.text), _OUTSIDE)
                if self.pages:
                    self.pages[-1].root.inner += self.pending
            case _:
                pass

    # Documents.

    def _begin(self, event: DocumentStartEvent) -> None:
        page = Page()
        if event.explicit:
            start, end, _ = _span(event)
            self._gap(start, _OUTSIDE)
            page.is_marked, page.blank = True, self.blank
            page.preamble, self.pending = self.pending, []
            for line in _BREAK.split(self.text[start:end])[:-1]:
                written, sign, comment = line.partition("#")
                page.directives += [written.strip()] if written.strip() else []
                page.preamble += [Comment(sign + comment.rstrip())] if sign else []
            self.end = end
        self._leave()
        self.pages.append(page)
        self.waiting, self.is_over = page.root, False

    def _leave(self) -> None:
        self.stack, self.owners, self.closed = [], [], []
        self.last, self.waiting, self.is_over = None, None, True

    # Values.

    def _scalar(self, event: ScalarEvent) -> None:
        start, end, column = _span(event)
        is_key = bool(self.stack) and self.stack[-1].is_mapping and self.waiting is None
        if start == end and event.anchor is None:
            # Nothing is written, so nothing is known of its place: the gap goes on behind it.
            self._put(self._entry(), Scalar("", event.value), is_key=is_key, is_written=False)
            return
        entry = self._arrive(start, column)
        start = self._past_anchor(event.anchor, start, end, entry)
        raw = self.text[start:end]
        style = event.style or ""
        self.end = end
        if style in ("|", ">"):
            block = read_block(raw, event.value)
            if block.comment is not None:
                _at_line_end(entry, block.comment)
            # Blank lines behind it are its own only if it keeps them.
            self.end = start + block.length
        self._put(entry, Scalar(raw, event.value, start, style, event.anchor), is_key=is_key)

    def _alias(self, event: AliasEvent) -> None:
        start, end, column = _span(event)
        entry = self._arrive(start, column)
        self.end = end
        self.pages[-1].has_aliases = True
        self._put(entry, Alias(event.anchor or ""), is_key=False)

    def _put(
        self, entry: Entry, node: Scalar | Alias, *, is_key: bool, is_written: bool = True
    ) -> None:
        if is_key:
            assert isinstance(node, Scalar)
            entry.key, self.waiting = node, entry
        else:
            entry.value, self.waiting = node, None
        if is_written:
            self.last = entry

    def _open(self, event: CollectionStartEvent) -> None:
        start, end, column = _span(event)
        is_flow = bool(event.flow_style)
        is_mapping = isinstance(event, MappingStartEvent)
        entry = self._arrive(start, column, is_block=not is_flow)
        branch = Branch(is_mapping, column, is_flow, anchor=event.anchor)
        if is_flow:
            self.begun.append(self._past_anchor(event.anchor, start, end, entry))
            self.end = max(self.end, end)
            self.last = entry
        elif event.anchor is not None:
            self.end = start + 1 + len(event.anchor)
            self.last = entry
            branch.column = _UNKNOWN
        else:
            self.end = start
            self.at_dash = not is_mapping
            if self.stack and self.stack[-1].is_mapping and self.stack[-1].column == column:
                # A `-` in the column of the key above: a comment there is no part of the list.
                branch.column += 1
        entry.value, self.waiting = branch, None
        self.stack.append(branch)
        self.owners.append(entry)

    def _close(self, event: CollectionEndEvent) -> None:
        start, end, _ = _span(event)
        branch, owner = self.stack.pop(), self.owners.pop()
        if branch.is_flow:
            if end > start:  # else it is a pair in a list, [a: b], that ends by itself
                self._gap(start, into=branch.tail if branch.entries else owner.inner)
                self.end = end
            branch.in_line = not _BREAK.search(self.text, self.begun.pop(), self.end)
            self.last = owner
        else:
            self.closed.append(branch)
        self.waiting = None

    # Entries.

    def _arrive(self, start: int, column: int, *, is_block: bool = False) -> Entry:
        """Read up to a value or key, and return the entry that it is of."""
        entry = self.waiting
        if entry is None:
            branch = self.stack[-1]
            if branch.column == _UNKNOWN:
                branch.column = column if branch.is_mapping else self._dash(start)
            self._gap(start, _EVERY if branch.is_flow else branch.column)
        elif not self.stack:
            self._gap(start, _EVERY)
            self._head(entry, is_mapping=is_block)
        elif is_block:
            # What stands above a block is said of its first entry.
            self._gap(start, _EVERY)
            self.blank &= bool(self.pending)
        else:
            self._gap(start, into=entry.before)
        return self._entry()

    def _entry(self) -> Entry:
        if self.waiting is not None:
            return self.waiting
        entry = Entry(before=self.pending, blank=self.blank)
        self.pending, self.blank = [], False
        self.stack[-1].entries.append(entry)
        return entry

    def _head(self, root: Entry, *, is_mapping: bool) -> None:
        """Take what stands above a document; its last paragraph may be said of the first key."""
        found, self.pending = self.pending, []
        head = len(found)
        if is_mapping and not self.blank:
            blanks = [number for number, one in enumerate(found) if number and one.blank]
            head = blanks[-1] if blanks else head
        self.pages[-1].head_blank = self.blank or head < len(found)
        root.before, self.pending, self.blank = found[:head], found[head:], False

    def _past_anchor(self, anchor: str | None, start: int, end: int, entry: Entry) -> int:
        """Return where the value itself begins, whose anchor may stand lines above it."""
        if anchor is None:
            return start
        self.end, self.last = start + 1 + len(anchor), entry
        gap = _AFTER_ANCHOR.match(self.text, self.end, end)
        assert gap is not None
        self._gap(gap.end(), into=entry.before)
        return gap.end()

    def _dash(self, start: int) -> int:
        """Return the column of the `-` before the first item of a list."""
        for line in _BREAK.split(self.text[self.end : start]):
            if line.lstrip(" ").startswith("-"):
                return line.index("-")
        return 0

    # Gaps.

    def _gap(self, upto: int, column: int = _EVERY, into: list[Comment] | None = None) -> None:
        """Read the comments up to a place: `into` a list, or to where their columns say.

        `column` is that of the entry that comes next. `self.blank` tells of a blank line there.
        """
        gap = self.text[self.end : upto]
        self.end, self.blank = max(self.end, upto), self.blank and "\n" not in gap
        at_dash, self.at_dash = self.at_dash, False
        if "#" in gap or gap.count("\n") > 1:
            place = self.pending if into is None else into
            levels = self._levels(column) if into is None else []
            self._comments(_BREAK.split(gap), at_dash, column, levels, place)
        self.blank &= into is None
        self.closed = []

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
                _at_line_end(self.last, comment.text)
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
        if column == _OUTSIDE and not self.closed and not self.is_over:
            levels.append((0, self.pages[-1].root.inner))
        return levels


def _span(event: Event) -> tuple[int, int, int]:
    """Return where an event begins and ends, and its column."""
    begun, ended = event.start_mark, event.end_mark
    assert begun is not None
    assert ended is not None
    return begun.index, ended.index, begun.column


def _at_line_end(entry: Entry, text: str) -> None:
    if entry.eol is not None:
        entry.before.append(Comment(entry.eol))
    entry.eol = text
