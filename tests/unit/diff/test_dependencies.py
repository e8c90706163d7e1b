"""What must be planned along with chosen devices; and what need not."""

from __future__ import annotations

import pytest

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, Lifecycle
from reconciler.core.live import Live, LivePerson, LiveRegistration
from reconciler.diff.dependencies import (
    ALSO_PRIMARY,
    ARRIVES,
    GIVES_UP,
    LEAVES,
    Dependencies,
    Needed,
)
from reconciler.diff.scope import Scope
from tests.fleet import (
    Service,
    desired,
    device,
    external,
    owner,
    person,
    phone,
    project,
    record,
    registration,
)

ANA, BOB, EVE = owner("ana"), owner("bob"), owner("eve")


def along(
    declared: Desired, service: Service, *chosen: str, recorded=None, of=None
) -> dict[str, tuple[str, str]]:
    """Read as far as it takes, and return what comes along: for whom, and why."""
    of, recorded = of or project(), recorded or record()
    scope = Scope.of(declared, recorded, of, frozenset(chosen))
    live = Live()
    for _ in range(40):
        needs = scope.missing(live)
        if not needs:
            break
        live = service.answer(live, needs)
    else:
        raise AssertionError("missing never ends")
    found = scope.along(live)
    assert [one.device for one in found] == sorted(one.device for one in found)
    assert scope.covered(live) == {*chosen, *(one.device for one in found)}
    return {one.device: (one.needed_by, one.why) for one in found}


def anas(*owns: LiveRegistration) -> LivePerson:
    return person(1, external("ana"), owns=owns)


IGNORES = Lifecycle(ignore=frozenset({"isPrimary"}))


@pytest.mark.parametrize(
    ("other", "flag", "expected"),
    [
        (device("b", is_primary=False), True, GIVES_UP),
        (device("b", is_primary=False), False, None),
        (device("b", is_primary=False, lifecycle=IGNORES), True, None),
        (device("b", is_primary=True), True, ALSO_PRIMARY),
        (device("b", is_primary=True), False, ALSO_PRIMARY),
        (device("b", is_primary=True, owner=ANA), False, ALSO_PRIMARY),
        (device("b", is_primary=True, owner=BOB), False, LEAVES),
        (device("b", is_primary=True, lifecycle=IGNORES), True, None),
        (device("b", owner=BOB), True, LEAVES),
        (device("b", owner=None), True, LEAVES),
        (device("b", owner=BOB), False, None),
        (device("b", owner=ANA), True, None),
        (device("b", data={"k": 1}), True, None),
    ],
)
@pytest.mark.parametrize("page_says", [True, False], ids=["full", "bare"])
def test_a_promotion_needs_what_is_declared_of_its_persons_flags(other, flag, page_says, expected):
    """Who has the flag and shall not, who shall have it, who leaves with it; whether a page of
    people tells the flag or it has to be read."""
    on_page = registration("b", is_primary=flag if page_says else ABSENT)
    service = Service(anas(registration("a"), on_page))
    service.registrations["b"] = registration("b", is_primary=flag)
    declared = desired(device("a", is_primary=True), other, device("c", is_primary=False))

    assert ({} if expected is None else {"b": ("a", expected)}) == along(declared, service, "a")


@pytest.mark.parametrize(
    "change",
    [
        device("a", is_primary=False),
        device("a", data={"k": 1}),
        device("a", owner=BOB),
        device("a", owner=BOB, is_primary=False),
        device("a", owner=None),
    ],
)
def test_other_changes_need_nobody(change):
    """A demotion, a move, data: each is right without the rest of its person."""
    siblings = [registration("b", is_primary=True), registration("c")]
    service = Service(
        anas(registration("a", is_primary=True), *siblings), person(2, external("bob"))
    )
    declared = desired(change, device("b", is_primary=False), device("c", is_primary=True))

    assert {} == along(declared, service, "a")


def test_who_is_primary_already_needs_nobody():
    """Nothing is sent, so nobody loses anything."""
    owns = (registration("a", is_primary=True), registration("b", is_primary=True))
    declared = desired(device("a", is_primary=True), device("b", is_primary=False))

    assert {} == along(declared, Service(anas(*owns)), "a")


def test_a_move_becomes_primary_where_it_arrives():
    """The flags of the person whom it reaches count, not those of the one whom it leaves."""
    service = Service(
        anas(registration("a", is_primary=True), registration("x", is_primary=True)),
        person(2, external("bob"), owns=[registration("b", is_primary=True)]),
    )
    declared = desired(
        device("a", owner=BOB, is_primary=True),
        device("b", is_primary=False),
        device("x", is_primary=False),
    )

    assert {"b": ("a", GIVES_UP)} == along(declared, service, "a")


def test_who_comes_along_may_need_others():
    """A chain: a takes the flag from b, which leaves for bob, whose c leaves for eve."""
    service = Service(
        anas(registration("a"), registration("b", is_primary=True)),
        person(2, external("bob"), owns=[registration("c", is_primary=True)]),
        person(3, external("eve"), owns=[registration("d", is_primary=True)]),
        person(4, external("far"), owns=[registration("e", is_primary=True)]),
    )
    declared = desired(
        device("a", owner=ANA, is_primary=True),
        device("b", owner=BOB, is_primary=True),
        device("c", owner=EVE, is_primary=True),
        device("d", is_primary=False),
        device("e", is_primary=False),
    )

    assert {
        "b": ("a", LEAVES),
        "c": ("b", LEAVES),
        "d": ("c", GIVES_UP),
    } == along(declared, service, "a")
    assert {} == along(declared, service, "d")


def test_what_is_chosen_does_not_come_along():
    """It is there already; and of two that need a third, the first by id is named."""
    owns = [registration(id_, is_primary=id_ == "c") for id_ in ("a", "b", "c")]
    declared = desired(
        device("a", is_primary=True),
        device("b", is_primary=True),
        device("c", is_primary=False),
    )

    assert {"c": ("a", GIVES_UP)} == along(declared, Service(anas(*owns)), "b", "a")
    assert {} == along(declared, Service(anas(*owns)), "a", "b", "c")


def test_two_declared_primaries_that_come_to_one_live_person():
    """Declared apart, by different values of one person: only the live person tells."""
    of_ana = person(1, external("ana"), phone("+3851"), owns=[registration("a")])
    service = Service(of_ana, unowned=[registration("b"), registration("c")])
    declared = desired(
        device("a", owner=ANA, is_primary=True),
        device("b", owner=owner("other", phone("+3851")), is_primary=True),
        device("c", owner=owner("other", phone("+3851"))),
    )

    assert {"b": ("a", ARRIVES)} == along(declared, service, "a")


@pytest.mark.parametrize(
    ("assume", "expected"),
    [
        ({}, {"b": ("a", GIVES_UP)}),
        ({"promote": "demotes-others"}, {"b": ("a", GIVES_UP)}),
        ({"promote": "demotes-others-of-application"}, {}),
        ({"promote": "keeps-others"}, {}),
    ],
)
def test_another_application_counts_unless_it_is_known_not_to(assume, expected):
    """Who pinned that a promotion stays within its application need not take the others along."""
    service = Service(anas(registration("a"), registration("b", "shop", is_primary=True)))
    declared = desired(
        device("a", is_primary=True), device("b", application="shop", is_primary=False)
    )

    assert expected == along(declared, service, "a", of=project(assume=assume))


def test_drift_that_is_only_reported_is_no_promotion():
    """The owner drifted and is left: the device is planned where it is."""
    one = device("a", owner=BOB, is_primary=True)
    service = Service(
        anas(registration("a"), registration("b", is_primary=True)),
        person(2, external("bob"), owns=[registration("c", is_primary=True)]),
    )
    declared = desired(one, device("b", is_primary=False), device("c", is_primary=False))

    assert {"b": ("a", GIVES_UP)} == along(declared, service, "a", recorded=record(one))


def test_nobody_comes_along_with_what_is_not_there():
    """Gone, left the files, or owned by nobody."""
    service = Service(unowned=[registration("b", is_primary=True)])
    declared = desired(
        device("a", is_primary=True), device("b", is_primary=True), device("c", is_primary=False)
    )

    assert {} == along(declared, service, "a", "b", "z", recorded=record(device("z")))


def test_the_answer_does_not_depend_on_what_was_read_besides():
    """A sweep knows all of them before anybody asks."""
    owns = [registration("a"), registration("b", is_primary=True)]
    service = Service(anas(*owns))
    declared = desired(device("a", is_primary=True), device("b", is_primary=False))
    live = Live(
        service.registrations,
        {"a": service.owner("a"), "b": service.owner("b")},
        {external("ana"): service.owner("a")},
    )
    found = Dependencies(declared, record(), project()).of({"a"}, live)

    assert {"b": Needed("b", "a", GIVES_UP)} == found
