"""The generated fleet is a world like any other, and the same every time."""

from __future__ import annotations

import pytest

from reconciler.platform.assumptions import readings
from reconciler.platform.operations import persons_page, update
from reconciler.platform.step import step
from reconciler.platform.world import World
from reconciler.sandbox.fleet import APPLICATIONS, creation_order, fleet


@pytest.mark.parametrize("people", [0, 1, 24, 25, 76, 150])
def test_a_fleet_is_a_sound_world(people: int) -> None:
    """Every index says what a world built by hand from the same people would say."""
    generated = fleet(people)
    built = World.of(
        generated.people.values(), generated.registrations.values(), generated.applications
    )
    assert built == generated
    assert dict(built.holders) == dict(generated.holders)
    assert dict(built.owned) == dict(generated.owned)
    assert built.next_number == generated.next_number
    for table in (generated.people, generated.registrations, generated.holders, generated.owned):
        assert len(list(table)) == len(table)


def test_two_fleets_are_equal() -> None:
    """The same number gives the same world; one more person changes nobody."""
    assert fleet(60) == fleet(60)
    assert frozenset({61}) == fleet(61).changed_people(fleet(60))


def test_a_fleet_has_something_of_everything() -> None:
    """Both applications, anonymous people, leads, primaries and disabled registrations."""
    generated = fleet(200)
    registrations = list(generated.registrations.values())
    people = list(generated.people.values())
    assert set(APPLICATIONS.values()) == {one.application_id for one in registrations}
    for seen in (
        {one.is_anonymous for one in people},
        {one.is_lead for one in people if not one.is_anonymous},
        {one.is_primary for one in registrations},
        {one.registration_enabled for one in registrations},
    ):
        assert {True, False} == seen


def test_a_fleet_can_be_stepped() -> None:
    """A generated registration is changed as any other, and the rest stays generated."""
    before = fleet(1_000_000)
    id_ = before.owned[999_999][0]
    codes = {application: code for code, application in APPLICATIONS.items()}
    code = codes[before.registrations[id_].application_id]
    after, response = step(before, update(id_, code, {"additionalData": {"k": 1}}), readings())
    assert 200 == response.status
    assert frozenset({id_}) == after.changed_registrations(before)


@pytest.mark.parametrize(("anonymous", "reading"), [(True, "200"), (False, "404")])
def test_the_creation_order_is_that_of_the_pages(anonymous: bool, reading: str) -> None:
    """The order that is known beforehand is the one that the model sorts."""
    in_force = readings({"anonymous-owner": reading})
    page = step(fleet(80), persons_page(1), in_force)[1].body
    assert isinstance(page, dict)
    assert [one["id"] for one in page["persons"]] == creation_order(80, anonymous=anonymous)


def test_a_fleet_of_a_senseless_size_is_refused() -> None:
    """A negative or gigantic number of people is a ValueError."""
    for people in (-1, 10_000_001):
        with pytest.raises(ValueError):
            fleet(people)
