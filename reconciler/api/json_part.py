"""One value of an answer as its JSON text, read only when somebody asks: any JSON, also one with
half of a character. What no type describes is taken apart with these, member by member.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from reconciler.core.fields import LiveValue
from reconciler.core.opaque import Opaque, json_type

LARGEST_NUMBER: Final = (1 << 63) - 1

# Half of a character, escaped: JSON may hold it, and no text can. What stands for it meanwhile are
# characters of the last private plane, as many as there are halves.
# An escape: of a whole pair, of a half, or any other.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_STAND_IN: Final = 0x10F000 - 0xD800
_STANDS_IN: Final = re.compile("[\U0010f000-\U0010f7ff]")
_STANDS_IN_BYTES: Final = re.compile(rb"\xf4\x8f[\x80-\x9f]")

Parts = Mapping[str, "Part"]


class Part:
    """One value of an answer, as its JSON text, read when somebody asks."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text

    @property
    def type(self) -> str:
        """What it is: list, object, text, boolean, null or number."""
        return json_type(self.text[:16].decode("latin-1"))

    @property
    def has_halves(self) -> bool:
        """Whether something stands in for half of a character, which no text may hold."""
        return _STANDS_IN_BYTES.search(self.text) is not None

    def members(self) -> Parts | None:
        """Return what an object holds by name; None for anything else. Of two of one name the last
        counts, as with every reader of JSON."""
        return _parts(self.text) if self.type == "object" else None

    def elements(self) -> list[Part] | None:
        """Return what a list holds; None for anything else."""
        if self.type != "list":
            return None
        try:
            return [Part(bytes(raw)) for raw in _ELEMENTS.decode(self.text)]
        except (msgspec.DecodeError, RecursionError):
            return None

    def value(self) -> LiveValue | None:
        """Return a scalar as it is, None for null, and the rest as it came."""
        if self.type in ("list", "object"):
            return self._opaque()
        try:
            value: LiveValue | None = msgspec.json.decode(self.text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._opaque()
        is_half = isinstance(value, str) and _STANDS_IN.search(value) is not None
        return self._opaque() if is_half else value

    def text_value(self) -> str | None:
        """Return a text; None for anything else."""
        value = self.value() if self.type == "text" else None
        return value if isinstance(value, str) else None

    def count(self) -> int | None:
        """Return a whole number of 63 bits; None for anything else."""
        value = self.value() if self.type == "number" else None
        return value if isinstance(value, int) and 0 <= value <= LARGEST_NUMBER else None

    def _opaque(self) -> Opaque:
        text = self.text.decode("utf-8", "replace")
        return Opaque(_STANDS_IN.sub(lambda found: _escape(found[0]), text))


_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def whole(body: bytes) -> Part:
    """Return an answer as a part, halves of characters made harmless."""
    return Part(_ESCAPE.sub(_stand_in, body) if b"\\u" in body else body)


def _stand_in(found: re.Match[bytes]) -> bytes:
    half = found[1]
    return found[0] if half is None else chr(int(half, 16) + _STAND_IN).encode()


def _escape(stand_in: str) -> str:
    return f"\\u{ord(stand_in) - _STAND_IN:04x}"


def _parts(text: bytes) -> Parts | None:
    try:
        members = _MEMBERS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return {
        _STANDS_IN.sub(lambda found: chr(ord(found[0]) - _STAND_IN), name): Part(bytes(raw))
        for name, raw in members.items()
    }
