"""The body of an answer, decompressed as it arrives and never beyond a size.

Ours and not the library's: that unpacks whatever it is sent, packed as often as the sender likes,
and a few hundred bytes become gigabytes of memory.
"""

from __future__ import annotations

import zlib
from typing import Final

_PLAIN: Final = frozenset({"", "identity"})
_PACKED: Final = frozenset({"gzip", "x-gzip"})
_WITH_GZIP_HEAD: Final = 16 + zlib.MAX_WBITS


class BadEncoding(ValueError):
    """A body that is packed in a way that nobody asked for, or not as it says."""


class BodyTooLarge(ValueError):
    """A body that is larger than any of the contract."""


class Body:
    """Collects the chunks of a body, of `largest` bytes at most when unpacked."""

    def __init__(self, encoding: str, largest: int) -> None:
        encoding_name = encoding.strip().lower()
        if encoding_name not in _PLAIN | _PACKED:
            raise BadEncoding
        self._decompressor = (
            zlib.decompressobj(_WITH_GZIP_HEAD) if encoding_name in _PACKED else None
        )
        self._largest = largest
        self._bytes = bytearray()
        self._is_empty = True

    def add(self, chunk: bytes) -> None:
        """Take the next chunk; raises Unpackable or TooLarge."""
        self._is_empty = self._is_empty and not chunk
        if self._decompressor is None:
            self._bytes += chunk
        else:
            room = self._largest + 1 - len(self._bytes)
            try:
                self._bytes += self._decompressor.decompress(chunk, room)
            except zlib.error:
                raise BadEncoding from None
        if len(self._bytes) > self._largest:
            raise BodyTooLarge

    def whole(self) -> bytes:
        """Return the body after the last chunk; raises Unpackable if it is cut off."""
        if self._decompressor is not None and not self._is_empty and not self._decompressor.eof:
            raise BadEncoding
        return bytes(self._bytes)
