"""A document as a tree of what JSON knows, and the place in its file of each key and value.

Places are kept compactly: one array of offsets for a mapping or list, eight bytes for an entry. A
`Source` is made only for what is shown, from the offsets of the line ends.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import TypeAlias

from reconciler.core.source import Source

Tree: TypeAlias = "bool | int | float | str | list[Tree] | dict[str, Tree] | None"


def as_mapping(tree: Tree) -> dict[str, Tree]:
    """Return a mapping; an empty one for all else."""
    return tree if isinstance(tree, dict) else {}


def as_list(tree: Tree) -> list[Tree]:
    """Return a list; an empty one for all else."""
    return tree if isinstance(tree, list) else []


Path: TypeAlias = Sequence[str | int]
# Offsets, in characters, of key, value, key, value, ... of a mapping; of the items of a list.
Offsets: TypeAlias = "array[int]"


def empty_offsets() -> Offsets:
    return array("I")


class Lines:
    """The line ends of a text, looked for when the first place is asked for."""

    __slots__ = ("_ends", "_text", "file")

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._ends: list[int] | None = None

    def source(self, offset: int) -> Source:
        """Return the place of a character."""
        if self._ends is None:
            self._ends = _find_line_ends(self._text)
        line = bisect_left(self._ends, offset)
        start = self._ends[line - 1] + 1 if line else 0
        return Source(self.file, line + 1, offset - start + 1)


def _find_line_ends(text: str) -> list[int]:
    ends: list[int] = []
    end = text.find("\n")
    while end >= 0:
        ends.append(end)
        end = text.find("\n", end + 1)
    if "\r" in text:
        # Old line ends: a carriage return that no line feed follows.
        lone = [n for n, sign in enumerate(text) if sign == "\r" and text[n + 1 : n + 2] != "\n"]
        ends = sorted(ends + lone)
    return ends


class Positions:
    """The places of one document.

    `marks` holds offsets by the id() of a mapping or list; `root` keeps these alive.
    """

    __slots__ = ("_indexes", "lines", "marks", "root", "start")

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.root: Tree = None
        self.start = 0
        self.marks: dict[int, Offsets] = {}
        self._indexes: dict[int, dict[str, int]] = {}

    def key(self, path: Path) -> Source:
        """Return where the last key of a path stands; of a list's item, the item."""
        return self.lines.source(self._find(path)[0])

    def value(self, path: Path) -> Source:
        """Return where the value at a path begins."""
        return self.lines.source(self._find(path)[1])

    def value_in(self, container: dict[str, Tree], key: str) -> Source:
        """Return where the value of a key of one mapping of the document begins."""
        return self.lines.source(self._entry(container, key)[1])

    def _entry(self, container: dict[str, Tree], key: str) -> tuple[int, int]:
        index = self._indexes.get(id(container))
        if index is None:
            index = {name: number for number, name in enumerate(container)}
            self._indexes[id(container)] = index
        marks = self.marks[id(container)]
        return marks[2 * index[key]], marks[2 * index[key] + 1]

    def _find(self, path: Path) -> tuple[int, int]:
        offsets = (self.start, self.start)
        node = self.root
        for step in path:
            match node:
                case dict() if isinstance(step, str) and step in node:
                    offsets = self._entry(node, step)
                    node = node[step]
                case list() if isinstance(step, int) and step < len(node):
                    offset = self.marks[id(node)][step]
                    offsets = (offset, offset)
                    node = node[step]
                case _:
                    return offsets
        return offsets
