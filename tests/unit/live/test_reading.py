"""Which way live state is read, what is asked for then, and what a sweep leaves to points."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from reconciler.api.errors import Rejected
from reconciler.api.people import PageReader
from reconciler.core.events import Event, Weighed, nobody_listens
from reconciler.core.live import Live, LiveRegistration, Needs
from reconciler.core.sweep_query import Page, SweepQuery
from reconciler.live.context import ReadContext
from reconciler.live.reading import Reading, read_live
from reconciler.live.strategy import Choice, Strategy
from reconciler.platform.assumptions import PAGES_WITHOUT_FLAGS
from reconciler.platform.operations import DEFAULT_LIMITS, Operation
from reconciler.platform.world import Person, Registration, World
from tests.changed import replace
from tests.fleet import external
from tests.modelled import Modelled

CODES = {"courier": "courier-code", "shop": "shop-code"}
IDS = {"courier-code": "APP-COURIER", "shop-code": "APP-SHOP"}
UNLIMITED = dict.fromkeys(DEFAULT_LIMITS, float("inf"))


def world(people: int, data: Mapping[str, str | int] | None = None) -> World:
    """So many people with a registration each: `device-N` of `name-N`."""
    return World.of(
        [
            Person(
                number,
                frozenset({external(f"name-{number}")}),
                created_at=f"2026-01-01T00:{number // 60:02}:{number % 60:02}",
            )
            for number in range(people)
        ],
        [
            Registration(
                f"device-{number}", "APP-COURIER", number, additional_data=dict(data or {})
            )
            for number in range(people)
        ],
        IDS,
    )


def read(
    modelled: Modelled,
    devices: int,
    choice: Choice = Choice.AUTO,
    *,
    events: list[Event] | None = None,
    pinned: Mapping[str, str] | None = None,
    rates: Mapping[Operation, float] = DEFAULT_LIMITS,
    application: str = "courier",
) -> Reading:
    """Read the first so many devices and their owners."""
    ids = [f"device-{number}" for number in range(devices)]
    registrations = dict.fromkeys(ids, application)

    def ask(live: Live) -> Needs:
        unread = {id_: application for id_ in ids if id_ not in live.registrations}
        if unread:
            return Needs(unread, tuple(ids))
        return Needs(
            owners=tuple(
                id_
                for id_ in ids
                if id_ not in live.owners and isinstance(live.registrations[id_], LiveRegistration)
            )
        )

    sought = SweepQuery(
        registrations,
        owners={id_: external(f"name-{number}") for number, id_ in enumerate(ids)},
    )
    listen = nobody_listens if events is None else events.append
    means = ReadContext(modelled.service(), CODES, rates, listen, pinned or {})
    return asyncio.run(read_live(ask, sought, means, choice))


def test_a_large_fleet_among_as_many_people_is_swept() -> None:
    """One GET links the application; pages tell everything else."""
    modelled = Modelled(world(60), page_size=10)
    events: list[Event] = []
    reading = read(modelled, 60, events=events)
    assert Strategy.SWEEP is reading.strategy
    # Six pages, the first and the last of them twice.
    assert {Operation.PERSONS: 8, Operation.GET: 1} == modelled.counts
    assert 60 == reading.people
    assert [Weighed("sweep", 60, 11.8, 1.4)] == [
        replace(
            one,
            points_seconds=round(one.points_seconds, 1),
            sweep_seconds=round(one.sweep_seconds, 1),
        )
        for one in events
        if isinstance(one, Weighed)
    ]


def test_a_few_devices_are_read_without_counting_people() -> None:
    """What is over before there is an answer needs no question how many people there are."""
    modelled = Modelled(world(60), page_size=10)
    reading = read(modelled, 2)
    assert (Strategy.POINTS, None) == (reading.strategy, reading.people)
    assert {Operation.PERSONS: 2, Operation.GET: 2} == modelled.counts


def test_a_small_fleet_among_many_people_is_read_by_point() -> None:
    """The count costs one call, and tells that a sweep would take longer."""
    modelled = Modelled(world(400), page_size=2)
    reading = read(modelled, 40)
    assert Strategy.POINTS is reading.strategy
    assert {Operation.PERSONS: 41, Operation.GET: 40} == modelled.counts
    assert reading.weighed is not None
    assert reading.weighed.points < reading.weighed.sweep


@pytest.mark.parametrize("choice", [Choice.POINTS, Choice.SWEEP])
def test_the_user_may_choose(choice: Choice) -> None:
    """--read points asks for no page, --read sweep for all of them, whatever is quicker."""
    modelled = Modelled(world(60), page_size=10)
    reading = read(modelled, 60 if choice is Choice.POINTS else 1, choice)
    assert choice.value == reading.strategy.value
    paged = any("limit" in call.query for call in modelled.calls)
    assert paged is (choice is Choice.SWEEP)


def test_the_list_of_applications_saves_the_point_read() -> None:
    """It links code and id, for all of them by one call; and the pages tell the same."""
    linked = Modelled(world(60), page_size=10, lists_applications=True)
    probed = Modelled(world(60), page_size=10)
    assert read(probed, 60).live == read(linked, 60).live
    assert {Operation.PERSONS: 8, Operation.APPLICATIONS: 1} == linked.counts


def test_without_limits_the_fewer_calls_win() -> None:
    """Where no limit decides, each call still costs work."""
    modelled = Modelled(world(2000), page_size=1000)
    assert Strategy.SWEEP is read(modelled, 2000, rates=UNLIMITED).strategy


@pytest.mark.parametrize("pages", sorted(PAGES_WITHOUT_FLAGS))
@pytest.mark.parametrize("pins", [False, True])
def test_bare_pages_give_owners_and_points_give_fields(pages: str, pins: bool) -> None:
    """Pages without isPrimary settle no field, so every registration is read beside them."""
    modelled = Modelled(world(60), {"page-push": pages}, page_size=10)
    reading = read(modelled, 60, pinned={"page-push": pages} if pins else {})
    assert Strategy.SWEEP_AND_POINTS is reading.strategy
    assert {Operation.PERSONS: 8, Operation.GET: 60} == modelled.counts


@pytest.mark.parametrize(
    ("data", "pinned", "gets"),
    [
        pytest.param({"depot": "12"}, {}, 60, id="text that may be a number"),
        pytest.param({"depot": "12"}, {"page-push": "full"}, 1, id="the project knows better"),
        pytest.param({"depot": "12"}, {"page-push": "text-data"}, 60, id="the project doubts it"),
        pytest.param({"depot": "north"}, {}, 1, id="plain text"),
        pytest.param({"depot": "12", "size": 12}, {}, 1, id="a number beside it"),
    ],
)
def test_text_is_doubted_until_something_is_typed(
    data: Mapping[str, str | int], pinned: Mapping[str, str], gets: int
) -> None:
    """A service that shows one number as a number does not show others as text."""
    modelled = Modelled(world(60, data), page_size=10)
    reading = read(modelled, 60, pinned=pinned)
    assert gets == modelled.counts[Operation.GET]
    found = reading.live.registrations["device-59"]
    assert isinstance(found, LiveRegistration)
    assert data == found.additional_data


def test_one_typed_value_of_anybody_settles_the_text_of_all() -> None:
    """Also of somebody who owns nothing that is declared."""
    start = world(60, {"depot": "12"})
    typed = start.registrations["device-59"]
    other = Registration("other", "APP-SHOP", typed.owner, additional_data={"size": 7})
    modelled = Modelled(start.with_registration(other), page_size=10)
    read(modelled, 59)
    assert 1 == modelled.counts[Operation.GET]


def test_a_wrong_application_is_found_by_point() -> None:
    """Devices that stand elsewhere than declared are not taken from the pages."""
    modelled = Modelled(world(30), page_size=10)
    reading = read(modelled, 30, application="shop")
    assert not any(
        isinstance(found, LiveRegistration) for found in reading.live.registrations.values()
    )


@pytest.mark.parametrize(("pinned", "lookups"), [({}, 2), ({"anonymous-owner": "404"}, 0)])
def test_who_stands_on_no_page_is_looked_up(pinned: Mapping[str, str], lookups: int) -> None:
    """Unless the project says that people without identity stand nowhere: then it is nobody's."""
    start = world(30)
    for number in range(2):
        start = start.with_registration(Registration(f"device-{30 + number}", "APP-COURIER", None))
    modelled = Modelled(start, {"anonymous-owner": "404"}, page_size=10)
    reading = read(modelled, 32, pinned=pinned)
    assert None is reading.live.owners["device-31"]
    asked = [call for call in modelled.calls if call.query.get("type") == "PUSH"]
    assert lookups == len(asked)


class Unlistable(Modelled):
    """A service that does not let this key list people."""

    async def page(self, number: int, reader: PageReader) -> Page:
        raise Rejected("persons", None, "GET", "/people/2/persons", 400)


def test_where_nobody_may_list_people_points_do() -> None:
    """It is no error unless a sweep was asked for."""
    reading = read(Unlistable(world(60)), 60)
    assert (Strategy.POINTS, 60) == (reading.strategy, len(reading.live.owners))
    with pytest.raises(Rejected):
        read(Unlistable(world(60)), 60, Choice.SWEEP)


def test_a_service_that_does_not_count_is_swept_only_when_told() -> None:
    """Page after page until one is empty; nobody is taken to be absent for that."""
    modelled = Modelled(world(60), page_size=10, counts_people=False)
    assert Strategy.POINTS is read(modelled, 60).strategy
    modelled = Modelled(world(60), page_size=10, counts_people=False)
    reading = read(modelled, 60, Choice.SWEEP)
    assert (Strategy.SWEEP, 60) == (reading.strategy, len(reading.live.owners))
    assert 7 == modelled.counts[Operation.PERSONS]


def test_where_everything_keeps_moving_reading_ends() -> None:
    """A sweep is tried again, but not for ever; then points settle it."""

    def happens(now: World, number: int) -> World:
        name = frozenset({external(f"passing-{number}")})
        person = Person(10_000 + number, name, created_at="2025-01-01T00:00:00")
        return now.with_person(person)

    modelled = Modelled(world(60), page_size=10, happens=happens)
    reading = read(modelled, 60)
    assert 60 == len([owner for owner in reading.live.owners.values() if owner])


def test_reading_goes_on_until_nothing_is_missing() -> None:
    """Each round may find that more is needed."""
    modelled = Modelled(world(3))
    assert {"device-0": 0, "device-1": 1} == {
        id_: owner.number for id_, owner in read(modelled, 2).live.owners.items() if owner
    }


def test_asking_for_the_same_again_is_our_bug_and_no_endless_loop() -> None:
    """A need that reading does not meet ends the run."""
    means = ReadContext(Modelled(world(1)).service(), CODES, DEFAULT_LIMITS, nobody_listens)
    with pytest.raises(RuntimeError, match="bug in reconciler"):
        asyncio.run(read_live(lambda live: Needs({"device-0": "courier"}), SweepQuery(), means))


def test_a_device_that_moved_meanwhile_is_not_taken_to_be_nobodys() -> None:
    """It stands on two pages, so whose it is has to be asked, whatever is pinned."""

    def happens(now: World, number: int) -> World:
        # After the first pages, before the last ones: to somebody whose page is still to come.
        moved = replace(now.registrations["device-2"], owner=28)
        return now.with_registration(moved) if number == 3 else now

    modelled = Modelled(world(30), {"anonymous-owner": "404"}, page_size=10, happens=happens)
    reading = read(modelled, 30, Choice.SWEEP, pinned={"anonymous-owner": "404"})
    owner = reading.live.owners["device-2"]
    assert owner is not None
    assert 28 == owner.number
