"""Who owns what, by the hundred: `python -m tests.benchmarks.match [HANDOVERS ...]`.

For each number (300 and 2,000): so many devices go from one person to another, under the default
limits, as a whole process; printed are its seconds beside the forecast, the calls of each kind, and
how many were refused with 429. Then a plan of 500 owned devices among 100,000 people. Each is done
in the old way as well, people one by one, by a sandbox that refuses match; of the handovers only
the first number, for the others take a quarter of an hour.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.platform.world import Person, Registration, World
from reconciler.platform.worldfile import encode_world
from reconciler.sandbox.fleet import fleet

from .pace import calls
from .reads import LIMITED, plan, said
from .reads import write_project as write_owned
from .scale import PROJECT, UNLIMITED, measured, sandbox, served

HANDOVERS: Final = (300, 2_000)
DEVICES: Final = 500
PEOPLE: Final = 100_000
LATENCY: Final = 80
UNLIMITED_LIMITS: Final = f"{{get: {UNLIMITED}, update: {UNLIMITED}, persons: {UNLIMITED}}}"
BY_DEFAULT: Final = PROJECT.replace(UNLIMITED_LIMITS, "{}").replace("Share: 1", "Share: 0.8")
REFUSED: Final = ("--fault", "match:403")
BUDGETS: Final = "safety: {budgets: {owner-change: 100%}}\n"


def world(handovers: int) -> World:
    """Return a world in which as many people own a device each as own none."""
    people = [
        Person(
            number,
            frozenset({IdentityValue.of(IdentityKind.EXTERNAL_ID, f"person-{number}")}),
        )
        for number in range(1, 2 * handovers + 1)
    ]
    registrations = [
        Registration(f"00000000-0000-4000-A000-{number:012}", "APP-1", number)
        for number in range(1, handovers + 1)
    ]
    return World.of(people, registrations, {"courier-app-code": "APP-1"})


def write_project(directory: Path, start: World) -> None:
    """Declare each device as somebody's who owns none."""
    devices = len(start.registrations)
    lines = [
        f"  {id_}: {{owner: {{externalId: person-{devices + place}}}}}\n"
        for place, id_ in enumerate(sorted(start.registrations), 1)
    ]
    (directory / "devices").mkdir()
    (directory / "devices/all.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\ndevices:\n"
        + "".join(lines)
    )
    (directory / "world.json").write_bytes(encode_world(start))


def hand_over(handovers: int, way: str, *flags: str) -> None:
    """Plan and apply under the default limits, and print a line."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_project(directory, world(handovers))
        distance = ("--world", str(directory / "world.json"), "--latency", str(LATENCY))
        (directory / "reconciler.yaml").write_text(BY_DEFAULT + BUDGETS)
        with served(*distance, *flags) as url:
            assert not measured(["plan", "-o", "plan.json"], directory, url).exit
            forecast = json.loads((directory / "plan.json").read_bytes())["forecast"]["seconds"]
        with served(*distance, *flags) as url:
            cost = measured(["apply", "plan.json"], directory, url)
            made = calls(url)
    kinds = Counter(call["operation"] for call in made)
    refused = sum(call["status"] == 429 for call in made)
    starts = [call["start"] for call in made]
    took = max(call["end"] for call in made) - min(starts)
    show(
        f"{handovers:>6,} handovers  {way:10}  {cost.seconds:6.1f} s  calls {took:6.1f} s of "
        f"{forecast:6.1f} s foretold ({took / forecast - 1:+.1%})  "
        f"{', '.join(f'{count:,} {kind}' for kind, count in sorted(kinds.items()))}  "
        f"{refused} refused with 429  exit {cost.exit}"
    )


def plan_owned(way: str, *flags: str) -> None:
    """Plan a fleet that is as declared, and print a line."""
    with tempfile.TemporaryDirectory() as name, sandbox(PEOPLE, *flags) as url:
        directory = Path(name)
        write_owned(directory, fleet(PEOPLE), DEVICES, LIMITED, DEVICES)
        cost, reads = plan(directory, url)
    show(
        f"plan of {DEVICES} among {PEOPLE:,} people  {way:10}  {cost.seconds:6.1f} s  {said(reads)}"
    )


def show(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    """Measure the given numbers of handovers, or the usual ones, and the plan."""
    numbers = [int(argument) for argument in arguments] or list(HANDOVERS)
    for number in numbers:
        hand_over(number, "by match")
    hand_over(numbers[0], "one by one", *REFUSED)
    plan_owned("by match")
    plan_owned("one by one", *REFUSED)


if __name__ == "__main__":
    main(sys.argv[1:])
