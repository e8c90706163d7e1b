"""One canonical JSON, and the digests that plans and records are made of."""

from __future__ import annotations

import hashlib
import hmac
import json

from .hidden import Hidden


def _by_value(value: object) -> object:
    """Return JSON with each whole float as the integer it equals, so that 1.0 and 1 are one."""
    match value:
        case bool():
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
    return json.dumps(
        _by_value(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def plain_digest(value: object) -> str:
    """SHA-256 of a JSON value, hexadecimal; for values that hold nothing to hide."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


class Digester:
    """Keyed digests (HMAC-SHA-256, first 128 bits, hexadecimal) with the record's key."""

    __slots__ = ("_key",)

    def __init__(self, key: Hidden[bytes]) -> None:
        self._key = key

    def of(self, purpose: str, value: object) -> str:
        """Digest a JSON value for one purpose; digests of two purposes never compare equal."""
        message = purpose.encode() + b"\0" + canonical_json(value)
        return hmac.digest(self._key.reveal(), message, "sha256")[:16].hex()
