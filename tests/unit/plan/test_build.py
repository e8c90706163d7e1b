"""From what differs to calls: the handovers, the edges, what is withheld and what is warned of."""

from __future__ import annotations

import msgspec
import pytest

from reconciler.core.device import Lifecycle, OnRemove
from reconciler.plan.model import Action, Risk
from tests.fleet import (
    Service,
    desired,
    device,
    email,
    external,
    owner,
    person,
    phone,
    plan,
    project,
    record,
    registration,
)


def ids(plan):
    return [call.id for call in plan.calls]


def edges(plan):
    return {call.id: (call.after, call.needs) for call in plan.calls}


def codes(plan):
    return [(error.slug, error.devices) for error in plan.errors]


def test_a_fleet_as_declared_needs_no_call():
    """No differing field, no change; the state learns of it once."""
    one = device("a", is_primary=True, data={"k": 1})
    service = Service(unowned=[registration("a", is_primary=True, data={"k": 1})])
    first = plan(desired(one), service)
    assert ([], 1, 1) == (ids(first), first.summary.adopt, first.summary.unchanged)
    assert (Action.ADOPT,) == first.changes[0].actions
    second = plan(desired(one), service, record(one))
    assert ((), 0) == (second.changes, second.summary.adopt)


def test_an_update_sends_all_declared_keys_and_carries_the_others():
    """Right under both readings of how PATCH merges."""
    one = device("a", data={"k": 2, "same": "x", "old": None})
    live = registration("a", data={"k": 1, "same": "x", "old": 0, "theirs": 1})
    (call,) = plan(desired(one), Service(unowned=[live])).calls
    assert {"additionalData": {"k": 2, "old": None, "same": "x"}} == call.body
    assert call.carry_undeclared
    pinned = project(assume={"additional-data-patch": "merge"})
    (call,) = plan(desired(one), Service(unowned=[live]), of=pinned).calls
    assert {"additionalData": {"k": 2, "old": None}} == call.body
    assert not call.carry_undeclared


def test_primary_moves_between_two_devices_of_a_person():
    """Demote before promote, and the promotion needs the demotion."""
    service = Service(
        person(1, external("ana"), owns=[registration("a", is_primary=True), registration("b")])
    )
    made = plan(desired(device("a", is_primary=False), device("b", is_primary=True)), service)
    assert ["update/a", "update/b"] == ids(made)
    assert ((), ("update/a",)) == edges(made)["update/b"]
    assert () == made.warnings


def test_owners_of_two_devices_are_swapped():
    """Two forced moves, one after the other; what is declared is set again after each."""
    ana, bob = owner("ana"), owner("bob")
    service = Service(
        person(1, external("ana"), owns=[registration("a", data={"k": 1})]),
        person(2, external("bob"), owns=[registration("b", data={"k": 1})]),
    )
    declared = desired(device("a", owner=bob, data={"k": 1}), device("b", owner=ana))
    made = plan(declared, service)
    assert ["personalize/a", "personalize/b", "update/a"] == ids(made)
    assert {"forceDepersonalize": "true"} == made.calls[0].query
    assert {"identity": {"$person": "devices/zg.yaml#people.bob"}} == made.calls[0].body
    assert (("personalize/a",), ()) == edges(made)["personalize/b"]
    assert ((), ("personalize/a",)) == edges(made)["update/a"]
    assert (Risk.OWNER_CHANGE,) == made.changes[0].risks
    (field,) = made.changes[0].fields
    expected = ("devices/zg.yaml#people.ana", "devices/zg.yaml#people.bob")
    assert expected == (field.before, field.after)


def test_a_claim_is_not_forced_and_a_detach_is_a_depersonalize():
    """Only a move from one person to another is forced."""
    service = Service(
        person(1, external("x"), owns=[registration("b")]), unowned=[registration("a")]
    )
    made = plan(desired(device("a", owner=owner("ana")), device("b", owner=None)), service)
    assert ["personalize/a", "depersonalize/b"] == ids(made)
    assert {} == made.calls[0].query
    (field,) = made.changes[1].fields
    assert ("person 1", "nobody") == (field.before, field.after)
    assert (Risk.DETACH,) == made.changes[1].risks


def test_an_undeclared_sibling_that_loses_its_flag_is_warned_of():
    """Nothing undeclared moves without a warning."""
    service = Service(
        person(1, external("ana"), owns=[registration("a", is_primary=True), registration("b")])
    )
    made = plan(desired(device("b", is_primary=True)), service)
    assert [("sibling-loses-primary", "a")] == [(w.code, w.device) for w in made.warnings]
    kept = project(assume={"promote": "keeps-others"})
    assert () == plan(desired(device("b", is_primary=True)), service, of=kept).warnings


def test_undeclared_keys_that_a_detach_may_clear_are_counted_not_named():
    """Keys that nobody declares never show."""
    service = Service(
        person(1, external("x"), owns=[registration("a", data={"secretkey": 1, "k": 1})])
    )
    made = plan(desired(device("a", owner=owner("ana"), data={"k": 1})), service)
    assert ["undeclared-data-may-be-lost"] == [w.code for w in made.warnings]
    assert b"secretkey" not in msgspec.json.encode(made)


def test_missing_identity_values_are_added_once_for_a_person():
    """Two devices of one person that lacks a value: one unforced call."""
    ana = owner("ana", external("ana"), phone("+385911"))
    service = Service(person(1, external("ana"), owns=[registration("a"), registration("b")]))
    made = plan(desired(device("a", owner=ana), device("b", owner=ana)), service)
    assert (["personalize/a"], {}) == (ids(made), made.calls[0].query)
    assert "devices/zg.yaml#people.ana (incomplete)" == made.changes[0].fields[0].before
    assert () == made.errors


def test_identity_conflicts_withhold_the_device_and_plan_the_rest():
    """Values of two people are an error of that device."""
    ana = owner("ana", external("ana"), email("ana@x.org"))
    service = Service(
        person(1, external("ana")),
        person(2, email("ana@x.org")),
        unowned=[registration("a"), registration("b")],
    )
    made = plan(desired(device("a", owner=ana), device("b", data={"k": 1})), service)
    assert ([("identity-conflict", ("a",))], ["update/b"]) == (codes(made), ids(made))
    assert 1 == made.summary.withheld


def test_two_declared_primaries_of_one_live_person_are_an_error():
    """Named with both sources, though no manifest says that they have one owner."""
    service = Service(
        person(1, external("x"), owns=[registration("a", is_primary=True), registration("b")])
    )
    made = plan(desired(device("a", is_primary=True), device("b", is_primary=True)), service)
    assert ([("two-live-primaries", ("a", "b"))], []) == (codes(made), ids(made))


def test_primaries_in_two_applications_need_a_pin():
    """Under the default reading the second promotion takes the first flag: an error that says so,
    and that a pin which keeps applications apart would allow it."""
    service = Service(
        person(
            1,
            external("x"),
            owns=[registration("a", is_primary=True), registration("b", "shop")],
        )
    )
    declared = desired(
        device("a", is_primary=True), device("b", application="shop", is_primary=True)
    )
    sure = project(assume={"promote": "demotes-others"})
    for of in (project(), sure):
        made = plan(declared, service, of=of)
        assert ([("two-live-primaries", ("a", "b"))], []) == (codes(made), ids(made))
        # Where it is pinned already, nobody is told to pin it.
        assert made.errors[0].fix.endswith("pin it: api.assume.promote.") == (of is not sure)
    for reading in ("demotes-others-of-application", "keeps-others"):
        pinned = project(assume={"promote": reading})
        assert ["update/b"] == ids(plan(declared, service, of=pinned))
    within = desired(device("a", is_primary=True), device("c", is_primary=True))
    both = Service(
        person(1, external("x"), owns=[registration("a", is_primary=True), registration("c")])
    )
    for reading in ("demotes-others-of-application", "keeps-others"):
        made = plan(within, both, of=project(assume={"promote": reading}))
        assert ["two-live-primaries"] == [code for code, _ in codes(made)]
        assert "api.assume" not in made.errors[0].fix


def test_a_protected_device_keeps_its_owner():
    """No detach, no owner change, no removal."""
    guarded = Lifecycle(protect=True)
    service = Service(person(1, external("x"), owns=[registration("a"), registration("b")]))
    declared = desired(
        device("a", owner=None, lifecycle=guarded), device("b", owner=owner("z"), lifecycle=guarded)
    )
    made = plan(declared, service)
    assert ([("protected", ("a",)), ("protected", ("b",))], []) == (codes(made), ids(made))
    left = plan(desired(), service, record(device("a", lifecycle=guarded)))
    assert ([("protected", ("a",))], ()) == (codes(left), left.changes)


def test_gone_is_a_result():
    """No error, no call, no change."""
    made = plan(desired(device("a")), Service())
    assert ((Action.GONE,), 1, ()) == (
        made.changes[0].actions,
        made.summary.gone,
        made.errors,
    )


def test_owner_drift_is_reported_and_left_by_default():
    """onDrift is report for the owner unless the project says fix."""
    one = device("a", owner=owner("ana"))
    service = Service(person(2, external("bob"), owns=[registration("a")]))
    made = plan(desired(one), service, record(one))
    assert ([], 1) == (ids(made), len(made.drift))
    mended = plan(desired(one), service, record(one), project(on_drift={"owner": "correct"}))
    assert (["personalize/a"], "drift") == (ids(mended), mended.changes[0].fields[0].reason)


@pytest.mark.parametrize(
    ("holder", "expected"),
    [("ana", ["depersonalize/a"]), ("bob", [])],
)
def test_a_device_that_left_is_detached_only_from_the_owner_we_applied(holder, expected):
    """depersonalize only if the live owner is still the one we applied."""
    one = device("a", owner=owner("ana"))
    service = Service(person(1, external(holder), owns=[registration("a")]))
    made = plan(desired(), service, record(one), project(on_remove=OnRemove.DEPERSONALIZE))
    assert expected == ids(made)


def test_many_leaving_at_once_is_refused_until_it_is_accepted():
    """What, measured, limit, fix; the exact count is the consent."""
    before = [device(f"d{n}") for n in range(10)]
    made = plan(desired(*before[:5]), Service(), record(*before))
    (refusal, *_) = made.refusals
    assert ("leaving", "if it is meant: --accept leaving=5") == (refusal.guard, refusal.fix)
    taken = plan(desired(*before[:5]), Service(), record(*before), accepted={"leaving": 5})
    assert "leaving" not in [refusal.guard for refusal in taken.refusals]
    wrong = plan(desired(*before[:5]), Service(), record(*before), accepted={"leaving": 4})
    assert "leaving" in [refusal.guard for refusal in wrong.refusals]


def test_a_chain_over_five_people_is_one_order():
    """Ownership calls by device id, each after the one before."""
    names = ["p1", "p2", "p3", "p4", "p5"]
    service = Service(
        *(
            person(n, external(name), owns=[registration(f"d{n}", is_primary=True)])
            for n, name in enumerate(names)
        )
    )
    declared = desired(
        *(device(f"d{n}", owner=owner(names[(n + 1) % 5]), is_primary=True) for n in range(5))
    )
    made = plan(declared, service)
    assert [f"personalize/d{n}" for n in range(5)] + [f"update/d{n}" for n in range(5)] == ids(made)
    chain = [call.after or call.needs for call in made.calls[1:]]
    assert all(chain)
    assert () == made.errors


def test_a_target_plans_that_device_only():
    """Leaving devices and guards do not count for a part of the fleet."""
    service = Service(unowned=[registration("a"), registration("b")])
    declared = desired(device("a", data={"k": 1}), device("b", data={"k": 1}))
    made = plan(declared, service, record(device("z")), scope=frozenset({"a"}))
    assert (["update/a"], 1) == (ids(made), made.summary.devices)


def test_a_target_that_left_the_files_leaves():
    """It is chosen by its id; what left besides it stays in the state."""
    declared, recorded = desired(device("a", data={"k": 1})), record(device("y"), device("z"))
    service = Service(unowned=[registration("a")])
    made = plan(declared, service, recorded, scope=frozenset({"z"}))
    assert [("z", (Action.RELEASE,))] == [(one.device, one.actions) for one in made.changes]
    assert (0, 1) == (made.summary.devices, made.summary.released)


def test_a_part_that_leaves_is_measured_against_all_that_is_recorded():
    """Five of eight are too many whether the plan is about everything or about them alone."""
    recorded = record(*(device(id_) for id_ in "abcdefgh"))
    few, many = frozenset("abc"), frozenset("abcde")
    for scope, expected in ((few, []), (many, ["leaving"]), (None, ["leaving"])):
        made = plan(desired(), Service(), recorded, scope=scope)
        assert expected == [refusal.guard for refusal in made.refusals]
    fleet = record(*(device(f"d{number}") for number in range(100)))
    made = plan(desired(), Service(), fleet, scope=frozenset(f"d{n}" for n in range(5)))
    assert () == made.refusals


def test_a_part_that_is_gone_is_measured_against_what_was_looked_at():
    """Nobody knows of the others, and a wrong application code shows in any part of the fleet."""
    declared = desired(*(device(f"d{number:02}") for number in range(20)))
    service = Service(unowned=[registration(f"d{number:02}") for number in range(4, 20)])
    gone = frozenset(f"d{number:02}" for number in range(4))
    some = plan(declared, service, scope=gone | {"d04", "d05", "d06"})
    assert ["gone:courier"] == [refusal.guard for refusal in some.refusals]
    assert "4 of 7 devices of application courier that the plan covers" in some.refusals[0].message
    assert () == plan(declared, service).refusals
    assert () == plan(declared, service, scope=gone - {"d00"}).refusals


def test_the_same_inputs_give_the_same_bytes():
    """But for id and time, and whatever order the devices were declared in."""
    service = Service(unowned=[registration("a"), registration("b")])
    one, two = device("a", data={"k": 1, "j": 2}), device("b", data={"j": 2, "k": 1})
    assert plan(desired(one, two), service) == plan(desired(two, one), service)


def test_owner_drift_that_is_only_reported_makes_no_second_primary():
    """Somebody logged in on another's primary phone: reported, and nothing is withheld."""
    one = device("a", owner=owner("ana"), is_primary=True)
    two = device("b", owner=owner("bob"), is_primary=True)
    held = [registration("a", is_primary=True), registration("b", is_primary=True)]
    service = Service(person(1, external("ana"), owns=held))
    made = plan(desired(one, two), service, record(one, two))
    assert ((), 1) == (made.errors, len(made.drift))


@pytest.mark.parametrize("assume", [{}, {"additional-data-patch": "merge"}])
def test_reported_drift_is_not_written_by_a_call_for_something_else(assume):
    """onDrift: report leaves a key as it is, also when another key of the device changes."""
    before, now = device("a", data={"k": 1, "l": 1}), device("a", data={"k": 1, "l": 2})
    service = Service(unowned=[registration("a", data={"k": 9, "l": 1})])
    of = project(on_drift={"additionalData": "report"}, assume=assume)
    made = plan(desired(now), service, record(before), of)
    assert () == made.errors
    assert ({"additionalData": {"l": 2}}, 1) == (made.calls[0].body, len(made.drift))


def test_who_cannot_bring_a_value_is_replaced_by_another():
    """A withheld device brings nothing, so the next one of the person calls."""
    ana = owner("ana", external("ana"), phone("+385911"))
    service = Service(
        person(1, external("ana"), owns=[registration("b"), registration("c")]),
        person(2, external("bob"), owns=[registration("a")]),
    )
    declared = desired(
        device("a", owner=ana, lifecycle=Lifecycle(protect=True)),
        device("b", owner=ana),
        device("c", owner=ana),
    )
    made = plan(declared, service)
    assert ([("protected", ("a",))], ["personalize/b"]) == (codes(made), ids(made))
    assert [("b", (Action.PERSONALIZE,)), ("c", (Action.ADOPT,))] == [
        (change.device, change.actions) for change in made.changes
    ]


def test_a_sibling_that_ignores_its_flag_is_warned_of():
    """What lifecycle.ignore leaves alone is not held against a promotion."""
    ignoring = device("a", is_primary=True, lifecycle=Lifecycle(ignore=frozenset({"isPrimary"})))
    service = Service(
        person(1, external("x"), owns=[registration("a", is_primary=True), registration("b")])
    )
    made = plan(desired(ignoring, device("b", is_primary=True)), service, record(ignoring))
    assert ((), ["sibling-loses-primary"]) == (made.errors, [w.code for w in made.warnings])


def test_a_claim_that_adds_values_to_somebody_says_so():
    """It cannot be undone, so it is noted for a claim and a move too."""
    ana = owner("ana", external("ana"), phone("+385911"))
    service = Service(person(1, phone("385911")), unowned=[registration("a")])
    made = plan(desired(device("a", owner=ana)), service)
    assert ["identity-added"] == [warning.code for warning in made.warnings]


def test_each_application_that_is_gone_is_accepted_by_itself():
    """One guard for each, so that each count can be named."""
    declared = desired(
        *(device(f"c{n}") for n in range(5)),
        *(device(f"s{n}", application="shop") for n in range(6)),
    )
    first = plan(declared, Service())
    assert ["gone:courier", "gone:shop"] == [refusal.guard for refusal in first.refusals]
    accepted = {"gone:courier": 5, "gone:shop": 6}
    assert () == plan(declared, Service(), accepted=accepted).refusals


def test_a_person_with_many_devices_costs_no_more_for_each():
    """A device whose owner matters to nothing is proven without the owner's other devices."""
    owns = [registration(f"d{n:03}", data={"k": 0}) for n in range(300)]
    service = Service(person(1, external("ana"), owns=owns))
    declared = desired(*(device(f"d{n:03}", owner=owner("ana"), data={"k": 1}) for n in range(300)))
    made = plan(declared, service)
    assert (300, ()) == (len(made.calls), made.errors)
