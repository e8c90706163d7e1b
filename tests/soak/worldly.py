"""Promises about the world: the declared state is reached, and nothing else moves on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.core.fields import same_value
from tests.properties.fleets import Fleet, held, identity
from tests.properties.verdict import missing, moved
from tests.worlds import canonical

from .story import Run, Story

Json = dict[str, Any]


def the_declared_state_is_reached(story: Story) -> Iterator[str]:
    """Two runs after the faults have stopped at most, and then there is nothing to do."""
    check = story.runs[-1]
    yield from missing(check.world, story.case.fleet)
    if check.exit != 0:
        yield f"{check.said} ends with {check.exit}"
    last = next((run for run in reversed(story.runs) if run.applies), None)
    if last is not None and last.exit != 0:
        yield f"the last {last.said} ends with {last.exit}"


def nothing_undeclared_moves(story: Story) -> Iterator[str]:
    """At no time; but for what a plan's warnings name, and what somebody else has set."""
    named: Json = {"warnings": [], "changes": []}
    told: set[str] = set()
    for run in story.runs:
        if run.plan is not None:
            named["warnings"] += run.plan["warnings"]
            named["changes"] += run.plan["changes"]
        theirs = [
            {"code": "rival", "device": device, "fields": sorted(fields)}
            for device, fields in story.rivals(run.ended).items()
        ]
        allowed = {**named, "warnings": [*named["warnings"], *theirs]}
        for what in moved(story.start, run.world, story.case.fleet, allowed):
            if what not in told:
                told.add(what)
                yield f"{what}, by {run.said}"


def holds(call: Json, world: Json, fleet: Fleet) -> bool:
    """Whether what a planned call is for is so in a world."""
    now = canonical(world)
    registration = now["registrations"].get(call["device"])
    if registration is None:
        return False
    owner = now["people"].get(registration["owner"])
    if call["operation"] == "depersonalize":
        return owner is None
    if call["operation"] == "personalize":
        wanted = next(device.owner for device in fleet.devices if device.id == call["device"])
        return owner is not None and identity(fleet.people[str(wanted)]) <= held(owner)
    return all(_is_so(name, value, registration) for name, value in call["body"].items())


def could_be_read(story: Story, call: Json, run: Run) -> bool:
    """Whether a run could read that the goal of a call was reached though nobody had sent it: it
    is so at the end, or a rival changed the device since the plan was begun, perhaps right after
    it was read."""
    begun = min(one.began for one in (run, *story.same_plan(run)))
    rivals = story.rivals(run.ended, since=begun)
    return holds(call, run.world, story.case.fleet) or call["device"] in rivals


def _is_so(name: str, value: Any, registration: Json) -> bool:
    if name == "isPrimary":
        return registration["isPrimary"] is value
    if name == "systemData":
        return registration["registrationEnabled"] is value["registrationEnabled"]
    data = registration["additionalData"]
    return all(
        key not in data if item is None else key in data and same_value(data[key], item)
        for key, item in value.items()
    )
