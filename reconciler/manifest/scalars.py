"""Plain scalars: the YAML 1.2 core values that a manifest knows, and no others.

`true false null ~`, decimal integers and floats, dates; every other plain scalar is a string.
`on`, `no`, `0123` and `12:30` are strings, unlike in YAML 1.1.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

from reconciler.core import codes
from reconciler.core.diagnostics import Code
from reconciler.core.value_limits import VALUE

_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "false": False,
}
# A plain scalar whose first character (or emptiness) is none of these is a string.
PLAIN_STARTS: Final = frozenset(["", *"~ntf+-.0123456789"])

_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII
)
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_NOT_A_NUMBER: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
# int() of more digits than this is out of range anyway, and Python refuses thousands of them.
_DIGITS: Final = 20


class Refused(Exception):
    """A plain scalar that looks like a number or a date and is none that can be sent."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.title)
        self.code = code


@lru_cache(4096)  # manifests repeat themselves
def parse_plain(text: str) -> bool | int | float | str | None:
    """Return the value of a plain scalar.

    Dates stay their text. Raise Refused for numbers out of range, NaN, infinities and no days.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > _DIGITS:
            raise Refused(codes.NUMBER_OUT_OF_RANGE)
        return _require_in_range(int(text))
    if _FLOAT.fullmatch(text):
        return _require_in_range(float(text))
    if matched := _DATE.fullmatch(text):
        year, month, day = matched.groups()
        try:
            date(int(year), int(month), int(day))
        except ValueError:
            raise Refused(codes.NO_SUCH_DAY) from None
        return text
    if _NOT_A_NUMBER.fullmatch(text):
        raise Refused(codes.NOT_A_NUMBER)
    return text


def _require_in_range(number: int | float) -> int | float:
    # An overflowing float is an infinity, which fails here too.
    if not VALUE.allows_number(number):
        raise Refused(codes.NUMBER_OUT_OF_RANGE)
    return number
