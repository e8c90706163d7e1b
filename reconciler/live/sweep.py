"""Read everybody page by page, and link what the pages show to a project's applications.

The last page is read before all others and again after them, all of them oldest first, so that who
appears meanwhile stands behind all others and moves nobody.

Pages name the service's application id, a project its application's code. The list of applications
links the two where the service shows it; else a point read does, one for each application. In every
run: a code that was changed would else go unnoticed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from heapq import nsmallest
from typing import Final

from reconciler.api.people import PageReader
from reconciler.api.service import Service
from reconciler.core.events import Progress
from reconciler.core.live import Found, Live, LivePerson, LiveRegistration, Needs
from reconciler.core.sweep_query import Page, SweepQuery

from .applications import listed_applications
from .context import ReadContext, each
from .point_reads import read_by_point
from .strategy import pages_of, sweep_calls
from .sweep_result import Sighting, SweepResult

# As many pages at once as latency needs at the usual limit; each takes some megabytes.
_AT_ONCE: Final = 8
# Where people come and go all the time, another sweep is as unsteady as this one.
SWEEPS: Final = 3
# One that vanished since its page was read links nothing; more of them are not tried.
_MOST_CANDIDATES: Final = 3


async def sweep(
    context: ReadContext, query: SweepQuery, reader: PageReader, first: Page
) -> SweepResult:
    """Read all pages, and return what they show. `first` is the first page, read to count them.

    Raises the first ApiError. Never more than as many pages again as the first count said.
    """
    size = len(first.numbers)
    if first.total is None:
        return await _sweep_uncounted(context, query, reader, first)
    last = pages_of(first.total, size) if size else 1
    result = SweepResult(query, last)
    if last == 1:
        result.add(1, first)
        context.listen(Progress("pages", 1, 1))
        return await _read_appended(context.service, result, reader, first, last, size)
    calls = sweep_calls(last)
    done = 1

    async def read(number: int) -> None:
        nonlocal done
        result.add(number, await context.service.page(number, reader))
        done += 1
        context.listen(Progress("pages", done, calls))

    # Whoever vanishes after this moves the last page; so it must be here before others are asked
    # for. The first page counted them before that, and is read again.
    await read(last)
    await each(range(1, last), read, min(_AT_ONCE, last - 1))
    page = await context.service.page(last, reader)
    result.add_again(last, page)
    context.listen(Progress("pages", calls, calls))
    return await _read_appended(context.service, result, reader, page, last, size)


async def _read_appended(
    service: Service, result: SweepResult, reader: PageReader, page: Page, last: int, size: int
) -> SweepResult:
    """Read those who appeared behind the last page, if it has filled up meanwhile."""
    for number in range(last + 1, 2 * last + 2):
        if len(page.numbers) < size or (page.total or 0) <= (number - 1) * size:
            break
        page = await service.page(number, reader)
        result.add(number, page)
    return result


async def _sweep_uncounted(
    context: ReadContext, query: SweepQuery, reader: PageReader, page: Page
) -> SweepResult:
    """Read page after page until one has nobody new: the answers do not say how many there are.

    A service that does not know pages shows the same people for ever.
    """
    result = SweepResult(query, last=0)
    number = 1
    shown: tuple[int, ...] = ()
    while page.numbers and page.numbers != shown:
        result.add(number, page)
        context.listen(Progress("pages", number, number))
        number, shown = number + 1, page.numbers
        page = await context.service.page(number, reader)
    return result


async def link_applications(
    result: SweepResult, live: Live, needs: Needs, query: SweepQuery, context: ReadContext
) -> Live:
    """Return what is known with what the pages show of the declared and recorded registrations.

    What is left out: fields that a page leaves open, what stood in two places, and whatever stands
    in an application that it is not declared in.
    """
    sightings = result.sightings(trust_texts=context.trusts_texts)
    unlinked = set(needs.registrations.values()) - _linked_application_ids(live, query).keys()
    listed = await listed_applications(context) if unlinked else {}
    listed_ids = {name: listed[name].id for name in unlinked if name in listed}
    live = await _link_by_point(
        sightings, live, query, context, sorted(unlinked - listed_ids.keys())
    )
    application_ids = listed_ids | _linked_application_ids(live, query)
    registrations: dict[str, Found] = {}
    owners: dict[str, LivePerson | None] = {}
    for id_, sighting in sightings.items():
        shown = sighting.registration
        if application_ids.get(query.registrations.get(id_, "")) != shown.application_id:
            continue
        owners[id_] = sighting.owner if sighting.owner.is_somebody else None
        if sighting.whole and id_ not in live.registrations:
            registrations[id_] = shown
    people = {**live.people, **result.people()}
    return replace(
        live,
        registrations={**live.registrations, **registrations},
        owners={**live.owners, **owners},
        people=people,
    )


async def _link_by_point(
    sightings: Mapping[str, Sighting],
    live: Live,
    query: SweepQuery,
    context: ReadContext,
    applications: Sequence[str],
) -> Live:
    """Read one registration of each of some applications that are not linked yet."""
    candidates = {name: _choose_candidates(name, sightings, query) for name in applications}
    for turn in range(_MOST_CANDIDATES):
        unlinked = set(applications) - _linked_application_ids(live, query).keys()
        chosen = {candidates[name][turn]: name for name in unlinked if len(candidates[name]) > turn}
        if not chosen:
            break
        needs_now = Needs(registrations=dict(sorted(chosen.items())))
        live = await read_by_point(context, live, needs_now)
    return live


def _choose_candidates(
    name: str, sightings: Mapping[str, Sighting], query: SweepQuery
) -> list[str]:
    """Return a few registrations that are declared in an application, of its commonest id."""
    declared = [id_ for id_ in sightings if query.registrations.get(id_) == name]
    common = Counter(sightings[id_].registration.application_id for id_ in declared).most_common(1)
    if not common:
        return []
    application_id = common[0][0]
    candidates = (
        id_ for id_ in declared if sightings[id_].registration.application_id == application_id
    )
    return nsmallest(_MOST_CANDIDATES, candidates)


def _linked_application_ids(live: Live, query: SweepQuery) -> dict[str, str]:
    """Return the service's id of each application that a registration read by point links."""
    return {
        query.registrations[id_]: registration.application_id
        for id_, registration in live.registrations.items()
        if id_ in query.registrations and isinstance(registration, LiveRegistration)
    }
