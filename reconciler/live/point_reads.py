"""Read one by one: exactly the registrations, owners and people that are needed.

The same service gives the same calls: what a person's answer tells of others is used at fixed
points only, never because it happened to come first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, TypeVar

from reconciler.api.errors import ApplicationNotFound, NotTheContract, RegistrationNotFound
from reconciler.core.events import Progress
from reconciler.core.identity import IdentityValue
from reconciler.core.live import (
    Found,
    Gone,
    Live,
    LivePerson,
    LiveRegistration,
    Matchable,
    Needs,
    RegistrationKey,
    Unreadable,
    WrongApplication,
)

from .context import WORKERS, ReadContext, each, together

T = TypeVar("T")

# One answer that is none is about one device. So many, and not one good one, and it is not the
# service that answers here.
_MOST_UNREADABLE: Final = 3
# Registrations whose owners are matched together, as soon as all of them are read.
_MATCHED_TOGETHER: Final = 4 * WORKERS


async def read_by_point(context: ReadContext, live: Live, needs: Needs) -> Live:
    """Add what is needed to what is known. Raises the first ApiError and stops the other reads.

    The owner of a registration that is not there is not looked up, and not in the result. An
    answer that nobody can read is the result for its one device or person; but where no answer at
    all can be read, the first is raised.
    """
    if not context.service.can_match and needs.matches:
        needs = replace(needs, owners=(*needs.owners, *needs.matches), matches={})
    strangeness = _Strangeness(bool(live.registrations or live.people))
    registrations = _Registrations(context, needs, strangeness)
    people = _People(context, live, needs, strangeness)
    matches = _Matches(context, live, needs)
    await together(
        registrations.read(),
        people.read(live.registrations, registrations),
        matches.read(registrations),
    )
    return _prefer_whole(
        Live(
            {**live.registrations, **registrations.in_order()},
            {**live.owners, **matches.owners_in_order(), **people.owners_in_order()},
            {**live.people, **people.people_in_order()},
            {**live.owner_numbers, **matches.owner_numbers_in_order()},
            {**live.holder_numbers, **matches.holder_numbers},
        )
    )


def _prefer_whole(live: Live) -> Live:
    """Let who is known in full stand wherever the same person is known in part."""
    partly_known = {
        owner.number for owner in live.owners.values() if owner is not None and not owner.is_whole
    }
    if not partly_known:
        return live
    whole = {
        person.number: person
        for person in (*live.owners.values(), *live.people.values())
        if person is not None and person.is_whole and person.number in partly_known
    }
    owners = {
        id_: owner if owner is None else whole.get(owner.number, owner)
        for id_, owner in live.owners.items()
    }
    return replace(live, owners=owners) if whole else live


class _Strangeness:
    """Whether whoever answers is the service: told by the first answer that can be read."""

    def __init__(self, is_known: bool) -> None:
        self._is_known = is_known
        self._unreadable = 0
        self._first: NotTheContract | None = None

    def meet(self) -> None:
        """Note a good answer."""
        self._is_known = True

    def wonder(self, error: NotTheContract) -> Unreadable:
        """Note an answer that is none; raise it where there have been no others."""
        self._first = self._first or error
        self._unreadable += 1
        if not self._is_known and self._unreadable >= _MOST_UNREADABLE:
            raise self._first
        return Unreadable("", error.reason or "an answer that cannot be read")

    def settle(self) -> None:
        """Raise the first answer that was none if there were no others."""
        if self._first is not None and not self._is_known:
            raise self._first


class _Registrations:
    """The point reads of registrations; a wrong application is told from a gone registration."""

    def __init__(self, context: ReadContext, needs: Needs, strangeness: _Strangeness) -> None:
        self._service = context.service
        self._strangeness = strangeness
        self._app_codes = context.app_codes
        self._needed = needs.registrations
        self._listen = context.listen
        self.results: dict[str, Found] = {}
        self._awaited: dict[str, asyncio.Future[None]] = {}

    async def read(self) -> None:
        await each(self._needed.items(), self._read_registration, min(WORKERS, len(self._needed)))
        self._strangeness.settle()

    async def until_read(self, ids: Iterable[str]) -> None:
        """Wait until all of these that are being read are read."""
        loop = asyncio.get_running_loop()
        for id_ in ids:
            if id_ in self._needed and id_ not in self.results:
                self._awaited[id_] = loop.create_future()
                await self._awaited[id_]

    def in_order(self) -> dict[str, Found]:
        return {device: self.results[device] for device in self._needed}

    async def _read_registration(self, item: tuple[str, str]) -> None:
        device, application = item
        try:
            self.results[device] = await self._locate(device, application)
            self._strangeness.meet()
        except NotTheContract as error:
            if error.status != 200:
                raise
            self.results[device] = self._strangeness.wonder(error)
        awaited = self._awaited.get(device)
        if awaited is not None and not awaited.done():
            awaited.set_result(None)
        self._listen(Progress("get", len(self.results), len(self._needed)))

    async def _locate(self, device: str, application: str) -> Found:
        registration = await self._request(device, application)
        if registration is not None:
            return registration
        codes_tried = {self._app_codes[application]}
        for other, code in sorted(self._app_codes.items()):
            # Two names may stand for one code.
            if code not in codes_tried:
                codes_tried.add(code)
                if await self._request(device, other) is not None:
                    return WrongApplication(other)
        return Gone()

    async def _request(self, device: str, application: str) -> LiveRegistration | None:
        try:
            return await self._service.registration(device, self._app_codes[application])
        except RegistrationNotFound:
            return None
        except ApplicationNotFound as error:
            # Only here is known which of the project's applications has the wrong code.
            error.application = application
            raise


class _Matches:
    """The owners of whom it is enough to know that they have the declared values: by number.

    One answer gives the number of who owns a registration and of who has each value. Where all are
    the same the owner is known, in part; else only the numbers are, which settle nothing.
    """

    def __init__(self, context: ReadContext, live: Live, needs: Needs) -> None:
        self._service = context.service
        self._needed = needs.matches
        self._known = live
        self._listen = context.listen
        self._done = 0
        self.holder_numbers: dict[IdentityValue, int | None] = {}
        self._owner_numbers: dict[str, int | None] = {}
        self._owners: dict[str, LivePerson] = {}

    async def read(self, registrations: _Registrations) -> None:
        """Match the owners; in parts of fixed size, so that the calls do not depend on chance."""
        for batch in _batches(self._needed, _MATCHED_TOGETHER):
            await registrations.until_read(batch)
            found = (
                registrations.results.get(id_) or self._known.registrations.get(id_)
                for id_ in batch
            )
            there = [item for item in found if isinstance(item, LiveRegistration)]
            # A match has no type for browsers, and none without an application.
            matchable = [item for item in there if item.application_id and not item.is_web]
            self._owner_numbers.update((item.id, None) for item in there)
            await self._match(matchable)
            self._done += len(batch)
            self._listen(Progress("match", self._done, len(self._needed)))

    def owners_in_order(self) -> dict[str, LivePerson]:
        return {id_: self._owners[id_] for id_ in self._needed if id_ in self._owners}

    def owner_numbers_in_order(self) -> dict[str, int | None]:
        return {id_: self._owner_numbers[id_] for id_ in self._needed if id_ in self._owner_numbers}

    async def _match(self, batch: Sequence[LiveRegistration]) -> None:
        holders = {**self._known.holder_numbers, **self.holder_numbers}
        values = {
            value: None for one in batch for value in self._needed[one.id] if value not in holders
        }
        keys: list[Matchable] = [RegistrationKey(one.id, one.application_id) for one in batch]
        numbers = await self._service.match((*keys, *values))
        self.holder_numbers.update((value, numbers.get(value)) for value in values)
        holders |= self.holder_numbers
        for registration, key in zip(batch, keys, strict=True):
            declared = self._needed[registration.id]
            number = numbers.get(key)
            self._owner_numbers[registration.id] = number
            if number is not None and all(holders[value] == number for value in declared):
                owner = LivePerson(number, frozenset(declared), is_whole=False)
                self._owners[registration.id] = owner


class _People:
    """The look-ups of people. They are few a second, so what one answer tells of others is used.

    A person's answer lists all their registrations and identity values. It is noted between
    batches of fixed size, so that the calls do not depend on which answer came first.
    """

    def __init__(
        self, context: ReadContext, live: Live, needs: Needs, strangeness: _Strangeness
    ) -> None:
        self._service = context.service
        self._strangeness = strangeness
        self._needs = needs
        self._listen = context.listen
        self._total = len(needs.owners) + len(needs.people)
        self._done = 0
        self._by_registration: dict[tuple[str, str], LivePerson] = {}
        self._by_identity: dict[IdentityValue, LivePerson] = {}
        self._owners: dict[str, LivePerson | None] = {}
        self._people: dict[IdentityValue, LivePerson | None] = {}
        self._owner_numbers = live.owner_numbers
        self._holder_numbers = live.holder_numbers
        for person in (*live.owners.values(), *live.people.values()):
            self._remember(person)

    async def read(self, known: Mapping[str, Found], registrations: _Registrations) -> None:
        """Look everybody up; an owner as soon as the registrations of its batch are known."""
        for batch in _batches(self._needs.owners):
            await registrations.until_read(batch)
            owned = [registrations.results.get(id) or known.get(id) for id in batch]
            await self._read_owners(owned)
        for values in _batches(self._needs.people):
            await self._read_people(values)

    def owners_in_order(self) -> dict[str, LivePerson | None]:
        return {id: self._owners[id] for id in self._needs.owners if id in self._owners}

    def people_in_order(self) -> dict[IdentityValue, LivePerson | None]:
        return {value: self._people[value] for value in self._needs.people}

    async def _read_owners(self, owned: Sequence[Found | None]) -> None:
        batch = [
            item for item in owned if isinstance(item, LiveRegistration) and item.application_id
        ]
        answers: dict[tuple[str, str], LivePerson | None] = {}

        async def required_reads(registration: LiveRegistration) -> None:
            look_up = self._service.owner(
                registration.id, registration.application_id, is_web=registration.is_web
            )
            answers[_key(registration)] = await self._person(look_up)
            self._report_progress(1)

        unknown = [item for item in batch if _key(item) not in self._by_registration]
        self._report_progress(len(owned) - len(unknown))
        first, others = _first_of_each(
            unknown, [self._owner_numbers.get(item.id) for item in unknown]
        )
        await each(first, required_reads, len(first))
        for owner in answers.values():
            self._remember(owner)
        untold = [item for item in others if _key(item) not in self._by_registration]
        self._report_progress(len(others) - len(untold))
        await each(untold, required_reads, len(untold))
        for registration in batch:
            key = _key(registration)
            owner = answers[key] if key in answers else self._by_registration[key]
            self._owners[registration.id] = (
                owner if owner is not None and owner.is_somebody else None
            )
        for owner in answers.values():
            self._remember(owner)

    async def _read_people(self, batch: Sequence[IdentityValue]) -> None:
        answers: dict[IdentityValue, LivePerson | None] = {}

        async def required_reads(value: IdentityValue) -> None:
            answers[value] = await self._person(self._service.person(value))
            self._report_progress(1)

        unknown = [value for value in batch if value not in self._by_identity]
        self._report_progress(len(batch) - len(unknown))
        first, others = _first_of_each(
            unknown, [self._holder_numbers.get(value) for value in unknown]
        )
        await each(first, required_reads, len(first))
        for person in answers.values():
            self._remember(person)
        untold = [value for value in others if value not in self._by_identity]
        self._report_progress(len(others) - len(untold))
        await each(untold, required_reads, len(untold))
        for value in batch:
            self._people[value] = answers[value] if value in answers else self._by_identity[value]
        for person in answers.values():
            self._remember(person)

    async def _person(self, look_up: Awaitable[LivePerson | None]) -> LivePerson | None:
        """Return who answers a look-up; of an answer that is none, somebody nobody knows."""
        try:
            person = await look_up
        except NotTheContract as error:
            if error.status != 200:
                raise
            return LivePerson(-1, unreadable=(self._strangeness.wonder(error),))
        self._strangeness.meet()
        return person

    def _remember(self, person: LivePerson | None) -> None:
        if person is not None and person.is_whole:
            self._by_registration.update(
                (_key(registration), person) for registration in person.registrations
            )
            self._by_identity.update((value, person) for value in person.identities)

    def _report_progress(self, done: int) -> None:
        if done:
            self._done += done
            self._listen(Progress("persons", self._done, self._total))


def _key(registration: LiveRegistration) -> tuple[str, str]:
    return (registration.application_id, registration.id)


def _batches(items: Iterable[T], size: int = WORKERS) -> Iterator[tuple[T, ...]]:
    rest = iter(items)
    while batch := tuple(islice(rest, size)):
        yield batch


def _first_of_each(items: Sequence[T], numbers: Sequence[int | None]) -> tuple[list[T], list[T]]:
    """Part items by who they are said to be of: the first of each person, and all whose person
    nobody knows; then those of whom the first one's answer will probably tell."""
    seen: set[int] = set()
    first: list[T] = []
    others: list[T] = []
    for item, number in zip(items, numbers, strict=True):
        (others if number in seen else first).append(item)
        if number is not None:
            seen.add(number)
    return first, others
