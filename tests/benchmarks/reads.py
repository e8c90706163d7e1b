"""What reading costs, and whether the right way is chosen: `python -m tests.benchmarks.reads`.

`... reads grid` reads fleets of several sizes among several numbers of people by points, by a sweep
and as the planner likes, as whole `plan` processes against a sandbox with the usual limits, and
says how far the planner's choice is from the best. `... reads large` plans large fleets that are as
declared: 20,000 devices under the limits, a million people and 50 devices, a sweep of 200,000
people for 1,000 devices, and 10,000 and 100,000 devices without limits.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from reconciler.core.identity import IdentityKind
from reconciler.platform.world import Registration, World
from reconciler.sandbox.fleet import fleet

from .scale import COURIER, FILES, Cost, measured, sandbox

# Devices (a third of them, then all, with a declared owner), and people.
GRID: Final = (
    (10, 300),
    (40, 300),
    (40, 3_000),
    (150, 3_000),
    (150, 30_000),
    (240, 60_000),
    # Among so many people these few are read by point. The question how many there are is one call
    # more, which three look-ups feel.
    (10, 60_000),
    (40, 60_000),
)
LIMITED: Final = ""
UNLIMITED: Final = "limits: {get: 100000, update: 100000, persons: 100000}\n  quotaShare: 1"
PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${{SANDBOX_URL}}
  auth: {{apiKey: "${{SANDBOX_KEY}}"}}
  {limits}
applications:
  courier: {{appCode: courier-app-code}}
manifests: [devices/*.yaml]
"""


def owned(world: World, devices: int) -> list[Registration]:
    """Return that many registrations of the courier's app that somebody owns."""
    application = world.applications[COURIER]
    found: list[Registration] = []
    for registration in world.registrations.values():
        person = world.owner(registration)
        if registration.application_id == application and person and person.external_id:
            found.append(registration)
            if len(found) == devices:
                return found
    raise ValueError(f"this world has only {len(found)} owned devices")


def write_project(directory: Path, world: World, devices: int, limits: str, owners: int) -> None:
    """Declare devices as they are; of so many of them the owner too."""
    (directory / "devices").mkdir()
    (directory / "reconciler.yaml").write_text(PROJECT.format(limits=limits))
    registrations = owned(world, devices)
    share = -(-devices // FILES)
    for number in range(FILES):
        chunk = registrations[number * share : (number + 1) * share]
        if chunk:
            lines = _document(world, chunk, max(0, owners - number * share))
            (directory / f"devices/{number:02}.yaml").write_text("".join(lines))


def _document(world: World, chunk: Sequence[Registration], owners: int) -> Iterator[str]:
    yield "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\ndevices:\n"
    for number, registration in enumerate(chunk):
        yield f"  {registration.id}:\n"
        person = world.owner(registration)
        if number < owners and person is not None:
            yield f"    owner: {{externalId: {person.texts(IdentityKind.EXTERNAL_ID)[0]}}}\n"
        yield f"    isPrimary: {str(registration.is_primary).lower()}\n"
        yield f"    registrationEnabled: {str(registration.registration_enabled).lower()}\n"
        yield "    additionalData:\n"
        for key, value in registration.additional_data.items():
            yield f"      {key}: {value}\n"


def plan(directory: Path, url: str, *options: str) -> tuple[Cost, dict[str, Any]]:
    """Plan as a whole process; return what it took, and how it read."""
    arguments = ["--quiet", "plan", "-o", "plan.json", *options]
    cost = measured(arguments, directory, url)
    document = json.loads((directory / "plan.json").read_bytes())
    assert not document["calls"], "it was to be as declared"
    return cost, document["reads"]


def said(reads: dict[str, Any]) -> str:
    calls = reads["calls"]
    counts = "  ".join(f"{calls[kind]:>5,} {kind}" for kind in ("get", "persons", "match"))
    return f"{reads['strategy']:12} {counts}"


def show(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def grid() -> None:
    """Print one line for each size: the seconds of the three, the choice, its distance."""
    worst = 0.0
    for devices, people in GRID:
        world = fleet(people)
        for owners in (devices // 3, devices):
            with tempfile.TemporaryDirectory() as name, sandbox(people) as url:
                directory = Path(name)
                write_project(directory, world, devices, LIMITED, owners)
                took = {
                    choice: plan(directory, url, "--read", choice)
                    for choice in ("points", "sweep", "auto")
                }
            points, sweep, auto = (took[name][0].seconds for name in ("points", "sweep", "auto"))
            away = auto / min(points, sweep) - 1
            worst = max(worst, away)
            show(
                f"{devices:>5} devices {owners:>4} owners {people:>7,} people   "
                f"points {points:6.2f} s  sweep {sweep:6.2f} s  auto {auto:6.2f} s  "
                f"{away:+6.1%}  {said(took['auto'][1])}"
            )
    show(f"worst {worst:+.1%}")


def large() -> None:
    """Print what the large cases take: seconds, megabytes, calls."""
    for title, devices, people, limits, flags, options in (
        ("limits on", 20_000, 20_000, LIMITED, (), ()),
        ("limits on", 50, 1_000_000, LIMITED, (), ()),
        ("a sweep", 1_000, 200_000, UNLIMITED, ("--no-limits",), ("--read", "sweep")),
        ("no limits", 10_000, 10_000, UNLIMITED, ("--no-limits",), ()),
        ("no limits", 100_000, 100_000, UNLIMITED, ("--no-limits",), ()),
    ):
        with tempfile.TemporaryDirectory() as name, sandbox(people, *flags) as url:
            directory = Path(name)
            write_project(directory, fleet(people), devices, limits, devices)
            cost, reads = plan(directory, url, *options)
        show(
            f"{title:10} {devices:>7,} devices {people:>9,} people  {cost.seconds:6.2f} s  "
            f"{cost.cpu:6.2f} s CPU  {cost.megabytes:5.0f} MB  {said(reads)}"
        )


def main(arguments: Sequence[str]) -> None:
    """Run the parts that are named, or both."""
    for name, part in (("grid", grid), ("large", large)):
        if not arguments or name in arguments:
            part()


if __name__ == "__main__":
    main(sys.argv[1:])
