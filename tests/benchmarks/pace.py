"""How near apply gets to its limits: `python -m tests.benchmarks.pace [UPDATES]`.

For each latency: `apply` of so many updates (3,000) as a whole process against a sandbox that
counts the calls of any trailing second, in a process of its own. Printed are the updates a second
from the first to the last, their ratio to limit x quotaShare, and how many calls were refused.
"""

from __future__ import annotations

import json
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.platform.operations import DEFAULT_LIMITS, Operation
from reconciler.sandbox.fleet import fleet

from .scale import PROJECT, UNLIMITED, declared, measured, sandbox

UPDATES: Final = 3_000
LIMITS: Final = f"{{get: {UNLIMITED}, update: {UNLIMITED}, persons: {UNLIMITED}}}"


@dataclass(frozen=True, slots=True)
class Way:
    """How far the service is, in milliseconds, and which share of its limits is used."""

    latency: int
    jitter: int
    share: float


WAYS: Final = (
    Way(80, 0, 1.0),
    Way(800, 0, 1.0),
    Way(80, 80, 0.8),
    Way(300, 300, 0.8),
    Way(800, 400, 0.8),
)


def write_project(directory: Path, updates: int) -> int:
    """Declare one key of so many devices; return how many people the world has."""
    people = updates + 100
    registrations = declared(fleet(people), updates)
    (directory / "devices").mkdir()
    lines = [f"  {one.id}: {{additionalData: {{pace: 1}}}}\n" for one in registrations]
    (directory / "devices/all.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\ndevices:\n"
        + "".join(lines)
    )
    return people


def calls(url: str) -> list[Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url + "/_sandbox/calls", timeout=60) as answer:
        shown: dict[str, list[Any]] = json.loads(answer.read())
    return shown["calls"]


def report(way: Way, updates: int) -> None:
    """Plan against a service without limits, apply against one with them, and print a line."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        people = write_project(directory, updates)
        (directory / "reconciler.yaml").write_text(PROJECT)
        with sandbox(people, "--no-limits") as url:
            measured(["plan", "-o", "plan.json", "--format", "json"], directory, url)
        limited = PROJECT.replace(LIMITS, "{}").replace("quotaShare: 1", f"quotaShare: {way.share}")
        assert limited.count("limits: {}") == 1
        (directory / "reconciler.yaml").write_text(limited)
        distance = ("--latency", str(way.latency), "--jitter", str(way.jitter))
        with sandbox(people, *distance) as url:
            cost = measured(["apply", "plan.json"], directory, url)
            made = calls(url)
    updated = [call for call in made if call["operation"] == "update" and call["status"] == 200]
    refused = sum(call["status"] == 429 for call in made)
    starts = sorted(call["start"] for call in updated)
    rate = (len(starts) - 1) / (starts[-1] - starts[0])
    most = DEFAULT_LIMITS[Operation.UPDATE] * way.share
    sys.stdout.write(
        f"latency {way.latency:>3} ms  jitter {way.jitter:>3} ms  share {way.share:.1f}  "
        f"{len(updated):>5,} updates  {rate:5.1f}/s of {most:.0f}/s  ratio {rate / most:.3f}  "
        f"{refused} refused  {cost.seconds:5.1f} s  {cost.cpu:4.1f} s CPU  exit {cost.exit}\n"
    )
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    """Measure every way with the given number of updates."""
    updates = int(arguments[0]) if arguments else UPDATES
    for way in WAYS:
        report(way, updates)


if __name__ == "__main__":
    main(sys.argv[1:])
