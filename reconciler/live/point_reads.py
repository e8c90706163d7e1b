"""Stage 2, one by one: reads exactly the registrations, owners and people that are asked for.

The same service gives the same calls: what a person's answer tells of others is used at fixed
points only, never because it happened to come first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from reconciler.api.errors import ApplicationNotFound, RegistrationNotFound
from reconciler.api.service import Service
from reconciler.core.events import Listener, Progress
from reconciler.core.identity import IdentityValue
from reconciler.core.live import (
    Found,
    Gone,
    Live,
    LivePerson,
    LiveRegistration,
    Needs,
    WrongApplication,
)

from .workers import WORKERS, each, together

T = TypeVar("T")


async def read(
    service: Service,
    app_codes: Mapping[str, str],
    live: Live,
    needs: Needs,
    listen: Listener,
) -> Live:
    """Add what is needed to what is known. Raises the first ApiError and stops the other reads.

    `app_codes` are the codes by application name. The owner of a registration that is not there
    is not looked up, and not in the result.
    """
    registrations = _Registrations(service, app_codes, needs, listen)
    people = _People(service, live, needs, listen)
    await together(registrations.read(), people.read(live.registrations, registrations))
    return Live(
        {**live.registrations, **registrations.in_order()},
        {**live.owners, **people.owners_in_order()},
        {**live.people, **people.people_in_order()},
    )


class _Registrations:
    """The point reads of registrations; a wrong application is told from a gone registration."""

    def __init__(
        self, service: Service, app_codes: Mapping[str, str], needs: Needs, listen: Listener
    ) -> None:
        self._service = service
        self._app_codes = app_codes
        self._wanted = needs.registrations
        self._listen = listen
        self.found: dict[str, Found] = {}
        self._awaited: dict[str, asyncio.Future[None]] = {}

    async def read(self) -> None:
        await each(self._wanted.items(), self._read_one, min(WORKERS, len(self._wanted)))

    async def until_read(self, ids: Iterable[str]) -> None:
        """Wait until all of these that are being read are read."""
        loop = asyncio.get_running_loop()
        for id_ in ids:
            if id_ in self._wanted and id_ not in self.found:
                self._awaited[id_] = loop.create_future()
                await self._awaited[id_]

    def in_order(self) -> dict[str, Found]:
        return {device: self.found[device] for device in self._wanted}

    async def _read_one(self, wanted: tuple[str, str]) -> None:
        device, application = wanted
        self.found[device] = await self._find(device, application)
        awaited = self._awaited.get(device)
        if awaited is not None and not awaited.done():
            awaited.set_result(None)
        self._listen(Progress("get", len(self.found), len(self._wanted)))

    async def _find(self, device: str, application: str) -> Found:
        found = await self._ask(device, application)
        if found is not None:
            return found
        asked = {self._app_codes[application]}
        for other, code in sorted(self._app_codes.items()):
            # Two names may stand for one code.
            if code not in asked:
                asked.add(code)
                if await self._ask(device, other) is not None:
                    return WrongApplication(other)
        return Gone()

    async def _ask(self, device: str, application: str) -> LiveRegistration | None:
        try:
            return await self._service.registration(device, self._app_codes[application])
        except RegistrationNotFound:
            return None
        except ApplicationNotFound as error:
            # Only here is known which of the project's applications has the wrong code.
            error.application = application
            raise


class _People:
    """The look-ups of people. They are few a second, so what one answer tells of others is used.

    A person's answer lists all their registrations and identity values. It is noted between
    batches of fixed size, so that the calls do not depend on which answer came first.
    """

    def __init__(self, service: Service, live: Live, needs: Needs, listen: Listener) -> None:
        self._service = service
        self._needs = needs
        self._listen = listen
        self._total = len(needs.owners) + len(needs.people)
        self._done = 0
        self._by_registration: dict[tuple[str, str], LivePerson] = {}
        self._by_identity: dict[IdentityValue, LivePerson] = {}
        self._owners: dict[str, LivePerson | None] = {}
        self._people: dict[IdentityValue, LivePerson | None] = {}
        for person in (*live.owners.values(), *live.people.values()):
            self._note(person)

    async def read(self, known: Mapping[str, Found], registrations: _Registrations) -> None:
        """Look everybody up; an owner as soon as the registrations of its batch are known."""
        for batch in _batches(self._needs.owners):
            await registrations.until_read(batch)
            found = [registrations.found.get(id) or known.get(id) for id in batch]
            await self._read_owners(found)
        for values in _batches(self._needs.people):
            await self._read_people(values)

    def owners_in_order(self) -> dict[str, LivePerson | None]:
        return {id: self._owners[id] for id in self._needs.owners if id in self._owners}

    def people_in_order(self) -> dict[IdentityValue, LivePerson | None]:
        return {value: self._people[value] for value in self._needs.people}

    async def _read_owners(self, found: Sequence[Found | None]) -> None:
        batch = [one for one in found if isinstance(one, LiveRegistration)]
        answers: dict[tuple[str, str], LivePerson | None] = {}

        async def ask(registration: LiveRegistration) -> None:
            owner = await self._service.owner(registration.id, registration.application_id)
            answers[_key(registration)] = owner
            self._tell(1)

        unknown = [one for one in batch if _key(one) not in self._by_registration]
        self._tell(len(found) - len(unknown))
        await each(unknown, ask, len(unknown))
        for registration in batch:
            key = _key(registration)
            owner = answers[key] if key in answers else self._by_registration[key]
            self._owners[registration.id] = owner if owner and owner.identities else None
        for owner in answers.values():
            self._note(owner)

    async def _read_people(self, batch: Sequence[IdentityValue]) -> None:
        answers: dict[IdentityValue, LivePerson | None] = {}

        async def ask(value: IdentityValue) -> None:
            answers[value] = await self._service.person(value)
            self._tell(1)

        unknown = [value for value in batch if value not in self._by_identity]
        await each(unknown, ask, len(unknown))
        self._tell(len(batch) - len(unknown))
        for value in batch:
            self._people[value] = answers[value] if value in answers else self._by_identity[value]
        for person in answers.values():
            self._note(person)

    def _note(self, person: LivePerson | None) -> None:
        if person is not None:
            self._by_registration.update((_key(one), person) for one in person.registrations)
            self._by_identity.update((value, person) for value in person.identities)

    def _tell(self, done: int) -> None:
        if done:
            self._done += done
            self._listen(Progress("persons", self._done, self._total))


def _key(registration: LiveRegistration) -> tuple[str, str]:
    return (registration.application_id, registration.id)


def _batches(items: Iterable[T]) -> Iterator[tuple[T, ...]]:
    rest = iter(items)
    while batch := tuple(islice(rest, WORKERS)):
        yield batch
