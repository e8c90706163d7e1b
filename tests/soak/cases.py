"""A case of the fuzzer, all of it drawn from one seed: world, manifests, readings, faults, script.

Plain data that goes to JSON and back, so that a case that failed can be run again as it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from reconciler.platform.assumptions import ASSUMPTIONS, READ_AFTER_WRITE
from tests.budgets import NO_BUDGETS
from tests.properties.fleets import Fleet

from .faults import schedule
from .worlds import fleet, world

Json = dict[str, Any]

# Seconds that the command line waits for an answer, from the project file.
ANSWER_WITHIN: Final = 1.0
_SIGNALS: Final = ("SIGKILL", "SIGKILL", "SIGINT", "SIGTERM")


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal to an apply, once `at` calls of it have ended and `later` seconds have passed.

    `again`: so many seconds afterwards, once more.
    """

    name: str
    at: int
    later: float
    again: float | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One command: plan (saves plan.json), apply (that plan), fresh (plans and applies at once)."""

    what: str
    faults: tuple[str, ...] = ()
    signal: Signal | None = None
    options: tuple[str, ...] = ()
    verbose: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """`before` are manifests that were applied earlier, in peace. `moves` happen under faults;
    after them nothing fails any more, and `fix` must do."""

    seed: int
    world: Json
    before: Fleet | None
    fleet: Fleet
    settings: str
    assume: Mapping[str, str]
    latency: float
    moves: tuple[Move, ...]
    mend: tuple[str, ...] = ("apply", "fresh")
    pinned: Mapping[str, str] = field(default_factory=dict)
    read: str = "auto"

    @property
    def lags(self) -> bool:
        return self.assume.get(READ_AFTER_WRITE.name) == "lags"

    def project(self) -> str:
        """Return the project file."""
        return f"""\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${{SANDBOX_URL}}
  auth: {{apiKey: "${{SANDBOX_KEY}}"}}
  limits: {{get: 5000, update: 5000, personalize: 5000, depersonalize: 5000, persons: 5000}}
  quotaShare: 1
  timeout: {ANSWER_WITHIN:g}
  assume: {json.dumps(dict(self.pinned))}
applications:
  courier: {{appCode: courier-app-code}}
  shop: {{appCode: shop-app-code}}
manifests: [devices/*.yaml]
{NO_BUDGETS}{self.settings}"""


def case_of(seed: int) -> Case:
    """Draw the case of a seed."""
    chance = Random(seed)
    start = world(chance)
    before = fleet(chance, start) if chance.random() < 0.5 else None
    wanted = fleet(chance, start, before)
    while not wanted.devices:
        wanted = fleet(chance, start, before)
    assume = {
        name: chance.choice(assumption.readings)
        for name, assumption in ASSUMPTIONS.items()
        if name != READ_AFTER_WRITE.name and assumption.is_proven
    }
    if chance.random() < 0.15:
        assume[READ_AFTER_WRITE.name] = "lags"
    pinned: Json = {}
    if chance.random() < 0.2:
        # Whoever knows a reading pins it, and must be right.
        pinned = {name: assume[name] for name in chance.sample(sorted(assume), 3)}
    return Case(
        seed,
        start,
        before if before is not None and before.devices else None,
        wanted,
        f"onRemove: {chance.choice(['release', 'depersonalize'])}\n",
        assume,
        chance.choice([0.002, 0.005, 0.02]),
        _moves(chance, [device.id for device in wanted.devices]),
        (chance.choice(["apply", "fresh"]), "fresh"),
        pinned,
        chance.choice(["points", "sweep"]),
    )


def _moves(chance: Random, devices: Sequence[str]) -> tuple[Move, ...]:
    first = Move(
        "plan",
        schedule(chance, devices, writes=False) if chance.random() < 0.2 else (),
        verbose=_verbose(chance),
    )
    moves = [first]
    for turn in range(chance.choice([1, 1, 2, 2, 3])):
        faults = schedule(chance, devices) if turn == 0 or chance.random() < 0.6 else ()
        options = ["--timeout", f"{chance.choice([3, 6, 12])}s"]
        if chance.random() < 0.8 and not any("#" in fault and "+" in fault for fault in faults):
            options = []
        if chance.random() < 0.3:
            options += ["--format", "json"]
        moves.append(
            Move(
                "apply" if turn == 0 or chance.random() < 0.6 else "fresh",
                faults,
                _signal(chance) if chance.random() < 0.4 else None,
                tuple(options),
                _verbose(chance),
            )
        )
    return tuple(moves)


def _signal(chance: Random) -> Signal:
    name = chance.choice(_SIGNALS)
    # Before Python has got as far as our own first line, only SIGKILL ends a process as it should.
    at = 0 if name == "SIGKILL" and chance.random() < 0.1 else 1 + int(chance.expovariate(0.2))
    later = chance.choice([0.0, 0.0, chance.uniform(0, 0.03), chance.uniform(0, 1.5)])
    twice = name != "SIGKILL" and chance.random() < 0.3
    return Signal(name, at, later, chance.uniform(0, 0.3) if twice else None)


def _verbose(chance: Random) -> tuple[str, ...]:
    return chance.choice([(), (), ("-v",), ("--log-format", "json"), ("-v", "--quiet")])
