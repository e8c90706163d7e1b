"""Whatever the strategy, the same live state comes out; also when people come and go meanwhile."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.device import Desired
from reconciler.core.events import nobody_listens
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import (
    Gone,
    Live,
    LivePerson,
    LiveRegistration,
    Needs,
    WrongApplication,
)
from reconciler.core.record import Record
from reconciler.core.secret import Secret
from reconciler.diff.required_reads import required_reads, sweep_query
from reconciler.live.context import ReadContext
from reconciler.live.reading import Reading, read_live
from reconciler.live.strategy import Choice
from reconciler.platform.assumptions import PAGE_PUSH
from reconciler.platform.operations import DEFAULT_LIMITS
from reconciler.platform.world import Person, Registration, World
from tests.changed import replace
from tests.fleet import desired, device, external, owner, phone, project, record
from tests.modelled import Modelled

CODES = {"courier": "courier-code", "shop": "shop-code"}
IDS = {"courier-code": "APP-COURIER", "shop-code": "APP-SHOP"}
APPLICATION = {"courier": "APP-COURIER", "shop": "APP-SHOP"}
READINGS = st.fixed_dictionaries(
    {},
    optional={
        "page-push": st.sampled_from(PAGE_PUSH.readings),
        "anonymous-owner": st.just("404"),
    },
)

Churn = Callable[[World, int], World]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few people among strangers, each with registrations in either application."""
    people: list[Person] = []
    registrations: list[Registration] = []
    for number in range(1, draw(st.integers(1, 9)) + 1):
        kind = draw(st.sampled_from(["stranger", "nobody", "named", "named"]))
        values = {
            "stranger": {external(f"stranger-{number}")},
            "nobody": set(),
            "named": {external(f"name-{number}"), phone(f"38591{number}")},
        }[kind]
        moment = f"2026-01-01T00:00:{draw(st.integers(0, 5)):02}"
        named = {"firstName": draw(st.sampled_from(["Ana", "Ivo"]))}
        people.append(Person(number, frozenset(values), attributes=named, created_at=moment))
        for index in range(draw(st.integers(0, 2))):
            browser = draw(st.integers(0, 3)) == 0
            flaggable = index == 0 and kind != "nobody" and not browser
            registrations.append(
                Registration(
                    f"device-{number}-{index}",
                    draw(st.sampled_from(["APP-COURIER", "APP-SHOP"])),
                    number,
                    flaggable and draw(st.booleans()),
                    draw(st.booleans()),
                    draw(
                        st.dictionaries(
                            st.sampled_from(["depot", "route"]),
                            st.sampled_from(["12", "night", 12, True, "true"]),
                        )
                    ),
                    {"cloudType": "WEB"} if browser else {},
                )
            )
    return World.of(people, registrations, IDS)


@st.composite
def declarations(draw: st.DrawFn, world: World) -> Desired:
    """Declare some of what is there, under the right application or the other, and some that is
    not there; owned as it is, by somebody else, by somebody new, by nobody, or left open."""
    devices = []
    for id_ in [*sorted(world.registrations), "device-0-0", "device-0-1"]:
        if not draw(st.booleans()):
            continue
        fields: dict[str, Any] = {"application": draw(st.sampled_from(["courier", "shop"]))}
        match draw(st.sampled_from(["open", "nobody", "new", "named", "half"])):
            case "nobody":
                fields["owner"] = None
            case "new":
                fields["owner"] = owner("new", external("somebody-new"))
            case "named":
                number = draw(st.integers(1, 9))
                attributes = draw(st.sampled_from([None, Secret({"firstName": "Ana"})]))
                fields["owner"] = owner(
                    "n",
                    external(f"name-{number}"),
                    phone(f"38591{number}"),
                    attributes=attributes,
                )
            case "half":
                number = draw(st.integers(1, 9))
                fields["owner"] = owner("h", external(f"name-{number}"), phone("38599"))
        if draw(st.booleans()):
            fields["is_primary"] = draw(st.booleans())
        devices.append(device(id_, data=draw(st.sampled_from([{}, {"depot": "12"}])), **fields))
    return desired(*devices)


def read(
    modelled: Modelled,
    declared: Desired,
    choice: Choice,
    recorded: Record | None = None,
    assume: Mapping[str, str] | None = None,
) -> Reading:
    """Read for a plan of everything."""
    recorded = recorded or record()
    of = project(assume=assume or {})

    def ask(live: Live) -> Needs:
        return required_reads(declared, recorded, live, of)

    means = ReadContext(modelled.service(), CODES, DEFAULT_LIMITS, nobody_listens, assume or {})
    return asyncio.run(read_live(ask, sweep_query(declared, recorded), means, choice))


def declared_part(live: Live, declared: Desired) -> dict[str, tuple[object, object]]:
    """What a plan can see of each declared device: the registration, and whose it is."""
    part: dict[str, tuple[object, object]] = {}
    for id_ in declared.devices:
        found = live.registrations[id_]
        owned = live.owners.get(id_) if id_ in live.owners else "not read"
        part[id_] = (found, owned)
    return part


def assert_same(one: Live, other: Live, declared: Desired) -> None:
    """A sweep may know more than was asked for; what both know is the same."""
    for id_ in declared.devices:
        assert one.registrations[id_] == other.registrations[id_]
        if id_ in one.owners and id_ in other.owners:
            assert_same_person(one.owners[id_], other.owners[id_], declared)
    for value in one.people.keys() & other.people.keys():
        assert_same_person(one.people[value], other.people[value], declared)


def assert_same_person(one: LivePerson | None, other: LivePerson | None, declared: Desired) -> None:
    """Attributes are read by page only if a file declares any; who is known in part is the same
    person, with values that the whole one has."""
    if one is not None and other is not None and not (one.is_whole and other.is_whole):
        partly, whole = sorted((one, other), key=lambda person: person.is_whole)
        assert partly.number == whole.number
        assert not whole.is_whole or partly.identities <= whole.identities
        return
    if one is not None and other is not None and not sweep_query(declared, record()).attributes:
        one, other = replace(one, attributes=None), replace(other, attributes=None)
    assert one == other


def assert_absent(live: Live, world: World) -> None:
    """Who is said not to be there is not there."""
    for value, person in live.people.items():
        if person is None:
            assert value not in world.holders


@settings(max_examples=100, deadline=None)
@given(st.data(), worlds(), READINGS, st.integers(1, 4), st.booleans(), st.booleans())
def test_every_strategy_reads_the_same(
    data: st.DataObject,
    world: World,
    assume: dict[str, str],
    size: int,
    pins: bool,
    counts: bool,
) -> None:
    """Points, a sweep and whatever auto chooses agree, under every reading of what pages show."""
    declared = data.draw(declarations(world))
    pinned = assume if pins else {}
    points = read(Modelled(world, assume), declared, Choice.POINTS, assume=pinned)
    for choice in (Choice.SWEEP, Choice.AUTO):
        modelled = Modelled(world, assume, size, counts_people=counts)
        assert_same(points.live, read(modelled, declared, choice, assume=pinned).live, declared)


@settings(max_examples=100, deadline=None)
@given(
    st.data(),
    worlds(),
    READINGS,
    st.integers(1, 3),
    st.lists(st.sampled_from(["appear", "append", "vanish", "nothing"]), max_size=14),
)
def test_strangers_who_come_and_go_change_nothing(
    data: st.DataObject, world: World, assume: dict[str, str], size: int, churn: list[str]
) -> None:
    """People that no file names appear before, behind and vanish: everybody else moves a place,
    and is read as if nothing had happened."""
    declared = data.draw(declarations(world))
    points = read(Modelled(world, assume), declared, Choice.POINTS)
    modelled = Modelled(world, assume, size, _strangers(churn))
    swept = read(modelled, declared, Choice.SWEEP)
    assert_same(points.live, swept.live, declared)
    assert_absent(swept.live, world)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("position", range(6))
def test_nobody_is_overlooked_at_a_seam(size: int, position: int) -> None:
    """Whenever two strangers appear or vanish, together or apart, whoever is sought is found, or at
    least not said to be absent."""
    people = [
        Person(
            number,
            frozenset({external("sought" if number == position else f"stranger-{number}")}),
            created_at=f"2026-01-01T00:00:{number:02}",
        )
        for number in range(6)
    ]
    world = World.of(people, [], IDS)
    declared = desired(device("device", owner=owner("sought", external("sought"))))
    kinds = ["appear", "append", "vanish"]
    seen: Counter[str] = Counter()
    for one, other in itertools.combinations_with_replacement(
        itertools.product(kinds, range(9)), 2
    ):
        churn = ["nothing"] * 9
        for what, when in (one, other):
            churn[when] = what if churn[when] == "nothing" else f"{churn[when]}+{what}"
        modelled = Modelled(world, {}, size, _strangers(churn))
        live = read(modelled, declared, Choice.SWEEP).live
        assert live.people.get(external("sought"), "not read") is not None
        seen[str(external("sought") in live.people)] += 1
    # Where nothing that matters happens, it is found on its page.
    assert seen["True"] > seen["False"]


def _strangers(churn: list[str]) -> Churn:
    def happens(world: World, number: int) -> World:
        what = churn[number] if number < len(churn) else "nothing"
        for index, kind in enumerate(what.split("+")):
            world = _changed(world, kind, 1000 + 10 * number + index)
        return world

    return happens


def _changed(world: World, kind: str, number: int) -> World:
    name = frozenset({external(f"passing-{number}")})
    match kind:
        case "appear":
            return world.with_person(Person(number, name, created_at="2025-01-01T00:00:00"))
        case "append":
            return world.with_person(Person(number, name, created_at="2027-01-01T00:00:00"))
        case "vanish":
            for one in sorted(world.people):
                person = world.people[one]
                text = person.external_id.reveal() if person.external_id else ""
                if text.startswith(("stranger", "passing")) and not world.owned.get(one):
                    return world.without_person(one)
    return world


@settings(max_examples=100, deadline=None)
@given(st.data(), worlds(), st.integers(1, 3), st.integers(0, 9))
def test_a_device_that_moves_meanwhile_is_read_as_it_once_was(
    data: st.DataObject, world: World, size: int, when: int
) -> None:
    """What is read of a registration and of its owner was so at some moment of the reading."""
    declared = data.draw(declarations(world))
    ids = sorted(world.registrations)
    moving = data.draw(st.sampled_from(ids)) if ids else None
    to = data.draw(st.sampled_from(sorted(world.people)))

    def happens(now: World, number: int) -> World:
        if number != when or moving is None:
            return now
        return now.with_registration(_moved(now.registrations[moving], to))

    modelled = Modelled(world, {}, size, happens)
    live = read(modelled, declared, Choice.SWEEP).live
    for id_ in declared.devices:
        found = live.registrations[id_]
        seen = [one.registrations.get(id_) for one in modelled.worlds]
        match found:
            case Gone():
                assert None in seen
            case WrongApplication(name):
                assert any(one and one.application_id == APPLICATION[name] for one in seen)
            case LiveRegistration():
                shown = [one for one in seen if one is not None]
                assert any(one.is_primary == found.is_primary for one in shown)
                assert any(dict(one.additional_data) == found.additional_data for one in shown)
        if isinstance(found, LiveRegistration) and id_ in live.owners:
            owned = live.owners[id_]
            numbers = {
                one.owner
                for one in seen
                if one is not None and one.owner is not None and world.people[one.owner].identities
            }
            assert owned.number in numbers if owned else len(numbers) < 2 or moving == id_


def _moved(registration: Registration, to: int) -> Registration:
    return replace(registration, owner=to)


def test_a_value_on_two_pages_is_looked_up() -> None:
    """Somebody takes a value from another in the middle: the pages disagree, a look-up decides."""
    name = IdentityValue.of(IdentityKind.EXTERNAL_ID, "ana")
    world = World.of(
        [
            Person(1, frozenset({name}), created_at="2026-01-01T00:00:01"),
            Person(2, frozenset({external("ivo")}), created_at="2026-01-01T00:00:02"),
            Person(3, frozenset({external("eva")}), created_at="2026-01-01T00:00:03"),
        ],
        [Registration("device", "APP-COURIER", 3)],
        IDS,
    )

    def happens(now: World, number: int) -> World:
        if number != 1:
            return now
        return now.without_person(1).with_person(
            Person(9, frozenset({name}), created_at="2026-01-01T00:00:09")
        )

    declared = desired(device("device", owner=owner("ana", name)))
    live = read(Modelled(world, {}, 1, happens), declared, Choice.SWEEP).live
    found = live.people[name]
    assert found is not None
    assert 9 == found.number
