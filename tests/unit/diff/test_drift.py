"""Who moved a field since it was applied: others, the files, or both; and what is shown of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.absent import ABSENT
from reconciler.core.device import Lifecycle
from reconciler.core.fields import data_path, same_value
from reconciler.core.live import Gone, Live, WrongApplication
from reconciler.diff.drift import (
    DeviceMoves,
    Side,
    drift_of,
    left_out,
    recorded_in,
    required_reads_of_drift,
)
from tests.fleet import desired, device, external, owner, person, project, record, registration

ANA, IVO = external("ana"), external("ivo")


def found(
    now: Any, applied: Any, live: Any, live_owner: Any = None, *, left: bool = False
) -> DeviceMoves:
    """Compare one device: declared now, as it was applied, as it is."""
    recorded = record(applied)
    state = Live({applied.id: live}, {applied.id: live_owner})
    files = desired() if left else desired(now)
    (one,) = drift_of(list(recorded.devices.values()), files, recorded, state)
    return one


def sides(one: DeviceMoves) -> dict[str, Side]:
    shown = {move.path: move.side for move in one.fields}
    return shown if one.owner is None else {"owner": one.owner.side, **shown}


@pytest.mark.parametrize(
    ("applied", "now", "live", "side", "values"),
    [
        pytest.param("a", "a", "a", None, None, id="nobody"),
        pytest.param("a", "a", "b", Side.SERVICE, ("a", "b", "a"), id="others"),
        pytest.param("a", "a", None, Side.SERVICE, ("a", None, "a"), id="others removed it"),
        pytest.param("a", "b", "a", Side.FILES, ("a", "a", "b"), id="the files"),
        pytest.param("a", "b", "c", Side.BOTH, (None, "c", "b"), id="both"),
        pytest.param("a", "b", "b", Side.BOTH, (None, "b", "b"), id="both to the same"),
        pytest.param("a", None, "a", Side.FILES, ("a", "a", None), id="shall be gone"),
        pytest.param(None, None, "b", Side.SERVICE, (None, "b", None), id="came back"),
        pytest.param(1, 1, 1.0, None, None, id="the same number"),
        pytest.param(1, 1, True, Side.SERVICE, (1, True, 1), id="a flag is no number"),
    ],
)
def test_a_key(applied: Any, now: Any, live: Any, side: Side | None, values: Any) -> None:
    """A value that the state has only as a digest is known where somebody still says it."""
    data = {} if live is None else {"shift": live}
    one = found(
        device("one", data={"shift": now}),
        device("one", data={"shift": applied}),
        registration("one", data=data),
    )
    assert ({} if side is None else {"additionalData.shift": side}) == sides(one)
    shown = [(move.applied, move.live, move.declared) for move in one.fields]
    assert ([] if side is None else [values]) == shown


def test_a_key_that_left_the_files_shows_no_value() -> None:
    """What no file declares is nobody's to show."""
    one = found(
        device("one"),
        device("one", data={"shift": "a"}),
        registration("one", data={"shift": "secret"}),
    )
    (move,) = one.fields
    assert (Side.BOTH, False, None, None, None) == (
        move.side,
        move.shown,
        move.applied,
        move.live,
        move.declared,
    )


def test_a_key_that_is_new_in_the_files_was_moved_by_them() -> None:
    """It was never applied, so others cannot have moved it since."""
    one = found(
        device("one", data={"shift": "a"}), device("one"), registration("one", data={"shift": "b"})
    )
    assert {"additionalData.shift": Side.FILES} == sides(one)
    assert not one.drifted
    assert one.only_files


def test_flags_are_known_from_their_digest() -> None:
    """There are two values, so the applied one is known even when both sides moved."""
    one = found(
        device("one", is_primary=True, registration_enabled=False),
        device("one", is_primary=False, registration_enabled=True),
        registration("one", is_primary=True, enabled=ABSENT),
    )
    assert {"isPrimary": Side.BOTH, "registrationEnabled": Side.FILES} == sides(one)
    assert [False, True] == [move.applied for move in one.fields]
    assert one.fields[1].live is None
    left = found(
        None, device("one", is_primary=True), registration("one", is_primary=False), left=True
    )
    (move,) = left.fields
    assert (True, True, False) == (move.applied, move.known, move.managed)


def test_what_is_null_is_told_apart() -> None:
    """Nothing applied, applied that it shall be gone, not known, not declared any more."""
    one = found(
        device("one", data={"new": "a", "gone": "b", "other": "c"}),
        device("one", is_primary=True, data={"gone": None, "other": "d"}),
        registration("one", is_primary=True, data={"gone": "x", "other": "y"}),
    )
    told = {move.path: (move.applied, move.known, move.managed) for move in one.fields}
    assert {
        "isPrimary": (True, True, False),
        "additionalData.gone": (None, True, True),
        "additionalData.new": (None, True, True),
        "additionalData.other": (None, False, True),
    } == told


@pytest.mark.parametrize(
    ("applied", "now", "live", "side"),
    [
        pytest.param(owner("ana"), owner("ana"), person(1, ANA), None, id="the same"),
        pytest.param(owner("ana"), owner("ana"), person(1, ANA, IVO), None, id="has more values"),
        pytest.param(owner("ana"), owner("ana"), person(2, IVO), Side.SERVICE, id="another"),
        pytest.param(owner("ana"), owner("ana"), None, Side.SERVICE, id="nobody now"),
        pytest.param(owner("ana"), owner("ivo"), person(1, ANA), Side.FILES, id="the files"),
        pytest.param(owner("ana"), owner("ivo"), person(3), Side.BOTH, id="both"),
        pytest.param(owner("ana"), None, person(1, ANA), Side.FILES, id="shall be nobody's"),
        pytest.param(owner("ana"), ABSENT, person(1, ANA), Side.FILES, id="handed back"),
        pytest.param(None, None, person(2, IVO), Side.SERVICE, id="somebody came"),
        pytest.param(None, None, person(3), None, id="an anonymous owner is nobody"),
        pytest.param(ABSENT, owner("ana"), person(2, IVO), Side.FILES, id="new in the files"),
        pytest.param(ABSENT, ABSENT, person(2, IVO), None, id="never applied"),
    ],
)
def test_an_owner(applied: Any, now: Any, live: Any, side: Side | None) -> None:
    """It is as applied while it holds every applied value."""
    one = found(device("one", owner=now), device("one", owner=applied), registration("one"), live)
    assert side == (None if one.owner is None else one.owner.side)


def test_a_device_that_left_the_files_is_compared_too() -> None:
    """Only others can have moved a field of it; that it left is a move of the files."""
    applied = device("one", data={"shift": "a"})
    still = found(None, applied, registration("one", data={"shift": "a"}), left=True)
    assert (False, True) == (still.drifted, still.only_files)
    moved = found(None, applied, registration("one", data={"shift": "b"}), left=True)
    assert {"additionalData.shift": Side.SERVICE} == sides(moved)
    assert moved.drifted


def test_gone_and_elsewhere_are_drift() -> None:
    """Somebody uninstalled it, or it stands where we did not apply it."""
    one = device("one")
    assert found(one, one, Gone()).drifted
    assert "shop" == found(one, one, WrongApplication("shop")).elsewhere


def test_what_is_ignored_is_not_compared() -> None:
    """It is set once; later differences are no change."""
    ignore = Lifecycle(ignore=frozenset({"owner", "additionalData.shift"}))
    one = device("one", data={"shift": "a"}, owner=owner("ana"), lifecycle=ignore)
    assert {} == sides(found(one, one, registration("one", data={}), person(2, IVO)))


def test_what_has_to_be_read() -> None:
    """Every recorded device, owners where one was applied; then nothing."""
    recorded = record(device("a", owner=owner("ana")), device("b"), device("c", application="shop"))
    devices = recorded_in(recorded, project(), {"courier"})
    needs = required_reads_of_drift(devices, desired(), recorded, Live())
    assert ({"a": "courier", "b": "courier"}, ("a",)) == (needs.registrations, needs.owners)
    known = Live({"a": registration("a"), "b": Gone()}, {"a": None})
    assert not required_reads_of_drift(devices, desired(), recorded, known)
    gone = Live({"a": Gone(), "b": Gone()})
    assert not required_reads_of_drift(devices, desired(), recorded, gone)
    ignored = device("a", owner=owner("ivo"), lifecycle=Lifecycle(ignore=frozenset({"owner"})))
    files = desired(ignored, device("b", owner=owner("ana")))
    assert ("b",) == required_reads_of_drift(devices, files, recorded, Live()).owners


def test_what_cannot_be_compared_is_known() -> None:
    """A device whose application the project does not have any more is in one of the two lists."""
    recorded = record(device("a"), device("b", application="shop"))
    of = project(applications=("courier",))
    assert (["a"], ["b"]) == (
        [one.id for one in recorded_in(recorded, of)],
        [one.id for one in left_out(recorded, of)],
    )


def live_of(data: dict[str, Any], **fields: Any) -> Any:
    """A registration that is as declared."""
    kept = {key: value for key, value in data.items() if value is not None}
    return registration("one", data=kept, **fields)


values = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from(["a", "b"]))


datas = st.dictionaries(st.sampled_from("xyz"), values)


@given(datas, st.booleans())
def test_after_an_apply_nothing_has_moved(data: Any, primary: bool) -> None:
    """Whatever was applied."""
    applied = device("one", data=data, is_primary=primary)
    one = found(applied, applied, live_of(data, is_primary=primary))
    assert ({}, False, False) == (sides(one), one.drifted, one.only_files)


@given(datas, datas, st.booleans(), st.booleans())
def test_what_the_service_moved_alone_is_the_services(
    data: Any, other: Any, primary: bool, flag: bool
) -> None:
    """Of the declared fields exactly those that differ; what nobody declares is nobody's."""
    applied = device("one", data=data, is_primary=primary)
    one = found(applied, applied, live_of(other, is_primary=flag))
    moved = {data_path(key) for key, value in data.items() if differs(value, other.get(key))}
    moved |= {"isPrimary"} if primary is not flag else set()
    assert dict.fromkeys(moved, Side.SERVICE) == sides(one)
    assert bool(moved) is one.drifted


@given(datas, datas, st.booleans(), st.booleans())
def test_what_the_files_moved_alone_is_the_files(
    data: Any, other: Any, primary: bool, flag: bool
) -> None:
    """It is no drift, whatever they say now and whatever they do not say any more."""
    applied = device("one", data=data, is_primary=primary)
    one = found(
        device("one", data=other, is_primary=flag), applied, live_of(data, is_primary=primary)
    )
    moved = {data_path(key) for key in data.keys() ^ other.keys()}
    moved |= {data_path(key) for key in data.keys() & other if differs(data[key], other[key])}
    moved |= {"isPrimary"} if primary is not flag else set()
    assert dict.fromkeys(moved, Side.FILES) == sides(one)
    assert (False, bool(moved)) == (one.drifted, one.only_files)


def differs(one: Any, other: Any) -> bool:
    return not same_value(one, other)
