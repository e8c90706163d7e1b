"""Sizes of files as people write them."""

from __future__ import annotations

import re
from typing import Final

import click

_SIZE: Final = re.compile(r"([0-9]{1,9}) ?([KM]?)B?", re.IGNORECASE)
_UNITS: Final = {"": 1, "K": 1024, "M": 1024**2}
# Below, every device would have a file of its own.
_SMALLEST: Final = 1024
_LARGEST: Final = 64 * 1024**2


class Size(click.ParamType):  # type: ignore[type-arg] # generic in new versions only
    """`262144`, `256KB`, `1MB` to bytes."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the bytes; fails as wrong usage."""
        if isinstance(value, int):
            return value
        matched = _SIZE.fullmatch(str(value))
        if matched is None:
            self.fail(f"{value!r} is no size; write 256KB or 1MB.", param, ctx)
        size = int(matched[1]) * _UNITS[matched[2].upper()]
        if not _SMALLEST <= size <= _LARGEST:
            self.fail(f"{value!r} is not between 1KB and 64MB.", param, ctx)
        return size
