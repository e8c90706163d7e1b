"""Choose the fault that a call meets, by chance from a seed or by its number; and count them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from threading import Lock
from typing import assert_never

from reconciler.platform.lookups import is_lookup
from reconciler.platform.operations import Call, Operation, registration_of

from .fault import CallSubject, Fault, Numbers, Share
from .spec import read_fault


@dataclass(frozen=True, slots=True)
class FaultCount:
    """A fault, how many calls it was for, and how many of them it hit."""

    spec: str
    met: int
    hit: int


class Faults:
    """A list of faults with a seed; may be used from several threads.

    Every fault counts every call that it is for, also one that an earlier fault hits: `#7` is the
    seventh such call whatever else goes wrong. The chances of a fault are its own: they depend on
    the seed, its place in the list and the number of the call.
    """

    def __init__(self, specs: Sequence[str] = (), seed: int = 0) -> None:
        """ValueError if one of the specs is none; it tells all that are not."""
        self.seed = seed
        self._lock = Lock()
        self._active = [
            _Active(fault, Random(f"{seed}/{index}"))
            for index, fault in enumerate(_read_faults(specs))
        ]

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(active.fault for active in self._active)

    def counts(self) -> tuple[FaultCount, ...]:
        """Return the faults in their order with what they met so far."""
        with self._lock:
            return tuple(
                FaultCount(active.fault.spec, active.met, active.hit) for active in self._active
            )

    def find_fault(self, call: Call) -> Fault | None:
        """Return the first fault that hits a call of the API; counts it."""
        return self.find_fault_about(subject_of_call(call)) if self._active else None

    def find_fault_about(self, subject: CallSubject) -> Fault | None:
        """Return the first fault that hits a call about this; counts it."""
        winner: _Active | None = None
        with self._lock:
            for active in self._active:
                if active.fault.matches(subject) and active.strikes() and winner is None:
                    winner = active
            if winner is None:
                return None
            winner.hit += 1
            return winner.fault


class _Active:
    """One fault with its counts and its chances."""

    __slots__ = ("_random", "fault", "hit", "met")

    def __init__(self, fault: Fault, random: Random) -> None:
        self.fault = fault
        self.met = 0
        self.hit = 0
        self._random = random

    def strikes(self) -> bool:
        """Count a call, and say whether the fault is for it."""
        self.met += 1
        match self.fault.when:
            case Share(of):
                return self._random.random() < of
            case Numbers(first, last):
                return first <= self.met and (last is None or self.met <= last)
            case never:
                assert_never(never)


def subject_of_call(call: Call) -> CallSubject:
    """Return what a call of the API is about."""
    operation = call.operation.value
    if call.operation is Operation.MATCH:
        return CallSubject(operation)
    if call.operation is not Operation.PERSONS:
        return CallSubject(operation, registration_of(call))
    if not is_lookup(call.query):
        return CallSubject(operation, is_page=True)
    return CallSubject(
        operation, call.query.get("identifier") if call.query.get("type") == "PUSH" else None
    )


def _read_faults(specs: Sequence[str]) -> list[Fault]:
    faults, wrong = [], []
    for spec in specs:
        try:
            faults.append(read_fault(spec))
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("\n".join(wrong))
    return faults
