"""A plan that the files, the state and the project do not justify is refused, with the reason."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.apply.justification import refusal_reasons
from reconciler.core.device import Desired, Lifecycle, OnRemove, Removal
from reconciler.core.digest import Digester
from reconciler.core.secret import Secret
from reconciler.plan.document import sealed
from reconciler.plan.model import Action, FieldChange, Plan, Reason, Refusal
from tests.changed import replace
from tests.fleet import DIGESTER, HERE, desired, device, external, owner, project, record

from .model import person as someone
from .model import planned, registration, world

ANA, BOB = owner("ana"), owner("bob")
DEVICES = (
    device("a", owner=BOB, data={"k": 1}),
    device("b", is_primary=True),
    device("c", data={"k": 1}),
)
LEFT = device("x", owner=ANA)
BEFORE = device("b", is_primary=True, data={"old": 1})
DECLARED = Desired(
    desired(*DEVICES).devices, {"x": Removal("x", "courier", OnRemove.DEPERSONALIZE, HERE)}
)
RECORD = record(LEFT, BEFORE)
START = world(
    someone(1, external("ana")),
    someone(2, external("bob")),
    registration("a", 1),
    registration("b", data={"old": 1}),
    registration("c", data={"k": 1}),
    registration("x", 1),
)
PLAN = planned(DECLARED, START, RECORD)


def changed(plan: Plan, device_id: str, **fields: Any) -> Plan:
    """Return the plan with one change edited, sealed again as a forger would."""
    changes = tuple(
        msgspec.structs.replace(one, **fields) if one.device == device_id else one
        for one in plan.changes
    )
    return sealed(msgspec.structs.replace(plan, changes=changes), DIGESTER)


def recalled(plan: Plan, call_id: str, **fields: Any) -> Plan:
    """Return the plan with one call edited, sealed again."""
    calls = tuple(
        msgspec.structs.replace(one, **fields) if one.id == call_id else one for one in plan.calls
    )
    return sealed(msgspec.structs.replace(plan, calls=calls), DIGESTER)


def test_a_plan_that_nobody_touched_may_be_applied() -> None:
    """Also when the serial moved since: other devices may have been applied in between."""
    ids = ["depersonalize/x", "personalize/a", "update/a", "update/b"]
    assert ids == sorted(call.id for call in PLAN.calls)
    moved = replace(RECORD, serial=99)

    assert [(), ()] == [refusal_reasons(PLAN, DECLARED, one, project()) for one in (RECORD, moved)]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (
            msgspec.structs.replace(PLAN, calls=PLAN.calls[1:]),
            "the plan was changed after it was made: its digest or seal does not fit",
        ),
        (
            sealed(
                msgspec.structs.replace(PLAN, calls=PLAN.calls[1:]), Digester(Secret(b"f" * 32))
            ),
            "the plan was changed after it was made: its digest or seal does not fit",
        ),
        (
            sealed(msgspec.structs.replace(PLAN, calls=PLAN.calls[:1] * 2), DIGESTER),
            "its calls are in an order that their edges forbid",
        ),
        (
            sealed(
                msgspec.structs.replace(
                    PLAN, refusals=(Refusal("gone", "all gone", "9", "3", ""),)
                ),
                DIGESTER,
            ),
            "gone: all gone",
        ),
        (
            recalled(PLAN, "update/b", body={"isPrimary": False}),
            "b: its calls are not those that the files and the project ask for",
        ),
        (
            recalled(PLAN, "update/b", path="/people/2/contactInformation/push/other"),
            "b: its calls are not those that the files and the project ask for",
        ),
        (recalled(PLAN, "update/a", needs=()), "a: update/a does not wait for personalize/a"),
        (
            changed(PLAN, "c", actions=(Action.UPDATE,)),
            "c: its calls are not those that the files and the project ask for",
        ),
        (
            changed(PLAN, "b", actions=(Action.PERSONALIZE,)),
            "b: nobody is declared as its owner",
        ),
        (
            changed(PLAN, "a", actions=(Action.DEPERSONALIZE,)),
            "a: nothing says that it shall be detached",
        ),
        (
            changed(
                PLAN,
                "b",
                fields=(FieldChange("additionalData.theirs", "x", None, Reason.REMOVED),),
            ),
            "b: additionalData.theirs is neither declared nor in the state",
        ),
        (
            changed(PLAN, "b", fields=(FieldChange("owner", "nobody", "x", Reason.DECLARED),)),
            "b: its actions are not those of its fields",
        ),
        (
            changed(PLAN, "b", application="shop"),
            "b: its application is not the declared one",
        ),
        (
            changed(PLAN, "x", application="other"),
            "x: the project has no application other",
        ),
        (changed(PLAN, "c", device="b"), "a device stands in it twice"),
        (
            changed(PLAN, "b", declaration=None),
            "b: it came back into the files since the plan",
        ),
        (
            sealed(msgspec.structs.replace(PLAN, changes=PLAN.changes[1:]), DIGESTER),
            "a: it has calls but no change",
        ),
    ],
)
def test_an_edited_plan_is_refused(plan: Plan, expected: str) -> None:
    """Sealing it again does not help: every call is derived from the files once more."""
    assert expected in refusal_reasons(plan, DECLARED, RECORD, project())


def test_another_record_is_refused() -> None:
    """The digests of a plan mean nothing under another key."""
    other = replace(RECORD, lineage="lineage-2")

    assert ("the plan was made with another state: plan again with this one",) == refusal_reasons(
        PLAN, DECLARED, other, project()
    )


def test_files_that_moved_since_are_refused_device_by_device() -> None:
    """A declaration that says something else, and a device that left."""
    now = desired(DEVICES[0], replace(DEVICES[1], is_primary=False))

    assert (
        "b: its declaration changed since the plan",
        "c: it left the files since the plan",
        "x: nothing says that it shall be detached",
    ) == refusal_reasons(PLAN, now, RECORD, project())


def test_a_moved_label_or_place_is_no_other_declaration() -> None:
    """They decide nothing."""
    devices = [replace(one, label="new", source=HERE) for one in DEVICES]
    now = Desired(desired(*devices).devices, DECLARED.removed)

    assert () == refusal_reasons(PLAN, now, RECORD, project())


@pytest.mark.parametrize(
    "entry",
    [
        replace(RECORD.devices["x"], protect=True),
        replace(RECORD.devices["x"], on_remove=OnRemove.RELEASE),
    ],
)
def test_a_leaving_device_is_detached_only_if_something_says_so(entry: Any) -> None:
    """`removed:`, its state, or the project; and never a protected one."""
    recorded = replace(RECORD, devices={**RECORD.devices, "x": entry})
    now = Desired(DECLARED.devices, DECLARED.removed if entry.protect else {})

    assert ("x: nothing says that it shall be detached",) == refusal_reasons(
        PLAN, now, recorded, project()
    )


def test_a_pinned_assumption_is_part_of_what_justifies() -> None:
    """Made without it, the plan would send more than the project now asks for."""
    pinned = project(assume={"additional-data-patch": "merge"})

    assert (
        "a: its calls are not those that the files and the project ask for",
        "b: its calls are not those that the files and the project ask for",
    ) == refusal_reasons(PLAN, DECLARED, RECORD, pinned)


def test_what_an_earlier_run_has_done_needs_no_justification() -> None:
    """The state has moved on by those very calls: x is forgotten, the old key of b too."""
    after = record(*DEVICES)
    done = frozenset(call.id for call in PLAN.calls)

    assert () == refusal_reasons(PLAN, DECLARED, after, project(), done)
    assert () != refusal_reasons(PLAN, DECLARED, after, project())


def test_a_forgotten_device_needs_no_justification() -> None:
    """Going on with a plan whose first run has forgotten it already."""
    kept = device("a", lifecycle=Lifecycle())
    plan = planned(desired(kept), world(registration("a")), record(kept, LEFT))
    assert [(Action.RELEASE,)] == [one.actions for one in plan.changes]

    assert () == refusal_reasons(plan, desired(kept), record(kept), project())


def test_an_application_may_leave_the_project_with_its_devices() -> None:
    """Forgetting needs no call, so it needs no application either."""
    recorded = record(device("s", application="shop"))
    of = project(applications=("courier",))
    plan = planned(desired(), world(), recorded)

    assert () == refusal_reasons(plan, desired(), recorded, of)
