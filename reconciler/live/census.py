"""Read everything that lives in one application, page by page: what an import chooses from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from reconciler.api.errors import RegistrationNotFound
from reconciler.api.people import PageReader
from reconciler.core.live import Found, Live, LivePerson, LiveRegistration, Needs, Unreadable
from reconciler.core.sweep_query import Page, SweepQuery

from .applications import listed_applications
from .context import ReadContext
from .point_reads import read_by_point
from .sweep import SWEEPS, sweep

# One that vanished since its page was read says nothing of its application; so many are tried.
_MOST_TRIED: Final = 3


@dataclass(frozen=True, slots=True)
class Census:
    """What was found. `live` has the registrations of the application with all fields, and the
    owner of each (None: nobody). Not `steady` when people came and went meanwhile: some may be
    missing. `application_id` is None when nobody has a registration there. `counted` is how many
    registrations the service itself counts in the application, None where it does not tell.

    What stands on no page is not in it: where the service shows people without identity nowhere
    (`anonymous-owner: 404`), those are the registrations that nobody owns.
    """

    application_id: str | None
    live: Live
    steady: bool
    counted: int | None = None


async def take_census(context: ReadContext, application: str) -> Census:
    """Read everything that lives in an application of the project. Raises the first ApiError.

    Memory grows with what lives there, and not with the number of people.
    """
    service = context.service
    listed = (await listed_applications(context)).get(application)
    application_id = await _probe_for_id(context, application) if listed is None else listed.id
    if application_id is None:
        return Census(None, Live(), True)
    query = SweepQuery(application_ids=frozenset({application_id}))
    reader = PageReader(query)
    sweeps = 0
    while True:
        result = await sweep(context, query, reader, await service.page(1, reader))
        sweeps += 1
        if result.is_steady() or sweeps == SWEEPS:
            break
    sightings = result.sightings(trust_texts=context.trusts_texts)
    in_order = {id_: sightings[id_] for id_ in sorted(sightings)}
    unsettled = {id_: application for id_, sighting in in_order.items() if not sighting.whole}
    registrations: dict[str, Found] = {
        id_: sighting.registration for id_, sighting in in_order.items() if sighting.whole
    }
    live = Live(
        registrations, {id_: _identified(sighting.owner) for id_, sighting in in_order.items()}
    )
    doubtful = dict.fromkeys(sorted(result.seen_twice()), application)
    needs = Needs({**unsettled, **doubtful}, tuple(doubtful))
    live = await read_by_point(context, live, needs)
    counted = None if listed is None else listed.registrations
    return Census(application_id, _drop_vanished(live), result.is_steady(), counted)


async def _probe_for_id(context: ReadContext, application: str) -> str | None:
    """Return the service's id of an application that is not listed, by point reads of what stands
    on the pages; None when nobody has anything there."""
    code, everybody = context.app_codes[application], PageReader(SweepQuery(everybody=True))
    page = await context.service.page(1, everybody)
    tried: dict[str, int] = {}
    number = 1
    application_id = await _find_application_id(page, context, code, tried)
    shown: tuple[int, ...] = ()
    while application_id is None and page.numbers and page.numbers != shown:
        # Nobody on the pages so far has anything there; further on somebody may.
        number, shown = number + 1, page.numbers
        page = await context.service.page(number, everybody)
        application_id = await _find_application_id(page, context, code, tried)
    return application_id


def _identified(person: LivePerson) -> LivePerson | None:
    return person if person.is_somebody else None


def _drop_vanished(live: Live) -> Live:
    """Leave out what vanished meanwhile; fields that even a point read leaves out stay ABSENT."""
    present = {
        id_: registration
        for id_, registration in live.registrations.items()
        if isinstance(registration, (LiveRegistration, Unreadable))
    }
    owners = {id_: live.owners.get(id_) for id_ in present}
    return replace(live, registrations=dict(sorted(present.items())), owners=owners)


async def _find_application_id(
    page: Page, context: ReadContext, code: str, tried: dict[str, int]
) -> str | None:
    """Find which of the application ids on a page is that of the code: only a point read tells."""
    for person in page.people:
        for entry in person.registrations:
            application_id = entry.application_id
            if tried.get(application_id, 0) >= _MOST_TRIED:
                continue
            tried[application_id] = tried.get(application_id, 0) + 1
            try:
                registration = await context.service.registration(entry.id, code)
            except RegistrationNotFound:
                continue
            return registration.application_id
    return None
