"""A command that is met in the middle of its work: started, watched, signalled, waited for."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.platform.world import Registration, World
from reconciler.sandbox.serve import RunningSandbox

from . import warm
from .harness import TIMEOUT, Project, Ran

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  # Reads are quick; updates leave one after another, so that there is a middle to meet.
  limits: {get: 1000, update: 25}
applications: {courier: {appCode: code}}
manifests: [devices.yaml]
state: {path: state.db}
"""
PATIENCE = 30.0
COUNT = 40
DEVICES = tuple(f"phone-{number:02d}" for number in range(COUNT))


def manifest(shift: str, devices: tuple[str, ...] = DEVICES) -> str:
    """Return a manifest that declares one key of each device."""
    return (
        "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
        f"defaults: {{additionalData: {{shift: {shift}}}}}\ndevices:\n"
        + "".join(f"  {device}: {{}}\n" for device in devices)
    )


def world() -> World:
    """Return a world of devices that nobody owns and nobody has written yet."""
    return World.of(
        registrations=[Registration(device, "APP") for device in DEVICES],
        applications={"code": "APP"},
    )


@dataclass(frozen=True, slots=True)
class Started:
    """A command at work."""

    command: warm.Piped

    @property
    def pid(self) -> int:
        return self.command.process.pid

    def signal(self, number: signal.Signals) -> None:
        self.command.process.signal(number)

    def ended(self, within: float = TIMEOUT) -> Ran:
        """Return what it answered; it has to end in so many seconds."""
        return Ran(*self.command.rest(within))

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something that the sandbox can tell is so, while the command is at work."""
        end = time.monotonic() + PATIENCE
        while not reached():
            if self.command.process.poll() is not None and not reached():
                raise AssertionError(f"it ended, and never came to that: {self.ended()}")
            assert time.monotonic() < end, "it never came to that"
            time.sleep(0.005)

    def said(self, text: str) -> None:
        """Wait for a line on stderr that holds a text."""
        for line in self.command.stderr:
            if text in line:
                return
        raise AssertionError(f"it ended, and never said {text!r}")


@contextmanager
def started(project: Project, *arguments: str) -> Iterator[Started]:
    """Start `reconciler` with these arguments; it does not outlive the block."""
    with warm.piped(arguments, project.root, project.environment()) as command:
        yield Started(command)


def written(sandbox: RunningSandbox) -> list[str]:
    """Return the devices that writes were carried out on, once for each write."""
    return [call.path.rpartition("/")[2] for call in sandbox.calls() if call.done]


def hits(sandbox: RunningSandbox) -> int:
    """Return how often a fault hit."""
    return sum(fault.hit for fault in sandbox.faults())


def leases(project: Project) -> int:
    """Return how many locks stand in the state's file: those of the dead too."""
    with contextlib.closing(sqlite3.connect(project.root / "state.db")) as file:
        return int(file.execute("SELECT count(*) FROM lease").fetchone()[0])
