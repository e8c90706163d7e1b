"""Under every reading of what nobody knows, with faults: the declared state, and nothing else."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping

import pytest

from reconciler.api.errors import ApiError, Conflict, NoAnswer, RateLimited, ServerFailed
from reconciler.core.device import Desired
from reconciler.platform.assumptions import (
    ASSUMPTIONS,
    MATCH_SIZE,
    PAGE_PUSH,
    PROVEN,
    READ_AFTER_WRITE,
)
from reconciler.platform.world import World
from tests.fleet import desired, device, external, owner, phone

from .model import Run, person, refusal, registration, world

# What pages, matches and lagging reads do is not seen by calls of the model.
_UNSEEN = {READ_AFTER_WRITE.name, PAGE_PUSH.name, MATCH_SIZE.name}
_FREE = [name for name in PROVEN if name not in _UNSEEN]


def combinations(share: int) -> list[dict[str, str]]:
    """Return every combination of readings, or one in `share` of them, so chosen that any two
    readings of two unknowns stand together in some."""
    readings = [ASSUMPTIONS[name].readings for name in _FREE]
    places = itertools.product(*(range(len(of_one)) for of_one in readings))
    return [
        {name: of_one[i] for name, of_one, i in zip(_FREE, readings, chosen, strict=True)}
        for chosen in places
        if sum(chosen) % share == 0
    ]


READINGS = combinations(3)
PARTS = 16
FAULTS: tuple[type[ApiError], ...] = (ServerFailed, NoAnswer, Conflict, RateLimited)
CAL = owner("cal", external("cal"), phone("+385911234567"))


def declared() -> Desired:
    """A swap with flags, a claim, a value added, a detach, a handover of the flag, an update."""
    return desired(
        device("swap-1", owner=owner("bob"), is_primary=True, data={"k": 1}),
        device("swap-2", owner=owner("ana"), is_primary=True),
        device("claim", owner=owner("dora"), data={"k": 2}),
        device("incomplete", owner=CAL),
        device("detach", owner=None, data={"k": None}),
        device("demote", is_primary=False),
        device("promote", is_primary=True, data={"k": 3}),
        device("plain", data={"k": 4, "old": None}, registration_enabled=False),
    )


def start() -> World:
    return world(
        person(1, external("ana")),
        person(2, external("bob")),
        person(3, external("cal")),
        person(4, external("eve"), phone("+4912345678")),
        person(5, external("fay")),
        registration("swap-1", 1, is_primary=True, data={"theirs": "x"}),
        registration("swap-2", 2),
        registration("claim"),
        registration("incomplete", 3, data={"theirs": "y"}),
        registration("detach", 4, data={"k": 9, "theirs": "z"}),
        registration("demote", 5, is_primary=True, data={"theirs": 1}),
        registration("promote", 5),
        registration("plain", data={"old": 1, "theirs": 2}),
        registration("bystander", 4, is_primary=True, data={"theirs": 3}),
    )


def disturbed(run: Run, chance: random.Random) -> None:
    """Let four writes in ten fail, half of them after they were carried out; and a few reads.

    A read that fails here has failed for good: the client would have repeated it.
    """

    def meddle(name: str) -> None:
        is_write = not name.startswith(("get/", "persons/"))
        if chance.random() >= (0.4 if is_write else 0.05):
            return
        kind = chance.choice(FAULTS)
        if kind in (ServerFailed, NoAnswer) and is_write and chance.random() < 0.5:
            run.door.carry_out_if_allowed()
        raise refusal(kind, name, status=500)

    run.door.meddle = meddle


@pytest.mark.parametrize("part", range(PARTS))
def test_two_runs_after_the_faults_end_all_is_as_declared(part: int) -> None:
    """The first goes on with the plan, the second plans what is left; then nothing is."""
    chosen = READINGS[part::PARTS]
    for number, assume in enumerate(chosen):
        run = Run(declared(), start(), assume=assume)
        assert 12 == len(run.plan.calls)
        disturbed(run, random.Random(f"{part} {number}"))
        run.carry_out()
        run.door.meddle = lambda name: None
        run.carry_out()
        run.plan_again()
        assert run.carry_out().complete, assume
        assert [] == run.left(), assume
        assert [] == moved_undeclared(run.door.world, assume), assume


def moved_undeclared(after: World, assume: Mapping[str, str]) -> list[str]:
    """Return the devices whose undeclared data moved although their owner stayed."""
    before = start()
    return [
        name
        for name in ("incomplete", "demote", "promote", "plain", "bystander")
        if after.registrations[name].additional_data.get("theirs")
        != before.registrations[name].additional_data.get("theirs")
        or after.registrations[name].owner != before.registrations[name].owner
    ]
