"""The judge: do these calls reach what is declared, and move nothing else, whatever is true?

It shares nothing with the builder of the calls: it replays them on the model of the service under
every reading of what nobody knows, and looks at the world they leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from reconciler.core.absent import ABSENT
from reconciler.core.codes import PROOF_FAILED
from reconciler.core.device import Desired, DesiredDevice
from reconciler.core.fields import (
    ADDITIONAL_DATA,
    FIELD_BY_PATH,
    FIELDS,
    IS_PRIMARY,
    data_key,
    field_order,
    field_values,
    same_value,
)
from reconciler.core.identity import IdentityValue
from reconciler.core.live import Live
from reconciler.platform.assumptions import ASSUMPTIONS, Readings
from reconciler.platform.world import Person, Registration, World

from .device_plan import DevicePlan
from .errors import plan_error
from .model import PlanError, PlannedCall, PlanWarning, Risk
from .ordering import is_ownership
from .people import DeclaredPeople
from .replay import each_combination, live_world, replay, under_every_reading


@dataclass(frozen=True, slots=True)
class Proof:
    """What is to be proven: the calls of one group, and the side effects that were warned of."""

    group: Sequence[DevicePlan]
    calls: Sequence[PlannedCall]
    effects: Sequence[PlanWarning]
    desired: Desired
    live: Live
    people: DeclaredPeople
    pinned: Mapping[str, str]

    @property
    def works(self) -> dict[str, DevicePlan]:
        return {work.change.device: work for work in self.group}


def prove(proof: Proof) -> PlanError | None:
    """Return None when the group is proven, else the error that withholds it."""
    world = live_world(proof.group, proof.live)

    def failing(readings: Readings) -> str | None:
        after, failed = replay(world, proof.calls, proof.people, readings)
        if failed is not None:
            return f"{failed.id} would be refused"
        return next(_violations(proof, world, after), None)

    loose = _unordered(proof)
    withheld = (loose, {}) if loose is not None else under_every_reading(failing, proof.pinned)
    if withheld is None:
        return None
    reason, readings = withheld
    pins = helpful_pins(failing, proof.pinned) if loose is None else ()
    devices = sorted(work.change.device for work in proof.group)
    under = tuple(f"if {name} is {value}" for name, value in sorted(readings.items()))
    error = plan_error(
        PROOF_FAILED,
        f"{', '.join(devices[:5])}{' …' if len(devices) > 5 else ''}: {reason}",
        devices,
        proof.group[0].change.source,
        under,
    )
    return msgspec.structs.replace(error, fix=_advise_pins(pins)) if pins else error


def helpful_pins(
    failing: Callable[[Readings], str | None], pinned: Mapping[str, str]
) -> tuple[Mapping[str, str], ...]:
    """Return the choices of readings that would each make the proof hold, whatever is true of the
    others: every single one; where none is enough, one that pins several; nothing where no reading
    of anything helps."""
    outcomes = list(each_combination(failing, pinned))

    def holds_with(pins: Mapping[str, str]) -> bool:
        # A combination that did not ask for a pinned reading is met whatever that is.
        return all(
            failure is None
            for failure, taken in outcomes
            if all(taken.get(name, reading) == reading for name, reading in pins.items())
        )

    names = sorted({name for _, taken in outcomes for name in taken})
    single = tuple(
        {name: reading}
        for name in names
        for reading in ASSUMPTIONS[name].readings
        if holds_with({name: reading})
    )
    passing = next((taken for failure, taken in outcomes if failure is None), None)
    if single or passing is None:
        return single
    pins = dict(sorted(passing.items()))
    for name in names:
        fewer = {other: reading for other, reading in pins.items() if other != name}
        if holds_with(fewer):
            pins = fewer
    return (pins,)


def _advise_pins(choices: Sequence[Mapping[str, str]]) -> str:
    texts = (
        " with ".join(f"{name}: {reading}" for name, reading in pins.items()) for pins in choices
    )
    return (
        "If you know that your account behaves so, pin it under api.assume in the project file: "
        f"{' or '.join(texts)}."
    )


def _violations(proof: Proof, before: World, after: World) -> Iterator[str]:
    works = proof.works
    allowed = {(warning.device, path) for warning in proof.effects for path in warning.fields}
    for work in proof.group:
        yield from _not_reached(work, after)
    for id_ in sorted(after.changed_registrations(before)):
        device = proof.desired.devices.get(id_)
        yield from _moved(
            before.registrations[id_], after.registrations[id_], works.get(id_), device, allowed
        )
    yield from _people_moved(proof, before, after)


def _not_reached(work: DevicePlan, after: World) -> Iterator[str]:
    """Yield what is not as declared of a device that the calls were for."""
    registration = after.registrations[work.change.device]
    owner = after.owner(registration)
    device = work.device
    if device is None or (work.moves and device.owner is None):
        if owner is not None and not owner.is_anonymous:
            yield f"{work.change.device} would still have an owner"
        if device is None:
            return
    elif work.moves and device.owner is not ABSENT and device.owner is not None:
        held = frozenset() if owner is None else owner.identities
        if not held.issuperset(device.owner.identity):
            yield f"{device.id} would not belong to {device.owner.pointer}"
    wrong = _wrong_fields(work, device, registration)
    if wrong:
        yield f"{device.id}: {', '.join(wrong)} would not be as declared"


def _wrong_fields(work: DevicePlan, device: DesiredDevice, seen: Registration) -> list[str]:
    """Name the fields that an update of this device answers for and that are not as declared."""
    wrong: list[str] = []
    for path in sorted(work.settled, key=field_order):
        field = FIELD_BY_PATH.get(path)
        if field is not None:
            good = same_value(getattr(device, field.attribute), getattr(seen, field.attribute))
        else:
            key = data_key(path)
            good = key is None or same_value(
                device.additional_data.get(key), seen.additional_data.get(key)
            )
        if not good:
            wrong.append(path)
    return wrong


def _moved(
    before: Registration,
    after: Registration,
    work: DevicePlan | None,
    device: DesiredDevice | None,
    allowed: set[tuple[str, str]],
) -> Iterator[str]:
    """Yield what moved of a registration though nobody declared it and no warning names it."""
    ours = frozenset() if work is None else work.settled
    if before.owner != after.owner and (work is None or not work.moves):
        yield f"{before.id} would change its owner"
    if before.is_primary is not after.is_primary and IS_PRIMARY not in ours:
        # Losing the flag is what a declared isPrimary: false asks for anyway.
        wanted = device is not None and device.is_primary is after.is_primary
        if not wanted and (before.id, IS_PRIMARY) not in allowed:
            yield (
                f"{before.id} would lose isPrimary"
                if before.is_primary
                else (f"{before.id} would become primary")
            )
    for field, was, now in zip(FIELDS, field_values(before), field_values(after), strict=True):
        if field.path != IS_PRIMARY and field.path not in ours and not same_value(was, now):
            yield f"{before.id} would change {field.path}"
    if (before.id, ADDITIONAL_DATA) not in allowed and _data_moved(before, after, ours):
        yield f"{before.id} would lose or change undeclared additionalData"


def _data_moved(before: Registration, after: Registration, ours: frozenset[str]) -> bool:
    declared = {key for path in ours if (key := data_key(path)) is not None}
    one = {key: value for key, value in before.additional_data.items() if key not in declared}
    two = {key: value for key, value in after.additional_data.items() if key not in declared}
    return one.keys() != two.keys() or any(not same_value(one[key], two[key]) for key in one)


def _people_moved(proof: Proof, before: World, after: World) -> Iterator[str]:
    """Yield what moved of people beyond the declared identities, attributes and named risks."""
    for number in sorted(after.changed_people(before)):
        was, now = before.people.get(number), after.people.get(number)
        if was is None or was.is_anonymous:
            if now is not None and not now.identities <= _declared(proof):
                yield f"person {number} would get identity values that nobody declared"
            continue
        if now is None:
            yield f"person {number} would be merged into another"
            continue
        yield from _person_moved(proof, was, now)


def _declared(proof: Proof) -> frozenset[IdentityValue]:
    """Return all identity values that the devices of the group declare."""
    owners = [work.device.owner for work in proof.group if work.device is not None]
    return frozenset(value for owner in owners if owner for value in owner.identity)


def _unordered(proof: Proof) -> str | None:
    """Say where two writes to the people of the group could run at once; replay sees order only."""
    works = proof.works
    touching = [
        call
        for call in proof.calls
        for work in (works[call.device],)
        if is_ownership(call) or (work.owner_key is not None and work.flag is not None)
    ]
    for previous, call in pairwise(touching):
        if previous.id not in (*call.after, *call.needs):
            return f"{call.id} would not wait for {previous.id}"
    return None


def _person_moved(proof: Proof, was: Person, now: Person) -> Iterator[str]:
    reaching = [
        work
        for work in proof.group
        if work.moves and work.reached is not None and work.reached.number == was.number
    ]
    owners = [work.device.owner for work in reaching if work.device is not None]
    declared = {value for owner in owners if owner for value in owner.identity}
    if was.identities - now.identities or not now.identities - was.identities <= declared:
        yield f"person {was.number} would get or lose identity values that nobody declared"
    promoted = any(Risk.LEAD_PROMOTION in work.change.risks for work in reaching)
    if was.is_lead is not now.is_lead and not promoted:
        yield f"person {was.number} would stop being a lead"
    sends = any(owner and owner.attributes is not None for owner in owners)
    if was.attributes != now.attributes and not sends:
        yield f"person {was.number} would get other attributes"
