"""Did you mean: the known name that a misspelt one was probably meant to be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Final

# Comparing costs about 10 µs a name; with thousands of both, only likely names are compared.
_MANY: Final = 200


def closest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most like this one, if one is like it at all."""
    by_lower_case = {candidate.lower(): candidate for candidate in _likely(name, known)}
    matches = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[matches[0]] if matches else None


def _likely(name: str, known: Collection[str]) -> Iterable[str]:
    if len(known) <= _MANY:
        return known
    likely = (
        candidate
        for candidate in known
        if candidate[:1] == name[:1] and abs(len(candidate) - len(name)) <= 2
    )
    return islice(likely, _MANY)


def did_you_mean(name: str, known: Collection[str]) -> str | None:
    """Return the suggestion as a sentence."""
    meant = closest(name, known)
    return None if meant is None else f"Did you mean `{meant}`?"


def hint(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean X?", or nothing: the end of a message about an unknown name."""
    name_meant = closest(name, list(known))
    return "" if name_meant is None else f" Did you mean {name_meant}?"


def listed(names: Iterable[str], last: str = "and") -> str:
    """Return names as people list them: `a`, `b` and `c`; a long list is cut."""
    shown = [f"`{name}`" for name in names]
    if len(shown) > 12:
        return ", ".join(shown[:11]) + f" {last} {len(shown) - 11} more"
    return joined(shown, last)


def joined(parts: Sequence[str], last: str = "and") -> str:
    """Return all parts in one sentence, as they stand: a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
