"""faults: each counts its own calls, the first that strikes wins, a seed gives the same again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.platform import operations
from reconciler.sandbox.faults import FaultCount, Faults

GET = operations.get("r", "code")
UPDATE = operations.update("r", "code", {})


def _struck(faults: Faults, calls: int = 10) -> list[int]:
    """Return the numbers of the GETs that are hit, from 1."""
    return [number for number in range(1, calls + 1) if faults.find_fault(GET) is not None]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("@100%", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("@#7", [7]),
        ("@#7-9", [7, 8, 9]),
        ("@#9+", [9, 10]),
    ],
)
def test_when_a_fault_strikes(when: str, expected: list[int]) -> None:
    """Calls are counted from 1, other operations' not at all."""
    faults = Faults([f"get:503{when}"])
    faults.find_fault(UPDATE)
    assert expected == _struck(faults)
    assert (FaultCount(f"get:503{when}", 10, len(expected)),) == faults.counts()


def test_the_first_that_strikes_wins() -> None:
    """A later fault counts the calls that an earlier one hits, and hits none of them."""
    faults = Faults(["get:503@#2", "any:reset@#2-3", "update:hang"])
    seen = [faults.find_fault(call) for call in (GET, GET, UPDATE)]
    assert [None, "get:503@#2", "any:reset@#2-3"] == [one and one.spec for one in seen]
    assert [(2, 1), (3, 1), (1, 0)] == [(one.met, one.hit) for one in faults.counts()]


def test_a_seed_gives_the_same_again() -> None:
    """Chance is the seed's; another seed has others, and another fault in the list changes none."""
    first = _struck(Faults(["get:503@30%"], 7), 200)
    assert first == _struck(Faults(["get:503@30%"], 7), 200)
    assert first != _struck(Faults(["get:503@30%"], 8), 200)
    assert 30 <= len(first) <= 90
    both = Faults(["get:503@30%", "any:reset@50%"], 7)
    hits = [both.find_fault(GET) for _ in range(200)]
    assert first == [
        number for number, hit in enumerate(hits, 1) if hit is not None and hit.status == 503
    ]


def test_devices_are_told_apart() -> None:
    """A device is that of the path, percent-decoded, or the PUSH identifier of a look-up."""
    faults = Faults(["any:503,device=a/b"])
    calls = [
        operations.get("a/b", "code"),
        operations.depersonalize("a/b", "code"),
        operations.person_of_registration("a/b", "A"),
        operations.get("a", "code"),
        operations.person_by_identity("EXTERNAL_ID", "a/b"),
        operations.persons_page(1),
    ]
    hits = [faults.find_fault(call) is not None for call in calls]
    assert [True, True, True, False, False, False] == hits


def test_all_wrong_specs_are_told() -> None:
    """One error names every spec that is none."""
    with pytest.raises(ValueError, match=r"(?s)^gte:503: .*\nget:50: "):
        Faults(["gte:503", "get:503", "get:50"])


def test_no_call_is_counted_twice_or_lost() -> None:
    """Threads may ask at the same time; exactly one of them is the hundredth."""
    faults = Faults(["get:503@#100", "any:reset@#201-300"])
    with ThreadPoolExecutor(4) as threads:
        hits = list(threads.map(lambda _: faults.find_fault(GET), range(400)))
    assert 101 == sum(hit is not None for hit in hits)
    assert [(400, 1), (400, 100)] == [(one.met, one.hit) for one in faults.counts()]
