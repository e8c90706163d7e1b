"""Text of strangers made legible: what cannot be seen, or moves what can, is shown escaped and cut.

Labels, keys, values and ids come from files and from the service. A terminal obeys escape
sequences, a reader trusts his eyes: control characters, bidi marks, zero-width and other invisible
characters, odd blanks and piled-up accents are shown as \\x1b, \\u202e, \\U000e0041.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

VALUE_LIMIT: Final = 80
LABEL_LIMIT: Final = 60
PROSE_LIMIT: Final = 600

_SHORT: Final = MappingProxyType({"\n": "\\n", "\r": "\\r", "\t": "\\t"})
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_QUOTES: Final = MappingProxyType({"\\": "\\\\", '"': '\\"'})
# Printable to Python, yet blank on every screen: fillers, joiners, variation selectors.
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
# More accents than any script needs climb into the lines above.
_ACCENTS: Final = 3
_BARE: Final = re.compile(r"[\w.+:/$@#%*=~-]+")


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _is_accent(char: str) -> bool:
    return char > "\u02ff" and unicodedata.category(char) in ("Mn", "Me")


def _tokens(text: str, special: Mapping[str, str]) -> Iterator[str]:
    accents = _ACCENTS  # as if full: an accent needs a letter of its own text to stand on
    for char in text:
        if char in special:
            accents = 0
            yield special[char]
        elif _is_accent(char):
            accents += 1
            yield char if accents <= _ACCENTS and not _BLANK.match(char) else _escaped(char)
        elif char.isprintable() and not _BLANK.match(char):
            accents = 0
            yield char
        else:
            accents = _ACCENTS
            yield _escaped(char)


def _shown(text: str, special: Mapping[str, str], limit: int) -> tuple[str, bool]:
    """Return the text escaped, and whether it was cut to about `limit` characters."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        for char in special:
            if char in text:
                break
        else:
            return text, False
    shown: list[str] = []
    used = 0
    for token in _tokens(text[: limit + 1], special):
        if used + len(token) > limit:
            return "".join(shown), True
        shown.append(token)
        used += len(token)
    return "".join(shown), False


def _cut(text: str) -> str:
    return f"… ({len(text):,} characters)"


def prose(text: str, limit: int = PROSE_LIMIT) -> str:
    """Return a sentence of ours that may quote a stranger: escaped and cut, not quoted."""
    shown, cut = _shown(text, _NONE, limit)
    return shown + _cut(text) if cut else shown


def quoted(text: str, limit: int = VALUE_LIMIT) -> str:
    """Return a text in double quotes, unambiguously: backslashes and quotes are escaped too."""
    shown, cut = _shown(text, _QUOTES, limit)
    return f'"{shown}"{_cut(text)}' if cut else f'"{shown}"'


def name(text: str, limit: int = VALUE_LIMIT) -> str:
    """Return an id, key or file as it is where that is plain, else in quotes.

    A key called `a: 1 -> 2` must not read like a change.
    """
    if len(text) <= limit and text.isascii() and _BARE.fullmatch(text):
        return text
    shown = quoted(text, limit)
    return text if shown == f'"{text}"' and _BARE.fullmatch(text) else shown


def quoted_pair(before: str, after: str, limit: int = VALUE_LIMIT) -> tuple[str, str]:
    """Return two different texts so that they also look different: cut where they part."""
    pair = quoted(before, limit), quoted(after, limit)
    if max(len(before), len(after)) <= limit // 4:
        return pair
    if _shown(before, _QUOTES, limit)[0] != _shown(after, _QUOTES, limit)[0]:
        return pair
    same = next(
        (at for at, (old, new) in enumerate(zip(before, after, strict=False)) if old != new),
        min(len(before), len(after)),
    )
    start = max(0, same - limit // 4)
    return _from(before, start, limit), _from(after, start, limit)


def _from(text: str, start: int, limit: int) -> str:
    shown, cut = _shown(text[start:], _QUOTES, limit)
    return f'…"{shown}"{_cut(text)}' if cut else f'…"{shown}" ({len(text):,} characters)'


def width(text: str) -> int:
    """Return how many columns a legible text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if _is_accent(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, columns: int) -> str:
    """Return the text with blanks up to so many columns; a wider one stays as it is."""
    return text + " " * max(0, columns - width(text))
