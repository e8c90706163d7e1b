"""One simulated account: the world, its readings, limits and log behind one door."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.platform.answers import Refused
from reconciler.platform.applications import answer_applications, count_registrations
from reconciler.platform.assumptions import (
    ANONYMOUS_OWNER,
    READ_AFTER_WRITE,
    readings,
)
from reconciler.platform.lookups import is_lookup, parse_page, show_page
from reconciler.platform.operations import (
    DEFAULT_LIMITS,
    WRITES,
    Call,
    Operation,
    Response,
)
from reconciler.platform.ownership import affected_people
from reconciler.platform.step import step
from reconciler.platform.world import Person, Registration, World

from .admission import Authorization, Limits
from .calls import CallLog
from .external_change import patch_registration
from .faults import Faults
from .fleet import creation_order, fleet, registration_counts
from .page_order import PageOrder

# The oldest answer that `read-after-write=lags` may give, in seconds.
LAG: Final = 2.0
# Older than anybody in a world.
_LONG_AGO: Final = "2000-01-01T00:00:00"


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What a sandbox is started with.

    `world` is served, or a generated one of `people`. `assume` maps assumption names to readings.
    `limits` in requests a second, None for none. `latency` seconds pass around each call, half of
    them before it, and up to `jitter` seconds on top of either half. `fault_seed` decides the
    chances of `faults` and the jitter.
    """

    port: int = 0
    world: World | None = None
    people: int = 0
    assume: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[Operation, float] | None = field(default_factory=lambda: DEFAULT_LIMITS)
    latency: float = 0.0
    jitter: float = 0.0
    faults: tuple[str, ...] = ()
    fault_seed: int = 0
    token_seconds: float = 3600.0


class UnknownRegistration(LookupError):
    """There is no registration of that id."""


class Account:
    """Answer calls one after another; may be used from several threads."""

    def __init__(self, options: SandboxOptions) -> None:
        self._lock = Lock()
        self._readings = readings(options.assume)
        self._lags = self._readings(READ_AFTER_WRITE) == "lags"
        self._shows_anonymous = self._readings(ANONYMOUS_OWNER) != "404"
        self.limits = Limits(options.limits)
        self.log = CallLog()
        self.authorization = Authorization(options.token_seconds)
        # How many people a generated world has, as long as it has all its registrations.
        self._generated: int | None = None
        # Replaced as a whole, so that a call meets either the old faults or the new ones.
        self.faults = Faults(options.faults, options.fault_seed)
        if options.world is not None:
            self._reset(self._with_anonymous_owners(options.world), None)
        else:
            order = creation_order(options.people, anonymous=self._shows_anonymous)
            self._reset(fleet(options.people), order)
            self._generated = options.people

    @property
    def world(self) -> World:
        return self._world

    def answer(self, call: Call) -> tuple[Response, frozenset[int]]:
        """Answer a call; also returns the numbers of the people whom it could change."""
        with self._lock:
            if call.operation not in WRITES:
                return self._read(call), frozenset()
            before = self._world
            people = affected_people(before, call)
            after, response = step(before, call, self._readings, _timestamp())
            if after is not before:
                self._advance(after, people | set(range(before.next_number, after.next_number)))
            return response, people

    def preview(self, call: Call) -> Response:
        """Answer a call as it would be answered now; nothing changes."""
        with self._lock:
            if call.operation not in WRITES:
                return self._read(call)
            return step(self._world, call, self._readings, _timestamp())[1]

    def set_world(self, world: World) -> None:
        """Serve another world from now on."""
        with self._lock:
            self._reset(self._with_anonymous_owners(world), None)

    def change(self, registration_id: str, merge: Mapping[str, object]) -> Registration:
        """Let the app or a colleague change a registration, beside the API: a JSON merge patch of
        a field (core.fields), owner (a number or null), additionalData, systemData.

        UnknownRegistration if it is not there, ValueError if the patch is no good.
        """
        with self._lock:
            before = self._world
            registration = before.registrations.get(registration_id)
            if registration is None:
                raise UnknownRegistration(registration_id)
            changed = patch_registration(registration, merge)
            world = self._with_anonymous_owners(before.with_registration(changed))
            self._advance(world, range(before.next_number, world.next_number))
            return world.registrations[registration_id]

    def change_as_rival(self, registration_id: str, merge: Mapping[str, object] | None) -> None:
        """Change a registration as `change` does, or turn its registrationEnabled around; nothing
        happens to one that is not there, or if its new owner is not."""
        registration = self._world.registrations.get(registration_id)
        if registration is not None:
            toggled = {"registrationEnabled": not registration.registration_enabled}
            with suppress(UnknownRegistration, ValueError):
                self.change(registration_id, toggled if merge is None else merge)

    def uninstall(self, registration_id: str) -> None:
        """Take a registration out of the world; UnknownRegistration if it is not there."""
        with self._lock:
            if registration_id not in self._world.registrations:
                raise UnknownRegistration(registration_id)
            self._generated = None
            self._advance(self._world.without_registration(registration_id), ())

    def appear(self) -> None:
        """Let somebody stand on the pages who is older than everybody: all others move on by one.
        The external id is `appeared-` and the number, and there is no registration."""
        with self._lock:
            number = self._world.next_number
            external_id = IdentityValue.of(IdentityKind.EXTERNAL_ID, f"appeared-{number}")
            person = Person(
                number, frozenset({external_id}), created_at=_LONG_AGO, modified_at=_LONG_AGO
            )
            self._advance(self._world.with_person(person), (number,))
            self._drop_history()

    def vanish(self, query: Mapping[str, str]) -> None:
        """Take somebody away who stands before the page of this query: all others move up by one.
        The oldest of those who own nothing; where all own something, the oldest, with what they
        own."""
        with self._lock:
            world, order = self._world, self._order.sorted_by("createdAt")
            try:
                page = parse_page(query)
            except Refused:
                return
            earlier = order[: max((page.page - 1) * page.limit, 1)]
            if not earlier:
                return
            owning_nothing = (number for number in earlier if not world.owned.get(number))
            number = next(owning_nothing, earlier[0])
            for id_ in world.owned.get(number, ()):
                self._generated = None
                world = world.without_registration(id_)
            self._advance(world.without_person(number), (number,))
            self._drop_history()

    def _reset(self, world: World, by_creation: list[int] | None) -> None:
        self._world = world
        self._counted: tuple[int, Counter[str]] | None = None
        self._generated = None
        self._order = PageOrder(world, self._is_shown, by_creation)
        self._stale_order: PageOrder | None = None
        self._history: deque[tuple[float, World]] = deque([(float("-inf"), world)])

    def _advance(self, world: World, people: Collection[int]) -> None:
        self._world = world
        self._order.advance(world, people)
        if self._lags:
            self._visible_world()
            self._history.append((time.monotonic(), world))

    def _drop_history(self) -> None:
        """Show reads the present world, lag or not: a page that shifts later shifts nothing."""
        self._history = deque([(float("-inf"), self._world)])

    def _with_anonymous_owners(self, world: World) -> World:
        """Where everything has an anonymous owner at least, let a given world have them too."""
        return world.with_anonymous_owners(_timestamp()) if self._shows_anonymous else world

    def _is_shown(self, person: Person) -> bool:
        return self._shows_anonymous or not person.is_anonymous

    def _read(self, call: Call) -> Response:
        world = self._visible_world()
        if call.operation is Operation.APPLICATIONS:
            try:
                return answer_applications(world, call.path, self._registration_counts())
            except Refused as refused:
                return refused.response
        if call.operation is not Operation.PERSONS or is_lookup(call.query):
            return step(world, call, self._readings)[1]
        try:
            page = parse_page(call.query)
        except Refused as refused:
            return refused.response
        return show_page(
            world, self._order_of(world).sorted_by(page.order_by), page, self._readings
        )

    def _registration_counts(self) -> Counter[str]:
        """Return how many registrations there are by application id; counted when it is asked for,
        and again only when there are more or fewer of them."""
        size = len(self._world.registrations)
        if self._counted is None and self._generated is not None:
            self._counted = (size, registration_counts(self._generated))
        elif self._counted is None or self._counted[0] != size:
            self._counted = (size, count_registrations(self._world))
        self._generated = None
        return self._counted[1]

    def _visible_world(self) -> World:
        """Return the world that reads see: under `lags`, always the oldest that is allowed."""
        if not self._lags:
            return self._world
        oldest = time.monotonic() - LAG
        while len(self._history) > 1 and self._history[1][0] <= oldest:
            self._history.popleft()
        return self._history[0][1]

    def _order_of(self, world: World) -> PageOrder:
        if world is self._order.world:
            return self._order
        if self._stale_order is None or self._stale_order.world is not world:
            self._stale_order = PageOrder(world, self._is_shown)
        return self._stale_order


def _timestamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
