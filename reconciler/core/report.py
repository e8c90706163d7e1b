"""What an apply did: one row for each planned call, adopted and released device; the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of an operation.

    adopted: as declared, and the state learned of it · released: forgotten by the state · stale:
    the registration moved since the plan, nothing was sent · stored-otherwise: done, and the answer
    shows other values than were sent · skipped: what it needs failed ·
    unknown: sent, and nobody knows · not-tried: the run ended before its turn.
    """

    APPLIED = "applied"
    ADOPTED = "adopted"
    RELEASED = "released"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STALE = "stale"
    STORED_OTHERWISE = "stored-otherwise"
    SKIPPED = "skipped"
    NOT_TRIED = "not-tried"

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to do."""
        return self in (Outcome.APPLIED, Outcome.ADOPTED, Outcome.RELEASED)


@dataclass(frozen=True, slots=True)
class Row:
    """One call, or a device for which there is none: its operation is "adopt" or "release".

    `truth` is what is true at the service now: "done", "not done" or "unknown". `detail` says
    status, the service's text and attempts of a failure, or which field moved; no personal data.
    """

    device: str
    application: str
    label: str | None
    outcome: Outcome
    call: str | None = None
    operation: str | None = None
    method: str | None = None
    path: str | None = None
    attempts: int = 0
    truth: str = "done"
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`plan` is the plan's id. Complete when nothing failed, is unknown, stale, skipped or left.

    `stopped` says why the run ended early, or could not keep its state; no personal data.
    """

    plan: str
    rows: tuple[Row, ...]
    seconds: float
    interrupted: bool = False
    stopped: str | None = None

    @property
    def counts(self) -> Mapping[Outcome, int]:
        return Counter(row.outcome for row in self.rows)

    @property
    def complete(self) -> bool:
        return self.stopped is None and all(row.outcome.is_good for row in self.rows)

    @property
    def changed(self) -> bool:
        """Whether this run changed anything at the service or in the state, or may have.

        A call that an earlier run of the plan made has no attempts here.
        """
        return any(
            row.outcome in (Outcome.UNKNOWN, Outcome.STORED_OTHERWISE)
            or (row.outcome.is_good and (row.call is None or row.attempts > 0))
            for row in self.rows
        )
