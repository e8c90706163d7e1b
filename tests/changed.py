"""A value with other fields, whichever of the two kinds of record it is."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def replace(value: T, **changes: Any) -> T:
    """Return the value with some fields changed, as `dataclasses.replace` does."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **changes)  # type: ignore[return-value]
    return dataclasses.replace(value, **changes)  # type: ignore[type-var]
