"""A text to its syntax tree: what a parser tells, and what stands in the gaps between."""

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

from reconciler.manifest.yaml_events import FASTEST, Opener

from .comments import ANY_COLUMN, END_OF_DOCUMENT, CommentReader
from .scalar_style import read_block
from .syntax_tree import LINE_BREAK, Alias, Branch, Comment, Entry, Page, Scalar

# What may stand between an anchor and its value.
_AFTER_ANCHOR: Final = re.compile("(?:[ \t\n\x85\u2028\u2029]+(?:#[^\n\x85\u2028\u2029]*)?)*")
# The column of a branch, until its first entry is there.
_UNKNOWN: Final = -2


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
    """Where the reading stands: the open branches, and whose value comes next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.reader = CommentReader(text)
        self.pages: list[Page] = []
        self.stack: list[Branch] = []
        self.owners: list[Entry] = []  # whose value each open branch is
        self.begun: list[int] = []  # where those in brackets begin
        self.waiting: Entry | None = None  # its value comes next

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
                self.reader.read(start, END_OF_DOCUMENT)
                self.reader.end = end
                self.reader.leave()
            case StreamEndEvent():
                self.reader.read(len(self.text), END_OF_DOCUMENT)
                if self.pages:
                    self.pages[-1].root.inner += self.reader.take_pending()
            case _:
                pass

    # Documents.

    def _begin(self, event: DocumentStartEvent) -> None:
        page = Page()
        if event.explicit:
            start, end, _ = _span(event)
            self.reader.read(start, END_OF_DOCUMENT)
            page.is_marked, page.blank = True, self.reader.blank
            page.preamble = self.reader.take_pending()
            for line in LINE_BREAK.split(self.text[start:end])[:-1]:
                written, sign, comment = line.partition("#")
                page.directives += [written.strip()] if written.strip() else []
                page.preamble += [Comment(sign + comment.rstrip())] if sign else []
            self.reader.end = end
        self.reader.begin(page.root)
        self.pages.append(page)
        self.waiting = page.root

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
        scalar = Scalar(raw, event.value, start, event.style or "", event.anchor)
        self.reader.end = end
        if scalar.is_block:
            block = read_block(raw, event.value)
            if block.comment is not None:
                entry.end_line(block.comment)
            # Blank lines behind it are its own only if it keeps them.
            self.reader.end = start + block.length
        self._put(entry, scalar, is_key=is_key)

    def _alias(self, event: AliasEvent) -> None:
        start, end, column = _span(event)
        entry = self._arrive(start, column)
        self.reader.end = end
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
            self.reader.last = entry

    def _open(self, event: CollectionStartEvent) -> None:
        start, end, column = _span(event)
        is_flow = bool(event.flow_style)
        is_mapping = isinstance(event, MappingStartEvent)
        entry = self._arrive(start, column, is_block=not is_flow)
        branch = Branch(is_mapping, column, is_flow, anchor=event.anchor)
        if is_flow:
            self.begun.append(self._past_anchor(event.anchor, start, end, entry))
            self.reader.end = max(self.reader.end, end)
            self.reader.last = entry
        elif event.anchor is not None:
            self.reader.end = start + 1 + len(event.anchor)
            self.reader.last = entry
            branch.column = _UNKNOWN
        else:
            self.reader.end = start
            self.reader.at_dash = not is_mapping
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
                self.reader.read(start, into=branch.tail if branch.entries else owner.inner)
                self.reader.end = end
            branch.in_line = not LINE_BREAK.search(self.text, self.begun.pop(), self.reader.end)
            self.reader.last = owner
        else:
            self.reader.closed.append(branch)
        self.waiting = None

    # Entries.

    def _arrive(self, start: int, column: int, *, is_block: bool = False) -> Entry:
        """Read up to a value or key, and return the entry that it is of."""
        entry = self.waiting
        if entry is None:
            branch = self.stack[-1]
            if branch.column == _UNKNOWN:
                branch.column = column if branch.is_mapping else self._dash(start)
            self.reader.read(start, ANY_COLUMN if branch.is_flow else branch.column)
        elif not self.stack:
            self.reader.read(start, ANY_COLUMN)
            self._head(entry, is_mapping=is_block)
        elif is_block:
            # What stands above a block is said of its first entry.
            self.reader.read(start, ANY_COLUMN)
            self.reader.blank &= bool(self.reader.pending)
        else:
            self.reader.read(start, into=entry.before)
        return self._entry()

    def _entry(self) -> Entry:
        if self.waiting is not None:
            return self.waiting
        entry = Entry(before=self.reader.take_pending(), blank=self.reader.blank)
        self.reader.blank = False
        self.stack[-1].entries.append(entry)
        return entry

    def _head(self, root: Entry, *, is_mapping: bool) -> None:
        """Take what stands above a document; its last paragraph may be said of the first key."""
        comments = self.reader.take_pending()
        head = len(comments)
        if is_mapping and not self.reader.blank:
            blanks = [number for number, comment in enumerate(comments) if number and comment.blank]
            head = blanks[-1] if blanks else head
        self.pages[-1].head_blank = self.reader.blank or head < len(comments)
        root.before, self.reader.pending, self.reader.blank = (
            comments[:head],
            comments[head:],
            False,
        )

    def _past_anchor(self, anchor: str | None, start: int, end: int, entry: Entry) -> int:
        """Return where the value itself begins, whose anchor may stand lines above it."""
        if anchor is None:
            return start
        self.reader.end, self.reader.last = start + 1 + len(anchor), entry
        gap = _AFTER_ANCHOR.match(self.text, self.reader.end, end)
        assert gap is not None
        self.reader.read(gap.end(), into=entry.before)
        return gap.end()

    def _dash(self, start: int) -> int:
        """Return the column of the `-` before the first item of a list."""
        for line in LINE_BREAK.split(self.text[self.reader.end : start]):
            if line.lstrip(" ").startswith("-"):
                return line.index("-")
        return 0


def _span(event: Event) -> tuple[int, int, int]:
    """Return where an event begins and ends, and its column."""
    begun, ended = event.start_mark, event.end_mark
    assert begun is not None
    assert ended is not None
    return begun.index, ended.index, begun.column
