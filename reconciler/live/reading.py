"""Stage 2, the whole of it: choose how to read, sweep if that is quicker, settle the rest by point.

Reading is a fix-point: `ask` names what is still missing from what is known, and it is read, until
nothing is missing. A sweep is one way to fill in much at once; whatever it leaves open is missing
still, and read by point. So every strategy ends in the same live state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.api.errors import Rejected
from reconciler.api.people import PageReader
from reconciler.core.events import Weighed
from reconciler.core.live import Live, LiveRegistration, Needs
from reconciler.core.sweep_query import Page, SweepQuery
from reconciler.platform.assumptions import ANONYMOUS_OWNER, PAGE_PUSH

from .context import ReadContext
from .links import linked
from .point_reads import read
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
from .sweep import SWEEPS, sweep
from .sweep_result import Swept
from .workers import WORKERS, together

Ask = Callable[[Live], Needs]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read and how. `weighed` is None where nobody asked how many people there are;
    `people` None too where the service did not say."""

    live: Live
    strategy: Strategy = Strategy.POINTS
    people: int | None = None
    weighed: Estimate | None = None


async def read_live(
    ask: Ask, sought: SweepQuery, means: ReadContext, choice: Choice = Choice.AUTO
) -> Reading:
    """Read until nothing is missing. Raises the first ApiError."""
    reading = Reading(Live())
    sweeper = _Sweeper(sought, means, choice)
    before = Needs()
    while needs := ask(reading.live):
        if needs == before:
            raise RuntimeError("What was read is still missing. This is a bug in reconciler.")
        swept = await sweeper.instead_of(needs, reading)
        if swept is not None:
            reading, before = swept, Needs()
            continue
        known = sweeper.settled(needs, reading.live)
        if known is not None:
            reading = replace(reading, live=known)
            continue
        wanted = sweeper.to_read(needs)
        live = await read(means.service, means.app_codes, reading.live, wanted, means.listen)
        reading, before = replace(reading, live=live), needs
    return reading


class _Sweeper:
    """Decides at each step whether a sweep pays, and makes it; at most a few times in a run."""

    def __init__(self, sought: SweepQuery, means: ReadContext, choice: Choice) -> None:
        self._sought = sought
        self._means = means
        self._choice = choice
        self._reader = PageReader(sought)
        self._left = 0 if choice is Choice.POINTS else SWEEPS
        self._is_steady = False
        self._shown: frozenset[str] = frozenset()

    async def instead_of(self, needs: Needs, reading: Reading) -> Reading | None:
        """Sweep if that is quicker than to read all this by point, and return what is known then;
        None if it is not."""
        forced = self._choice is Choice.SWEEP and self._left == SWEEPS
        if not self._left or self._is_steady:
            return None
        sizes = _sizes(needs, self._sought)
        rates = self._means.rates
        if not forced and is_short(points_seconds(sizes, rates), rates):
            return None
        try:
            first = await self._means.service.page(1, self._reader)
        except Rejected:
            if forced:
                raise
            # It lets nobody list people, or not in this way; points need no list.
            self._left = 0
            return None
        weighed = self._weigh(sizes, first)
        chosen = weighed.strategy
        if forced and chosen is Strategy.POINTS:
            chosen = Strategy.SWEEP_AND_POINTS if self._bare(first) else Strategy.SWEEP
        people = first.total
        if reading.weighed is None:
            told = Weighed(chosen, people, weighed.points, weighed.sweep, forced)
            self._means.listen(told)
            reading = replace(reading, people=people, weighed=weighed)
        if chosen is Strategy.POINTS:
            self._left = 0
            return reading
        self._left -= 1
        live = await self._swept(needs, reading.live, first, chosen)
        return replace(reading, live=live, strategy=chosen)

    def settled(self, needs: Needs, live: Live) -> Live | None:
        """Return what follows without a call: where people without identity are shown nowhere, who
        stands on no page belongs to nobody. None if nothing does."""
        if not self._knows_nobody:
            return None
        owners = {
            id_: None
            for id_ in needs.owners
            if id_ not in self._shown
            and id_ not in live.owners
            and isinstance(live.registrations.get(id_), LiveRegistration)
        }
        return Live(live.registrations, {**live.owners, **owners}, live.people) if owners else None

    def to_read(self, needs: Needs) -> Needs:
        """Return what to read of it now: no owner that follows once the registration is read."""
        is_early = self._knows_nobody and needs.registrations
        return replace(needs, owners=()) if is_early else needs

    @property
    def _knows_nobody(self) -> bool:
        return self._is_steady and self._means.pinned.get(ANONYMOUS_OWNER.name) == "404"

    def _bare(self, first: Page) -> bool:
        """Whether pages leave fields out: it is known, or the first page shows it."""
        pinned = self._means.pinned.get(PAGE_PUSH.name)
        return first.shows_flags is False if pinned is None else pinned == "bare"

    def _weigh(self, sizes: Sizes, first: Page) -> Estimate:
        if first.total is None:
            # How many there are is not to be had, so nothing speaks for reading all of them.
            by_points = points_seconds(sizes, self._means.rates)
            return Estimate(by_points, by_points, Strategy.POINTS)
        size = len(first.numbers)
        pages = pages_of(first.total, size) if size else 1
        return estimate(sizes, pages, self._means.rates, bare=self._bare(first), read=1)

    async def _swept(self, needs: Needs, live: Live, first: Page, chosen: Strategy) -> Live:
        means = self._means
        swept: Swept | None = None

        async def pages() -> None:
            nonlocal swept
            swept = await sweep(means.service, self._sought, self._reader, first, means.listen)

        async def registrations() -> None:
            nonlocal live
            wanted = Needs(registrations=needs.registrations)
            live = await read(means.service, means.app_codes, live, wanted, means.listen)

        if chosen is Strategy.SWEEP_AND_POINTS:
            await together(pages(), registrations())
        else:
            await pages()
        if swept is None:
            raise RuntimeError("A sweep without a result. This is a bug in reconciler.")
        self._is_steady = swept.steady()
        self._shown = swept.shown()
        return await linked(swept, live, needs, self._sought, means)


def _sizes(needs: Needs, sought: SweepQuery) -> Sizes:
    lookups = sought.lookups(needs.owners, WORKERS)
    return Sizes(len(needs.registrations), lookups + len(needs.people))
