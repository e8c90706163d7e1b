"""Decode the list of applications: bytes in, core values out, Garbled for what is no such list.

Nobody depends on it, so it is read leniently: an entry that makes no sense is left out, and so is
what of an entry nobody needs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from reconciler.core.live import LiveApplication

from .credentials import fits_in_header
from .decode import Garbled

# What tells an entry that stands alone from an object that is something else.
_CODE: Final = "applicationCode"
_LONGEST_ID: Final = 256
_LONGEST_NAME: Final = 200
_LARGEST: Final = (1 << 63) - 1


def decode_applications(body: bytes) -> tuple[LiveApplication, ...]:
    """Read an answer: `{applications: [...]}`, a list, or one application by itself."""
    applications = (_read_entry(entry) for entry in _entries(body))
    return tuple(one for one in applications if one is not None)


def _entries(body: bytes) -> list[object]:
    # Not the strict decoder: half of a character in somebody's description is no reason to stop.
    try:
        answer: object = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        answer = None
    match answer:
        case list(entries) | {"applications": list(entries)}:
            return entries
        case {"applicationCode": _}:
            return [answer]
    # Raised out here so that no traceback leads to the text.
    raise Garbled("the answer is no list of applications")


def _read_entry(entry: object) -> LiveApplication | None:
    """Return an application, or None where code and id are no texts that could be some."""
    if not isinstance(entry, Mapping):
        return None
    code, id_ = _text(entry, _CODE), _text(entry, "applicationId")
    if not fits_in_header(code) or not 0 < len(id_) <= _LONGEST_ID:
        return None
    return LiveApplication(code, id_, _text(entry, "name").strip()[:_LONGEST_NAME], _count(entry))


def _text(entry: Mapping[str, object], name: str) -> str:
    """Return a text of an entry; empty where it is none, or holds half of a character."""
    text = entry.get(name)
    if not isinstance(text, str):
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        return ""
    return text


def _count(entry: Mapping[str, object]) -> int | None:
    count = entry.get("registrationsCount")
    if not isinstance(count, int) or isinstance(count, bool):
        return None
    return count if 0 <= count <= _LARGEST else None
