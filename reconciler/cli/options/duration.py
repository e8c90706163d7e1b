"""Durations as people write them."""

from __future__ import annotations

import re
from typing import Final

import click

_SECONDS: Final = re.compile(r"([0-9]{1,9})s?")
_PARTS: Final = re.compile(r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
# Beyond a week it is a typo, and clocks of the operating system give up some day.
_LONGEST: Final = 7 * 24 * 3600


class Duration(click.ParamType):  # type: ignore[type-arg] # generic in new versions only
    """`90`, `90s`, `10m`, `1h30m` to seconds; nothing at all only where `zero` allows it."""

    name = "duration"

    def __init__(self, *, zero: bool = False) -> None:
        self._zero = zero

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds; fails as wrong usage."""
        if isinstance(value, (int, float)):
            return float(value)
        seconds = _read(str(value))
        if seconds is None:
            self.fail(f"{value!r} is no duration; write 90, 90s, 10m or 1h30m.", param, ctx)
        if seconds == 0 and not self._zero:
            self.fail("it leaves no time at all; write 90, 90s, 10m or 1h30m.", param, ctx)
        if seconds > _LONGEST:
            self.fail(f"{value!r} is longer than a week.", param, ctx)
        return float(seconds)


def _read(text: str) -> int | None:
    if bare := _SECONDS.fullmatch(text):
        return int(bare[1])
    parts = _PARTS.fullmatch(text)
    if not text or parts is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + seconds
