"""Choose how to read: registrations one by one, or a sweep of everybody's pages. Pure arithmetic.

A registration read alone costs one of many calls a second and does not say who owns it; its owner
costs one of few, but where its number is enough a small part of one. A page costs one of these few
and shows a thousand people with all they own. So which is quicker depends on how many devices, how
many owners, and how many people there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.platform.operations import Operation

PAGE_SIZE: Final = 1000
# Seconds that a call costs beside its turn: what this process and a quick service need for it.
# They decide where the limits do not: without them, or at very high ones.
_POINT: Final = 0.0005
_PAGE: Final = 0.03


class Strategy(StrEnum):
    """How live state is read.

    points: each registration and owner by itself · sweep: everybody's pages, and by points what
    they do not settle · sweep+points: pages that leave fields out, for the owners, and beside them
    the registrations by points.
    """

    POINTS = "points"
    SWEEP = "sweep"
    SWEEP_AND_POINTS = "sweep+points"


class Choice(StrEnum):
    """What the user wants of `--read`."""

    AUTO = "auto"
    POINTS = "points"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What has to be read: `registrations` by id, and where points are read people by `lookups`,
    and those of whom the number is enough by `matches`, which are for many of them each."""

    registrations: int
    lookups: int
    matches: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds that the strategies take; `strategy` is the quickest."""

    points: float
    sweep: float
    strategy: Strategy


def points_seconds(sizes: Sizes, rates: Mapping[Operation, float]) -> float:
    """Return how long point reads take. `rates` are requests a second after the quota share;
    the kinds run side by side."""
    return max(
        _seconds(sizes.registrations, rates[Operation.GET], _POINT),
        _seconds(sizes.lookups, rates[Operation.PERSONS], _POINT),
        _seconds(sizes.matches, rates[Operation.MATCH], _POINT),
        # All of it is work of one process.
        (sizes.registrations + sizes.lookups + sizes.matches) * _POINT,
    )


def is_short(points: float, rates: Mapping[Operation, float]) -> bool:
    """Whether point reads of so many seconds are over before anybody has asked how many people
    there are: the question takes one of the turns that look-ups wait for."""
    return points <= 1 / rates[Operation.PERSONS] + _PAGE


def sweep_calls(pages: int) -> int:
    """Return the calls of a sweep: of several pages the first and the last are read twice."""
    return pages if pages < 2 else pages + 2


def sweep_seconds(pages: int, rates: Mapping[Operation, float]) -> float:
    """Return how long it takes to read so many pages."""
    return _seconds(sweep_calls(pages), rates[Operation.PERSONS], _PAGE)


def pages_of(people: int, size: int = PAGE_SIZE) -> int:
    """Return how many pages show so many people; one at the least."""
    return max(1, math.ceil(people / size))


def estimate(
    sizes: Sizes, pages: int, rates: Mapping[Operation, float], *, bare: bool, read: int = 0
) -> Estimate:
    """Compare the strategies. `bare` pages leave fields out, which points must add; `read` pages
    are here already and cost nothing more."""
    points = points_seconds(sizes, rates)
    sweep = sweep_seconds(pages, rates) if pages > read else 0.0
    strategy = Strategy.SWEEP
    if bare:
        strategy = Strategy.SWEEP_AND_POINTS
        sweep = max(sweep, points_seconds(Sizes(sizes.registrations, 0), rates))
    if points <= sweep:
        strategy = Strategy.POINTS
    return Estimate(points, sweep, strategy)


def _seconds(calls: int, rate: float, effort: float) -> float:
    # The first call of a stream leaves at once.
    return max(calls - 1, 0) / rate + effort if rate < 1 / effort else calls * effort
