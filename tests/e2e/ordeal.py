"""The main job on the stub while the wire fails: run one scenario under one schedule, and judge.

Runs in processes of its own, many at a time: what it costs is waiting.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from tests.properties.command import command
from tests.stub import faults
from tests.stub.faults import READS, WRITES, Schedule, no_fault
from tests.stub.server import Logged, Stub
from tests.stub.worldfile import nameless, served, shown
from tests.worlds import changed, identity_values

from .harness import KEY, ROOT, Project, Ran

# Longer than the pause between two calls of a kind, or two at a time would hardly ever be seen.
LATENCY: Final = 0.04
# A hang has to end; and look-ups of people at their usual pace would be most of the time.
SETTINGS: Final = "api:\n  timeout: 1\n  limits: {persons: 50}\n"

BEFORE: Final = faults.lost(after=False)
AFTER: Final = faults.lost(after=True)
SLOW: Final = (
    faults.hang(1.3),
    faults.hang(1.3, after=True),
    faults.hang(0.2, after=True),
    faults.drip(0.3),
    faults.drip(2.0),
)
BUSY: Final = (faults.error(409), faults.html(409), faults.empty(409))
ASKED_TO_WAIT: Final = faults.error(429, "Retry-After: 1")
THROTTLED: Final = (ASKED_TO_WAIT, faults.error(429), faults.html(429), faults.empty(429))
GARBLED: Final = (faults.garbage(), faults.shape(), faults.wrong_type(), faults.html(200))
EVERYTHING: Final = (*BEFORE, *AFTER, *SLOW, *BUSY, *THROTTLED, *GARBLED)

# Given the address of a server that nobody may ask.
SCHEDULES: Final[Mapping[str, Callable[[str], Schedule]]] = MappingProxyType(
    {
        "no answer, not done": lambda url: faults.first_of_each(WRITES, BEFORE),
        "no answer, but done": lambda url: faults.first_of_each(WRITES, AFTER),
        "too slow": lambda url: faults.first_of_each(WRITES, SLOW),
        "every third 503": lambda url: faults.every(3, faults.error(503)),
        "first 409": lambda url: faults.first_of_each(WRITES, BUSY),
        "first 429": lambda url: faults.first_of_each(WRITES, (ASKED_TO_WAIT,)),
        "reads garbled": lambda url: faults.first_of_each(READS, GARBLED),
        # A redirected write is not sent again in the same run; the next one sees to it.
        "redirected 301": lambda url: faults.nth_write(1, faults.redirect(301, url)),
        "redirected 302": lambda url: faults.nth_write(1, faults.redirect(302, url)),
        "redirected 303": lambda url: faults.nth_write(1, faults.redirect(303, url)),
        "redirected 307": lambda url: faults.nth_write(2, faults.redirect(307, url)),
        "redirected 308": lambda url: faults.nth_write(2, faults.redirect(308, url)),
    }
)


def schedule_of(name: str, elsewhere: str) -> Schedule:
    """Return a schedule by its name; "mix N" is the one of the seed N."""
    if name.startswith("mix "):
        return faults.mixed(int(name[4:]), 0.4, EVERYTHING)
    return SCHEDULES[name](elsewhere)


@dataclass
class Ordeal:
    """A project of a scenario, and the stub with its world; nothing has failed yet."""

    project: Project
    stub: Stub
    before: dict[str, Any]
    wanted: dict[str, Any]

    def run(self, *arguments: str) -> Ran:
        """Run a command in this process."""
        return command(self.project.root, self.stub.url, *arguments)

    def is_wanted(self) -> Iterator[str]:
        """Yield every person and registration that is not as after a good day."""
        one, two = nameless(shown(self.stub.world)), nameless(self.wanted)
        for kind in ("people", "registrations"):
            for name in sorted({*one[kind], *two[kind]}):
                is_, should = one[kind].get(name), two[kind].get(name)
                if is_ != should:
                    yield f"{name} is {is_}, not {should}"


@contextmanager
def prepared(scenario: str, root: Path) -> Iterator[Ordeal]:
    """Serve the world of a scenario, with what it applies before; its plan is still to be made."""
    folder = ROOT / "tests" / "scenarios" / scenario
    told = json.loads((folder / "scenario.json").read_text("utf-8"))
    world = served(json.loads((folder / "world.json").read_text("utf-8")))
    with Stub(world, latency=LATENCY) as stub:
        project = Project(root, stub.url)
        project.copy(folder)
        settings = (folder / "reconciler.yaml").read_text("utf-8").replace("api:\n", SETTINGS)
        project.write("reconciler.yaml", settings)
        if (folder / "before").is_dir():
            project.copy(folder / "before", "devices")
            first = command(root, stub.url, "apply", "--yes")
            assert first.exit == 0, first
            stub.world = served(changed(shown(stub.world), told.get("meanwhile", ())))
        project.copy(folder / "devices", "devices")
        stub.forget()
        before, then = shown(stub.world), told["then"]
        wanted = changed(before, then.get("registrations", ()), then.get("people", ()))
        yield Ordeal(project, stub, before, wanted)


def case(scenario: str, schedule: str, directory: str) -> list[str]:
    """Run a scenario under a schedule; return every promise it breaks, in words."""
    with prepared(scenario, Path(directory)) as ordeal, Stub() as elsewhere:
        stub = ordeal.stub
        stub.schedule = schedule_of(schedule, elsewhere.url + "/people/2/persons")
        ran = list(_runs(ordeal))
        stub.schedule = no_fault
        log = list(stub.log)
        again = ordeal.run("plan", "--format", "json", "--detailed-exitcode")
        broken = [
            *_unfinished(ran),
            *ordeal.is_wanted(),
            *(f"at the same time: {overlap}" for overlap in stub.watch.overlaps),
            *repeated(log),
            *(f"asked elsewhere: {call}" for call in elsewhere.calls),
            *_left(again),
            *_shown([*ran, again], {*identity_values(ordeal.before), KEY}),
        ]
        if not any(one.fault for one in log) and not schedule.startswith("mix"):
            broken.append("no call met a fault")
    return [*broken, *_story(ran, log)] if broken else []


def _runs(ordeal: Ordeal) -> Iterator[Ran]:
    """Plan and apply; once more if the first apply says that it is incomplete."""
    for _ in range(2):
        yield ordeal.run("plan", "-o", "plan.json")
        applied = ordeal.run("apply", "plan.json", "--yes")
        yield applied
        if applied.exit != 3:
            return


def _unfinished(ran: list[Ran]) -> Iterator[str]:
    exits = [one.exit for one in ran]
    if exits not in ([0, 0], [0, 3, 0, 0]):
        yield f"exits {exits}"


def repeated(log: list[Logged]) -> Iterator[str]:
    """Yield each write that was sent again though it had been carried out.

    What became of an attempt whose answer was lost can be read, so not even that is an excuse.
    """
    done: set[tuple[str, str]] = set()
    for one in log:
        key = (one.method, one.occasion.target)
        if one.occasion.is_write and key in done:
            yield f"sent again: {' '.join(key)}, call {one.occasion.number}"
        if one.done:
            done.add(key)


def _left(again: Ran) -> Iterator[str]:
    if again.exit != 0 or again.json()["calls"]:
        yield f"a plan afterwards exits {again.exit}: {again.out}{again.err}"


def _shown(ran: list[Ran], hidden: set[str]) -> Iterator[str]:
    everything = "".join(one.out + one.err for one in ran)
    yield from (f"shown: {value}" for value in sorted(hidden) if value in everything)


def _story(ran: list[Ran], log: list[Logged]) -> Iterator[str]:
    for one in log:
        occasion, fault = one.occasion, one.fault
        met = "" if fault is None else f" met {fault.name}{', after' if fault.carried_out else ''}"
        yield f"  {occasion.number} {one.method} {occasion.target} done={one.done}{met}"
    for one_ran in ran:
        yield f"exit {one_ran.exit}\n{one_ran.out}\n{one_ran.err}"
