"""Whose a registration is: decided by membership of values, refused where it cannot be undone."""

from __future__ import annotations

import pytest

from reconciler.core.secret import Secret
from reconciler.diff.ownership import (
    Claim,
    Complete,
    Conflict,
    Detach,
    Move,
    Same,
    differing_attributes,
    relation,
    target,
)
from tests.fleet import email, external, owner, person, phone

ANA = owner("ana", external("ana"), phone("+385911"))


@pytest.mark.parametrize(
    ("declared", "live", "expected"),
    [
        (None, None, Same()),
        (None, person(1), Same()),
        (None, person(1, external("x")), Detach()),
        (ANA, None, Claim()),
        (ANA, person(1), Claim()),
        (ANA, person(1, external("ana"), phone("385911"), email("more@x.org")), Same()),
        (ANA, person(1, external("ana")), Complete((phone("385911"),))),
        (ANA, person(1, external("bob")), Move()),
    ],
)
def test_relation(declared, live, expected):
    """The same owner holds every declared value; some of them: the rest is added."""
    assert expected == relation(declared, live)


def test_email_is_the_same_without_case_and_a_phone_by_its_digits():
    """Canonical form is the service's."""
    declared = owner("ana", email("Ana@Example.com"), phone("+385 91"))
    live = person(1, email("ana@example.COM"), phone("38591"))
    assert Same() == relation(declared, live)


def test_two_people_are_a_conflict():
    """Merging people cannot be undone."""
    one, two = person(1, external("ana")), person(2, phone("385911"))
    people = {external("ana"): one, phone("385911"): two}
    result = target(ANA, Claim(), None, people)
    assert Conflict("the values belong to different people", (1, 2)) == result


def test_another_external_id_is_a_conflict():
    """A person has one external id, so adding another would overwrite it."""
    other = person(1, external("hers"), phone("385911"))
    people = {external("ana"): None, phone("385911"): other}
    assert isinstance(target(ANA, Claim(), None, people), Conflict)


def test_a_missing_value_that_is_somebody_elses_is_a_conflict():
    """The live owner holds one value, another person the other."""
    live, other = person(1, external("ana")), person(2, phone("385911"))
    how = relation(ANA, live)
    assert isinstance(target(ANA, how, live, {phone("385911"): other}), Conflict)


def test_nobody_has_the_values_so_the_call_makes_a_person():
    """No conflict and nobody reached."""
    assert target(ANA, Claim(), None, {external("ana"): None, phone("385911"): None}) is None


def test_attributes_compare_as_subset_and_are_only_named():
    """Tags and custom attributes of others are no difference."""
    declared = owner(
        "ana",
        attributes=Secret(
            {
                "firstName": "Ana",
                "tags": ["a"],
                "customAttributes": {"v": 1},
                "birthday": "1990-01-02",
            }
        ),
    )
    same = person(
        1,
        external("ana"),
        attributes=Secret(
            {
                "firstName": "Ana",
                "tags": ["b", "a"],
                "customAttributes": {"v": 1, "w": 2},
                "birthday": "1990-01-02T00:00:00Z",
            }
        ),
    )
    other = person(1, external("ana"), attributes=Secret({"firstName": "Eva", "tags": ["b"]}))
    assert () == differing_attributes(declared, same)
    expected = ("birthday", "customAttributes", "firstName", "tags")
    assert expected == differing_attributes(declared, other)
