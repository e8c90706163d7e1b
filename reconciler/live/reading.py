"""Read live state: choose how to read, sweep if that is quicker, read the rest by point.

Reading is a fix-point: `required_reads` names what is still missing from what is known, and it is
read, until nothing is missing. A sweep is one way to fill in much at once; whatever it leaves open
is missing still, and read by point. So every strategy ends in the same live state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.api.errors import Rejected
from reconciler.api.people import PageReader
from reconciler.core.events import Weighed
from reconciler.core.live import Live, LiveRegistration, Needs
from reconciler.core.sweep_query import Page, SweepQuery
from reconciler.platform.assumptions import ANONYMOUS_OWNER, PAGE_PUSH, PAGES_WITHOUT_FLAGS

from .context import WORKERS, ReadContext, together
from .point_reads import read_by_point
from .strategy import (
    Choice,
    Estimate,
    Sizes,
    Strategy,
    estimate,
    is_short,
    pages_of,
    points_seconds,
)
from .sweep import SWEEPS, link_applications, sweep
from .sweep_result import SweepResult

RequiredReads = Callable[[Live], Needs]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read and how. `weighed` is None where nobody asked how many people there are;
    `people` None too where the service did not say."""

    live: Live
    strategy: Strategy = Strategy.POINTS
    people: int | None = None
    weighed: Estimate | None = None


async def read_live(
    required_reads: RequiredReads,
    query: SweepQuery,
    context: ReadContext,
    choice: Choice = Choice.AUTO,
) -> Reading:
    """Read until nothing is missing. Raises the first ApiError."""
    reading = Reading(Live())
    sweeper = _Sweeper(query, context, choice)
    previous = Needs()
    while needs := required_reads(reading.live):
        if needs == previous:
            raise RuntimeError("What was read is still missing. This is a bug in reconciler.")
        swept = await sweeper.sweep_if_quicker(needs, reading)
        if swept is not None:
            reading, previous = swept, Needs()
            continue
        known = sweeper.infer_owners(needs, reading.live)
        if known is not None:
            reading = replace(reading, live=known)
            continue
        needs_now = sweeper.select_reads(needs)
        live = await read_by_point(context, reading.live, needs_now)
        reading, previous = replace(reading, live=live), needs
    return reading


class _Sweeper:
    """Decides at each step whether a sweep pays, and makes it; at most a few times in a run."""

    def __init__(self, query: SweepQuery, context: ReadContext, choice: Choice) -> None:
        self._query = query
        self._context = context
        self._choice = choice
        self._reader = PageReader(query)
        self._sweeps_left = 0 if choice is Choice.POINTS else SWEEPS
        self._is_steady = False
        self._shows_everything = False
        self._shown: frozenset[str] = frozenset()

    async def sweep_if_quicker(self, needs: Needs, reading: Reading) -> Reading | None:
        """Sweep if that is quicker than to read all this by point, and return what is known then;
        None if it is not."""
        forced = self._choice is Choice.SWEEP and self._sweeps_left == SWEEPS
        if not self._sweeps_left or self._is_steady:
            return None
        sizes = _sizes(needs, self._query, self._context)
        rates = self._context.rates
        if not forced and is_short(points_seconds(sizes, rates), rates):
            return None
        try:
            first = await self._context.service.page(1, self._reader)
        except Rejected:
            if forced:
                raise
            # It lets nobody list people, or not in this way; points need no list.
            self._sweeps_left = 0
            return None
        estimated = self._estimate(sizes, first)
        chosen = estimated.strategy
        if forced and chosen is Strategy.POINTS:
            chosen = Strategy.SWEEP_AND_POINTS if self._has_bare_pages(first) else Strategy.SWEEP
        people = first.total
        if reading.weighed is None:
            self._context.listen(Weighed(chosen, people, estimated.points, estimated.sweep, forced))
            reading = replace(reading, people=people, weighed=estimated)
        if chosen is Strategy.POINTS:
            self._sweeps_left = 0
            return reading
        self._sweeps_left -= 1
        live = await self._sweep(needs, reading.live, first, chosen)
        return replace(reading, live=live, strategy=chosen)

    def infer_owners(self, needs: Needs, live: Live) -> Live | None:
        """Return what follows without a call: where people without identity are shown nowhere, who
        stands on no page belongs to nobody. None if nothing does."""
        if not self._absence_means_no_owner:
            return None
        owners = {
            id_: None
            for id_ in (*needs.owners, *needs.matches)
            if id_ not in self._shown
            and id_ not in live.owners
            and isinstance(live.registrations.get(id_), LiveRegistration)
        }
        return replace(live, owners={**live.owners, **owners}) if owners else None

    def select_reads(self, needs: Needs) -> Needs:
        """Return what to read of it now: no owner that follows once the registration is read."""
        is_early = self._absence_means_no_owner and needs.registrations
        return replace(needs, owners=(), matches={}) if is_early else needs

    @property
    def _absence_means_no_owner(self) -> bool:
        return self._shows_everything and self._context.pinned.get(ANONYMOUS_OWNER.name) == "404"

    def _has_bare_pages(self, first: Page) -> bool:
        """Whether pages leave fields out: it is known, or the first page shows it."""
        pinned = self._context.pinned.get(PAGE_PUSH.name)
        return first.shows_flags is False if pinned is None else pinned in PAGES_WITHOUT_FLAGS

    def _estimate(self, sizes: Sizes, first: Page) -> Estimate:
        if first.total is None:
            # How many there are is not to be had, so nothing speaks for reading all of them.
            by_points = points_seconds(sizes, self._context.rates)
            return Estimate(by_points, by_points, Strategy.POINTS)
        size = len(first.numbers)
        pages = pages_of(first.total, size) if size else 1
        return estimate(sizes, pages, self._context.rates, bare=self._has_bare_pages(first), read=1)

    async def _sweep(self, needs: Needs, live: Live, first: Page, chosen: Strategy) -> Live:
        context = self._context
        result: SweepResult | None = None

        async def pages() -> None:
            nonlocal result
            result = await sweep(context, self._query, self._reader, first)

        async def registrations() -> None:
            nonlocal live
            needs_now = Needs(registrations=needs.registrations)
            live = await read_by_point(context, live, needs_now)

        if chosen is Strategy.SWEEP_AND_POINTS:
            await together(pages(), registrations())
        else:
            await pages()
        if result is None:
            raise RuntimeError("A sweep without a result. This is a bug in reconciler.")
        self._is_steady = result.is_steady()
        self._shows_everything = result.shows_everything()
        self._shown = result.shown_registrations()
        return await link_applications(result, live, needs, self._query, context)


def _sizes(needs: Needs, query: SweepQuery, context: ReadContext) -> Sizes:
    service = context.service
    if not service.can_match:
        lookups = query.lookups((*needs.owners, *needs.matches), WORKERS)
        return Sizes(len(needs.registrations), lookups + len(needs.people))
    lookups = query.lookups(needs.owners, WORKERS)
    values = {value for declared in needs.matches.values() for value in declared}
    matches = math.ceil((len(needs.matches) + len(values)) / service.match_size)
    return Sizes(len(needs.registrations), lookups + len(needs.people), matches)
