"""The service as the reading stage sees it, answered by the platform's model without a wire.

Each answer goes through bytes and the real decoders. Pages are as small as a test likes, and
something may happen to the world before any call.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import msgspec

from reconciler.api.applications import decode_applications
from reconciler.api.decode import decode_registration
from reconciler.api.errors import (
    ApplicationNotFound,
    Denied,
    RegistrationNotFound,
    Rejected,
)
from reconciler.api.matching import Matcher, decode_matches, identifier_of
from reconciler.api.people import PageReader, decode_people
from reconciler.api.service import Service
from reconciler.core.events import Listener, nobody_listens
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import LiveApplication, LivePerson, LiveRegistration, Matchable
from reconciler.core.sweep_query import Page
from reconciler.platform import operations
from reconciler.platform.assumptions import readings
from reconciler.platform.lookups import order_key, parse_page, show_page
from reconciler.platform.operations import Call, Operation, Response
from reconciler.platform.step import step
from reconciler.platform.world import World
from tests.changed import replace

_TYPES = {
    IdentityKind.EXTERNAL_ID: "EXTERNAL_ID",
    IdentityKind.PHONE_NUMBER: "PHONE",
    IdentityKind.EMAIL: "EMAIL",
}


class Modelled:
    """Answers from `world`, which `happens` may replace before each call, by its number from 0.

    `page_size` is the most that this service shows on a page, whatever limit it is asked for.
    """

    def __init__(
        self,
        world: World,
        assume: Mapping[str, str] | None = None,
        page_size: int = 1000,
        happens: Callable[[World, int], World] = lambda world, number: world,
        counts_people: bool = True,
        *,
        lists_applications: bool = False,
        can_match: bool = True,
    ) -> None:
        self.world = world
        self.worlds = [world]
        self.counts: Counter[Operation] = Counter()
        self.calls: list[Call] = []
        self._readings = readings(assume)
        self._shows_anonymous = self._readings_name("anonymous-owner") != "404"
        self._page_size = page_size
        self._happens = happens
        self._counts_people = counts_people
        self.lists_applications = lists_applications
        self._matcher = Matcher(self._match_once, nobody_listens)
        self._matcher.is_refused = not can_match

    def _readings_name(self, name: str) -> str:
        from reconciler.platform.assumptions import ASSUMPTIONS

        return self._readings(ASSUMPTIONS[name])

    def service(self) -> Service:
        """Return this as what the reading stage takes."""
        return cast("Service", self)

    def tell(self, listen: Listener) -> None:
        """There is nothing to tell: no call waits."""

    async def registration(self, registration_id: str, app_code: str) -> LiveRegistration:
        response = await self._answer(operations.get(registration_id, app_code))
        if response.status == 200:
            return decode_registration(msgspec.json.encode(response.body))
        body = cast("Mapping[str, object]", response.body)
        kind = RegistrationNotFound if body["errorCode"] == 48013 else ApplicationNotFound
        raise kind("get", registration_id, "GET", "/x", response.status)

    async def owner(
        self, registration_id: str, application_id: str, *, is_web: bool = False
    ) -> LivePerson | None:
        call = operations.person_of_registration(registration_id, application_id, is_web=is_web)
        return self._person(await self._answer(call))

    async def person(self, value: IdentityValue) -> LivePerson | None:
        call = operations.person_by_identity(_TYPES[value.kind], value.reveal())
        return self._person(await self._answer(call))

    async def applications(self) -> tuple[LiveApplication, ...]:
        call = operations.applications()
        if not self.lists_applications:
            raise Denied("applications", None, call.method, call.path, 403)
        answer = await self._answer(call)
        return decode_applications(msgspec.json.encode(answer.body))

    @property
    def can_match(self) -> bool:
        return not self._matcher.is_refused

    @property
    def match_size(self) -> int:
        return self._matcher.size

    async def match(self, keys: Iterable[Matchable]) -> Mapping[Matchable, int]:
        return await self._matcher.match(keys)

    async def _match_once(self, keys: Sequence[Matchable]) -> Mapping[Matchable, int]:
        response = await self._answer(operations.match(map(identifier_of, keys)))
        if response.status != 200:
            raise Rejected("match", None, "POST", "/x", response.status)
        return decode_matches(msgspec.json.encode(response.body), keys)

    async def page(self, number: int, reader: PageReader) -> Page:
        call = operations.persons_page(number)
        await self._come(call)
        asked = parse_page(call.query)
        asked = replace(asked, limit=min(asked.limit, self._page_size), count=self._counts_people)
        people = self.world.people.values()
        shown = [one for one in people if self._shows_anonymous or not one.is_anonymous]
        order = [one.number for one in sorted(shown, key=lambda one: order_key(one, "createdAt"))]
        response = show_page(self.world, order, asked, self._readings)
        return reader.read(msgspec.json.encode(response.body))

    async def _answer(self, call: Call) -> Response:
        await self._come(call)
        return step(self.world, call, self._readings)[1]

    async def _come(self, call: Call) -> None:
        await asyncio.sleep(0)
        self.world = self._happens(self.world, len(self.calls))
        self.worlds.append(self.world)
        self.calls.append(call)
        self.counts[call.operation] += 1

    @staticmethod
    def _person(response: Response) -> LivePerson | None:
        if response.status == 404:
            return None
        (found,) = decode_people(msgspec.json.encode(response.body))
        return found
