"""Stage 2, for an import: everything that lives in one application, page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from reconciler.api.errors import RegistrationNotFound
from reconciler.api.people import PageReader
from reconciler.core.live import Found, Live, LivePerson, LiveRegistration, Needs
from reconciler.core.sweep_query import Page, SweepQuery

from .context import ReadContext
from .point_reads import read
from .sweep import SWEEPS, sweep

# One that vanished since its page was read says nothing of its application; so many are tried.
_TRIED: Final = 3


@dataclass(frozen=True, slots=True)
class Census:
    """What was found. `live` has the registrations of the application with all fields, and the
    owner of each (None: nobody). Not `steady` when people came and went meanwhile: some may be
    missing. `application_id` is None when nobody has a registration there.

    What stands on no page is not in it: where the service shows people without identity nowhere
    (`anonymous-owner: 404`), those are the registrations that nobody owns.
    """

    application_id: str | None
    live: Live
    steady: bool


async def census(means: ReadContext, application: str) -> Census:
    """Read everything that lives in an application of the project. Raises the first ApiError.

    Memory grows with what lives there, and not with the number of people.
    """
    service, code = means.service, means.app_codes[application]
    everybody = PageReader(SweepQuery(everybody=True))
    page = await service.page(1, everybody)
    tried: dict[str, int] = {}
    number = 1
    application_id = await _application_id(page, means, code, tried)
    while application_id is None and page.numbers:
        # Nobody on the pages so far has anything there; further on somebody may.
        number += 1
        page = await service.page(number, everybody)
        application_id = await _application_id(page, means, code, tried)
    if application_id is None:
        return Census(None, Live(), True)
    sought = SweepQuery(application_ids=frozenset({application_id}))
    reader = PageReader(sought)
    sweeps = 0
    while True:
        swept = await sweep(service, sought, reader, await service.page(1, reader), means.listen)
        sweeps += 1
        if swept.steady() or sweeps == SWEEPS:
            break
    sights = swept.sights(trust_texts=means.trusts_texts)
    mine = {id_: sights[id_] for id_ in sorted(sights)}
    unsettled = {id_: application for id_, sight in mine.items() if not sight.whole}
    registrations: dict[str, Found] = {
        id_: sight.registration for id_, sight in mine.items() if sight.whole
    }
    live = Live(registrations, {id_: _somebody(sight.owner) for id_, sight in mine.items()})
    doubtful = dict.fromkeys(sorted(swept.twice()), application)
    needs = Needs({**unsettled, **doubtful}, tuple(doubtful))
    live = await read(service, means.app_codes, live, needs, means.listen)
    return Census(application_id, _present(live), swept.steady())


def _somebody(person: LivePerson) -> LivePerson | None:
    return person if person.identities else None


def _present(live: Live) -> Live:
    """Leave out what vanished meanwhile; fields that even a point read leaves out stay ABSENT."""
    here = {
        id_: found
        for id_, found in live.registrations.items()
        if isinstance(found, LiveRegistration)
    }
    owners = {id_: live.owners.get(id_) for id_ in here}
    return replace(live, registrations=dict(sorted(here.items())), owners=owners)


async def _application_id(
    page: Page, means: ReadContext, code: str, tried: dict[str, int]
) -> str | None:
    """Find which of the application ids on a page is that of the code: only a point read tells."""
    for person in page.people:
        for entry in person.registrations:
            number = entry.application_id
            if tried.get(number, 0) >= _TRIED:
                continue
            tried[number] = tried.get(number, 0) + 1
            try:
                found = await means.service.registration(entry.id, code)
            except RegistrationNotFound:
                continue
            return found.application_id
    return None
