"""How a scalar is written: which texts need quotes, and the lines of texts behind `|` and `>`.

What `import` writes and what `fmt` leaves is decided here, so that they agree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from reconciler.manifest.scalars import Refused, parse_plain

from .syntax_tree import LINE_BREAK, Scalar

# It begins with a letter, so no reader takes it for a number, and has no sign of YAML in it.
_BARE_TEXT: Final = re.compile(r"[^\W\d_](?:[\w./+@'()& -]*[\w./+@'()&-])?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
# Strings to us, and something else to readers of YAML 1.1.
_YAML_1_1_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


@lru_cache(4096)  # a fleet repeats its keys and values
def is_bare(text: str, *, is_key: bool = False) -> bool:
    """Whether a text reads as itself without quotes, in brackets too, by YAML of either version."""
    if is_key and _UUID.fullmatch(text):
        # A key is a text to us whatever it looks like, and no number has such a form.
        return True
    if not _BARE_TEXT.fullmatch(text) or text.lower() in _YAML_1_1_WORDS:
        return False
    try:
        return parse_plain(text) == text
    except Refused:
        return False


def is_date(text: str) -> bool:
    """Whether a text is a date, which is a text to us and something else to other readers."""
    if not _DATE.fullmatch(text):
        return False
    try:
        return parse_plain(text) == text
    except Refused:
        return False


_NOT_OF_JSON: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
# An escaped blank at the end of a line is part of the text.
_LINE_END: Final = re.compile(r"(?<!\\)[ \t]+$")
# In the first column, what begins like that is no text but a mark between documents.
_MARK: Final = re.compile(r"(?:---|\.\.\.)(?!\S)")
# Of more than 1,024 characters a parser does not believe that they are a key.
_LONGEST_KEY: Final = 1000


def spell_scalar(scalar: Scalar, *, is_key: bool = False) -> str:
    """Return a scalar in one line, spelt as it was but for its quotes."""
    return add_anchor(scalar.anchor, _spell_value(scalar, is_key=is_key))


def add_anchor(anchor: str | None, text: str) -> str:
    """Return a value behind its anchor, if it has one."""
    return text if anchor is None else f"&{anchor} {text}".rstrip(" ")


def is_long_key(key: str) -> bool:
    """Whether a key is so long that it has to be marked as one."""
    return len(key) > _LONGEST_KEY


def is_document_mark(scalar: Scalar) -> bool:
    """Whether a text would divide documents in the first column."""
    return _MARK.match(scalar.raw) is not None


def _spell_value(scalar: Scalar, *, is_key: bool) -> str:
    raw, value = scalar.raw, scalar.value
    if is_key and (
        not raw or scalar.is_block or LINE_BREAK.search(raw) or is_document_mark(scalar)
    ):
        return value if is_bare(value, is_key=True) else _quote(value)
    if scalar.style not in ('"', "'"):
        return raw
    if LINE_BREAK.search(raw) or ("\\" in raw and scalar.style == '"'):
        return raw  # an escape was written on purpose
    if is_bare(value, is_key=is_key):
        return value
    return raw if '"' in value or "\\" in value else f'"{value}"'


def _quote(text: str) -> str:
    """Return a text in double quotes and one line: as JSON, which is YAML but for these."""
    return _NOT_OF_JSON.sub(
        lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False)
    )


def reindent_lines(scalar: Scalar, indent: str) -> list[str]:
    """Return a text that is broken into lines, its lines where they were."""
    first, *others = scalar.raw.split("\n")
    lines = [indent + line if (line := other.lstrip(" \t")) else "" for other in others]
    all_lines = [first, *lines]
    return [*(_LINE_END.sub("", line) for line in all_lines[:-1]), all_lines[-1]]


_HEADER: Final = re.compile(r"([|>])([-+0-9]*)[ \t]*(#.*)?")


@dataclass(frozen=True, slots=True)
class TextBlock:
    """`lines` as they are but for how far they stand right; `length` of what was written, up to
    the end of the last of them. `chomping` is `-`, `+` or nothing."""

    style: str
    chomping: str
    comment: str | None
    lines: tuple[str, ...]
    length: int

    def header(self, step: int) -> str:
        """Return the first line, of lines that stand `step` further right than what is above."""
        first = next((line for line in self.lines if line), "")
        # Where they begin with a blank, how far has to be told.
        depth = str(step) if first.startswith((" ", "\t")) else ""
        return f"{self.style}{depth}{self.chomping}"


def read_block(raw: str, value: str) -> TextBlock:
    """Return what is written, which reads as the value."""
    header, *written = raw.split("\n")
    signs = _HEADER.match(header)
    assert signs is not None
    is_keeping = "+" in signs[2]
    margin = _find_margin(written, value.split("\n"))
    lines = [line[margin:] for line in written]
    # The last piece stands behind the last line feed, and is no line.
    if lines and not lines[-1]:
        lines.pop()
    while not is_keeping and lines and not lines[-1]:
        lines.pop()
    chomping = "-" if "-" in signs[2] else "+" if is_keeping else ""
    if value and not value.endswith("\n"):
        chomping = "-"  # whatever it says: the file ends with the text
    comment = signs[3].rstrip() if signs[3] else None
    length = len(header) + sum(len(line) + 1 for line in written[: len(lines)])
    return TextBlock(signs[1], chomping, comment, tuple(lines), length)


def _find_margin(written: Sequence[str], read: Sequence[str]) -> int:
    """Return how far a text stands right, by what was read of its lines."""
    for line in written:
        if line.strip(" "):
            value_line = next((candidate for candidate in read if candidate.strip(" ")), line)
            return _count_indent(line) - _count_indent(value_line)
    return max(map(len, written), default=0) - max(map(len, read), default=0)


def _count_indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
