"""An apply makes exactly the calls that its plan foretold, reads among them."""

from __future__ import annotations

from collections import Counter

import pytest

from reconciler.core.device import OnRemove
from reconciler.plan.model import ForecastCalls
from tests.fleet import desired, device, external, owner, phone, project

from .model import Run, person, registration, world

ANA, BOB = owner("ana"), owner("bob")
BOTH = owner("ana", external("ana"), phone("385911"))
A1, B2 = person(1, external("ana")), person(2, external("bob"))


def moved() -> Run:
    """Two devices change hands, each gets a flag or a key."""
    start = world(A1, B2, registration("a", 1, is_primary=True), registration("b", 2))
    first = device("a", owner=BOB, is_primary=True)
    return Run(desired(first, device("b", owner=ANA, data={"k": 1})), start)


def claimed() -> Run:
    """One of nobody's, and one that goes to somebody with two values, who lacks one of them."""
    start = world(A1, B2, registration("a"), registration("b", 2))
    return Run(desired(device("a", owner=BOB), device("b", owner=BOTH)), start)


def completed() -> Run:
    """The owner stays, and gets a value."""
    return Run(desired(device("a", owner=BOTH)), world(A1, registration("a", 1)))


def detached() -> Run:
    """One is nobody's any more, one left the files, one is only updated."""
    start = world(A1, registration("a", 1), registration("b", 1), registration("c"))
    left = device("b", owner=ANA)
    declared = desired(device("a", owner=None), device("c", data={"k": 1}))
    return Run(declared, start, [left], of=project(on_remove=OnRemove.DEPERSONALIZE))


@pytest.mark.parametrize("make", [moved, claimed, completed, detached])
def test_the_calls_are_those_that_were_foretold(make) -> None:
    """Kind for kind, where nothing goes wrong."""
    run = make()

    report = run.carry_out()

    made = Counter(call.partition("/")[0] for call in run.door.calls)
    # How many look-ups share a match depends on the moment.
    assert made.pop("match", 0) > 0 or make is claimed
    assert report.complete
    assert run.plan.forecast.calls == ForecastCalls(**made)
