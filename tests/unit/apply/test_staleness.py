"""Whether a device is as the plan saw it, plus what the plan itself has done."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.apply.staleness import Effects, moved, reached, subjects
from reconciler.core.live import LiveRegistration
from tests.changed import replace
from tests.fleet import DIGESTER, desired, device, external, owner, person, registration
from tests.fleet import Service as Fleet
from tests.fleet import plan as planned

BOB = owner("bob")
DEVICE = device("a", owner=BOB, is_primary=True, data={"k": 2, "same": "x"})
LIVE = registration("a", is_primary=True, data={"k": 1, "same": "x", "theirs": 5})
ANA = person(1, external("ana"), owns=[LIVE])
PLAN = planned(desired(DEVICE), Fleet(ANA, person(2, external("bob"))))
SUBJECT = subjects(PLAN, desired(DEVICE))["a"]
NONE, OWN, PROMOTED = Effects(), Effects(owner_changed=True), Effects(promoted=True)


def data(**values: Any) -> LiveRegistration:
    return replace(LIVE, additional_data=values)


@pytest.mark.parametrize(
    ("live", "effects", "expected"),
    [
        (LIVE, NONE, None),
        (data(k=1, same="x"), NONE, None),
        (data(k=1.0, same="x", new=1), NONE, None),
        (data(k=True, same="x"), NONE, "additionalData.k"),
        (data(k=2, same="x"), NONE, "additionalData.k"),
        (data(k=1), NONE, "additionalData.same"),
        (replace(LIVE, registration_enabled=False), NONE, None),
        (replace(LIVE, is_primary=False), NONE, "isPrimary"),
        (replace(LIVE, is_primary=False), PROMOTED, None),
        (
            replace(LIVE, is_primary=False, additional_data={"k": 1}),
            PROMOTED,
            "additionalData.same",
        ),
        (LIVE, OWN, None),
        (replace(LIVE, is_primary=False), OWN, None),
        (replace(LIVE, is_primary=False, additional_data={}), OWN, None),
        (data(k=1, same="y"), OWN, "additionalData.same"),
        (data(k=2), OWN, "additionalData.k"),
    ],
)
def test_only_what_the_plan_rests_on_counts(
    live: LiveRegistration, effects: Effects, expected: str | None
) -> None:
    """Undeclared things may move, numbers compare by value, our own effects are no news."""
    assert expected == moved(SUBJECT, live, ANA, effects, DIGESTER)


def test_another_owner_is_seen() -> None:
    """Somebody else, or nobody; the same person with another identity is the same."""
    more = person(1, external("ana"), external("other"), owns=[LIVE])

    assert [None, "owner", "owner", "owner"] == [
        moved(SUBJECT, LIVE, who, NONE, DIGESTER)
        for who in (more, person(9, external("e")), None, person(1))
    ]


def test_a_drift_that_is_left_is_part_of_what_was_seen() -> None:
    """After the ownership call the reported field has the value that the plan reports."""
    changes = SUBJECT.change.fields
    drifted = next(field for field in changes if field.path == "additionalData.k")
    rest = tuple(field for field in changes if field is not drifted)
    change = msgspec.structs.replace(SUBJECT.change, fields=rest)
    subject = replace(SUBJECT, change=change, left=(drifted,))

    assert [None, "additionalData.k"] == [
        moved(subject, live, None, OWN, DIGESTER) for live in (LIVE, data(k=7, same="x"))
    ]


def test_a_goal_is_reached_when_all_of_it_is_so() -> None:
    """Fields by value, keys to remove absent, the owner by every declared value."""
    personalize, update = PLAN.calls
    bob = person(2, external("bob"), external("b2"))
    there = replace(LIVE, additional_data={"k": 2, "same": "x", "theirs": 1})

    assert [True, False] == [reached(update, DEVICE, live, None) for live in (there, LIVE)]
    assert [True, False, False] == [
        reached(personalize, DEVICE, LIVE, who) for who in (bob, ANA, None)
    ]
