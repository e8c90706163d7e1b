"""Stage 1 turned round, layout: what stands in a file, as canonical text.

Two spaces a level, one entry a line, keys in the order of the schemas, quotes where a text needs
them, at most one blank line. Brackets that stand in one line stay in it; others become blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from .nodes import Alias, Branch, Comment, Entry, Node, Page, Scalar
from .order import Order, Orders
from .spelling import broken_lines, spelt
from .textblock import read_block

_STEP: Final = 2
# Of more than 1,024 characters a parser does not believe that they are a key.
_LONGEST_KEY: Final = 1000


def laid_out(pages: Sequence[Page], orders: Orders) -> str:
    """Return the documents of a file as text."""
    layout = _Layout(orders)
    for number, page in enumerate(pages):
        layout.page(page, is_first=number == 0)
    return "".join(f"{line}\n" for line in layout.aligned())


class _Layout:
    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.lines: list[str] = []
        self.eols: dict[int, str] = {}  # the comments at the ends of lines, by the line's number
        # No blank line at the start of a file or block, nor where it would be part of a text.
        self.is_fresh = True

    def aligned(self) -> list[str]:
        """Return the lines; comments at the ends of lines that follow each other begin in one
        column."""
        lines = list(self.lines)
        group: list[int] = []
        for number in (*self.eols, None):
            if group and (number is None or not self._is_next(group[-1], number)):
                width = max(len(lines[one]) for one in group)
                for one in group:
                    lines[one] = f"{lines[one]:{width}}  {self.eols[one]}"
                group = []
            group += [] if number is None else [number]
        return lines

    def _is_next(self, one: int, other: int) -> bool:
        depths = {len(line) - len(line.lstrip(" ")) for line in self.lines[one : other + 1]}
        return other == one + 1 and len(depths) == 1

    def page(self, page: Page, *, is_first: bool) -> None:
        """Write one document."""
        if page.directives and not is_first:
            self._line("...")
        self._comments(page.preamble, 0)
        for directive in page.directives:
            self._line(directive)
        if page.is_marked or page.directives or not is_first:
            self._blank(page.blank and not page.directives)
            self._line("---")
            self.is_fresh = True
        root = page.root
        kept, value = _head(root)
        self._comments(kept, 0)
        self._blank(page.head_blank)
        self.is_fresh = self.is_fresh or page.head_blank
        order = None if page.has_aliases else self.orders.of(_kind(value))
        match value:
            case Branch() if not _in_line(value):
                if value.anchor is not None:
                    self._line(f"&{value.anchor}")
                self.is_fresh = True
                self._block(value, 0, order)
            case Scalar() if value.is_empty and value.anchor is None:
                pass
            case _:
                self._value("", value, root.eol, 0, order)
        self._comments(root.inner, 0)

    def _block(self, branch: Branch, indent: int, order: Order | None) -> None:
        """Write the entries of a mapping or a list, one below the other."""
        for entry in _ordered(branch, order):
            self._entry(entry, indent, order)
        self._comments(branch.tail, indent)

    def _entry(self, entry: Entry, indent: int, order: Order | None, dashes: str = "") -> None:
        """Write an entry. `dashes` stand in its line already, of the lists that it is the first
        entry of."""
        if not dashes:
            self._comments(_above(entry, order), indent)
            self._blank(entry.blank)
        if entry.key is None:
            self._item(entry, indent, order, dashes)
            return
        key, start = spelt(entry.key, is_key=True), f"{' ' * (indent - len(dashes))}{dashes}"
        eol = entry.eol
        if len(key) > _LONGEST_KEY:
            self._line(f"{start}? {key}", eol)
            start, eol = f"{' ' * indent}:", None
        else:
            start = f"{start}{key}:"
        below = None if order is None else order.below(entry.key.value)
        value = entry.value
        if isinstance(value, Branch) and not _in_line(value):
            self._line(start + _anchor(value), eol)
            self.is_fresh = True
            self._block(value, indent + _STEP, below)
        else:
            self._value(start, value, eol, indent, below)
        self._comments(entry.inner, indent + _STEP)

    def _item(self, entry: Entry, indent: int, order: Order | None, dashes: str) -> None:
        start = f"{' ' * (indent - len(dashes))}{dashes}-"
        below = None if order is None else order.below(None)
        value = entry.value
        if not isinstance(value, Branch) or _in_line(value):
            self._value(start, value, entry.eol, indent, below)
        elif value.anchor is not None:
            self._line(start + _anchor(value), entry.eol)
            self.is_fresh = True
            self._block(value, indent + _STEP, below)
        else:
            first, *others = _ordered(value, below)
            self._entry(first, indent + _STEP, below, f"{dashes}- ")
            for other in others:
                self._entry(other, indent + _STEP, below)
            self._comments(value.tail, indent + _STEP)
        self._comments(entry.inner, indent + _STEP)

    def _value(
        self, start: str, value: Node | None, eol: str | None, indent: int, order: Order | None
    ) -> None:
        """Write a value behind its key or dash, and what stands at the end of that line."""
        first, *others = _lines(value, indent, order)
        joint = " " if start.strip() and first else ""
        if isinstance(value, Scalar) and value.style in ("|", ">"):
            self._line(start + joint + first, eol)
            for line in others:
                self._line(line)
            self.is_fresh = self.is_fresh or "+" in first
            return
        last = others.pop() if others else None
        self._line(start + joint + first, eol if last is None else None)
        for line in others:
            self._line(line)
        if last is not None:
            self._line(last, eol)

    def _comments(self, comments: Iterable[Comment], indent: int) -> None:
        for comment in comments:
            self._blank(comment.blank)
            self._line(" " * indent + comment.text)

    def _blank(self, wanted: bool) -> None:
        if wanted and not self.is_fresh:
            self.lines.append("")
            self.is_fresh = True

    def _line(self, text: str, eol: str | None = None) -> None:
        if eol is not None:
            self.eols[len(self.lines)] = eol
        self.lines.append(text)
        self.is_fresh = False


def _head(root: Entry) -> tuple[list[Comment], Node | None]:
    """Return the comments above a document, and its value."""
    if root.eol is not None and isinstance(root.value, Branch) and not _in_line(root.value):
        return [*root.before, Comment(root.eol)], root.value
    return root.before, root.value


def _kind(root: Node | None) -> str:
    for entry in root.entries if isinstance(root, Branch) else ():
        if entry.key is not None and entry.key.value == "kind" and isinstance(entry.value, Scalar):
            return entry.value.value
    return ""


def _ordered(branch: Branch, order: Order | None) -> list[Entry]:
    if order is None or not branch.is_mapping:
        return branch.entries
    return sorted(branch.entries, key=lambda entry: order.rank(_name(entry)))


def _name(entry: Entry) -> str:
    return "" if entry.key is None else entry.key.value


def _above(entry: Entry, order: Order | None) -> list[Comment]:
    """Return the comments above an entry; where its first line is that of entries in it, theirs."""
    found = list(entry.before)
    while entry.key is None and isinstance(value := entry.value, Branch):
        if _in_line(value) or value.anchor is not None:
            break
        if entry.eol is not None:
            found.append(Comment(entry.eol))
        order = None if order is None else order.below(None)
        entry = _ordered(value, order)[0]
        found += entry.before
    return found


def _in_line(branch: Branch) -> bool:
    return branch.is_flow and (branch.in_line or not branch.entries)


def _lines(value: Node | None, indent: int, order: Order | None) -> list[str]:
    """Return the lines of a value, of which the first stands behind its key or dash."""
    match value:
        case Scalar() if value.style in ("|", ">"):
            block, margin = read_block(value.raw, value.value), " " * (indent + _STEP)
            first = block.header(_STEP)
            others = [line and margin + line for line in block.lines]
        case Scalar() if "\n" in value.raw:
            first, *others = broken_lines(value, " " * (indent + _STEP))
        case Scalar():
            return [spelt(value)]
        case Branch() | Alias():
            return [_flow(value, order)]
        case None:
            return [""]
    return [f"&{value.anchor} {first}" if value.anchor is not None else first, *others]


def _anchor(node: Scalar | Branch) -> str:
    return "" if node.anchor is None else f" &{node.anchor}"


def _flow(node: Node | None, order: Order | None) -> str:
    """Return a value in one line."""
    match node:
        case Alias():
            return f"*{node.name}"
        case Branch():
            anchor = "" if node.anchor is None else f"&{node.anchor} "
            inside = ", ".join(_flow_entry(entry, order) for entry in _ordered(node, order))
            return f"{anchor}{{{inside}}}" if node.is_mapping else f"{anchor}[{inside}]"
        case _:
            return (spelt(node) if node else "") or "null"


def _flow_entry(entry: Entry, order: Order | None) -> str:
    name = None if entry.key is None else entry.key.value
    value = _flow(entry.value, None if order is None else order.below(name))
    return value if entry.key is None else f"{spelt(entry.key, is_key=True)}: {value}"
