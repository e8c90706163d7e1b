"""Stage 1, text: the bytes of a file to text, or why they are none."""

from __future__ import annotations

from typing import Final

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.source import Source

from .result import Unreadable

_MARK: Final = b"\xef\xbb\xbf"  # of UTF-8; editors that join files leave more than one
_BOMS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


# Text has no NUL; binary files and UTF-16 have one soon.
_SNIFFED: Final = 1024


class Stopped(Exception):
    """Nothing more can be read from this file."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def decode(file: str, data: bytes | Unreadable) -> str:
    """Return the text of a UTF-8 file, without its byte order mark. Raise Stopped if it is none."""
    start = Source(file, 1, 1)
    if isinstance(data, Unreadable):
        raise Stopped(Diagnostic(codes.UNREADABLE, f"Cannot be read: {data.reason}", start))
    for bom, name in _BOMS:
        if data.startswith(bom):
            raise Stopped(Diagnostic(codes.NOT_UTF8, f"The file is {name}, not UTF-8", start))
    if b"\0" in data[:_SNIFFED]:
        raise Stopped(Diagnostic(codes.NOT_UTF8, "The file is binary or UTF-16, not UTF-8", start))
    while data.startswith(_MARK):
        data = data.removeprefix(_MARK)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        message = f"Byte 0x{data[error.start]:02x} is not UTF-8"
        before = data[: error.start].decode()
        line = before.count("\n")
        column = len(before) - (before.rfind("\n") + 1)
        raise Stopped(
            Diagnostic(codes.NOT_UTF8, message, Source(file, line + 1, column + 1))
        ) from None
