"""Budgets and protected devices: what a project forbids, and how consent to it is bound."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from reconciler.core.consent import Consent
from reconciler.core.device import Lifecycle, OnRemove
from reconciler.core.safety import DEFAULT_BUDGETS, Budget, ProtectRule, Safety
from reconciler.core.source import Source
from reconciler.engine.shipped_files import schema_bytes
from reconciler.plan.consent import accepted_count, consent_to, consented, effect_digest
from reconciler.plan.glossary import TERMS
from reconciler.plan.model import Action, Plan, Risk
from tests.changed import replace
from tests.fleet import (
    Service,
    desired,
    device,
    external,
    owner,
    person,
    plan,
    project,
    record,
    registration,
)

ROOT: Final = Path(__file__).resolve().parents[3]
RULE = Source("reconciler.yaml", 12, 7)


def budgets(**limits: Budget) -> Safety:
    return Safety(
        {**DEFAULT_BUDGETS, **{name.replace("_", "-"): one for name, one in limits.items()}}
    )


def moved(count: int, total: int, **fields: object) -> Plan:
    """A plan by which the first `count` of so many devices go from one owner to another."""
    names = [f"d{number:03}" for number in range(total)]
    people = [
        person(number + 1, external(f"old-{name}"), owns=[registration(name)])
        for number, name in enumerate(names)
    ]
    declared = [
        device(name, owner=owner(f"{'new' if number < count else 'old'}-{name}"))
        for number, name in enumerate(names)
    ]
    return plan(desired(*declared), Service(*people), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("budget", "count", "total", "allowed"),
    [
        (Budget(devices=3), 3, 3, True),
        (Budget(devices=3), 4, 4_000, False),
        (Budget(devices=0), 1, 9, False),
        (Budget(percent=Decimal(10)), 3, 30, True),
        (Budget(percent=Decimal(10)), 4, 30, False),
        (Budget(percent=Decimal(0)), 1, 1_000, False),
        (Budget(percent=Decimal(10), few=10), 10, 10, True),
        (Budget(percent=Decimal(10), few=10), 11, 109, False),
        (Budget(percent=Decimal(10), few=10), 11, 110, True),
        (Budget(percent=Decimal(100)), 5, 5, True),
        # In binary floating point it is less than seven of a thousand.
        (Budget(percent=Decimal("0.7")), 7, 1_000, True),
        (Budget(percent=Decimal("0.7")), 8, 1_000, False),
        (Budget(percent=Decimal(10)), 0, 0, True),
    ],
)
def test_a_budget_is_a_number_or_a_share(budget, count, total, allowed) -> None:
    """A share allows a few whatever it comes to; an explicit one allows none beside."""
    assert budget.allows(count, total) is allowed


def test_every_risk_has_a_default_budget() -> None:
    """A risk without one would be a KeyError in somebody's pipeline."""
    assert {risk.value for risk in Risk} <= set(DEFAULT_BUDGETS)


def test_every_guard_with_a_budget_is_known_everywhere() -> None:
    """Where its budget is set, consented to and explained, and in the manual."""
    schema = json.loads(schema_bytes("project"))
    settings = schema["properties"]["safety"]["properties"]["budgets"]["properties"]
    rows = {
        name
        for line in (ROOT / "README.md").read_text("utf-8").splitlines()
        for name in re.findall(r"^\| `([a-z-]+)(?::[A-Z]+)?` \|", line)
    }

    accepted = json.loads(schema_bytes("consent"))["properties"]["accept"]["propertyNames"]
    consented_names = {
        name.partition(":")[0] for name in accepted["pattern"].strip("^()$").split("|")
    }

    assert set(settings) == set(DEFAULT_BUDGETS)
    assert consented_names == set(DEFAULT_BUDGETS)
    assert set(DEFAULT_BUDGETS) <= {term.name for term in TERMS if "guard" in term.kinds}
    assert set(DEFAULT_BUDGETS) <= rows


def test_ten_may_move_and_the_eleventh_needs_consent() -> None:
    """The default is a tenth, and ten whatever the size."""
    assert moved(10, 12).refusals == ()
    (refusal,) = moved(11, 12).refusals

    assert (refusal.guard, refusal.measured, refusal.limit, refusal.fix) == (
        "owner-change",
        "11 devices (92%)",
        "10% of the devices that it covers, or 10",
        "if it is meant: --accept owner-change=11",
    )
    assert refusal.message == "11 of 12 devices would go to another owner"


@pytest.mark.parametrize(("count", "refused"), [(10, True), (11, False), (12, True)])
def test_consent_names_the_exact_count(count: int, refused: bool) -> None:
    """One more or one less is another plan than the one that was consented to."""
    assert bool(moved(11, 12, accepted={"owner-change": count}).refusals) is refused


def test_a_project_sets_its_own_budgets() -> None:
    """Two may move; with a share of one per cent not even one."""
    two = project(safety=budgets(owner_change=Budget(devices=2)))
    share = project(safety=budgets(owner_change=Budget(percent=Decimal("1.0"))))

    assert moved(2, 12, of=two).refusals == ()
    assert [one.limit for one in moved(3, 12, of=two).refusals] == ["2 devices"]
    assert [one.limit for one in moved(1, 12, of=share).refusals] == [
        "1% of the devices that it covers"
    ]


@pytest.mark.parametrize(
    ("percent", "measured", "limit"),
    [
        ("10", "11 devices (10.1%)", "10% of the devices that it covers"),
        ("10.09", "11 devices (10.1%)", "10.09% of the devices that it covers"),
        ("9", "11 devices (10%)", "9% of the devices that it covers"),
        ("0.00001", "11 devices (10%)", "0.00001% of the devices that it covers"),
    ],
)
def test_what_is_measured_does_not_look_like_the_limit(percent, measured, limit) -> None:
    """11 of 109 devices are more than a tenth, so they are not said to be one."""
    safety = budgets(owner_change=Budget(percent=Decimal(percent)))
    (refusal,) = moved(11, 109, of=project(safety=safety)).refusals

    assert (refusal.measured, refusal.limit) == (measured, limit)
    assert accepted_count(refusal) == 11


def test_a_written_consent_is_for_one_plan_and_no_other() -> None:
    """It survives another commit, line or label; not another change, however small."""
    refused = moved(11, 12)
    consent = consent_to(refused)
    assert consent is not None
    assert dict(consent.accept) == {"owner-change": 11}

    assert moved(11, 12, consents=(consent,)).refusals == ()
    assert moved(11, 13, consents=(consent,)).refusals == ()
    assert len(moved(12, 13, consents=(consent,)).refusals) == 1
    lines = tuple(replace(one, source="other.yaml:9:1", label="x") for one in refused.changes)
    assert effect_digest(lines, refused.calls) == consent.changes
    assert effect_digest(lines[1:], refused.calls) != consent.changes
    assert effect_digest(lines, refused.calls[1:]) != consent.changes


def test_a_consent_to_another_count_is_none() -> None:
    """The digest fits, the number was edited: the plan is refused still."""
    refused = moved(11, 12)
    consent = Consent(effect_digest(refused.changes, refused.calls), {"owner-change": 12})

    assert consented((consent,), refused.changes, refused.calls) == {("owner-change", 12)}
    assert len(moved(11, 12, consents=(consent,)).refusals) == 1


def test_a_consent_holds_beside_a_wrong_one() -> None:
    """Whichever of the two files is read first; and so does a wrong --accept take nothing away."""
    right = consent_to(moved(11, 12))
    assert right is not None
    wrong = Consent(right.changes, {"owner-change": 12})

    for consents in ((right, wrong), (wrong, right)):
        assert moved(11, 12, consents=consents).refusals == ()
    assert moved(11, 12, consents=(right,), accepted={"owner-change": 12}).refusals == ()


def test_there_is_no_consent_to_a_pattern_that_matches_nothing() -> None:
    """Its fix is to fix the files."""
    empty = moved(0, 1, empty_patterns=(pattern(),))
    (refusal,) = empty.refusals

    assert accepted_count(refusal) is None
    assert consent_to(empty) is None


def pattern():
    from reconciler.core.project import Pattern

    return Pattern("nothing/*.yaml", RULE)


RULES = [
    ProtectRule(RULE, id="VIP-*"),
    ProtectRule(RULE, label="board *"),
    ProtectRule(RULE, application="cour*", data={"tier": "gold"}),
]


@pytest.mark.parametrize("rule", RULES, ids=["id", "label", "live key"])
def test_a_rule_protects_what_fits_it(rule: ProtectRule) -> None:
    """Nobody moves or detaches it; its fields change as ever, and so do other devices."""
    live = [
        person(1, external("old"), owns=[registration("VIP-1", data={"tier": "gold"})]),
        person(2, external("other"), owns=[registration("plain", data={"tier": "iron"})]),
    ]
    made = plan(
        desired(
            # The file says another tier already: what is live decides too.
            device("VIP-1", label="board room", owner=owner("new"), data={"tier": "tin"}),
            device("plain", label="kitchen", owner=owner("new")),
        ),
        Service(*live),
        of=project(safety=Safety(protect=(rule,))),
    )

    (error,) = made.errors
    assert (error.slug, error.devices, error.detail) == (
        "protected",
        ("VIP-1",),
        ("by the rule of safety.protect at reconciler.yaml:12:7",),
    )
    assert {call.device for call in made.calls} == {"plain"}


@pytest.mark.parametrize(
    ("live", "glob"),
    [(2, "2"), (2.0, "2"), (2, "2.0"), (2.0, "2.0"), (2.0, "[12]"), (2.5, "2.5"), ("2.0", "2.0")],
)
def test_a_number_fits_by_its_value(live: float | str, glob: str) -> None:
    """The service may say 2.0 for the 2 that it was sent: that must not end a rule."""
    rule = ProtectRule(RULE, data={"floor": glob})
    owned = person(1, external("old"), owns=[registration("d", data={"floor": live})])
    of = project(safety=Safety(protect=(rule,)))
    there = plan(desired(device("d", owner=None)), Service(owned), of=of)
    left = plan(desired(), Service(owned), recorded=record(device("d")), of=of)

    assert [[error.slug for error in made.errors] for made in (there, left)] == [["protected"]] * 2


def test_every_glob_of_a_rule_must_fit() -> None:
    """Of gold tablets and gold couriers a rule about tablets protects only the tablets."""
    rule = ProtectRule(RULE, application="shop", data={"tier": "gold"})
    live = person(1, external("old"), owns=[registration("d", data={"tier": "gold"})])
    made = plan(
        desired(device("d", owner=None)),
        Service(live),
        of=project(safety=Safety(protect=(rule,))),
    )

    assert made.errors == ()
    assert [call.operation for call in made.calls] == ["depersonalize"]


@pytest.mark.parametrize(
    ("rule", "protected"),
    [
        (ProtectRule(RULE, id="VIP-*"), True),
        (ProtectRule(RULE, data={"tier": "g*"}), True),
        (ProtectRule(RULE, data={"tier": "iron"}), False),
        (ProtectRule(RULE, label="*"), False),
    ],
)
@pytest.mark.parametrize("on_remove", list(OnRemove))
def test_protection_does_not_vanish_with_the_entry(rule, protected, on_remove) -> None:
    """The entry is deleted: by id or live key the device is protected still, also from being
    forgotten. Labels are gone with their entries."""
    applied = device(
        "VIP-1", owner=owner("old"), lifecycle=Lifecycle(on_remove=on_remove), data={"tier": "gold"}
    )
    live = person(1, external("old"), owns=[registration("VIP-1", data={"tier": "gold"})])
    made = plan(
        desired(),
        Service(live),
        recorded=record(applied),
        of=project(safety=Safety(protect=(rule,))),
    )

    assert [error.slug for error in made.errors] == (["protected"] if protected else [])
    assert bool(made.changes) is not protected


@pytest.mark.parametrize("on_remove", list(OnRemove))
@pytest.mark.parametrize("rules", [(ProtectRule(RULE, id="VIP-*"),), tuple(RULES), ()])
def test_a_device_that_is_gone_needs_no_protection(rules, on_remove) -> None:
    """Its entry is deleted after it: else no plan of the project would be without an error."""
    lifecycle = Lifecycle(on_remove=on_remove, protect=not rules)
    made = plan(
        desired(),
        Service(),
        recorded=record(device("VIP-1", lifecycle=lifecycle)),
        of=project(safety=Safety(protect=rules)),
    )

    assert made.errors == ()
    assert [change.actions for change in made.changes] == [(Action.RELEASE,)]
