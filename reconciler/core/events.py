"""What a long stage tells while it runs. Stages emit these; only the command line shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` of one kind of work, named by its operation: "get", "persons", "update"."""

    work: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Settled:
    """One operation of an apply has an outcome (its word: applied, failed, stale, ...).

    `truth`, `attempts` and `detail` are those of its row in the report.
    """

    call: str
    device: str
    outcome: str
    truth: str
    attempts: int = 0
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Intended:
    """The intent of a call is on disk, and it is sent next. `left` counts how often it has left
    for the service so far, whenever it is asked."""

    call: str
    left: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Pausing:
    """A call waits so many seconds before its next attempt. `why` is what the last one met."""

    operation: str
    seconds: float
    attempts: int
    why: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """It was decided how live state is read. `strategy` is points, sweep or sweep+points, `people`
    how many there are (None: the service did not say), the seconds are what either would take.
    `forced` when the user said so.
    """

    strategy: str
    people: int | None
    points_seconds: float
    sweep_seconds: float
    forced: bool = False


@dataclass(frozen=True, slots=True)
class MatchRefused:
    """The service does not say whose many identities are at once (`match`): from now on in this
    run each is looked up by itself (`persons`). `why` is what the call met."""

    why: str


Event = Progress | Settled | Intended | Pausing | Weighed | MatchRefused
Listener = Callable[[Event], None]


def nobody_listens(event: Event) -> None:
    """The listener for when no progress is shown."""
