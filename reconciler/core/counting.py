"""Counts as people read them: a thousands separator, and the noun in the singular or plural."""

from __future__ import annotations


def number(count: int) -> str:
    """Return a count as people write it: 20,000."""
    return f"{count:,}"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Return the noun that fits a count; `nouns` is its plural where that is not noun + s."""
    if count == 1:
        return noun
    return f"{noun}s" if nouns is None else nouns


def counted(count: int, noun: str, nouns: str | None = None) -> str:
    """Return a count with its noun: "1 device", "20,000 devices", "2 entries"."""
    return f"{number(count)} {plural(count, noun, nouns)}"
