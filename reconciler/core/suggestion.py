"""Suggestions: the known name that a misspelt one was probably meant to be."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Final

# Comparing costs about 10 µs a name; with thousands of both, only likely names are compared.
_MANY: Final = 200


def closest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most like this one, if one is like it at all."""
    folded = {one.lower(): one for one in _likely(name, known)}
    found = get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def _likely(name: str, known: Collection[str]) -> Iterable[str]:
    if len(known) <= _MANY:
        return known
    near = [one for one in known if one[:1] == name[:1] and abs(len(one) - len(name)) <= 2]
    return near[:_MANY]


def did_you_mean(name: str, known: Collection[str]) -> str | None:
    """Return the suggestion as a sentence."""
    found = closest(name, known)
    return None if found is None else f"Did you mean `{found}`?"


def listed(names: Iterable[str], last: str = "and") -> str:
    """Return names as people list them: `a`, `b` and `c`; a long list is cut."""
    shown = [f"`{name}`" for name in names]
    if len(shown) > 12:
        return ", ".join(shown[:11]) + f" {last} {len(shown) - 11} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}"
