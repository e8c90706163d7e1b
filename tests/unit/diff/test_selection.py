"""Which devices the options choose: by id, by what they declare, by what changed since."""

from __future__ import annotations

import pytest

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, DesiredDevice, Lifecycle, OnRemove, Owner, Removal
from reconciler.core.fields import as_yaml
from reconciler.core.secret import Secret
from reconciler.core.source import Source
from reconciler.diff.previous import Previous, changed_since, says_the_same
from reconciler.diff.selection import (
    Selection,
    Trait,
    chosen,
    unknown_keys,
    unknown_targets,
)
from tests.changed import replace
from tests.fleet import HERE, desired, device, email, external, owner, phone, record

ELSEWHERE = Source("devices/split.yaml", 3, 3)


def select(*traits: tuple[str, str], **fields: object) -> Selection:
    given = tuple(f"--select {key}={glob}" for key, glob in traits) or ("--given",)
    return Selection(given, traits=tuple(Trait(*one) for one in traits), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "glob", "expected"),
    [
        ("fleet", "zagreb", {"a", "b"}),
        ("fleet", "zag*", {"a", "b"}),
        ("fleet", "*", {"a", "b", "c"}),
        ("fleet", "Zagreb", set()),
        ("fleet", "zag", set()),
        ("fleet", "[zs]*t", {"c"}),
        ("label", "Ana's*", {"a"}),
        ("label", "*", {"a", "c"}),
        ("floor", "2", {"a"}),
        ("floor", "2.5", {"b"}),
        ("night", "true", {"a"}),
        ("night", "True", set()),
        ("night", "1", set()),
        ("old", "null", {"b"}),
        ("until", "2027-03-*", {"c"}),
        ("additionalData.fleet", "split", {"c"}),
        ("fleet", "zagreb\n", set()),
        ("nobody", "*", set()),
    ],
)
def test_a_trait_is_a_declared_value_as_yaml_writes_it(key, glob, expected):
    """In full and by case; who does not declare the key never matches."""
    declared = desired(
        device("a", label="Ana's phone", data={"fleet": "zagreb", "floor": 2, "night": True}),
        device("b", data={"fleet": "zagreb", "floor": 2.5, "night": "yes", "old": None}),
        device("c", label="", data={"fleet": "split", "until": "2027-03-31"}),
        device("d"),
    )

    assert expected == chosen(select((key, glob)), declared, record())


def test_all_traits_and_one_of_the_targets_must_match():
    """Kinds of options narrow each other; so do traits, but targets are alternatives."""
    declared = desired(*(device(id_, data={"k": id_, "l": 1}) for id_ in "abcd"))
    selection = select(("k", "[abc]"), ("l", "1"), targets=frozenset("bcd"))

    assert {"b", "c"} == chosen(selection, declared, record())


def test_without_options_everything_is_planned():
    """None is not the empty set: that is a plan of nothing."""
    declared = desired(device("a"))

    assert chosen(Selection(), declared, record()) is None
    assert chosen(select(("label", "*")), declared, record()) == frozenset()


def test_a_target_may_have_left_the_files():
    """The state knows it, so it can leave; who is known to neither is a mistake."""
    declared, recorded = desired(device("a")), record(device("a"), device("z"))
    selection = Selection(("--target z",), frozenset({"z", "nobody"}))

    assert {"z"} == chosen(selection, declared, recorded)
    assert ["nobody"] == unknown_targets(selection, declared, recorded)


def test_a_device_that_left_has_the_traits_it_had():
    """Where the past is known; else nothing says what it declared."""
    recorded = record(device("y"), device("z"))
    past = Previous(desired(device("y", data={"fleet": "split"}), device("z", data={"fleet": "x"})))

    assert {"y"} == chosen(select(("fleet", "split"), past=past), desired(), recorded)
    assert set() == chosen(select(("fleet", "split")), desired(), recorded)


def test_a_key_that_nobody_declares_is_a_mistake():
    """But one that was declared is not, and the label always is there."""
    declared = desired(device("a", data={"fleet": "x"}))
    past = Previous(desired(device("b", data={"old": 1})))
    traits = (("label", "*"), ("fleet", "*"), ("flet", "*"), ("old", "*"))

    assert ["flet", "old"] == unknown_keys(select(*traits), declared)
    assert ["flet"] == unknown_keys(select(*traits, past=past), declared)


def test_since_chooses_what_is_new_other_or_left():
    """What left is only for the state; what left before is no change since."""
    before = desired(*(device(id_, data={"k": 1}) for id_ in ("a", "b", "gone", "unknown")))
    now = desired(device("a", data={"k": 1}), device("b", data={"k": 2}), device("new"))
    recorded = record(device("a"), device("gone"), device("gone-before"))
    selection = select(past=Previous(before))

    assert {"b", "new", "gone"} == chosen(selection, now, recorded)


def test_a_file_that_is_the_same_needs_no_past():
    """Its devices are not compared: the past does not even hold them."""
    past = Previous(desired(), frozenset({HERE.file}))
    now = desired(device("a"), replace(device("b"), source=ELSEWHERE))

    assert {"b"} == changed_since(past, now)


def removal(id_: str, on_remove: OnRemove) -> Removal:
    return Removal(id_, "courier", on_remove, HERE)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (None, {"z"}),
        (OnRemove.RELEASE, {"z"}),
        (OnRemove.DEPERSONALIZE, set()),
    ],
)
def test_an_entry_under_removed_is_a_declaration_too(before, expected):
    """New, or with another word, it changes what happens to a device that left long ago."""
    then = {} if before is None else {"z": removal("z", before)}
    now = Desired({}, {"z": removal("z", OnRemove.DEPERSONALIZE)})

    assert expected == changed_since(Previous(Desired({}, then)), now)
    assert set() == changed_since(Previous(Desired({}, then), frozenset({HERE.file})), now)


ANA = owner("ana", external("a"), attributes=Secret({"firstName": "Ana", "tags": ["x"]}))
BASE = device(
    "a", owner=ANA, is_primary=False, registration_enabled=True, data={"k": 1, "l": True, "m": "x"}
)
SAME: list[DesiredDevice] = [
    replace(BASE, source=ELSEWHERE),
    replace(BASE, label="A new label"),
    replace(BASE, additional_data={"m": "x", "l": True, "k": 1.0}),
    replace(BASE, owner=replace(ANA, pointer="devices/split.yaml#people.ana")),
    replace(BASE, owner=replace(ANA, attributes=Secret({"tags": ["x"], "firstName": "Ana"}))),
]
OTHER: list[DesiredDevice] = [
    replace(BASE, application="shop"),
    replace(BASE, is_primary=True),
    replace(BASE, is_primary=ABSENT),
    replace(BASE, registration_enabled=ABSENT),
    replace(BASE, lifecycle=Lifecycle(protect=True)),
    replace(BASE, lifecycle=Lifecycle(ignore=frozenset({"isPrimary"}))),
    replace(BASE, additional_data={"k": 1, "l": 1, "m": "x"}),
    replace(BASE, additional_data={"k": "1", "l": True, "m": "x"}),
    replace(BASE, additional_data={"k": None, "l": True, "m": "x"}),
    replace(BASE, additional_data={"l": True, "m": "x"}),
    replace(BASE, owner=None),
    replace(BASE, owner=ABSENT),
    replace(BASE, owner=owner("ana", external("b"))),
    replace(BASE, owner=owner("ana", external("a"))),
    replace(BASE, owner=replace(ANA, keep_as_lead=True)),
    replace(BASE, owner=replace(ANA, attributes=Secret({"firstName": "Ana", "tags": [True]}))),
]


@pytest.mark.parametrize("other", SAME)
def test_how_and_where_it_is_written_does_not_count(other):
    """Another file, label, order or spelling of the same is no change."""
    assert says_the_same(BASE, other)
    assert says_the_same(other, BASE)


@pytest.mark.parametrize("other", OTHER)
def test_what_it_asks_for_counts(other):
    """Each field, its type, and what a person is sent with."""
    assert not says_the_same(BASE, other)
    assert not says_the_same(other, BASE)


def test_a_person_is_the_same_in_canonical_form():
    """As the service compares: e-mail without case, a phone number as digits."""
    one = device("a", owner=owner("ana", email("Ana@x.org"), phone("+385 91")))
    other = device("a", owner=owner("bob", email("ana@X.org"), phone("38591")))

    assert says_the_same(one, other)
    assert isinstance(one.owner, Owner)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (None, "null"), (7, "7"), (1.5, "1.5"), ("x", "x")],
)
def test_values_as_text(value, text):
    """What a manifest writes, so what somebody types."""
    assert text == as_yaml(value)
