"""One canonical JSON, and the digests that plans and states are made of."""

from __future__ import annotations

import hashlib
import hmac
import json
from enum import StrEnum
from types import NoneType
from typing import Final

import msgspec

from .opaque import Opaque
from .secret import Secret

_KEPT_AT_MOST: Final = 50_000


def _opaque(value: object) -> object:
    """Return what stands for a live value that no manifest can declare."""
    if isinstance(value, Opaque):
        return {"$opaque": value.canonical}
    raise TypeError(f"{type(value).__name__} is no JSON value")


# Made once: json.dumps makes one at every call that is not its default.
_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_opaque
)
# Twenty times as quick, and the same bytes for all that `_is_plain` lets through.
_QUICK: Final = msgspec.json.Encoder(order="sorted")
_SIMPLE: Final = frozenset({str, bool, NoneType})
_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1


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


def _is_plain(value: object) -> bool:
    """Whether a JSON value has neither floats, which no two encoders write alike, nor anything
    else that is seldom: texts as keys, integers of 64 bits, Python's own types."""
    kind = type(value)
    if kind in _SIMPLE:
        return True
    if kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str or not (type(item) in _SIMPLE or _is_plain(item)):
                return False
        return True
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))  # type: ignore[call-overload]
    if kind is int:
        return _SMALLEST <= value <= _LARGEST  # type: ignore[operator]
    return isinstance(value, StrEnum)


def canonical_json(value: object) -> bytes:
    """Encode JSON so that equal values give equal bytes: sorted keys, no spaces, UTF-8."""
    if _is_plain(value):
        return _QUICK.encode(value)
    text = _ENCODER.encode(value)
    if ".0" in text or "e+" in text:
        # One of these stands in every whole float; nearly all values have none, or no float at all.
        text = _ENCODER.encode(_by_value(value))
    return text.encode()


def plain_digest(value: object) -> str:
    """SHA-256 of a JSON value, hexadecimal; for values that hold nothing to hide."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


class Digester:
    """Keyed digests (HMAC-SHA-256, first 128 bits, hexadecimal) with the state's key.

    A fleet repeats its values, so digests of short values are kept for the next device.
    """

    __slots__ = ("_kept", "_keyed")

    def __init__(self, key: Secret[bytes]) -> None:
        # Keyed once and copied: that is half of what a digest of a short value takes.
        self._keyed = hmac.new(key.reveal(), digestmod="sha256")
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
        digest = self._keyed.copy()
        digest.update(purpose.encode() + b"\0" + canonical_json(value))
        return digest.digest()[:16].hex()
