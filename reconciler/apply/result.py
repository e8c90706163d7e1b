"""What became of one call."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.report import Outcome

from .stored import StoredValue


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome, and `truth`: what holds at the service now ("done", "not done", "unknown").

    `application_id` is what the read before the call showed, if there was one; `stop` says why no
    further call of the run may be made, if that is so. `stored` has the fields that the service
    stored otherwise.
    """

    outcome: Outcome
    truth: str
    detail: str | None = None
    attempts: int = 0
    application_id: str | None = None
    stop: str | None = None
    stored: tuple[StoredValue, ...] = ()
