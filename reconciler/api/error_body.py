"""Parse the body of an error answer, in any of its three shapes, and redact what must not show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

_LONGEST: Final = 200
_EMAIL: Final = re.compile(r"[^\s\"'<>(){}\[\],;:=]+@[^\s\"'<>(){}\[\],;:=]+")
# Digits as phone numbers have them; error codes are shorter. Not inside a word or an id.
_PHONE: Final = re.compile(r"(?<![\w-])\+?\d[\d ()/-]{5,}\d(?![\w-])")
_HIDDEN: Final = "<hidden>"


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """`codes` are the error code or message id as text; `text` is for people to read."""

    codes: frozenset[str]
    text: str


class _Details(msgspec.Struct, rename="camel"):
    message_id: str | int | None = None
    text: str | None = None


class _RequestError(msgspec.Struct, rename="camel"):
    service_exception: _Details | None = None


class _Wire(msgspec.Struct, rename="camel"):
    """All shapes at once: none of their fields contradict each other, and all may be missing."""

    error_code: str | int | None = None
    error_message: str | None = None
    description: str | None = None
    action: str | None = None
    request_error: _RequestError | None = None
    # OAuth2's own shape, of the token call.
    error: str | None = None
    error_description: str | None = msgspec.field(default=None, name="error_description")


_DECODER: Final = msgspec.json.Decoder(_Wire)


def parse_error_body(body: bytes, hide: Iterable[str]) -> ErrorBody | None:
    """Read the body of an error answer; None if it is not one. `hide` lists what must not show."""
    try:
        wire = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    details = (wire.request_error or _RequestError()).service_exception or _Details()
    codes = [str(code) for code in (wire.error_code, details.message_id, wire.error) if code]
    texts = (
        wire.error_message, details.text, wire.description, wire.action, wire.error_description
    )  # fmt: skip
    parts = [*codes, *dict.fromkeys(text for text in texts if text)]
    return ErrorBody(frozenset(codes), redact(" ".join(parts), hide))


def redact(text: str, hide: Iterable[str]) -> str:
    """Return a foreign text that can be shown: one short line, no hidden value, no e-mail or phone.

    The service may echo what we sent, or name somebody we do not know.
    """
    for value in sorted({value for value in hide if value}, key=len, reverse=True):
        text = re.sub(_pattern(value), _HIDDEN, text, flags=re.IGNORECASE)
    text = _PHONE.sub(_HIDDEN, _EMAIL.sub(_HIDDEN, text))
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _pattern(value: str) -> str:
    """Match a value anywhere; a short one only as a word, or it would eat the text around it."""
    exact = re.escape(value)
    return exact if len(value) >= 6 else rf"(?<!\w){exact}(?!\w)"
