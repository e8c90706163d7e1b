"""The platform model behind apply's port, and short ways to plan and carry out against it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from reconciler.api.classify import CallSummary, classify_outcome
from reconciler.api.decode import decode_registration
from reconciler.api.dispatch import Attempts, Timing
from reconciler.api.errors import ApiError, PersonNotFound
from reconciler.api.exchange import Answer
from reconciler.api.matching import Matcher, decode_matches, identifier_of
from reconciler.api.people import decode_people
from reconciler.apply.executor import execute_plan
from reconciler.core.device import Desired
from reconciler.core.events import nobody_listens
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import LivePerson, LiveRegistration, Matchable
from reconciler.core.record import Record, record_entry
from reconciler.core.report import Outcome, Report
from reconciler.core.secret import Secret
from reconciler.plan.model import Plan
from reconciler.platform import operations
from reconciler.platform.answers import registration_json
from reconciler.platform.assumptions import readings
from reconciler.platform.operations import Call
from reconciler.platform.step import step
from reconciler.platform.world import Person, Registration, World
from reconciler.state.lease import Holder
from tests import fleet
from tests.contract.memory import MemoryLease, MemoryState

CODES = {"courier": "courier-code", "shop": "shop-code"}
HOLDER = Holder("ana", "here", 1, None, None)  # type: ignore[arg-type]
Told = list[tuple[str, str]]
_TYPES = {
    IdentityKind.EXTERNAL_ID: "EXTERNAL_ID",
    IdentityKind.PHONE_NUMBER: "PHONE",
    IdentityKind.EMAIL: "EMAIL",
}


def person(number: int, *values: IdentityValue, **more: Any) -> Person:
    return Person(number, frozenset(values), **more)


def registration(id_: str, owner: int | None = None, **fields: Any) -> Registration:
    """A registration; `enabled` and `data` for short, all other fields by their attributes."""
    application = fleet.APPLICATION_IDS[fields.pop("application", "courier")]
    data, enabled = fields.pop("data", {}), fields.pop("enabled", True)
    values = {"registration_enabled": enabled, **fields}
    return Registration(id_, application, owner, additional_data=data, **values)


def world(*things: Person | Registration) -> World:
    return World.of(
        people=[one for one in things if isinstance(one, Person)],
        registrations=[one for one in things if isinstance(one, Registration)],
        applications={f"{name}-code": id_ for name, id_ in fleet.APPLICATION_IDS.items()},
    )


class ModelDoor:
    """Apply's port to the service, answered by the model.

    `calls` notes every call as "operation/device"; `bodies` what was sent. `meddle` is called with
    each of them first, and may raise, or change the world.
    """

    def __init__(self, start: World, assume: Mapping[str, str] | None = None) -> None:
        self.world = start
        self.calls: list[str] = []
        self.bodies: dict[str, Any] = {}
        self.meddle: Callable[[str], None] = lambda call: None
        self._asked: Call | None = None
        self._readings = readings(assume)
        self.matcher = Matcher(self._match_once, nobody_listens)

    def carry_out_now(self) -> None:
        """Let the call that is being meddled with have its effect, whatever is answered then."""
        assert self._asked is not None
        self.world, response = step(self.world, self._asked, self._readings)
        assert 200 == response.status

    def carry_out_if_allowed(self) -> None:
        """The same, of a call that the service may refuse."""
        assert self._asked is not None
        self.world, _ = step(self.world, self._asked, self._readings)

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith(("get/", "persons/", "match/"))]

    async def registration(self, registration_id: str, app_code: str) -> LiveRegistration:
        answer = await self._ask(registration_id, operations.get(registration_id, app_code))
        return decode_registration(answer)

    async def owner(
        self, registration_id: str, application_id: str, *, is_web: bool = False
    ) -> LivePerson | None:
        call = operations.person_of_registration(registration_id, application_id, is_web=is_web)
        try:
            people = decode_people(await self._ask(registration_id, call))
        except PersonNotFound:
            return None
        return people[0] if people else None

    @property
    def can_match(self) -> bool:
        return not self.matcher.is_refused

    @property
    def match_size(self) -> int:
        return self.matcher.size

    async def match(self, keys: Iterable[Matchable]) -> Mapping[Matchable, int]:
        return await self.matcher.match(keys)

    async def _match_once(self, keys: Sequence[Matchable]) -> Mapping[Matchable, int]:
        call = operations.match(map(identifier_of, keys))
        return decode_matches(await self._ask(str(len(keys)), call), keys)

    async def person(self, value: IdentityValue) -> LivePerson | None:
        call = operations.person_by_identity(_TYPES[value.kind], value.reveal())
        try:
            people = decode_people(await self._ask(value.kind.value, call))
        except PersonNotFound:
            return None
        return people[0] if people else None

    async def update(
        self,
        registration_id: str,
        app_code: str,
        body: object,
        *,
        attempts: Attempts | None = None,
    ) -> LiveRegistration:
        call = operations.update(registration_id, app_code, body)
        return decode_registration(await self._ask(registration_id, call, attempts))

    async def personalize(
        self,
        registration_id: str,
        app_code: str,
        body: object,
        query: Mapping[str, str] | None = None,
        *,
        attempts: Attempts | None = None,
    ) -> None:
        call = operations.personalize(registration_id, app_code, body, query)
        await self._ask(registration_id, call, attempts)

    async def depersonalize(
        self, registration_id: str, app_code: str, *, attempts: Attempts | None = None
    ) -> None:
        call = operations.depersonalize(registration_id, app_code)
        await self._ask(registration_id, call, attempts)

    async def _ask(self, device: str, call: Call, attempts: Attempts | None = None) -> bytes:
        await asyncio.sleep(0)
        name = f"{call.operation.value}/{device}"
        self.calls.append(name)
        self.bodies[name] = call.body
        if attempts is not None:
            attempts.count += 1
        self._asked = call
        self.meddle(name)
        self.world, response = step(self.world, call, self._readings)
        body = json.dumps(response.body).encode()
        outcome = classify_outcome(
            CallSummary.of(call, device), Answer(response.status, body), 1, (), 0.0
        )
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome.body


def refusal(
    kind: type[ApiError], name: str, method: str = "POST", path: str = "/", status: int = 400
) -> ApiError:
    operation, _, device = name.partition("/")
    return kind(operation, device, method, path, status)


def planned(declared: Desired, start: World, recorded: Record, **made: Any) -> Plan:
    """Plan from what the model shows."""
    people = [
        LivePerson(
            one.number,
            one.identities,
            one.is_lead,
            Secret(one.attributes),
            tuple(_live(entry) for entry in start.registrations_of(one.number)),
        )
        for one in start.people.values()
    ]
    unowned = [_live(one) for one in start.registrations.values() if one.owner is None]
    return fleet.plan(declared, fleet.Service(*people, unowned=unowned), recorded, **made)


def _live(one: Registration) -> LiveRegistration:
    return decode_registration(msgspec.json.encode(registration_json(one)))


class Run:
    """A fleet declared over a world, planned; carried out as often as a test wants."""

    def __init__(
        self,
        declared: Desired,
        start: World,
        applied: Iterable[Any] = (),
        assume: Mapping[str, str] | None = None,
        **made: Any,
    ) -> None:
        self.declared = declared
        self.state = MemoryState()
        entries = {one.id: record_entry(one, fleet.DIGESTER) for one in applied}
        self.state.record = Record("lineage-1", 3, fleet.KEY, entries)
        self.plan = planned(declared, start, self.state.record, **made)
        self.door = ModelDoor(start, assume)
        self.lease = MemoryLease(self.state)
        self.told: list[Any] = []
        self.slept: list[float] = []

    async def _sleep(self, seconds: float) -> None:
        """Let no time pass, but other calls go on."""
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def carry_out(self, **more: Any) -> Report:
        return asyncio.run(
            execute_plan(
                self.plan,
                self.declared,
                self.state.record,
                more.pop("door", self.door),
                CODES,
                more.pop("journal", self.state.journal),
                more.pop("records", self.state),
                self.lease,
                self.told.append,
                timing=more.pop("timing", Timing(sleep=self._sleep, jitter=lambda: 1.0)),
                **more,
            )
        )

    def plan_again(self) -> None:
        """Plan what is left, from what is live now and recorded by now."""
        self.plan = planned(self.declared, self.door.world, self.state.record)

    def left(self) -> list[str]:
        """Return the calls that a new plan of the world as it is now would make."""
        plan = planned(self.declared, self.door.world, self.state.record)
        return [call.id for call in plan.calls]


def outcomes(report: Report) -> dict[str, Outcome]:
    return {row.call or row.device: row.outcome for row in report.rows}
