"""Stage 2, from pages to registrations: pages name the service's application id, a project its
application's code, and only a point read links the two. One for each application, in every run: a
code that was changed would else go unnoticed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import Final

from reconciler.core.live import Found, Live, LivePerson, LiveRegistration, Needs
from reconciler.core.sweep_query import SweepQuery

from .context import ReadContext
from .point_reads import read
from .sweep_result import Sight, Swept

# One that vanished since its page was read links nothing; more of them are not tried.
_CANDIDATES: Final = 3


async def linked(
    swept: Swept, live: Live, needs: Needs, sought: SweepQuery, means: ReadContext
) -> Live:
    """Return what is known with what the pages show of the declared and recorded registrations.

    What is left out: fields that a page leaves open, what stood in two places, and whatever stands
    in an application that it is not declared in.
    """
    sights = swept.sights(trust_texts=means.trusts_texts)
    live = await _link(sights, live, needs, sought, means)
    application_ids = _application_ids(live, sought)
    registrations: dict[str, Found] = {}
    owners: dict[str, LivePerson | None] = {}
    for id_, sight in sights.items():
        shown = sight.registration
        if application_ids.get(sought.registrations.get(id_, "")) != shown.application_id:
            continue
        owners[id_] = sight.owner if sight.owner.identities else None
        if sight.whole and id_ not in live.registrations:
            registrations[id_] = shown
    people = {**live.people, **swept.people()}
    return Live({**live.registrations, **registrations}, {**live.owners, **owners}, people)


async def _link(
    sights: Mapping[str, Sight], live: Live, needs: Needs, sought: SweepQuery, means: ReadContext
) -> Live:
    """Read one registration of each application that is not linked yet."""
    wanted = set(needs.registrations.values()) - _application_ids(live, sought).keys()
    candidates = {name: _candidates(name, sights, sought) for name in sorted(wanted)}
    for turn in range(_CANDIDATES):
        unlinked = wanted - _application_ids(live, sought).keys()
        chosen = {candidates[name][turn]: name for name in unlinked if len(candidates[name]) > turn}
        if not chosen:
            break
        asked = Needs(registrations=dict(sorted(chosen.items())))
        live = await read(means.service, means.app_codes, live, asked, means.listen)
    return live


def _candidates(name: str, sights: Mapping[str, Sight], sought: SweepQuery) -> list[str]:
    """Return a few registrations that are declared in an application, of its commonest id."""
    mine = [id_ for id_ in sights if sought.registrations.get(id_) == name]
    common = Counter(sights[id_].registration.application_id for id_ in mine).most_common(1)
    if not common:
        return []
    number = common[0][0]
    its = (id_ for id_ in mine if sights[id_].registration.application_id == number)
    return nsmallest(_CANDIDATES, its)


def _application_ids(live: Live, sought: SweepQuery) -> dict[str, str]:
    """Return the service's id of each application that a registration read by point links."""
    return dict(_links(live, sought))


def _links(live: Live, sought: SweepQuery) -> Iterable[tuple[str, str]]:
    for id_, found in live.registrations.items():
        name = sought.registrations.get(id_)
        if name is not None and isinstance(found, LiveRegistration):
            yield name, found.application_id
