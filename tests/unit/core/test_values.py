"""Values that everybody shares: what equals what, and what can never be shown."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import pprint

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.absent import ABSENT
from reconciler.core.digest import Digester, canonical_json, plain_digest
from reconciler.core.fields import data_key, data_path, field_order, same_value
from reconciler.core.graph import components
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.secret import Secret

SECRET = "385911234567"
HIDDEN = [Secret(SECRET), IdentityValue.of(IdentityKind.PHONE_NUMBER, SECRET)]


@pytest.mark.parametrize("value", HIDDEN)
def test_no_way_of_printing_shows_a_hidden_value(value):
    """repr, str, format, %, pprint, containers, exceptions."""
    shown = [
        repr(value),
        str(value),
        f"{value}",
        f"{value!r:>40}",
        "%s" % (value,),  # noqa: UP031 - one of the ways
        pprint.pformat({"key": [value]}),
        str(ValueError(value)),
        repr(dataclasses.make_dataclass("Holder", ["held"])(value)),
    ]
    assert [] == [text for text in shown if SECRET in text]


@pytest.mark.parametrize("value", HIDDEN)
@pytest.mark.parametrize("write", [json.dumps, pickle.dumps, msgspec.json.encode, copy.deepcopy])
def test_no_serialiser_takes_a_hidden_value(value, write):
    """What cannot be written by accident does not stand in a file."""
    with pytest.raises(TypeError) as caught:
        write(value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "+385911234567",
        "00385911234567",
        "00385 91 123-4567",
        "(00385) 91 1234567",
        "+385.91.123.4567",
        "(+385) 91 (123) 4567",
        "385\u00a091\u2011123\u20134567",
        " 385911234567 ",
    ],
)
def test_a_phone_number_is_the_same_however_it_is_written(text: str) -> None:
    """Digits from the country code on: that is what is compared, and sent."""
    value = IdentityValue.of(IdentityKind.PHONE_NUMBER, text)
    assert "385911234567" == value.reveal()
    assert value == IdentityValue.of(IdentityKind.PHONE_NUMBER, value.reveal())


@pytest.mark.parametrize("text", ["0385911234567", "000385911234567", "00", "0"])
def test_another_phone_number_stays_another(text: str) -> None:
    """A single 0 is no 00, and before a third 0 it is dialled by nobody."""
    value = IdentityValue.of(IdentityKind.PHONE_NUMBER, text)
    assert text == value.reveal()


@given(st.text(st.sampled_from("0123456789+-. ()\u00a0"), max_size=12))
def test_the_canonical_form_is_its_own(text: str) -> None:
    """Read again, from a page or a state, it is the same value."""
    value = IdentityValue.of(IdentityKind.PHONE_NUMBER, text)
    assert value == IdentityValue.of(IdentityKind.PHONE_NUMBER, value.reveal())


def test_hidden_values_compare_by_what_they_hold():
    """Digests and membership need equality; only equality."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert 1 == len({Secret("a"), Secret("a")})
    assert Secret("a") != "a"


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        (IdentityKind.EMAIL, "Ana@Example.com", "ana@example.com", True),
        (IdentityKind.PHONE_NUMBER, "+385 91 123", "38591123", True),
        (IdentityKind.EXTERNAL_ID, "Ana", "ana", False),
    ],
)
def test_identity_values_are_equal_when_the_service_says_so(kind, one, other, same):
    """E-mail without case, phone by digits, external id exactly."""
    assert same is (IdentityValue.of(kind, one) == IdentityValue.of(kind, other))


def test_kinds_are_apart():
    """One text as two kinds is two values."""
    first = IdentityValue.of(IdentityKind.EMAIL, "a")
    assert first != IdentityValue.of(IdentityKind.EXTERNAL_ID, "a")


def test_absent_is_not_none():
    """Nothing was said, and it is falsy without being None."""
    assert ABSENT is not None
    assert not ABSENT
    assert "ABSENT" == repr(ABSENT)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_canonical_json_reads_back(value):
    """Canonical JSON is JSON."""
    assert value == json.loads(canonical_json(value))


def test_digests_are_by_value_and_by_purpose():
    """1 and 1.0 are one value, True is another; two purposes never meet; two keys neither."""
    digester = Digester(Secret(b"k" * 32))
    assert digester.of("p", 1) == digester.of("p", 1.0)
    assert digester.of("p", 1) != digester.of("p", True)
    assert digester.of("p", "1") != digester.of("p", 1)
    assert digester.of("p", 1) != digester.of("q", 1)
    assert digester.of("p", 1) != Digester(Secret(b"j" * 32)).of("p", 1)
    assert plain_digest({"a": 1, "b": 2}) == plain_digest({"b": 2, "a": 1})


@given(st.text(min_size=1))
def test_a_key_comes_back_from_its_path(key):
    """Dots in a key are part of it."""
    assert key == data_key(data_path(key))


def test_fields_have_one_order():
    """Owner first, then the flags, then data by key."""
    paths = ["additionalData.b", "registrationEnabled", "additionalData.a", "isPrimary", "owner"]
    expected = [
        "owner",
        "isPrimary",
        "registrationEnabled",
        "additionalData.a",
        "additionalData.b",
    ]
    assert expected == sorted(paths, key=field_order)


@given(st.one_of(st.integers(), st.booleans(), st.text(), st.floats(allow_nan=False)))
def test_a_value_is_the_same_as_itself(value):
    """Reflexive, for every kind."""
    assert same_value(value, value)


@given(st.lists(st.sets(st.integers(0, 12), max_size=3), max_size=20))
def test_components_are_what_ties_connect(ties):
    """Every item in one group; two items share a group exactly when a chain of ties leads there."""
    items = list(range(len(ties)))
    groups = components(items, [sorted(tie) for tie in ties])
    assert items == sorted(item for group in groups for item in group)
    place = {item: number for number, group in enumerate(groups) for item in group}
    reach = {item: {item} for item in items}
    for _ in items:
        for one in items:
            for other in items:
                if ties[one] & ties[other]:
                    joined = reach[one] | reach[other]
                    reach[one] = reach[other] = joined
    assert all((place[a] == place[b]) is (b in reach[a]) for a in items for b in items)
