"""The globs of a project against names that are not on disk: the files of an earlier commit.

The same names match as files.expand finds there; but a link to a directory is not followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate

from .files import segments

_Fits = Callable[[str], bool]


def matching(paths: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """Return the paths (`/` between) that any of the globs matches, sorted."""
    steps = [_steps(pattern) for pattern in patterns]
    return sorted(path for path in paths if any(_matches(path.split("/"), one) for one in steps))


def _steps(pattern: str) -> tuple[_Fits | None, ...]:
    """Return a test for each name of a path; None stands for any number of directories."""
    parts = segments(pattern)
    if parts and parts[-1] == "**":
        parts = (*parts, "*")
    return tuple(None if part == "**" else _fits(part) for part in parts)


def _fits(part: str) -> _Fits:
    if not any(sign in part for sign in "*?["):
        return part.__eq__
    match = re.compile(translate(part)).match

    def fits(name: str) -> bool:
        hidden = name.startswith(".") and not part.startswith(".")
        return not hidden and match(name) is not None

    return fits


def _matches(names: list[str], steps: tuple[_Fits | None, ...]) -> bool:
    """Follow all ways at once: `at` are the steps that may come next."""
    at = _reached({0}, steps)
    for number, name in enumerate(names):
        is_last = number == len(names) - 1
        following: set[int] = set()
        for place in at:
            if place == len(steps):
                continue
            fits = steps[place]
            if fits is not None:
                if fits(name):
                    following.add(place + 1)
            elif not is_last and not name.startswith("."):
                following.add(place)
        at = following if is_last else _reached(following, steps)
    return len(steps) in at


def _reached(places: set[int], steps: tuple[_Fits | None, ...]) -> set[int]:
    found = set(places)
    for place in places:
        # Two `**` never follow each other.
        if place < len(steps) and steps[place] is None:
            found.add(place + 1)
    return found
