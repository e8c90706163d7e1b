"""The document around a part: versioned, compressed, self-checking, encrypted if asked for.

Promises: what is opened is what was sealed, byte for byte; a cut, a flipped bit, a wrong key and a
newer format are told apart. Its schema is schemas/state.schema.json.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

import msgspec
import zstandard

from reconciler.core import codes
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.failures import StateError

from .encryption import ALGORITHM, NO_KEYS, Keys
from .store import Part

FORMAT: Final = "reconciler-state"
FORMAT_VERSION: Final = "1.0"
# Digests do not compress beyond their hexadecimal digits: more effort finds matches that are none,
# and takes more bytes.
_EFFORT: Final = 1
# A state of ten million devices; more is an attack on our memory.
_LARGEST: Final = 2 << 30


class _Encrypted(msgspec.Struct, frozen=True, rename="camel"):
    algorithm: str
    key_id: str
    nonce: str


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    format: str
    format_version: str
    part: str
    lineage: str
    serial: int
    encryption: _Encrypted | None
    sha256: str
    content: str


class _Head(msgspec.Struct, frozen=True, rename="camel"):
    format: str = ""
    format_version: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What an envelope holds. `key_id` is the key that it was encrypted with, None for none."""

    part: Part
    lineage: str
    serial: int
    content: bytes
    key_id: str | None = None


def seal(part: Part, lineage: str, serial: int, content: bytes, keys: Keys = NO_KEYS) -> bytes:
    """Return the document of a part, encrypted with the current key if there is one."""
    data = zstandard.ZstdCompressor(level=_EFFORT).compress(content)
    encryption: _Encrypted | None = None
    key_id = None if keys.current is None else keys.current.id
    header = _header(FORMAT_VERSION, part, lineage, serial, key_id)
    if keys.current is not None:
        nonce, data = keys.current.encrypt(data, header)
        encryption = _Encrypted(ALGORITHM, keys.current.id, base64.b64encode(nonce).decode())
    document = _Document(
        FORMAT,
        FORMAT_VERSION,
        part,
        lineage,
        serial,
        encryption,
        hashlib.sha256(header + data).hexdigest(),
        base64.b64encode(data).decode(),
    )
    return msgspec.json.encode(document) + b"\n"


def open_envelope(
    document: bytes, part: Part, where: str, keys: Keys = NO_KEYS, *, plain: bool = False
) -> Sealed:
    """Open a document; raises StateError that says what is wrong with it, and names `where`.

    A document that is not encrypted although there is a key is refused, unless `plain` allows it:
    whoever may write to the store could else replace the state by one of his own.
    """
    found = _decoded(document, where)
    if found.part != part:
        raise _refused(codes.RECORD_FOREIGN, where, f"the part {part} is needed")
    encryption = found.encryption
    key_id = None if encryption is None else encryption.key_id
    header = _header(found.format_version, part, found.lineage, found.serial, key_id)
    try:
        data = base64.b64decode(found.content, validate=True)
        if hashlib.sha256(header + data).hexdigest() != found.sha256:
            raise ValueError("it is not whole, or was changed")
        if encryption is not None:
            data = _decrypted(encryption, data, header, where, keys)
        elif keys.current is not None and not plain:
            reason = "it is not encrypted, and the project file has a key"
            raise _refused(codes.RECORD_KEY, where, reason)
        content = _unpacked(data)
    except (ValueError, zstandard.ZstdError) as error:
        raise damaged(where, str(error)) from None
    return Sealed(part, found.lineage, found.serial, content, key_id)


def looks_like_one(document: bytes) -> bool:
    """Whether a file's content is a document of ours, of whatever version."""
    try:
        return msgspec.json.decode(document, type=_Head).format == FORMAT
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False


def damaged(where: str, reason: str) -> StateError:
    """Return the error for a document that begins like ours and is none."""
    return _refused(codes.RECORD_DAMAGED, where, reason)


def _decoded(document: bytes, where: str) -> _Document:
    try:
        head = msgspec.json.decode(document, type=_Head)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if document.lstrip().startswith(b'{"format":"' + FORMAT.encode()):
            raise damaged(where, f"it is cut off or garbled ({error})") from None
        reason = "empty" if not document.strip() else "not a document of ours"
        raise _refused(codes.RECORD_FOREIGN, where, reason) from None
    if head.format != FORMAT:
        raise _refused(codes.RECORD_FOREIGN, where, "not a document of ours")
    major = head.format_version.partition(".")[0]
    if not major.isdecimal():
        raise damaged(where, "it has no format version")
    if int(major) > int(FORMAT_VERSION.partition(".")[0]):
        reason = f"written in format {head.format_version}, this reconciler knows {FORMAT_VERSION}"
        raise _refused(codes.RECORD_NEWER, where, reason)
    try:
        return msgspec.json.decode(document, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise damaged(where, str(error)) from None


def _header(version: str, part: str, lineage: str, serial: int, key_id: str | None) -> bytes:
    return msgspec.json.encode([FORMAT, version, part, lineage, serial, key_id])


def _decrypted(encryption: _Encrypted, data: bytes, header: bytes, where: str, keys: Keys) -> bytes:
    key = keys.of(encryption.key_id)
    if keys.current is None:
        reason = "it is encrypted, and the project file has no state.encryption"
        raise _refused(codes.RECORD_KEY, where, reason)
    if key is None:
        raise _refused(codes.RECORD_KEY, where, f"it was written with the key {encryption.key_id}")
    if encryption.algorithm != ALGORITHM:
        raise ValueError(f"it is encrypted by {encryption.algorithm!r}")
    return key.decrypt(data, header, base64.b64decode(encryption.nonce, validate=True))


def _unpacked(data: bytes) -> bytes:
    size = zstandard.get_frame_parameters(data).content_size
    if not size <= _LARGEST:
        raise ValueError("its content has no size that a state can have")
    return zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)


def _refused(code: Code, where: str, reason: str) -> StateError:
    return StateError(Diagnostic(code, f"{code.title} at {where}: {reason}"))
