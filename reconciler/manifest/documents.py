"""Documents of a file: its bytes to plain values, with the place of every key and value.

Built straight from parser events, without recursion and in one pass. Text that is not UTF-8,
duplicate keys, tags, alias bombs, cycles and bottomless nesting end here; what passes is a tree of
JSON's types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from sys import intern
from typing import Final, NoReturn

from yaml.error import YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.core import codes
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.source import Source

from .result import Unreadable
from .scalars import PLAIN_STARTS, Refused, parse_plain
from .tree import Lines, Offsets, Positions, Tree, empty_offsets
from .yaml_events import FASTEST, Opener, explain_yaml_error, find_too_deep

DEEPEST: Final = 64
# Written out, aliases may add this many values, and this many times what is written.
_ALIAS_ALLOWANCE: Final = 10_000
_ALIAS_FACTOR: Final = 10


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its number in the file (from 1), its tree, and where everything stands."""

    file: str
    number: int
    tree: Tree
    places: Positions


@dataclass(slots=True)
class Documents:
    """The documents of one file that could be read whole, and what is wrong with its text.

    `faulty` holds the places of values that are refused already, so that nobody complains of
    them twice.
    """

    documents: list[Document] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    faulty: set[Source] = field(default_factory=set)


def read_documents(file: str, data: bytes | Unreadable, opener: Opener = FASTEST) -> Documents:
    """Read all documents of a file, leaving out those that are empty."""
    documents = Documents()
    try:
        text = decode(file, data)
        _Builder(file, text, documents).run(opener)
    except Stopped as stop:
        documents.diagnostics.append(stop.diagnostic)
    if not documents.documents and not documents.diagnostics:
        documents.diagnostics.append(
            Diagnostic(codes.EMPTY_FILE, codes.EMPTY_FILE.title, Source(file, 1, 1))
        )
    return documents


# What `key` can be while a container is filled, beside the key whose value comes next: None, a
# key comes next; _ITEM, the container is a list; _DROP, the value of a duplicate key comes next.
# Compared with `is`: a key of the file can be equal to these, but never the same object.
_ITEM: Final = "\0item"
_DROP: Final = "\0drop"

# A container whose filling was interrupted by a nested one: mapping and list (one of them is in
# use), its offsets, `key`, its anchor, the size when it began, its own offset.
_Frame = tuple["dict[str, Tree]", "list[Tree]", Offsets, "str | None", "str | None", int, int]


class _Builder:
    """The state that is needed now and then; what every event needs is local to `_loop`."""

    def __init__(self, file: str, text: str, documents: Documents) -> None:
        self.file = file
        self.text = text
        self.documents = documents
        self.lines = Lines(file, text)
        self.number = 0
        # What an anchor names and how many values that is; None while it is still open.
        self.anchors: dict[str, tuple[Tree, int] | None] = {}
        self.aliased = 0
        # Of mappings with duplicate keys: each key's place in the order.
        self.orders: dict[int, dict[str, int]] = {}

    def run(self, opener: Opener) -> None:
        """Build every document of the file. Raise Stopped where the text cannot be read on."""
        try:
            self._loop(opener)
        except YAMLError as error:
            stopped = explain_yaml_error(error, self.text)
            place = Source(self.file, stopped.line + 1, stopped.column + 1)
            if stopped.code is codes.TOO_DEEP and (mark := find_too_deep(self.text, DEEPEST)):
                place = Source(self.file, mark.line + 1, mark.column + 1)
            raise Stopped(Diagnostic(stopped.code, stopped.message, place)) from None

    def _loop(self, opener: Opener) -> None:  # one flat loop: calls per event cost a third more
        get_event = opener(self.text).get_event
        places = Positions(self.lines)
        stack: list[_Frame] = []
        mapping: dict[str, Tree] = {}
        items: list[Tree] = []
        offsets = empty_offsets()
        key: str | None = _ITEM
        anchor: str | None = None
        size = began = own_offset = 0
        value: Tree
        while True:
            event = get_event()
            if type(event) is ScalarEvent:
                size += 1
                text: str = event.value
                offset: int = event.start_mark.index  # type: ignore[union-attr]
                if event.tag is not None:
                    self._complain(codes.TAG, offset)
                if key is None:
                    key = intern(text)
                    if key in mapping:
                        self._duplicate(mapping, offsets, key, offset)
                        key = _DROP
                        continue
                    if key == "<<" and not event.style:
                        self._complain(codes.MERGE_KEY, offset)
                    if event.anchor is not None:
                        self.anchors[event.anchor] = (text, 1)
                    offsets.append(offset)
                    continue
                if event.style or text[:1] not in PLAIN_STARTS:
                    value = text
                else:
                    try:
                        value = parse_plain(text)
                    except Refused as refused:
                        self._complain(refused.code, offset)
                        value = text
                if event.anchor is not None:
                    self.anchors[event.anchor] = (value, 1)
            elif type(event) is MappingStartEvent or type(event) is SequenceStartEvent:
                size += 1
                offset = event.start_mark.index  # type: ignore[union-attr]
                if event.tag is not None:
                    self._complain(codes.TAG, offset)
                if key is None:
                    self._stop(codes.KEY_NOT_TEXT, offset)
                if len(stack) >= DEEPEST:
                    self._stop(codes.TOO_DEEP, offset)
                stack.append((mapping, items, offsets, key, anchor, began, own_offset))
                anchor, own_offset, began = event.anchor, offset, size
                if anchor is not None:
                    began += self.aliased
                    self.anchors[anchor] = None
                offsets = empty_offsets()
                if type(event) is MappingStartEvent:
                    mapping, key = {}, None
                else:
                    items, key = [], _ITEM
                continue
            elif type(event) is MappingEndEvent or type(event) is SequenceEndEvent:
                value = mapping if type(event) is MappingEndEvent else items
                places.marks[id(value)] = offsets
                if anchor is not None:
                    self.anchors[anchor] = (value, size + self.aliased - began + 1)
                if self.orders:
                    self.orders.pop(id(value), None)
                offset = own_offset
                mapping, items, offsets, key, anchor, began, own_offset = stack.pop()
            elif type(event) is AliasEvent:
                size += 1
                offset = event.start_mark.index  # type: ignore[union-attr]
                if key is None:
                    self._stop(codes.KEY_NOT_TEXT, offset)
                value = self._alias(event.anchor or "", offset, size)
            elif type(event) is DocumentStartEvent:
                self.number += 1
                self.anchors = {}
                places = Positions(self.lines)
                items, offsets, key = [], empty_offsets(), _ITEM
                continue
            elif type(event) is StreamEndEvent:
                return
            else:  # the start of the stream, or the end of a document
                if items and items[0] is not None:
                    places.root, places.start = items[0], offsets[0]
                    document = Document(self.file, self.number, items[0], places)
                    self.documents.documents.append(document)
                continue

            if key is _ITEM:
                items.append(value)
                offsets.append(offset)
            elif key is _DROP:
                key = None
            elif key is not None:
                mapping[key] = value
                offsets.append(offset)
                key = None

    def _alias(self, name: str, offset: int, written: int) -> Tree:
        if name not in self.anchors:
            self._complain(codes.ALIAS_UNKNOWN, offset)
            return None
        named = self.anchors[name]
        if named is None:
            self._complain(codes.ALIAS_CYCLE, offset)
            return None
        value, size = named
        self.aliased += size
        if self.aliased > _ALIAS_ALLOWANCE + _ALIAS_FACTOR * written:
            self._stop(codes.ALIAS_BOMB, offset)
        return value

    def _duplicate(self, mapping: dict[str, Tree], offsets: Offsets, key: str, offset: int) -> None:
        order = self.orders.setdefault(id(mapping), {})
        if key not in order:
            known = len(order)
            order.update((name, known + n) for n, name in enumerate(islice(mapping, known, None)))
        first = self.lines.source(offsets[2 * order[key]])
        here = self.lines.source(offset)
        self.documents.diagnostics.append(
            Diagnostic(
                codes.DUPLICATE_KEY,
                codes.DUPLICATE_KEY.title,
                here,
                related=((first, "the first one"),),
            )
        )

    def _complain(self, code: Code, offset: int) -> None:
        source = self.lines.source(offset)
        self.documents.faulty.add(source)
        self.documents.diagnostics.append(Diagnostic(code, code.title, source))

    def _stop(self, code: Code, offset: int) -> NoReturn:
        raise Stopped(Diagnostic(code, code.title, self.lines.source(offset)))


_MARK: Final = b"\xef\xbb\xbf"  # of UTF-8; editors that join files leave more than one
_BOMS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


# Text has no NUL; binary files and UTF-16 have one soon.
_SNIFFED: Final = 1024


class Stopped(Exception):
    """Nothing more can be read from this file."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def decode(file: str, data: bytes | Unreadable) -> str:
    """Return the text of a UTF-8 file, without its byte order mark. Raise Stopped if it is none."""
    start = Source(file, 1, 1)
    if isinstance(data, Unreadable):
        raise Stopped(Diagnostic(codes.UNREADABLE, f"Cannot be read: {data.reason}", start))
    for bom, name in _BOMS:
        if data.startswith(bom):
            raise Stopped(Diagnostic(codes.NOT_UTF8, f"The file is {name}, not UTF-8", start))
    if b"\0" in data[:_SNIFFED]:
        raise Stopped(Diagnostic(codes.NOT_UTF8, "The file is binary or UTF-16, not UTF-8", start))
    while data.startswith(_MARK):
        data = data.removeprefix(_MARK)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        message = f"Byte 0x{data[error.start]:02x} is not UTF-8"
        before = data[: error.start].decode()
        line = before.count("\n")
        column = len(before) - (before.rfind("\n") + 1)
        raise Stopped(
            Diagnostic(codes.NOT_UTF8, message, Source(file, line + 1, column + 1))
        ) from None
