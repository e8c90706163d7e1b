"""What pages add up to: pure. What they show is true; absence is only as sure as the pages.

People appear and vanish while the pages are read, and everybody behind them moves by a place. So
each page is held against its neighbours, the counts against each other, and the last page, which is
read before all others and after them, against itself. Where something moved, what was not found is
not known to be absent; what was found in two places is not known at all. Both are read by point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from reconciler.core.absent import ABSENT
from reconciler.core.fields import Scalar, field_values
from reconciler.core.identity import IdentityValue
from reconciler.core.live import LivePerson, LiveRegistration
from reconciler.core.sweep_query import Page, SweepQuery


class Sighting(msgspec.Struct, frozen=True):
    """What the pages show of one registration: it, and whose it is."""

    registration: LiveRegistration
    owner: LivePerson

    @property
    def whole(self) -> bool:
        """Whether every field is known; what is not is settled by a point read."""
        shown = self.registration
        return ABSENT not in (*field_values(shown), shown.additional_data)


class SweepResult:
    """Takes pages as they come, in any order, and says what they show. `last` is the page that
    will come twice."""

    def __init__(self, query: SweepQuery, last: int) -> None:
        self._query = query
        self._people: dict[int, LivePerson] = {}
        self._texts: dict[tuple[str, str], Mapping[str, Scalar]] = {}
        self._numbers: dict[int, tuple[int, ...]] = {}
        self._seen: set[int] = set()
        self._last = last
        self._total: int | None = None
        self._distinct = 0
        self._has_moved = False
        self.shows_types = False
        self._is_whole = True

    def add(self, number: int, page: Page) -> None:
        """Take a page for the first time."""
        self._remember(page)
        self._distinct += len(page.numbers) - self._count_repeats(number, page.numbers)
        self._numbers[number] = page.numbers
        self._seen.add(number)
        self._drop_compared_pages(number)

    def add_again(self, number: int, page: Page) -> None:
        """Take the last page for the second time: it may only have grown."""
        before = self._numbers.get(number, ())
        self._remember(page)
        if page.numbers[: len(before)] != before:
            self._has_moved = True
        self._distinct += len(page.numbers) - len(before)
        self._numbers[number] = page.numbers

    def is_steady(self) -> bool:
        """Whether nobody vanished or moved while the pages were read, so that another sweep would
        show no more. Ask when all pages are in."""
        return not self._has_moved and self._distinct == self._total

    def shows_everything(self) -> bool:
        """Whether who was not seen is not there: nobody moved, and nothing was unreadable."""
        return self._is_whole and self.is_steady()

    def people(self) -> Mapping[IdentityValue, LivePerson | None]:
        """Return who has each sought identity value: seen once, or certainly nobody."""
        holders: dict[IdentityValue, LivePerson] = {}
        ambiguous: set[IdentityValue] = set()
        for person in self._people.values():
            for value in person.identities:
                if value in self._query.identities:
                    if value in holders:
                        ambiguous.add(value)
                    holders[value] = person
        if not self.shows_everything():
            return {value: person for value, person in holders.items() if value not in ambiguous}
        return {
            value: holders.get(value) for value in self._query.identities if value not in ambiguous
        }

    def sightings(self, *, trust_texts: bool) -> dict[str, Sighting]:
        """Return the kept registrations that were seen in one place only, by id.

        With `trust_texts`, or where some value showed that this service types what it shows, text
        that looks like another type is text.
        """
        trust = trust_texts or self.shows_types
        sightings = {
            registration.id: Sighting(
                self._with_texts(registration) if trust else registration, person
            )
            for person, registration in self._sought_registrations()
        }
        for id_ in self.seen_twice():
            del sightings[id_]
        return sightings

    def shown_registrations(self) -> frozenset[str]:
        """Return all sought registrations that stand on any page, whatever became of them."""
        return frozenset(registration.id for _, registration in self._sought_registrations())

    def seen_twice(self) -> set[str]:
        """Return the kept registrations that were seen with two people: they moved meanwhile."""
        owners: dict[str, int] = {}
        return {
            registration.id
            for person, registration in self._sought_registrations()
            if owners.setdefault(registration.id, person.number) != person.number
        }

    def _sought_registrations(self) -> Iterator[tuple[LivePerson, LiveRegistration]]:
        for person in self._people.values():
            for registration in person.registrations:
                if self._is_sought(registration):
                    yield person, registration

    def _is_sought(self, registration: LiveRegistration) -> bool:
        query = self._query
        return (
            registration.id in query.registrations
            or query.everybody
            or registration.application_id in query.application_ids
        )

    def _with_texts(self, registration: LiveRegistration) -> LiveRegistration:
        texts = self._texts.get((registration.application_id, registration.id))
        if texts is None or registration.additional_data is not ABSENT:
            return registration
        return replace(registration, additional_data=texts)

    def _remember(self, page: Page) -> None:
        for person in page.people:
            self._people[person.number] = person
        self._texts.update(page.texts)
        self.shows_types = self.shows_types or page.shows_types
        self._is_whole = self._is_whole and page.is_whole
        if page.total is None or page.total < (self._total or 0):
            self._has_moved = True
        self._total = max(page.total or 0, self._total or 0)

    def _count_repeats(self, number: int, numbers: tuple[int, ...]) -> int:
        """Count those whom a neighbour shows too: they moved over the seam."""
        shown_here = set(numbers)
        repeats = 0
        for neighbour in (number - 1, number + 1):
            repeats += len(shown_here.intersection(self._numbers.get(neighbour, ())))
        if repeats:
            self._has_moved = True
        return repeats

    def _drop_compared_pages(self, number: int) -> None:
        """Keep no numbers that no further page is held against, so that memory stays flat."""
        for page in (number - 1, number, number + 1):
            neighbours = {page - 1, page + 1} - {0}
            if page != self._last and neighbours <= self._seen:
                self._numbers.pop(page, None)
