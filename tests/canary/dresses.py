"""How a value can be written, each way by itself; planted so, the search has to find it."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

import zstandard

Dress = Callable[[str], bytes]


def _grouped(separator: str, size: int) -> Dress:
    """Write digits in groups; a text has none."""

    def dress(value: str) -> bytes:
        def groups(found: re.Match[str]) -> str:
            digits = found[0]
            return separator.join(digits[at : at + size] for at in range(0, len(digits), size))

        return re.sub(r"[0-9]{6,}", groups, value).encode()

    return dress


def _each(form: str) -> Dress:
    return lambda value: "".join(form.format(ord(one)) for one in value).encode()


def _base64(before: bytes, encode: Callable[[bytes], bytes] = base64.b64encode) -> Dress:
    return lambda value: encode(before + value.encode() + b"!")


def _packed(pack: Callable[[bytes], bytes]) -> Dress:
    return lambda value: pack(f"some text before {value} and behind".encode() * 3)


DRESSES: Final[Mapping[str, Dress]] = {
    "as it is": lambda value: value.encode(),
    "lower case": lambda value: value.lower().encode(),
    "upper case": lambda value: value.upper().encode(),
    "title case": lambda value: value.title().encode(),
    "without a plus": lambda value: value.replace("+", "").encode(),
    "with a plus": lambda value: f"+{value.removeprefix('+')}".encode(),
    "00 for the plus": lambda value: f"00{value.removeprefix('+')}".encode(),
    "groups of three": _grouped(" ", 3),
    "groups of two with dashes": _grouped("-", 2),
    "groups of four with dots": _grouped(".", 4),
    "groups with no-break spaces": _grouped("\xa0", 3),
    "groups with brackets": _grouped(") (", 3),
    "groups in a query": _grouped("%20", 3),
    "in a URL": lambda value: quote(value, safe="").encode(),
    "in a query": lambda value: quote_plus(value).encode(),
    "every sign in a URL": _each("%{:02x}"),
    "every sign in a URL, upper case": _each("%{:02X}"),
    "in HTML": lambda value: html.escape(value).encode(),
    "entities": _each("&#{};"),
    "hexadecimal entities": _each("&#x{:x};"),
    "in JSON": lambda value: json.dumps(value).encode(),
    "in JSON in JSON": lambda value: json.dumps(json.dumps(value)).encode(),
    "every sign in JSON": _each("\\u{:04x}"),
    "every sign in JSON, upper case": _each("\\u{:04X}"),
    "a Python text": lambda value: repr(value).encode(),
    "every sign of a Python text": _each("\\x{:02x}"),
    "base64": _base64(b""),
    "base64 from the second byte": _base64(b"a"),
    "base64 from the third byte": _base64(b"ab"),
    "base64 of a header": _base64(b"user:"),
    "base64 of a URL": _base64(b"a", base64.urlsafe_b64encode),
    "base64 of upper case": lambda value: base64.b64encode(value.upper().encode()),
    "hexadecimal": lambda value: value.encode().hex().encode(),
    "hexadecimal, upper case": lambda value: value.encode().hex().upper().encode(),
    "UTF-16": lambda value: value.encode("utf-16"),
    "reversed": lambda value: value[::-1].encode(),
    "zstandard": _packed(zstandard.ZstdCompressor().compress),
    "gzip": _packed(gzip.compress),
    "zstandard in base64": _packed(
        lambda data: base64.b64encode(zstandard.ZstdCompressor().compress(data))
    ),
}
