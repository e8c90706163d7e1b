"""How long apply takes, and how long its plan said: `python -m tests.benchmarks.forecast [CASE]`.

Each case, or those that are named, is planned and applied through the command line, as whole
processes, against a sandbox with each of the latencies: 2,000 calls, reads not counted. Printed are
the forecast of the plan, the seconds that the calls took, their ratio, and the seconds of the whole
process. A ratio beyond 15 % is marked, but for the case without limits: that is this machine's own
pace. Limits beyond the service's are those of the project alone: the sandbox then has none.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.budgets import NO_BUDGETS

from .scale import COURIER, measured, served

LATENCIES: Final = (20, 80, 300)
TOLERANCE: Final = 0.15
APPLICATION: Final = "C0DE0000000000000000000000000001"
PROJECT: Final = (
    NO_BUDGETS
    + """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  limits: LIMITS
applications:
  courier: {appCode: courier-app-code}
manifests: [devices/*.yaml]
"""
)
HEAD: Final = "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Registrations of a world, each with its owner and flag, and the manifest about them."""

    people: int
    owners: Sequence[int]
    flags: Sequence[bool]
    manifest: str


@dataclass(frozen=True, slots=True)
class Case:
    """A fleet and the limits in calls a second; none: the service's own."""

    fleet: Callable[[], Fleet]
    limits: Mapping[str, int] | None = None
    unlimited: bool = False


def device(number: int) -> str:
    return f"{number:08X}-0000-4000-A000-{number:012X}"


def declared(lines: Iterable[str], people: int = 0) -> str:
    named = "".join(
        f'  p{number}: {{externalId: staff-{number}, phoneNumber: "+38591{number:07}"}}\n'
        for number in range(1, people + 1)
    )
    return HEAD + (f"people:\n{named}" if people else "") + "devices:\n" + "".join(lines)


def updates(count: int = 2_000) -> Fleet:
    """A key of each device changes; nobody depends on anybody."""
    lines = [f"  {device(n)}: {{additionalData: {{k: 1}}}}\n" for n in range(count)]
    people = range(1, count + 1)
    return Fleet(count, people, [False] * count, declared(lines))


def primaries() -> Fleet:
    """In each person the flag moves from one device to the other: demote, then promote."""
    owners = [number // 2 + 1 for number in range(2_000)]
    flags = [number % 2 == 0 for number in range(2_000)]
    lines = [
        f"  {device(n)}: {{owner: p{owners[n]}, isPrimary: {str(not flags[n]).lower()}}}\n"
        for n in range(2_000)
    ]
    return Fleet(1_000, owners, flags, declared(lines, 1_000))


def handovers(circle: int, each: int = 1, moved: int = 1_000, more: int = 0) -> Fleet:
    """In circles of so many people, with so many devices each, every device moves to the next
    person and gets a key. `more` devices only get the key."""
    owners, lines = [], []
    for number in range(moved):
        group, place = divmod(number, circle * each)
        owner = place % circle
        first = group * circle + 1
        owners.append(first + owner)
        after = first + (owner + 1) % circle
        lines.append(f"  {device(number)}: {{owner: p{after}, additionalData: {{k: 1}}}}\n")
    people = max(owners)
    for number in range(moved, moved + more):
        owners.append(1)
        lines.append(f"  {device(number)}: {{additionalData: {{k: 1}}}}\n")
    return Fleet(people, owners, [False] * len(owners), declared(lines, people))


def every(rate: int) -> dict[str, int]:
    return dict.fromkeys(("get", "update", "personalize", "depersonalize", "persons"), rate)


CASES: Final[Mapping[str, Case]] = {
    "updates": Case(updates),
    "primaries": Case(primaries),
    "handovers": Case(lambda: handovers(2), every(100)),
    "chains": Case(lambda: handovers(5, each=20), every(200)),
    "few-handovers": Case(lambda: handovers(2, moved=24, more=1_952)),
    "slow-look-ups": Case(lambda: handovers(4), {"persons": 75}),
    "unlimited": Case(updates, every(100_000), unlimited=True),
}


def world(fleet: Fleet) -> dict[str, Any]:
    people = [
        {"id": n, "externalId": f"staff-{n}", "phoneNumbers": [f"38591{n:07}"]}
        for n in range(1, fleet.people + 1)
    ]
    registrations = [
        {
            "registrationId": device(number),
            "applicationId": APPLICATION,
            "owner": owner,
            "isPrimary": flag,
            "additionalData": {"theirs": 1},
        }
        for number, (owner, flag) in enumerate(zip(fleet.owners, fleet.flags, strict=True))
    ]
    return {
        "applications": {COURIER: APPLICATION},
        "people": people,
        "registrations": registrations,
    }


def report(name: str, case: Case, latency: int) -> bool:
    """Plan, apply, print a line; return whether the forecast was near enough."""
    fleet = case.fleet()
    limits = json.dumps(dict(case.limits or {})).replace('"', "")
    options = ["--latency", str(latency), *(["--no-limits"] if case.limits else [])]
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        (directory / "devices").mkdir()
        (directory / "reconciler.yaml").write_text(PROJECT.replace("LIMITS", limits))
        (directory / "devices/all.yaml").write_text(fleet.manifest)
        (directory / "world.json").write_text(json.dumps(world(fleet)))
        with served("--world", str(directory / "world.json"), *options) as url:
            measured(["--quiet", "plan", "-o", "plan.json"], directory, url)
            cost = measured(
                ["--quiet", "apply", "plan.json", "--report", "report.json"], directory, url
            )
        plan = json.loads((directory / "plan.json").read_bytes())
        took = json.loads((directory / "report.json").read_bytes())["seconds"]
    said, chain = plan["forecast"]["seconds"], plan["forecast"]["chain"]
    ratio = said / took
    near = abs(ratio - 1) <= TOLERANCE or case.unlimited
    sys.stdout.write(
        f"{name:14} {latency:>4} ms  read by {plan['reads']['strategy']:6}  "
        f"answer {plan['forecast']['latencySeconds'] * 1000:5.1f} ms  "
        f"{len(plan['calls']):>5,} calls  chain {chain:>4}  forecast {said:6.1f} s  "
        f"calls took {took:6.1f} s  ratio {ratio:.3f}  process {cost.seconds:6.1f} s  "
        f"{cost.cpu:4.1f} s CPU  exit {cost.exit}{'' if near else '  BEYOND 15 %'}\n"
    )
    sys.stdout.flush()
    return near


def main(arguments: Sequence[str]) -> int:
    """Run the cases that are named, or all; 1 if a forecast was too far off."""
    near = [
        report(name, case, latency)
        for name, case in CASES.items()
        if not arguments or name in arguments
        for latency in LATENCIES
    ]
    return 0 if all(near) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
