"""The match call over HTTP: served, limited by itself, faulty on request, late as other reads."""

from __future__ import annotations

import math

import pytest

from reconciler.platform.operations import DEFAULT_LIMITS, Operation
from reconciler.platform.world import World
from reconciler.sandbox.account import SandboxOptions
from reconciler.sandbox.serve import RunningSandbox
from reconciler.sandbox.spec import read_fault

from .wired import WORLD, Answer, ask, logged

BODY = {"identities": [{"type": "PUSH", "identifier": "r1", "sender": "A"}]}


def match(sandbox: RunningSandbox, body: object = None) -> Answer:
    return ask(sandbox, "POST", "/people/2/persons/match", BODY if body is None else body)


def serving(world: World = WORLD, **options: object) -> RunningSandbox:
    return RunningSandbox(SandboxOptions(world=world, **options))  # type: ignore[arg-type]


def test_it_is_served_and_logged() -> None:
    """By POST alone; the log has it as an operation of its own that touches nobody."""
    with serving() as sandbox:
        answer = match(sandbox)
        assert 200 == answer.status
        (found,) = answer.json()["matches"]
        assert WORLD.registrations["r1"].owner == found["personId"]
        assert 405 == ask(sandbox, "GET", "/people/2/persons/match").status
        assert 400 == match(sandbox, []).status
        assert [("match", 200, []), ("match", 400, [])] == [
            (call["operation"], call["status"], call["people"]) for call in logged(sandbox, 2)
        ]


def test_it_has_a_limit_of_its_own() -> None:
    """Look-ups of one person take nothing from it."""
    limits = {**DEFAULT_LIMITS, Operation.PERSONS: math.inf, Operation.MATCH: 2.0}
    with serving(limits=limits) as sandbox:
        for _ in range(5):
            ask(sandbox, "GET", "/people/2/persons?type=EXTERNAL_ID&identifier=x")
        assert [200, 200, 429] == [match(sandbox).status for _ in range(3)]


@pytest.mark.parametrize(("most", "status"), [("1000", 200), ("1", 400)])
def test_how_many_it_takes_is_switched(most: str, status: int) -> None:
    """As every other thing that nobody knows."""
    body = {"identities": BODY["identities"] * 2}
    with serving(assume={"match-size": most}) as sandbox:
        assert status == match(sandbox, body).status


@pytest.mark.parametrize("fault", ["match:403", "reads:403", "any:403"])
def test_it_meets_faults(fault: str) -> None:
    """By its own name and by those of kinds."""
    with serving(faults=(fault,)) as sandbox:
        assert 403 == match(sandbox).status


@pytest.mark.parametrize(
    "spec", ["match:503,device=r1", "match:rival", "match:appear", "match:503,set={}"]
)
def test_a_match_is_about_no_one_device(spec: str) -> None:
    """So what is about one is no fault of it."""
    with pytest.raises(ValueError, match=spec.split(",")[0]):
        read_fault(spec)


def test_it_lags_as_other_reads_do() -> None:
    """Where reads may lag behind a write, so do matches."""
    with serving(assume={"read-after-write": "lags"}) as sandbox:
        before = match(sandbox).json()
        path = "/people/2/contactInformation/push/r1/depersonalize"
        assert 200 == ask(sandbox, "POST", path).status
        assert before == match(sandbox).json()
