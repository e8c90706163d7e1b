"""What the engine says on the way: one frozen value for each thing worth telling, no text.

A listener gets these and the events of the rooms (`core.events`: progress, pauses, outcomes). It is
called in the thread that does the work, must be quick, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core import events

if TYPE_CHECKING:
    from reconciler.state.lease import Holder


@dataclass(frozen=True, slots=True)
class StateCreated:
    """A local state was not there, and was made."""

    path: Path


@dataclass(frozen=True, slots=True)
class LocalStateInPipeline:
    """A pipeline applies with a state in a local file, which its runner forgets."""


@dataclass(frozen=True, slots=True)
class ApplyRunning:
    """Somebody applies right now, so what is read may still change."""

    holder: Holder


@dataclass(frozen=True, slots=True)
class EarlierRunUnfinished:
    """The last apply, which began at `started`, did not come to its end.

    `applied` of its calls are done, of the `unsettled` nobody knows.
    """

    plan: str
    started: datetime
    applied: int
    unsettled: int


@dataclass(frozen=True, slots=True)
class PlanResumed:
    """An earlier run of this very plan is gone on with: `applied` of `total` calls are done, and
    the outcomes of `unsettled` are read first."""

    plan: str
    applied: int
    unsettled: int
    total: int


@dataclass(frozen=True, slots=True)
class PlanResumedElsewhere:
    """This plan was begun on another machine, at `started`; what was done there is read first."""

    plan: str
    started: datetime


@dataclass(frozen=True, slots=True)
class AlreadyApplied:
    """This plan was carried out whole, at `finished`."""

    plan: str
    finished: datetime


@dataclass(frozen=True, slots=True)
class LockAwaited:
    """The lock of the state is another's, and is waited for."""

    holder: Holder


@dataclass(frozen=True, slots=True)
class ComparedWithCommit:
    """`--since`: the commit that declarations are compared with.

    `is_common` when it is where HEAD and `ref` part, or `ref` itself; `is_named` when it is the
    commit that `ref` names; `is_shallow` when the clone does not show where they part.
    """

    ref: str
    commit: str
    is_common: bool
    is_named: bool
    is_shallow: bool


@dataclass(frozen=True, slots=True)
class NoProjectThen:
    """There was no project file at that commit, so every device is new since then."""

    file: str
    ref: str
    commit: str


@dataclass(frozen=True, slots=True)
class ApplicationUnknown:
    """Devices of the state are of an application that the project no longer has."""

    application: str
    devices: int


@dataclass(frozen=True, slots=True)
class EventsRead:
    """A file of the service's events was read: how many, how many devices of the state they name,
    how many name none, and the numbers of the lines that are no event."""

    events: int
    devices: int
    of_nobody: int
    unreadable_lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoppingSoon:
    """The run was asked to end: calls on their way are finished, no further one is sent."""


@dataclass(frozen=True, slots=True)
class StoppedAtOnce:
    """The run was asked to end twice: calls on their way were cut off."""


@dataclass(frozen=True, slots=True)
class StateNotWritten:
    """The state could not be written at `where`; it was saved to `saved_to`, or `reason` says why
    it could not be."""

    where: str
    saved_to: Path | None
    reason: str = ""


Event = (
    events.Event
    | StateCreated
    | LocalStateInPipeline
    | ApplyRunning
    | EarlierRunUnfinished
    | PlanResumed
    | PlanResumedElsewhere
    | AlreadyApplied
    | LockAwaited
    | ComparedWithCommit
    | NoProjectThen
    | ApplicationUnknown
    | EventsRead
    | StoppingSoon
    | StoppedAtOnce
    | StateNotWritten
)
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener of whoever wants to hear nothing."""
