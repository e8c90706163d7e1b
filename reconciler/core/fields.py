"""The names of the fields a registration can have managed, as they stand in plans and records."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

OWNER: Final = "owner"
IS_PRIMARY: Final = "isPrimary"
REGISTRATION_ENABLED: Final = "registrationEnabled"
_DATA: Final = "additionalData."

# A value of additionalData after the manifest or the wire was read; dates are their text.
Scalar = str | int | float | bool


class Reason(StrEnum):
    """Why a field changes: the file moved, others moved it, or it left the files."""

    DECLARED = "declared"
    DRIFT = "drift"
    REMOVED = "removed"


def data_path(key: str) -> str:
    """Return the path of an additionalData key; the key may hold dots itself."""
    return _DATA + key


def data_key(path: str) -> str | None:
    """Return the additionalData key that a path names, or None for another field."""
    return path.removeprefix(_DATA) if path.startswith(_DATA) else None


def field_order(path: str) -> tuple[int, str]:
    """Sort key: owner, isPrimary, registrationEnabled, then additionalData by key."""
    fixed = (OWNER, IS_PRIMARY, REGISTRATION_ENABLED)
    return (fixed.index(path), "") if path in fixed else (len(fixed), path)


def same_value(one: object, other: object) -> bool:
    """Whether two scalars are the same value to the service.

    Numbers compare by value; a boolean never equals a number, nor anything a string.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other
    return type(one) is type(other) and one == other


def as_yaml(value: Scalar | None) -> str:
    """Return a declared value as YAML writes it, without quotes."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
