"""Any world, any manifests, any readings of the unknowns: the plan works and touches nothing else.

Here plans are carried out on the platform model itself, so that thousands of worlds are tried;
tests/properties/test_end_to_end.py does the same with fewer over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, DesiredDevice
from reconciler.core.fields import data_key
from reconciler.core.live import LivePerson, LiveRegistration
from reconciler.plan.document import decode, encode
from reconciler.plan.people import DeclaredPeople
from reconciler.plan.replay import replay
from reconciler.platform.assumptions import ASSUMPTIONS, readings
from reconciler.platform.world import Person, Registration, World
from tests.fleet import (
    APPLICATION_IDS,
    Service,
    desired,
    device,
    email,
    external,
    owner,
    phone,
    plan,
    project,
    record,
)

IDS = [f"d{n}" for n in range(6)]
KEYS = ["k", "l", "x.y"]
VALUES = st.sampled_from([0, 1, True, False, "a", 1.5])
OWNERS = {
    "p0": owner("p0", external("p0")),
    "p1": owner("p1", phone("+3851"), email("p1@x.org")),
    "p2": owner("p2", email("p2@x.org")),
    "p3": owner("p3", external("p3"), phone("+3853")),
}
# What the live people hold: some of the declared, more than the declared, somebody else's.
POOL = [
    external("p0"),
    phone("+3851"),
    email("p1@x.org"),
    email("p2@x.org"),
    external("p3"),
    phone("+3853"),
    email("other@x.org"),
    phone("+999"),
]
CHOICES = st.fixed_dictionaries(
    {name: st.sampled_from(one.readings) for name, one in ASSUMPTIONS.items() if one.is_proven}
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    holders = draw(st.lists(st.integers(0, 4), min_size=len(POOL), max_size=len(POOL)))
    people: dict[int, list] = {}
    for value, number in zip(POOL, holders, strict=True):
        taken = people.setdefault(number, [])
        if number and not any(v.kind == value.kind == "externalId" for v in taken):
            taken.append(value)
    found = [
        Person(number, frozenset(values), is_lead=draw(st.booleans()))
        for number, values in people.items()
        if number and values
    ]
    numbers = [None, *(person.number for person in found)]
    registrations = [
        Registration(
            id_,
            APPLICATION_IDS["courier"],
            owner=draw(st.sampled_from(numbers)),
            is_primary=draw(st.booleans()),
            registration_enabled=draw(st.booleans()),
            additional_data=draw(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3)),
        )
        for id_ in IDS
        if draw(st.integers(0, 9))
    ]
    return World.of(found, registrations, {one: one for one in APPLICATION_IDS.values()})


@st.composite
def manifests(draw: st.DrawFn) -> Desired:
    devices: list[DesiredDevice] = []
    primary_of: set[str] = set()
    for id_ in draw(st.lists(st.sampled_from(IDS), unique=True)):
        whose = draw(st.sampled_from([ABSENT, None, *OWNERS]))
        flag = draw(st.sampled_from([ABSENT, True, False]))
        if flag is True and isinstance(whose, str):
            if whose in primary_of:
                flag = False
            primary_of.add(whose)
        devices.append(
            device(
                id_,
                owner=OWNERS[whose] if isinstance(whose, str) else whose,
                is_primary=flag,
                registration_enabled=draw(st.sampled_from([ABSENT, True, False])),
                data=draw(
                    st.dictionaries(st.sampled_from(KEYS), st.one_of(st.none(), VALUES), max_size=3)
                ),
            )
        )
    return desired(*devices)


def live_registration(one: Registration) -> LiveRegistration:
    return LiveRegistration(
        one.id, one.application_id, one.is_primary, one.registration_enabled, one.additional_data
    )


def as_service(world: World) -> Service:
    people = [
        LivePerson(
            person.number,
            person.identities,
            person.is_lead,
            None,
            tuple(live_registration(one) for one in world.registrations_of(person.number)),
        )
        for person in world.people.values()
    ]
    unowned = [live_registration(one) for one in world.registrations.values()]
    return Service(*people, unowned=unowned)


def undeclared(world: World, declared: Desired) -> Mapping[tuple[str, str], object]:
    """Everything of every registration that no manifest declares, by device and field."""
    state: dict[tuple[str, str], object] = {}
    for id_, one in world.registrations.items():
        said = declared.devices.get(id_)
        holder = world.owner(one)
        if said is None or said.owner is ABSENT:
            anonymous = holder is None or holder.is_anonymous
            state[id_, "owner"] = None if anonymous else one.owner
        if said is None or said.is_primary is ABSENT:
            state[id_, "isPrimary"] = one.is_primary
        if said is None or said.registration_enabled is ABSENT:
            state[id_, "registrationEnabled"] = one.registration_enabled
        keys = {} if said is None else said.additional_data
        state[id_, "additionalData"] = sorted(
            (key, repr(value)) for key, value in one.additional_data.items() if key not in keys
        )
    return state


@settings(max_examples=400, deadline=None)
@given(worlds(), manifests(), CHOICES)
def test_a_plan_reaches_what_is_declared_and_moves_nothing_else(world, declared, chosen):
    """Every call succeeds; the next plan is empty; what moved undeclared was warned of."""
    made = plan(declared, as_service(world))
    people = DeclaredPeople(declared)
    after, failed = replay(world, made.calls, people, readings(chosen))
    assert failed is None
    again = plan(declared, as_service(after))
    withheld = {id_ for error in made.errors for id_ in error.devices}
    assert {call.device for call in again.calls} <= withheld
    named = {(warning.device, path) for warning in made.warnings for path in warning.fields}
    before, now = undeclared(world, declared), undeclared(after, declared)
    assert {place for place in before if before[place] != now[place]} <= named
    assert decode(encode(made)) == made


@settings(max_examples=150, deadline=None)
@given(worlds(), manifests(), CHOICES, st.sampled_from(["merge", None]))
def test_keys_that_left_the_files_are_removed_and_the_rest_is_handed_back(
    world, declared, chosen, pin
):
    """Apply, empty every declaration, apply again: only the keys that we had set are gone."""
    if pin is not None:
        chosen = {**chosen, "additional-data-patch": pin}
    of = project(assume={} if pin is None else {"additional-data-patch": pin})
    first = plan(declared, as_service(world), of=of)
    middle, failed = replay(world, first.calls, DeclaredPeople(declared), readings(chosen))
    assert failed is None
    withheld = {id_ for error in first.errors for id_ in error.devices}
    gone = {id_ for id_ in declared.devices if id_ not in world.registrations}
    applied = [one for id_, one in declared.devices.items() if id_ not in withheld | gone]
    emptied = desired(*(device(one.id) for one in applied))
    second = plan(emptied, as_service(middle), record(*applied), of)
    assert {"update"} >= {call.operation for call in second.calls}
    after, failed = replay(middle, second.calls, DeclaredPeople(emptied), readings(chosen))
    assert failed is None
    for one in applied:
        set_by_us = {key for key, value in one.additional_data.items() if value is not None}
        assert not set_by_us & after.registrations[one.id].additional_data.keys()
        assert after.registrations[one.id].owner == middle.registrations[one.id].owner
        assert after.registrations[one.id].is_primary == middle.registrations[one.id].is_primary
    assert all(data_key(field.path) for change in second.changes for field in change.fields)
