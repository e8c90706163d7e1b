"""The summary line: what it says, and what it leaves out."""

from __future__ import annotations

import msgspec
import pytest

from reconciler.plan.model import Action, CallCounts, Plan, Summary
from reconciler.render.sentences import duration, listed, summary
from tests import plans


def summed(**counts: int | float | CallCounts) -> Plan:
    """A plan of which only the summary matters."""
    base = {
        "devices": 100,
        "unchanged": 100,
        "changed": 0,
        "adopt": 0,
        "gone": 0,
        "released": 0,
        "withheld": 0,
        "calls": CallCounts(),
        "forecast_seconds": 0.0,
    }
    return msgspec.structs.replace(plans.empty(), summary=Summary(**base | counts))


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (
            summed(
                devices=101,
                changed=12,
                unchanged=88,
                gone=1,
                calls=CallCounts(10, 3, 1),
                forecast_seconds=0.4,
            ),
            "Plan: 12 to change, 88 unchanged, 1 gone. "
            "14 calls (1 depersonalize, 3 personalize, 10 update), about 1 s.",
        ),
        (summed(), "No changes. 100 devices are as declared."),
        (summed(adopt=3), "No changes. 100 devices are as declared. 3 to adopt."),
        (summed(unchanged=99, gone=1), "No changes. 99 devices are as declared. 1 gone."),
        (summed(released=2), "No changes. 100 devices are as declared. 2 to release."),
        (summed(devices=1, unchanged=1), "No changes. 1 device is as declared."),
        (summed(devices=0, unchanged=0), "No changes. No devices are declared."),
        (summed(unchanged=98, withheld=2), "Plan: 0 to change, 98 unchanged, 2 withheld."),
        (
            summed(
                devices=20000,
                unchanged=0,
                changed=20000,
                calls=CallCounts(20000),
                forecast_seconds=500,
            ),
            "Plan: 20,000 to change. 20,000 calls (20,000 update), about 9 min.",
        ),
    ],
)
def test_the_summary_line(plan: Plan, expected: str) -> None:
    """The line has one form; zeros are left out, but for the changes of a plan."""
    assert expected == summary(plan)


def test_drift_is_not_as_declared() -> None:
    """A device whose drift is only reported is no change, and not as declared either."""
    drifted = plans.plan(drift=[plans.drift("a", plans.field("owner", "person 1", "nobody"))])

    assert summary(drifted) == "No changes. 99 devices are as declared. 1 drifted."


def test_adoptions_alone_are_no_change() -> None:
    """Devices that apply only writes to the state do not make a plan of changes."""
    adopting = plans.plan(plans.change("a", actions=(Action.ADOPT,)))

    assert summary(adopting) == "No changes. 100 devices are as declared. 1 to adopt."


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "1 s"), (0.2, "1 s"), (89.5, "90 s"), (91, "2 min"), (5400, "90 min"), (9000, "2.5 h")],
)
def test_a_duration_has_the_unit_a_person_would_choose(seconds: float, expected: str) -> None:
    """Durations are about, rounded up, never nothing."""
    assert expected == duration(seconds)


def test_a_list_says_how_many_it_leaves_out() -> None:
    """The first few names, and the number of the others."""
    assert listed(["a", "b", "c"], 3) == "a, b, c"
    assert listed(["a", "b", "c", "d"], 3) == "a, b, c and 1 more"
