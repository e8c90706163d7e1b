"""The judge finds what a faulty builder would let through."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from reconciler.core.device import Desired
from reconciler.core.digest import Digester
from reconciler.diff.changes import diff
from reconciler.plan.device_plan import plan_device
from reconciler.plan.model import PlannedCall
from reconciler.plan.ordering import groups, ordered_calls
from reconciler.plan.people import DeclaredPeople
from reconciler.plan.proof import Proof, helpful_pins, prove
from reconciler.plan.warnings import side_effects
from reconciler.platform.assumptions import ASSUMPTIONS, Readings
from tests.fleet import (
    KEY,
    Service,
    desired,
    device,
    external,
    person,
    project,
    record,
    registration,
)

SERVICE = Service(
    person(
        1,
        external("ana"),
        owns=[registration("a", is_primary=True, data={"theirs": 1}), registration("b")],
    )
)
DECLARED = desired(device("a", is_primary=False, data={"k": 1}), device("b", is_primary=True))


def proof(declared: Desired = DECLARED) -> Proof:
    """Return the proof of the one group of a plan, before it is judged."""
    of, recorded = project(), record()
    live = SERVICE.read(declared, recorded, of)
    people = DeclaredPeople(declared)
    found = diff(declared, recorded, live, of)
    works = [plan_device(one, people, Digester(KEY), {}) for one in found.differing]
    (group,) = groups(works)
    effects = side_effects(group, declared, live, {})
    return Proof(group, ordered_calls(group), effects, declared, live, people, {})


def with_calls(given: Proof, calls: Sequence[PlannedCall]) -> Proof:
    return Proof(
        given.group, calls, given.effects, given.desired, given.live, given.people, given.pinned
    )


def test_what_the_builder_makes_is_proven() -> None:
    """The untouched plan passes, so the refusals below are the judge's findings."""
    assert prove(proof()) is None


def unordered(calls: Sequence[PlannedCall]) -> list[PlannedCall]:
    return [msgspec.structs.replace(call, after=(), needs=()) for call in calls]


def not_carrying(calls: Sequence[PlannedCall]) -> list[PlannedCall]:
    return [msgspec.structs.replace(call, carry_undeclared=False) for call in calls]


def forgetful(calls: Sequence[PlannedCall]) -> list[PlannedCall]:
    return [call for call in calls if call.id != "update/b"]


def wrong(calls: Sequence[PlannedCall]) -> list[PlannedCall]:
    return [msgspec.structs.replace(call, body={"isPrimary": True}) for call in calls]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (unordered, "would not wait for"),
        (not_carrying, "undeclared additionalData"),
        (forgetful, "b: isPrimary would not be as declared"),
        (wrong, "would not be as declared"),
    ],
)
def test_a_faulty_plan_is_not_proven(fault, said) -> None:
    """Loose edges, lost keys, a missing call, a wrong body."""
    given = proof()
    found = prove(with_calls(given, fault(given.calls)))
    assert found is not None
    assert said in found.message
    # Where no reading helps, nobody is told to pin one.
    assert ("api.assume" in found.fix) == (fault is not_carrying)
    assert ("pin" in found.fix) == found.fix.endswith(": additional-data-patch: merge.")


def test_a_side_effect_without_a_warning_is_not_proven() -> None:
    """A promotion takes the flag of an undeclared sibling, and nobody said so."""
    given = proof(desired(device("b", is_primary=True)))
    assert prove(given) is None
    silent = Proof(
        given.group, given.calls, (), given.desired, given.live, given.people, given.pinned
    )
    found = prove(silent)
    assert found is not None
    assert "a would lose isPrimary" in found.message
    assert found.fix.endswith(": promote: keeps-others.")
    useless = Proof(
        given.group,
        given.calls,
        (),
        given.desired,
        given.live,
        given.people,
        {"promote": "demotes-others-of-application"},
    )
    found = prove(useless)
    assert found is not None
    assert "api.assume" not in found.fix


def outcome(**passing: str) -> Callable[[Readings], str | None]:
    """Return a proof that passes where all these readings are in force."""

    def failing(readings: Readings) -> str | None:
        for name, reading in passing.items():
            if readings(ASSUMPTIONS[name.replace("_", "-")]) != reading:
                return "not as declared"
        return None

    return failing


def test_a_pin_is_named_only_where_it_is_enough() -> None:
    """One by itself, several together where it takes several, none where none helps."""
    promote, detach = {"promote": "keeps-others"}, {"detach": "keeps"}
    assert (promote,) == helpful_pins(outcome(**promote), {})
    assert ({**detach, **promote},) == helpful_pins(outcome(**promote, **detach), {})
    assert (promote,) == helpful_pins(outcome(**promote, **detach), detach)
    assert () == helpful_pins(outcome(**promote, **detach), {"detach": "clears-primary-and-data"})
    assert () == helpful_pins(lambda readings: "never", {})

    def either(readings: Readings) -> str | None:
        return outcome(**promote)(readings) and outcome(**detach)(readings)

    assert (detach, promote) == helpful_pins(either, {})
