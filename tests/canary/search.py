"""The search for stems in bytes, in any dress: cases, separators, escapes, encodings, packed.

It knows how things are written; tests plant each of these into real outputs and expect it found.
"""

from __future__ import annotations

import base64
import gzip
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Final

import zstandard

from .stems import STEMS

_BETWEEN_DIGITS: Final = re.compile(rb"(?<=[0-9])(?:[ ().,/_-]|\xc2\xa0|%20|\+)+(?=[0-9])")
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
_GZIP: Final = b"\x1f\x8b\x08"
# How both of them begin in base64.
_PACKED_TEXT: Final = re.compile(rb"(?:KLUv/|H4sI)[A-Za-z0-9+/]+=*")
_LARGEST: Final = 64 * 2**20


def stems_in(data: bytes) -> list[str]:
    """Return the stems that stand in these bytes, each with its dress."""
    found: list[str] = []
    for layer in _layers(data):
        lower = layer.lower()
        joined = _BETWEEN_DIGITS.sub(b"", lower)
        found += [f"{stem}: plain" for stem in STEMS if stem.encode() in lower]
        found += [f"{stem}: digits" for stem in STEMS if stem.isdigit() and stem.encode() in joined]
        found += [what for what, needle in _folded() if needle in lower]
        found += [what for what, needle in _exact() if needle in layer]
    return sorted(set(found))


def files_below(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the contents of every file."""
    for file in sorted(directory.rglob("*")):
        if file.is_file():
            yield from contents(file)


def contents(file: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the bytes of a file by its name; of a database also every value that stands in it."""
    data = file.read_bytes()
    yield file.name, data
    if data.startswith(b"SQLite format 3"):
        yield f"{file.name} (values)", b"\n".join(_values(file))


def _values(file: Path) -> Iterator[bytes]:
    """Yield what the rows of a database hold, its log of writes included."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        database.text_factory = bytes
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in database.execute(f'SELECT * FROM "{table.decode()}"'):
                for value in row:
                    yield from _layers(value if isinstance(value, bytes) else str(value).encode())


def _layers(data: bytes) -> Iterator[bytes]:
    """Yield the bytes, and what is packed in them."""
    yield data
    for found in _PACKED_TEXT.finditer(data):
        with suppress(ValueError):
            yield from _layers(base64.b64decode(found[0]))
    for start in _places(data, _ZSTANDARD):
        with suppress(zstandard.ZstdError):
            unpack = zstandard.ZstdDecompressor().decompressobj()
            yield from _layers(unpack.decompress(data[start:])[:_LARGEST])
    for start in _places(data, _GZIP):
        with suppress(zlib.error, EOFError, gzip.BadGzipFile):
            yield from _layers(zlib.decompressobj(31).decompress(data[start:], _LARGEST))


def _places(data: bytes, magic: bytes) -> Iterator[int]:
    start = data.find(magic)
    while start >= 0:
        yield start
        start = data.find(magic, start + 1)


def _cases(stem: str) -> Iterable[str]:
    return dict.fromkeys((stem, stem.upper(), stem.title()))


@cache
def _folded() -> tuple[tuple[str, bytes], ...]:
    """Return what to look for where case says nothing."""
    needles: list[tuple[str, str]] = []
    for stem in STEMS:
        needles.append((f"{stem}: reversed", stem[::-1]))
        for case in _cases(stem):
            needles += [
                (f"{stem}: hexadecimal", case.encode().hex()),
                (f"{stem}: percent", "".join(f"%{ord(one):02x}" for one in case)),
                (f"{stem}: unicode escapes", "".join(f"\\u{ord(one):04x}" for one in case)),
                (f"{stem}: hexadecimal escapes", "".join(f"\\x{ord(one):02x}" for one in case)),
                (f"{stem}: entities", "".join(f"&#{ord(one)};" for one in case)),
                (f"{stem}: hexadecimal entities", "".join(f"&#x{ord(one):x};" for one in case)),
            ]
    return tuple((what, needle.encode()) for what, needle in needles)


@cache
def _exact() -> tuple[tuple[str, bytes], ...]:
    """Return what to look for byte by byte."""
    needles: list[tuple[str, bytes]] = []
    for stem in STEMS:
        for case in _cases(stem):
            needles += [(f"{stem}: base64", one) for one in _base64(case.encode())]
            needles += [
                (f"{stem}: UTF-16", case.encode(form)) for form in ("utf-16-le", "utf-16-be")
            ]
    return tuple(needles)


def _base64(stem: bytes) -> Iterator[bytes]:
    """Yield what a stem looks like in base64 wherever it begins: its own signs, no neighbour's."""
    for before in range(3):
        signs = base64.b64encode(bytes(before) + stem)
        own = signs[-(-8 * before // 6) : 8 * (before + len(stem)) // 6]
        yield own
        yield own.translate(bytes.maketrans(b"+/", b"-_"))
