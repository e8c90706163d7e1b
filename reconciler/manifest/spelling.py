"""Stage 1 turned round, spelling: scalars as they were, but for needless quotes."""

from __future__ import annotations

import json
import re
from typing import Final

from .nodes import Scalar
from .quoting import is_bare

_BREAK: Final = re.compile("[\n\x85\u2028\u2029]")
_NOT_OF_JSON: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
# An escaped blank at the end of a line is part of the text.
_LINE_END: Final = re.compile(r"(?<!\\)[ \t]+$")


def spelt(scalar: Scalar, *, is_key: bool = False) -> str:
    """Return a scalar in one line, spelt as it was but for its quotes."""
    text = _spelling(scalar, is_key=is_key)
    if scalar.anchor is None:
        return text
    return f"&{scalar.anchor} {text}".rstrip(" ")


def _spelling(scalar: Scalar, *, is_key: bool) -> str:
    raw, value = scalar.raw, scalar.value
    if is_key and (not raw or _BREAK.search(raw)):
        return _quoted(value)
    if scalar.style not in ('"', "'"):
        return raw
    if _BREAK.search(raw) or ("\\" in raw and scalar.style == '"'):
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
