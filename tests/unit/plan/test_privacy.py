"""What a plan holds of values that the project hides, and of people whom it shows."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
import pytest

from reconciler.apply.bodies import update_body
from reconciler.apply.justification import refusal_reasons
from reconciler.apply.staleness import Effects, moved, subjects
from reconciler.core.consent import Consent
from reconciler.core.identity import IdentityKind
from reconciler.core.privacy import ALL_DATA, Privacy
from reconciler.core.project import Pattern, Project
from reconciler.core.source import Source
from reconciler.plan.consent import consent_to
from reconciler.plan.coverage import Coverage
from reconciler.plan.document import decode, encode, sealed
from reconciler.plan.model import HIDDEN, HiddenValue, Plan
from reconciler.plan.privacy import revealed
from reconciler.render import calls, markdown, text
from reconciler.render.html import page as html
from reconciler.render.spans import plain
from tests.fleet import (
    DIGESTER,
    HERE,
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

PLACE: Final = Source("reconciler.yaml", 9, 17)
SECRETS: Final = ("ana@old.test", "ana@new.test", "bo@new.test", "left@old.test", "9385552")
DECLARED: Final = desired(
    device("a", data={"email": "ana@new.test", "code": 9385552, "shift": "night"}),
    device("b", data={"email": "ana@new.test", "code": 1}),
    device("c", data={"email": None}),
    device("d", data={"shift": "day"}),
)
LEFT: Final = device("d", data={"email": "left@old.test", "shift": "day"})
SERVICE: Final = Service(
    unowned=[
        registration("a", data={"email": "ana@old.test"}),
        registration("b", data={"email": "bo@new.test", "code": 1.0}),
        registration("c", data={"email": "ana@old.test"}),
        registration("d", data={"email": "left@old.test", "shift": "day"}),
    ]
)


def hiding(*paths: str, **fields: Any) -> Project:
    """A project that hides these fields."""
    hidden = dict.fromkeys(paths or ("additionalData.email", "additionalData.code"), PLACE)
    return project(privacy=Privacy(hide=hidden), **fields)


def made(of: Project, **more: Any) -> Plan:
    return plan(DECLARED, SERVICE, record(LEFT), of, **more)


def field(of: Plan, id_: str, path: str) -> tuple[Any, Any]:
    change = next(one for one in of.changes if one.device == id_)
    return next((one.before, one.after) for one in change.fields if one.path == path)


def every_form(of: Plan) -> str:
    """A plan in every form at once."""
    shown = [
        encode(of).decode(),
        markdown.render(of, fold=None),
        html.render(of, fold=None),
        plain(text.lines(of, None)),
        plain(calls.lines(of)),
    ]
    return "\n".join(shown)


def test_hidden_values_stand_nowhere_and_others_do() -> None:
    """Neither live nor declared ones, of changes, removals and calls; without hiding they do."""
    hidden, open_ = every_form(made(hiding())), every_form(made(project()))

    assert [value for value in SECRETS if value in hidden] == []
    assert [value for value in SECRETS if value not in open_] == []
    assert "night" in hidden


def test_every_key_is_hidden_by_a_star() -> None:
    """Flags and owners are no keys."""
    shown = every_form(made(hiding(ALL_DATA)))

    assert [value for value in (*SECRETS, "night") if value in shown] == []
    privacy = Privacy(hide={ALL_DATA: PLACE})
    assert [privacy.hides(path) for path in ("owner", "isPrimary", "additionalData.a.b")] == [
        False,
        False,
        True,
    ]


def test_that_there_is_no_value_is_not_hidden() -> None:
    """What is added, removed and changed looks so."""
    found = made(hiding())
    hidden = [
        [type(one) for one in field(found, id_, f"additionalData.{key}")]
        for id_, key in (("a", "email"), ("a", "code"), ("c", "email"), ("d", "email"))
    ]
    nothing = type(None)

    assert hidden == [
        [HiddenValue, HiddenValue],
        [nothing, HiddenValue],
        [HiddenValue, nothing],
        [HiddenValue, nothing],
    ]


def test_equal_values_of_two_devices_do_not_look_equal() -> None:
    """Who does not have the state cannot tell which devices share a value."""
    found = made(hiding())
    before = {field(found, id_, "additionalData.email")[0] for id_ in ("a", "c")}
    after = {field(found, id_, "additionalData.email")[1] for id_ in ("a", "b")}

    assert (len(before), len(after)) == (2, 2)


def test_a_device_that_differs_in_nothing_does_not_change() -> None:
    """Hiding is of what is shown; what is compared are the values."""
    same = desired(device("a", data={"email": "ana@old.test"}))

    assert plan(same, SERVICE, record(), hiding()).calls == ()


def test_changes_of_hidden_values_fold_whatever_the_values() -> None:
    """Six devices, six values or one: the text is the same."""
    shown = []
    for live, wanted in (("x", "y"), ("x{0}", "y{0}")):
        service = Service(
            unowned=[registration(f"p{n}", data={"k": live.format(n)}) for n in range(6)]
        )
        declared = desired(*(device(f"p{n}", data={"k": wanted.format(n)}) for n in range(6)))
        found = plan(declared, service, record(), hiding("additionalData.k"))
        shown.append(plain(text.lines(found)))

    assert shown[0] == shown[1]
    assert "6 devices" in shown[0]
    assert shown[0].count("(hidden) -> (hidden)") == 1


def test_apply_takes_the_plan_and_sends_the_declared_values() -> None:
    """The calls in the file hold digests; those that are sent hold what the manifests say."""
    of = hiding()
    found = decode(encode(made(of)))
    call = next(one for one in found.calls if one.device == "a")
    assert call.body is not None
    planned = call.body["additionalData"]
    device_a = DECLARED.devices["a"]
    sent = update_body(revealed(call, device_a, DIGESTER), registration("a", data={"mine": 1}))

    assert refusal_reasons(found, DECLARED, record(LEFT), of) == ()
    assert isinstance(planned, dict)
    assert {key: set(value) for key, value in planned.items() if key != "shift"} == {
        "email": {HIDDEN},
        "code": {HIDDEN},
    }
    assert sent["additionalData"] == {**device_a.additional_data, "mine": 1}


@pytest.mark.parametrize("later", [project(), hiding(ALL_DATA), hiding("additionalData.email")])
def test_a_plan_outlives_a_change_of_what_is_hidden(later: Project) -> None:
    """What it would do is the same."""
    found = made(hiding())

    assert refusal_reasons(found, DECLARED, record(LEFT), later) == ()
    assert refusal_reasons(made(later), DECLARED, record(LEFT), hiding()) == ()


def test_a_hidden_value_that_is_not_the_declared_one_is_refused() -> None:
    """Even from somebody who could seal it; and it would not be sent."""
    found = made(hiding())
    other = next(one for one in found.calls if one.device == "b")
    assert other.body is not None
    wrong = tuple(
        msgspec.structs.replace(one, body=other.body) if one.device == "a" else one
        for one in found.calls
    )
    forged = sealed(msgspec.structs.replace(found, calls=wrong), DIGESTER)
    call = next(one for one in wrong if one.device == "a")

    assert refusal_reasons(forged, DECLARED, record(LEFT), hiding()) == (
        "a: its calls are not those that the files and the project ask for",
    )
    with pytest.raises(ValueError, match="no such hidden value"):
        update_body(revealed(call, DECLARED.devices["a"], DIGESTER), registration("a"))


def test_a_hidden_value_that_others_moved_is_seen_and_named() -> None:
    """By its digest, also after the device's own change of owner."""
    found = made(hiding())
    subject = subjects(found, DECLARED)["a"]
    same = registration("a", data={"email": "ana@old.test"})
    other = registration("a", data={"email": "third@x.test"})

    def said(live: Any, *, owner_changed: bool) -> str | None:
        return moved(subject, live, None, Effects(owner_changed=owner_changed), DIGESTER)

    assert [said(same, owner_changed=one) for one in (False, True)] == [None, None]
    assert [said(other, owner_changed=one) for one in (False, True)] == [
        "additionalData.email",
        "additionalData.email",
    ]


def test_drift_that_is_left_is_hidden_too() -> None:
    """It stands in a list of its own."""
    declared = desired(device("a", data={"email": "ana@new.test"}))
    of = hiding(on_drift={"additionalData": "report"})
    found = plan(declared, SERVICE, record(*declared.devices.values()), of)

    assert [type(one.before) for one in found.drift[0].fields] == [HiddenValue]
    assert [value for value in SECRETS if value in every_form(found)] == []


def test_what_a_consent_is_bound_to_tells_nothing_of_hidden_values() -> None:
    """It stands in Git, and is a digest without a key; so it is of digests with one."""
    over = [device(f"p{n}", owner=None) for n in range(12)]
    people = [person(n, external(f"e{n}"), owns=[registration(f"p{n}")]) for n in range(12)]
    declared = desired(*over, device("a", data={"email": "ana@new.test"}))
    service = Service(*people, unowned=[registration("a", data={"email": "ana@old.test"})])
    shown, hidden = (plan(declared, service, record(), of) for of in (project(), hiding()))
    consents = [consent_to(one) for one in (shown, hidden)]
    again = Consent(consents[1].changes, consents[1].accept) if consents[1] else None

    assert consents[0]
    assert consents[1]
    assert again
    assert consents[0].changes != consents[1].changes
    assert plan(declared, service, record(), hiding(), consents=(again,)).refusals == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("--select email=ana@*", "--select email=(hidden)"),
        ("--select additionalData.email=x", "--select additionalData.email=(hidden)"),
        ("--select shift=night", "--select shift=night"),
        ("--select label=email=x", "--select label=email=x"),
        ("--since main", "--since main"),
        ("--target email=x", "--target email=x"),
    ],
)
def test_what_a_hidden_key_was_chosen_by_is_hidden(given: str, expected: str) -> None:
    """A plan names its selectors as they were typed, but for these."""
    found = made(hiding(), coverage=Coverage((given,), 1))

    assert found.coverage.selectors == (expected,)


ANA: Final = owner("ana", external("courier-118"), phone("385911234567"), source=HERE)
BO: Final = owner("bo", email("bo@x.test"), source=Source("people/zg.yaml", 4, 3))
PEOPLE: Final = desired(device("a", owner=ANA), device("b", owner=BO), device("c", owner=None))
OWNED: Final = Service(
    person(1, external("courier-118"), owns=[registration("c")]),
    person(2, external("nobody-declares-me"), phone("385987654321"), owns=[registration("b")]),
    unowned=[registration("a")],
)


def showing(*kinds: IdentityKind) -> Plan:
    of = project(privacy=Privacy(frozenset(kinds)), people_from=(Pattern("people/zg.yaml", PLACE),))
    return plan(PEOPLE, OWNED, record(), of)


def test_nobody_is_shown_unless_the_project_says_so() -> None:
    """The default."""
    found = showing()

    assert found.people == {}
    assert "courier-118" not in every_form(found)


def test_people_are_shown_by_the_kinds_that_the_project_names() -> None:
    """Those of the manifests who are named; nobody undeclared, nobody of files outside of Git."""
    found = showing(*IdentityKind)
    shown = every_form(found)

    assert found.people == {
        ANA.pointer: {"externalId": "courier-118", "phoneNumber": "+385911234567"}
    }
    assert f"{ANA.pointer} (externalId courier-118, phoneNumber +385911234567)" in shown
    assert [one for one in ("bo@x.test", "nobody-declares-me", "987654321") if one in shown] == []
    assert showing(IdentityKind.EMAIL).people == {}


def test_showing_people_changes_no_call_and_no_check() -> None:
    """A plan that shows is the same plan; one that was changed in it is not."""
    shown, silent = showing(*IdentityKind), showing()
    forged = json.loads(encode(shown))
    forged["people"][ANA.pointer]["externalId"] = "courier-119"

    assert shown.calls == silent.calls
    assert [refusal_reasons(one, PEOPLE, record(), project()) for one in (shown, silent)] == [
        (),
        (),
    ]
    with pytest.raises(ValueError, match="digest"):
        decode(json.dumps(forged).encode())
