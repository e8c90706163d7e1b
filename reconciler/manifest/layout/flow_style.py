"""Stage 1 turned round, brackets: collections that stand in one line."""

from __future__ import annotations

from .key_order import Order
from .scalar_style import anchored, is_long, spelt
from .syntax_tree import Alias, Branch, Entry, Node


def in_line(branch: Branch) -> bool:
    """Whether a collection stands in brackets, in one line."""
    return branch.is_flow and (branch.in_line or not branch.entries)


def bracketed(node: Node | None, order: Order | None) -> str:
    """Return a value in one line."""
    match node:
        case Alias():
            return f"*{node.name}"
        case Branch():
            inside = ", ".join(_entry(entry, order) for entry in ordered(node, order))
            return anchored(node.anchor, f"{{{inside}}}" if node.is_mapping else f"[{inside}]")
        case _:
            return (spelt(node) if node else "") or "null"


def ordered(branch: Branch, order: Order | None) -> list[Entry]:
    """Return the entries in order; without one as they are."""
    if order is None or not branch.is_mapping:
        return branch.entries
    return sorted(branch.entries, key=lambda entry: order.rank(_name(entry)))


def _name(entry: Entry) -> str:
    return "" if entry.key is None else entry.key.value


def _entry(entry: Entry, order: Order | None) -> str:
    if entry.key is None:
        return bracketed(entry.value, None if order is None else order.below(None))
    key = spelt(entry.key, is_key=True)
    value = bracketed(entry.value, None if order is None else order.below(entry.key.value))
    return f"? {key} : {value}" if is_long(key) else f"{key}: {value}"
