"""One canonical JSON, and the digests that plans and records are made of."""

from __future__ import annotations

import hashlib
import hmac
import json
from types import NoneType
from typing import Final

from .hidden import Hidden

_KEPT_AT_MOST: Final = 50_000

# Made once: json.dumps makes one at every call that is not its default.
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def _by_value(value: object) -> object:
    """Return JSON with each whole float as the integer it equals, so that 1.0 and 1 are one."""
    match value:
        case bool() | str():
            return value
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _by_value(item) for key, item in value.items()}
        case list() | tuple():
            return [_by_value(item) for item in value]
        case _:
            return value


def canonical_json(value: object) -> bytes:
    """Encode JSON so that equal values give equal bytes: sorted keys, no spaces, UTF-8."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        # Identity values, of which there are as many as devices: a text alone is encoded quickly.
        return f"[{','.join(map(_ENCODER.encode, value))}]".encode()
    text = _ENCODER.encode(value)
    if ".0" in text or "e+" in text:
        # One of these stands in every whole float; nearly all values have none, or no float at all.
        text = _ENCODER.encode(_by_value(value))
    return text.encode()


def plain_digest(value: object) -> str:
    """SHA-256 of a JSON value, hexadecimal; for values that hold nothing to hide."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


class Digester:
    """Keyed digests (HMAC-SHA-256, first 128 bits, hexadecimal) with the record's key.

    A fleet repeats its values, so digests of short values are kept for the next device.
    """

    __slots__ = ("_kept", "_key")

    def __init__(self, key: Hidden[bytes]) -> None:
        self._key = key
        self._kept: dict[tuple[str, type, object], str] = {}

    def of(self, purpose: str, value: object) -> str:
        """Digest a JSON value for one purpose; digests of two purposes never compare equal."""
        if not isinstance(value, (str, int, float, NoneType)):
            return self._digest(purpose, value)
        place = (purpose, type(value), value)
        kept = self._kept.get(place)
        if kept is None:
            if len(self._kept) >= _KEPT_AT_MOST:
                self._kept.clear()
            kept = self._kept[place] = self._digest(purpose, value)
        return kept

    def _digest(self, purpose: str, value: object) -> str:
        message = purpose.encode() + b"\0" + canonical_json(value)
        return hmac.digest(self._key.reveal(), message, "sha256")[:16].hex()
