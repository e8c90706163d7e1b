"""What a plan costs as the fleet grows: `python -m tests.benchmarks.scale [DEVICES ...]`.

For each size, in ten files: `validate` and `plan` as whole processes, their wall clock, their CPU
and their peak memory, and what one device costs. The sandbox runs in a process of its own, without
limits; the largest fleet declares fields only, the others owners too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.core.identity import IdentityKind
from reconciler.platform.world import Registration, World
from reconciler.sandbox.fleet import fleet

ROOT: Final = Path(__file__).resolve().parent.parent.parent
SIZES: Final = (1_000, 10_000, 100_000)
FILES: Final = 10
LARGEST_WITH_OWNERS: Final = 10_000
# What validate may cost as a whole process: seconds, and megabytes.
BUDGETS: Final = {10_000: (1.0, None), 100_000: (6.0, 400.0)}
COURIER: Final = "courier-app-code"
UNLIMITED: Final = 100_000
PROJECT: Final = f"""\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${{SANDBOX_URL}}
  auth: {{apiKey: "${{SANDBOX_KEY}}"}}
  limits: {{get: {UNLIMITED}, update: {UNLIMITED}, persons: {UNLIMITED}}}
  quotaShare: 1
applications:
  courier: {{appCode: {COURIER}}}
manifests: [devices/*.yaml]
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took."""

    exit: int
    seconds: float
    cpu: float
    megabytes: float


def measured(arguments: Sequence[str], directory: Path, url: str = "") -> Cost:
    """Run `reconciler` to its end; its output goes nowhere, but for what went wrong."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(directory),
        "PYTHONPATH": str(ROOT),
        "SANDBOX_URL": url,
        "SANDBOX_KEY": "benchmark",
        "NO_COLOR": "1",
    }
    command = [sys.executable, "-m", "reconciler", *arguments]
    start = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        if process.returncode:
            said.seek(0)
            sys.stderr.write(said.read().decode("utf-8", "replace")[-2000:])
    # ru_maxrss counts kilobytes on Linux.
    return Cost(
        process.returncode, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    )


def sandbox(people: int, *options: str) -> AbstractContextManager[str]:
    """Serve a generated world in a process of its own, with more options of the command."""
    return served("--people", str(people), *options)


@contextmanager
def served(*options: str) -> Iterator[str]:
    """Serve what the options say in a process of its own."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "reconciler", "sandbox"),
            *("--port", "0", *options),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = next(
            word.rstrip(".,")
            for line in process.stdout
            for word in line.split()
            if word.startswith("http://127.0.0.1:")
        )
        yield url
    finally:
        process.terminate()
        process.wait(30)


def declared(world: World, devices: int) -> list[Registration]:
    """Return that many registrations of the courier's app."""
    application = world.applications[COURIER]
    found: list[Registration] = []
    for registration in world.registrations.values():
        if registration.application_id == application:
            found.append(registration)
            if len(found) == devices:
                break
    return found


def write_project(directory: Path, world: World, devices: int) -> None:
    """Declare devices in ten files; one in ten differs from what the world holds."""
    registrations = declared(world, devices)
    assert len(registrations) == devices
    (directory / "devices").mkdir()
    (directory / "reconciler.yaml").write_text(PROJECT)
    share = (devices + FILES - 1) // FILES
    for number in range(FILES):
        chunk = registrations[number * share : (number + 1) * share]
        owners = devices <= LARGEST_WITH_OWNERS
        text = "".join(_document(world, chunk, owners))
        (directory / f"devices/{number:02}.yaml").write_text(text)


def _document(world: World, chunk: Sequence[Registration], owners: bool) -> Iterator[str]:
    yield "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
    yield "defaults:\n  registrationEnabled: true\ndevices:\n"
    for number, registration in enumerate(chunk):
        yield f"  {registration.id}:\n    label: Device {number}\n"
        person = world.owner(registration)
        if owners and person is not None and person.external_id is not None:
            external = person.texts(IdentityKind.EXTERNAL_ID)[0]
            phone = person.texts(IdentityKind.PHONE_NUMBER)[0]
            yield f'    owner: {{externalId: {external}, phoneNumber: "+{phone}"}}\n'
        yield f"    isPrimary: {'true' if registration.is_primary else 'false'}\n"
        data = dict(registration.additional_data)
        if number % 10 == 0:
            data["maxParcels"] = 99
        yield "    additionalData:\n"
        for key, value in data.items():
            yield f"      {key}: {value}\n"


def report(devices: int) -> None:
    """Measure one size and print its lines."""
    people = devices + devices // 2 + 100
    world = fleet(people)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_project(directory, world, devices)
        reads = "with owners" if devices <= LARGEST_WITH_OWNERS else "fields only"
        show("validate", devices, measured(["validate"], directory))
        with sandbox(people, "--no-limits") as url:
            cost = measured(["plan", "-o", "plan.json", "--format", "json"], directory, url)
        show("plan", devices, cost, reads)


def show(what: str, devices: int, cost: Cost, reads: str = "") -> None:
    each = cost.seconds / devices * 1e6
    line = (
        f"{what:9}{devices:>8,} devices  {cost.seconds:8.2f} s  {cost.cpu:8.2f} s CPU  "
        f"{cost.megabytes:7.0f} MB  {each:8.0f} µs/device  exit {cost.exit}  {reads}"
    )
    seconds, megabytes = BUDGETS.get(devices, (None, None)) if what == "validate" else (None, None)
    if (seconds and cost.seconds > seconds) or (megabytes and cost.megabytes > megabytes):
        line += "  over budget"
    sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    """Measure the given sizes, or all."""
    for devices in [int(argument) for argument in arguments] or SIZES:
        report(devices)


if __name__ == "__main__":
    main(sys.argv[1:])
