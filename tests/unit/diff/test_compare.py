"""Declared against live: what is a difference, whose it is, and what is none of our business."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.absent import ABSENT
from reconciler.core.device import Lifecycle
from reconciler.core.fields import Reason
from reconciler.diff.compare import FieldDiff, Fields, compare
from reconciler.diff.device import owner_difference
from tests.fleet import (
    DIGESTER,
    device,
    external,
    owner,
    person,
    project,
    record,
    registration,
)

SCALARS = st.one_of(
    st.text(max_size=8),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
DATA = st.dictionaries(st.text(min_size=1, max_size=5), SCALARS, max_size=5)


def found(declared, live, recorded=None, **of):
    entry = None if recorded is None else record(recorded).devices[recorded.id]
    return compare(declared, live, entry, DIGESTER, project(**of))


@given(DATA, st.booleans(), st.booleans())
def test_a_device_as_declared_has_no_difference(data, primary, enabled):
    """diff(x, x) is empty."""
    declared = device("a", data=data, is_primary=primary, registration_enabled=enabled)
    live = registration("a", is_primary=primary, enabled=enabled, data=data)
    assert Fields() == found(declared, live)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ("1", 1, False),
        ("true", True, False),
        (1.5, 1.5, True),
        ("A", "a", False),
        (9223372036854775807, 9223372036854775806, False),
    ],
)
def test_values_compare_as_the_service_sees_them(one, other, same):
    """Numbers by value; booleans never equal to numbers or strings."""
    declared = device("a", data={"key": one})
    fields = found(declared, registration("a", data={"key": other}))
    assert same is (fields.changed == ())


def test_undeclared_keys_and_fields_are_no_difference():
    """A field that no file declares is not managed."""
    live = registration("a", is_primary=True, enabled=False, data={"seen": "now"})
    assert Fields() == found(device("a"), live)


def test_null_removes_a_key_and_an_absent_key_is_already_gone():
    """additionalData.key: null removes the key where there is one."""
    declared = device("a", data={"old": None, "other": None})
    fields = found(declared, registration("a", data={"old": 1}))
    expected = (FieldDiff("additionalData.old", 1, None, Reason.DECLARED),)
    assert expected == fields.changed


def test_a_key_with_dots_is_one_key():
    """Only the first dot of a path separates."""
    declared = device("a", data={"x.y": 2})
    (diff,) = found(declared, registration("a", data={"x.y": 1})).changed
    assert "additionalData.x.y" == diff.path


def test_the_file_moved_is_declared_and_somebody_else_moved_is_drift():
    """Drift is a live value that differs while the file still says what we applied."""
    before, after = device("a", data={"k": 1}), device("a", data={"k": 2})
    live = registration("a", data={"k": 9})
    assert [Reason.DRIFT] == [diff.reason for diff in found(before, live, before).changed]
    assert [Reason.DECLARED] == [diff.reason for diff in found(after, live, before).changed]
    assert [Reason.DECLARED] == [diff.reason for diff in found(before, live).changed]


@pytest.mark.parametrize(
    ("applied", "now", "live", "expected"),
    [
        pytest.param(1, 2, 9, True, id="both moved"),
        pytest.param(1, 2, 1, False, id="only the file"),
        pytest.param(1, 1, 9, False, id="only others"),
        pytest.param(None, 2, 9, True, id="others brought it back"),
        pytest.param(ABSENT, 2, 9, False, id="never applied"),
    ],
)
def test_what_both_moved_is_contested(applied, now, live, expected):
    """The file wins, and a reviewer wants to know that others had another mind."""
    before = device("a", data={} if applied is ABSENT else {"k": applied})
    after = device("a", data={"k": now})
    (diff,) = found(after, registration("a", data={"k": live}), before).changed
    assert expected is diff.contested


def test_a_flag_that_the_service_does_not_show_is_not_contested():
    """Nothing is known of it."""
    before = device("a", registration_enabled=True)
    after = device("a", registration_enabled=False)
    (diff,) = found(after, registration("a", enabled=ABSENT), before).changed
    assert not diff.contested


@pytest.mark.parametrize(
    ("applied", "live", "expected"),
    [
        pytest.param(owner("ana"), person(2, external("bob")), True, id="somebody else's"),
        pytest.param(owner("ana"), None, True, id="nobody's"),
        pytest.param(owner("ana"), person(1, external("ana")), False, id="as applied"),
        pytest.param(None, person(2, external("bob")), True, id="was to be nobody's"),
        pytest.param(ABSENT, person(2, external("bob")), False, id="never applied"),
    ],
)
def test_an_owner_that_both_moved_is_contested(applied, live, expected):
    """As a field is."""
    before = record(device("a", owner=applied)).devices["a"]
    diff = owner_difference(device("a", owner=owner("ivo")), live, before, DIGESTER)
    assert diff is not None
    assert expected is diff.contested


def test_reported_drift_is_left_alone():
    """onDrift: report shows it and leaves it; a moved file is still a change."""
    declared = device("a", data={"k": 1})
    live = registration("a", data={"k": 9})
    fields = found(declared, live, declared, on_drift={"additionalData": "report"})
    assert ((), 1) == (fields.changed, len(fields.reported))
    moved = device("a", data={"k": 2})
    fields = found(moved, live, declared, on_drift={"additionalData": "report"})
    assert (1, ()) == (len(fields.changed), fields.reported)


def test_a_key_that_left_the_files_is_removed_only_while_it_is_ours():
    """Removed if the live value is the one we applied, else handed back."""
    before, after = device("a", data={"k": 1, "stays": 1}), device("a", data={"stays": 1})
    ours = found(after, registration("a", data={"k": 1, "stays": 1}), before)
    assert (FieldDiff("additionalData.k", 1, None, Reason.REMOVED),) == ours.changed
    theirs = found(after, registration("a", data={"k": 2, "stays": 1}), before)
    assert ((), ("additionalData.k",)) == (theirs.changed, theirs.handed_back)
    gone = found(after, registration("a", data={"stays": 1}), before)
    assert Fields() == gone


def test_other_fields_that_left_the_files_are_handed_back():
    """A deleted isPrimary line never resets the flag."""
    before = device("a", is_primary=True, registration_enabled=False)
    live = registration("a", is_primary=True, enabled=False)
    assert Fields() == found(device("a"), live, before)


def test_an_ignored_field_is_set_once():
    """lifecycle.ignore: set when we never applied it, later differences are no change."""
    declared = device(
        "a", data={"seen": 0}, lifecycle=Lifecycle(ignore=frozenset({"additionalData.seen"}))
    )
    live = registration("a", data={"seen": 5})
    assert 1 == len(found(declared, live).changed)
    assert Fields() == found(declared, live, declared)
