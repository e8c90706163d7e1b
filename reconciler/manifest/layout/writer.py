"""A syntax tree as canonical text.

Two spaces a level, one entry a line, keys in the order of the schemas, quotes where a text needs
them, at most one blank line. Brackets that stand in one line stay in it; others become blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from .emitter import Emitter
from .key_order import Order, Orders
from .scalar_style import (
    add_anchor,
    is_document_mark,
    is_long_key,
    read_block,
    reindent_lines,
    spell_scalar,
)
from .syntax_tree import Alias, Branch, Comment, Entry, Node, Page, Scalar

_STEP: Final = 2


def write_pages(pages: Sequence[Page], orders: Orders) -> str:
    """Return the documents of a file as text."""
    layout = _Layout(orders)
    for number, page in enumerate(pages):
        layout.page(page, is_first=number == 0)
    return layout.emitter.text()


class _Layout:
    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.emitter = Emitter()

    def page(self, page: Page, *, is_first: bool) -> None:
        """Write one document."""
        if page.directives and not is_first:
            self.emitter.line("...")
        self.emitter.comments(page.preamble, 0)
        for directive in page.directives:
            self.emitter.line(directive)
        if page.is_marked or page.directives or not is_first:
            self.emitter.blank(page.blank and not page.directives)
            self.emitter.line("---")
            self.emitter.is_fresh = True
        root = page.root
        kept, value = _split_head(root)
        self.emitter.comments(kept, 0)
        self.emitter.blank(page.head_blank)
        self.emitter.is_fresh = self.emitter.is_fresh or page.head_blank
        order = None if page.has_aliases else self.orders.of(_kind_of(value))
        match value:
            case Branch() if not is_in_line(value):
                if value.anchor is not None:
                    self.emitter.line(add_anchor(value.anchor, ""))
                self.emitter.is_fresh = True
                self._block(value, 0, order)
            case Scalar() if value.is_empty and value.anchor is None:
                pass
            case _:
                is_marked = isinstance(value, Scalar) and is_document_mark(value)
                self._value(" " * _STEP if is_marked else "", value, root.eol, 0, order)
        self.emitter.comments(root.inner, 0)

    def _block(self, branch: Branch, indent: int, order: Order | None) -> None:
        """Write the entries of a mapping or a list, one below the other."""
        for entry in sort_entries(branch, order):
            self._entry(entry, indent, order)
        self.emitter.comments(branch.tail, indent)

    def _entry(self, entry: Entry, indent: int, order: Order | None, dashes: str = "") -> None:
        """Write an entry. `dashes` stand in its line already, of the lists that it is the first
        entry of."""
        if not dashes:
            self.emitter.comments(_comments_above(entry, order), indent)
            self.emitter.blank(entry.blank)
        if entry.key is None:
            self._item(entry, indent, order, dashes)
            return
        key, start = spell_scalar(entry.key, is_key=True), f"{' ' * (indent - len(dashes))}{dashes}"
        eol = entry.eol
        if is_long_key(key):
            self.emitter.line(f"{start}? {key}", eol)
            start, eol = f"{' ' * indent}:", None
        else:
            start = f"{start}{key}:"
        below = None if order is None else order.below(entry.key.value)
        value = entry.value
        if isinstance(value, Branch) and not is_in_line(value):
            self._below(start, value, eol, indent, below)
        else:
            self._value(start, value, eol, indent, below)
        self.emitter.comments(entry.inner, indent + _STEP)

    def _item(self, entry: Entry, indent: int, order: Order | None, dashes: str) -> None:
        start = f"{' ' * (indent - len(dashes))}{dashes}-"
        below = None if order is None else order.below(None)
        value = entry.value
        if not isinstance(value, Branch) or is_in_line(value):
            self._value(start, value, entry.eol, indent, below)
        elif value.anchor is not None:
            self._below(start, value, entry.eol, indent, below)
        else:
            first, *others = sort_entries(value, below)
            self._entry(first, indent + _STEP, below, f"{dashes}- ")
            for other in others:
                self._entry(other, indent + _STEP, below)
            self.emitter.comments(value.tail, indent + _STEP)
        self.emitter.comments(entry.inner, indent + _STEP)

    def _below(
        self, start: str, branch: Branch, eol: str | None, indent: int, order: Order | None
    ) -> None:
        """Write a mapping or a list below its key or dash."""
        self.emitter.line(f"{start} {add_anchor(branch.anchor, '')}".rstrip(" "), eol)
        self.emitter.is_fresh = True
        self._block(branch, indent + _STEP, order)

    def _value(
        self, start: str, value: Node | None, eol: str | None, indent: int, order: Order | None
    ) -> None:
        """Write a value behind its key or dash, and what stands at the end of that line."""
        first, *others = _value_lines(value, indent, order)
        joint = " " if start.strip() and first else ""
        lines = [start + joint + first, *others]
        is_block = isinstance(value, Scalar) and value.is_block
        end = 0 if is_block else len(lines) - 1
        for number, line in enumerate(lines):
            self.emitter.line(line, eol if number == end else None)
        self.emitter.is_fresh = is_block and "+" in first


def _split_head(root: Entry) -> tuple[list[Comment], Node | None]:
    """Return the comments above a document, and its value."""
    if root.eol is not None and isinstance(root.value, Branch) and not is_in_line(root.value):
        return [*root.before, Comment(root.eol)], root.value
    return root.before, root.value


def _kind_of(root: Node | None) -> str:
    for entry in root.entries if isinstance(root, Branch) else ():
        if entry.key is not None and entry.key.value == "kind" and isinstance(entry.value, Scalar):
            return entry.value.value
    return ""


def _comments_above(entry: Entry, order: Order | None) -> list[Comment]:
    """Return the comments above an entry; where its first line is that of entries in it, theirs."""
    comments = list(entry.before)
    while entry.key is None and isinstance(value := entry.value, Branch):
        if is_in_line(value) or value.anchor is not None:
            break
        if entry.eol is not None:
            comments.append(Comment(entry.eol))
        order = None if order is None else order.below(None)
        entry = sort_entries(value, order)[0]
        comments += entry.before
    return comments


def _value_lines(value: Node | None, indent: int, order: Order | None) -> list[str]:
    """Return the lines of a value, of which the first stands behind its key or dash."""
    match value:
        case Scalar() if value.is_block:
            block, margin = read_block(value.raw, value.value), " " * (indent + _STEP)
            first = block.header(_STEP)
            others = [line and margin + line for line in block.lines]
        case Scalar() if "\n" in value.raw:
            first, *others = reindent_lines(value, " " * (indent + _STEP))
        case Scalar():
            return [spell_scalar(value)]
        case Branch() | Alias():
            return [write_flow(value, order)]
        case None:
            return [""]
        case _:
            assert_never(value)
    return [add_anchor(value.anchor, first), *others]


def is_in_line(branch: Branch) -> bool:
    """Whether a collection stands in brackets, in one line."""
    return branch.is_flow and (branch.in_line or not branch.entries)


def write_flow(node: Node | None, order: Order | None) -> str:
    """Return a value in one line."""
    match node:
        case Alias():
            return f"*{node.name}"
        case Branch():
            inside = ", ".join(
                _write_flow_entry(entry, order) for entry in sort_entries(node, order)
            )
            return add_anchor(node.anchor, f"{{{inside}}}" if node.is_mapping else f"[{inside}]")
        case _:
            return (spell_scalar(node) if node else "") or "null"


def sort_entries(branch: Branch, order: Order | None) -> list[Entry]:
    """Return the entries in order; without one as they are."""
    if order is None or not branch.is_mapping:
        return branch.entries
    return sorted(branch.entries, key=lambda entry: order.rank(_key_text(entry)))


def _key_text(entry: Entry) -> str:
    return "" if entry.key is None else entry.key.value


def _write_flow_entry(entry: Entry, order: Order | None) -> str:
    if entry.key is None:
        return write_flow(entry.value, None if order is None else order.below(None))
    key = spell_scalar(entry.key, is_key=True)
    value = write_flow(entry.value, None if order is None else order.below(entry.key.value))
    return f"? {key} : {value}" if is_long_key(key) else f"{key}: {value}"
