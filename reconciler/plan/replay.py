"""The calls of a group, replayed on the platform model from the live world of their people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec.structs import replace

from reconciler.core.absent import ABSENT
from reconciler.core.fields import CLOUD_TYPE, FIELDS, WEB, field_values
from reconciler.core.live import Live, LivePerson, LiveRegistration
from reconciler.platform.assumptions import Assumption, Readings
from reconciler.platform.operations import Call, Operation
from reconciler.platform.step import step
from reconciler.platform.world import Person, Registration, World

from .device_plan import DevicePlan
from .model import PlannedCall
from .people import DeclaredPeople

T = TypeVar("T")
# The model wants a clock, and no effect that a proof looks at depends on it.
_NOON = "2026-01-01T12:00:00"


def live_world(group: Iterable[DevicePlan], live: Live) -> World:
    """Build the world of a group: its people, all their registrations, its own registrations.

    Where an answer did not say, the worst is taken: an unknown flag is set.
    """
    people: dict[int, LivePerson] = {}
    registrations: dict[str, tuple[LiveRegistration, int | None]] = {}
    for work in group:
        for person in (work.before, work.reached):
            # A work that touches nobody is replayed alone: its owner may have a thousand devices.
            if person is None or person.number in people or not work.touched:
                continue
            people[person.number] = person
            for entry in person.registrations:
                known = live.registrations.get(entry.id)
                seen = known if isinstance(known, LiveRegistration) else entry
                registrations.setdefault(entry.id, (seen, person.number))
    for work in group:
        owner = work.before.number if work.before is not None and work.touched else None
        registrations[work.registration.id] = (work.registration, owner)
    return World.of(
        people=[_person(person) for person in people.values()],
        registrations=[_registration(seen, owner) for seen, owner in registrations.values()],
        applications={
            _app_code(seen.application_id): seen.application_id
            for seen, _ in registrations.values()
        },
    )


def _app_code(application_id: str) -> str:
    """Return the code of an application in the world of a proof, of one without a readable id too;
    a call without a code would be refused."""
    return application_id or "unreadable"


def _person(person: LivePerson) -> Person:
    attributes = {} if person.attributes is None else person.attributes.reveal()
    return Person(person.number, person.identities, person.is_lead, attributes)


def _registration(seen: LiveRegistration, owner: int | None) -> Registration:
    shown = {
        field.attribute: value
        for field, value in zip(FIELDS, field_values(seen), strict=True)
        if value is not ABSENT
    }
    registration = Registration(
        id=seen.id,
        application_id=seen.application_id,
        owner=owner,
        is_primary=True,
        additional_data={} if seen.additional_data is ABSENT else seen.additional_data,
        system_data={CLOUD_TYPE: WEB} if seen.is_web else {},
    )
    return replace(registration, **shown)


def replay(
    world: World, calls: Iterable[PlannedCall], people: DeclaredPeople, readings: Readings
) -> tuple[World, PlannedCall | None]:
    """Carry out calls one after another; return the world after, and the call that failed."""
    for call in calls:
        world, response = step(world, _call(world, call, people), readings, _NOON)
        if response.status != 200:
            return world, call
    return world, None


def _call(world: World, planned: PlannedCall, people: DeclaredPeople) -> Call:
    registration = world.registrations[planned.device]
    body: dict[str, object] | None = None if planned.body is None else dict(planned.body)
    if body is not None and planned.operation == Operation.PERSONALIZE:
        body = _with_person(body, people)
    data = None if body is None else body.get("additionalData")
    if body is not None and planned.carry_undeclared and isinstance(data, Mapping):
        body["additionalData"] = {**registration.additional_data, **data}
    return Call(
        Operation(planned.operation),
        planned.method,
        planned.path,
        planned.query,
        _app_code(registration.application_id),
        body,
    )


def _with_person(body: dict[str, object], people: DeclaredPeople) -> dict[str, object]:
    """Put the person's values where the plan names the person."""
    reference = body["identity"]
    pointer = reference["$person"] if isinstance(reference, Mapping) else ""
    owner = people.by_pointer[str(pointer)]
    revealed: dict[str, object] = {
        "identity": {value.kind.value: value.reveal() for value in owner.identity}
    }
    if owner.attributes is not None:
        revealed["attributes"] = {
            name: f"{value}T00:00:00Z" if name == "birthday" else value
            for name, value in owner.attributes.reveal().items()
        }
    return revealed


def under_every_reading(
    run: Callable[[Readings], T | None], pinned: Mapping[str, str]
) -> tuple[T, Mapping[str, str]] | None:
    """Run under each combination of readings; return the first result and its readings, or None."""
    for result, taken in each_combination(run, pinned):
        if result is not None:
            return result, taken
    return None


def each_combination(
    run: Callable[[Readings], T | None], pinned: Mapping[str, str]
) -> Iterator[tuple[T | None, Mapping[str, str]]]:
    """Run under each combination of the readings that the run itself asks for; yield what came of
    it, and the readings that it met unpinned.

    Only what is asked is varied, so a run that meets two unknowns is run a handful of times, not
    under all the thousands of combinations.
    """
    waiting: list[dict[str, str]] = [{}]
    while waiting:
        chosen = waiting.pop()
        asked: dict[str, Assumption] = {}
        result = run(_noting(chosen, pinned, asked))
        yield result, {**chosen, **{name: one.default for name, one in asked.items()}}
        settled = dict(chosen)
        for name, assumption in asked.items():
            waiting += [{**settled, name: other} for other in assumption.readings[1:]]
            settled[name] = assumption.default


def _noting(
    chosen: Mapping[str, str], pinned: Mapping[str, str], asked: dict[str, Assumption]
) -> Readings:
    def reading(assumption: Assumption) -> str:
        name = assumption.name
        if not assumption.is_proven:
            return assumption.default
        if name in pinned:
            return pinned[name]
        if name in chosen:
            return chosen[name]
        asked.setdefault(name, assumption)
        return assumption.default

    return reading
