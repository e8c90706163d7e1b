"""Account: the order of pages is kept, reads may lag, the app changes things beside the API."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.platform import operations
from reconciler.platform.operations import Call, Operation
from reconciler.platform.world import Person, Registration, World
from reconciler.sandbox import account as account_module
from reconciler.sandbox.account import Account, SandboxOptions, UnknownRegistration
from reconciler.sandbox.calls import LoggedCall, overlapping_writes
from reconciler.sandbox.fleet import APPLICATIONS

CODE, APPLICATION = next(iter(APPLICATIONS.items()))


def _page(account: Account, order_by: str) -> list[int]:
    query = {"limit": "1000", "orderBy": order_by}
    call = Call(Operation.PERSONS, "GET", operations.PERSONS_PATH, query)
    body = account.answer(call)[0].body
    assert isinstance(body, dict)
    return [one["id"] for one in body["persons"]]


def _mine(account: Account) -> list[str]:
    return [
        one.id for one in account.world.registrations.values() if one.application_id == APPLICATION
    ]


@pytest.mark.parametrize("anonymous", ["200", "404"])
@given(steps=st.lists(st.tuples(st.integers(0, 9), st.sampled_from("cdn")), max_size=8))
def test_the_kept_order_is_what_sorting_would_give(
    anonymous: str, steps: list[tuple[int, str]]
) -> None:
    """People come, go and become named; each order stays that of a fresh sort."""
    options = SandboxOptions(people=30, assume={"anonymous-owner": anonymous}, limits=None)
    account = Account(options)
    ids = _mine(account)
    force = {"forceDepersonalize": "true"}
    _page(account, "createdAt:asc")
    for place, what in steps:
        match what:
            case "d":
                call = operations.depersonalize(ids[place], CODE)
            case "c":
                body = {"identity": {"externalId": "courier-1"}}
                call = operations.personalize(ids[place], CODE, body, force)
            case _:
                body = {"identity": {"externalId": f"new-{place}"}}
                call = operations.personalize(ids[place], CODE, body, force)
        account.answer(call)
        fresh = Account(SandboxOptions(world=account.world, assume=options.assume))
        for order_by in ("createdAt:asc", "createdAt:desc", "firstName:asc"):
            assert _page(fresh, order_by) == _page(account, order_by)


def test_reads_may_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `lags` a read shows the world of two seconds ago, a write's own answer the present."""
    monkeypatch.setattr(account_module, "LAG", 0.1)
    account = Account(SandboxOptions(people=5, assume={"read-after-write": "lags"}))
    id_ = _mine(account)[0]
    before = account.answer(operations.get(id_, CODE))[0]
    answer, _ = account.answer(operations.update(id_, CODE, {"additionalData": {"k": 1}}))
    assert before == account.answer(operations.get(id_, CODE))[0]
    time.sleep(0.11)
    assert answer == account.answer(operations.get(id_, CODE))[0] != before


def test_a_lagging_page_shows_the_old_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person made since stands on no lagging page, and one absorbed since still does."""
    monkeypatch.setattr(account_module, "LAG", 60.0)
    account = Account(SandboxOptions(people=26, assume={"read-after-write": "lags"}))
    before = _page(account, "createdAt:asc")
    for id_ in _mine(account):
        account.answer(operations.depersonalize(id_, CODE))
    assert before == _page(account, "createdAt:asc")


def test_writes_name_the_people_they_touch() -> None:
    """A forced move touches both people; a read touches nobody."""
    account = Account(SandboxOptions(people=9))
    first, *_, last = _mine(account)
    owner = account.world.registrations[last].owner
    assert owner is not None
    body = {"identity": {"externalId": f"courier-{account.world.registrations[first].owner}"}}
    call = operations.personalize(last, CODE, body, {"forceDepersonalize": "true"})
    touched = {owner, account.world.registrations[first].owner}
    assert touched == account.answer(call)[1]
    assert frozenset() == account.answer(operations.get(last, CODE))[1]


def test_the_app_changes_a_registration() -> None:
    """A change is a merge patch; an unknown id and a bad value are told apart."""
    account = Account(SandboxOptions(people=5))
    id_ = _mine(account)[0]
    patch = {"isPrimary": False, "additionalData": {"fleet": None, "seen": "today"}, "owner": 2}
    seen = account.change(id_, patch)
    assert (False, 2) == (seen.is_primary, seen.owner)
    assert "fleet" not in seen.additional_data
    assert "today" == seen.additional_data["seen"]
    with pytest.raises(ValueError):
        account.change(id_, {"isPrimary": "no"})
    with pytest.raises(ValueError):
        account.change(id_, {"owner": 99})
    account.uninstall(id_)
    with pytest.raises(UnknownRegistration):
        account.change(id_, {})
    body = account.answer(operations.get(id_, CODE))[0].body
    assert isinstance(body, dict)
    assert 48013 == body["errorCode"]


def test_a_given_world_gets_anonymous_owners() -> None:
    """Under the default reading every registration has somebody; under 404 it may have nobody."""
    world = World.of([Person(1)], [Registration("r", "A")], {"c": "A"})
    call = operations.person_of_registration("r", "A")
    assert 200 == Account(SandboxOptions(world=world)).answer(call)[0].status
    options = SandboxOptions(world=world, assume={"anonymous-owner": "404"})
    assert 404 == Account(options).answer(call)[0].status


def _logged(people: set[int], start: float, end: float) -> LoggedCall:
    return LoggedCall(Operation.UPDATE, "PATCH", "/", "", 200, frozenset(people), start, end)


def test_overlapping_writes_are_found() -> None:
    """Two spans that share a moment and a person; touching ends do not overlap."""
    first, second = _logged({1, 2}, 0, 5), _logged({2}, 1, 2)
    third, fourth = _logged({2}, 3, 6), _logged({3}, 0, 9)
    fifth = _logged({2}, 6, 7)
    calls = [fifth, fourth, third, second, first]
    assert [(first, second), (first, third)] == overlapping_writes(calls)
