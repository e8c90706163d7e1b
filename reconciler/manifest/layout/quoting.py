"""Stage 1 turned round, quotes: which texts need none, whoever reads them.

What `import` writes and what `fmt` leaves is decided here, so that they agree.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from reconciler.manifest.scalars import Refused, plain

# It begins with a letter, so no reader takes it for a number, and has no sign of YAML in it.
_WORDS: Final = re.compile(r"[^\W\d_](?:[\w./+@'()& -]*[\w./+@'()&-])?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
# Strings to us, and something else to readers of YAML 1.1.
_OTHERS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


@lru_cache(4096)  # a fleet repeats its keys and values
def is_bare(text: str, *, is_key: bool = False) -> bool:
    """Whether a text reads as itself without quotes, in brackets too, by YAML of either version."""
    if is_key and _UUID.fullmatch(text):
        # A key is a text to us whatever it looks like, and no number has such a form.
        return True
    if not _WORDS.fullmatch(text) or text.lower() in _OTHERS:
        return False
    try:
        return plain(text) == text
    except Refused:
        return False


def is_date(text: str) -> bool:
    """Whether a text is a date, which is a text to us and something else to other readers."""
    if not _DATE.fullmatch(text):
        return False
    try:
        return plain(text) == text
    except Refused:
        return False
