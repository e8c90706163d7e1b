"""Keys that a shared state is encrypted with: AES-256-GCM, bound to the header of its document.

Promises: whoever has not the key can neither read a part nor change a bit of it or of its header
unnoticed; which key a part was written with is known before it is tried.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from reconciler.core.secret import Secret

ALGORITHM: Final = "AES-256-GCM"
_BYTES: Final = 32
_NONCE: Final = 12
_HEX: Final = re.compile(r"[0-9A-Fa-f]{64}")


class NoKey(ValueError):
    """A text that is no key; the text stands in no message."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `id` tells keys apart and gives nothing away of them."""

    id: str
    secret: Secret[bytes]

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read 32 bytes in base64 (either alphabet) or 64 hexadecimal digits; else NoKey."""
        stripped = text.strip()
        try:
            if _HEX.fullmatch(stripped):
                secret = bytes.fromhex(stripped)
            else:
                plain = stripped.replace("-", "+").replace("_", "/")
                secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except (ValueError, binascii.Error):
            secret = b""
        if len(secret) != _BYTES:
            raise NoKey("it is not 32 bytes in base64; make one: openssl rand -base64 32")
        return cls(hashlib.sha256(b"reconciler key\0" + secret).hexdigest()[:16], Secret(secret))

    def encrypt(self, data: bytes, header: bytes) -> tuple[bytes, bytes]:
        """Return a fresh nonce and what `data` is encrypted to; `header` is bound, not hidden."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE)
        return nonce, AESGCM(self.secret.reveal()).encrypt(nonce, data, header)

    def decrypt(self, data: bytes, header: bytes, nonce: bytes) -> bytes:
        """Return what was encrypted. Raises ValueError if a bit of it or its header has changed."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self.secret.reveal()).decrypt(nonce, data, header)
        except InvalidTag:
            raise ValueError("it is not what was encrypted") from None


@dataclass(frozen=True, slots=True)
class Keys:
    """The key that is written with, and the one before it, with which can still be read."""

    current: Key | None = None
    previous: Key | None = None

    def of(self, id_: str) -> Key | None:
        """Return the key of an id, if it is one of these."""
        return next((key for key in (self.current, self.previous) if key and key.id == id_), None)


NO_KEYS: Final = Keys()
