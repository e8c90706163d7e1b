"""Stage 1 turned round, spelling: scalars as they were, but for needless quotes."""

from __future__ import annotations

import json
import re
from typing import Final

from .quoting import is_bare
from .syntax_tree import LINE_BREAK, Scalar

_NOT_OF_JSON: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
# An escaped blank at the end of a line is part of the text.
_LINE_END: Final = re.compile(r"(?<!\\)[ \t]+$")
# In the first column, what begins like that is no text but a mark between documents.
_MARK: Final = re.compile(r"(?:---|\.\.\.)(?!\S)")
# Of more than 1,024 characters a parser does not believe that they are a key.
_LONGEST_KEY: Final = 1000


def spelt(scalar: Scalar, *, is_key: bool = False) -> str:
    """Return a scalar in one line, spelt as it was but for its quotes."""
    return anchored(scalar.anchor, _spelling(scalar, is_key=is_key))


def anchored(anchor: str | None, text: str) -> str:
    """Return a value behind its anchor, if it has one."""
    return text if anchor is None else f"&{anchor} {text}".rstrip(" ")


def is_long(key: str) -> bool:
    """Whether a key is so long that it has to be marked as one."""
    return len(key) > _LONGEST_KEY


def is_mark(scalar: Scalar) -> bool:
    """Whether a text would divide documents in the first column."""
    return _MARK.match(scalar.raw) is not None


def _spelling(scalar: Scalar, *, is_key: bool) -> str:
    raw, value = scalar.raw, scalar.value
    if is_key and (not raw or scalar.is_block or LINE_BREAK.search(raw) or is_mark(scalar)):
        return value if is_bare(value, is_key=True) else _quoted(value)
    if scalar.style not in ('"', "'"):
        return raw
    if LINE_BREAK.search(raw) or ("\\" in raw and scalar.style == '"'):
        return raw  # an escape was written on purpose
    if is_bare(value, is_key=is_key):
        return value
    return raw if '"' in value or "\\" in value else f'"{value}"'


def _quoted(text: str) -> str:
    """Return a text in double quotes and one line: as JSON, which is YAML but for these."""
    return _NOT_OF_JSON.sub(
        lambda one: f"\\u{ord(one[0]):04x}", json.dumps(text, ensure_ascii=False)
    )


def broken_lines(scalar: Scalar, indent: str) -> list[str]:
    """Return a text that is broken into lines, its lines where they were."""
    first, *others = scalar.raw.split("\n")
    lines = [indent + line if (line := other.lstrip(" \t")) else "" for other in others]
    found = [first, *lines]
    return [*(_LINE_END.sub("", line) for line in found[:-1]), found[-1]]
