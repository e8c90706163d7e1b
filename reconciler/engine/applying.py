"""Apply a plan: under the lock of the state, checked against the files, carried out, reported.

A prepared apply holds the lock and a plan; in between somebody can be shown the plan and asked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from reconciler.apply.executor import execute_plan
from reconciler.apply.justification import refusal_reasons
from reconciler.core.failures import StateError
from reconciler.core.record import Record
from reconciler.core.report import Report
from reconciler.plan.consent import consented, unaccepted
from reconciler.plan.forecast import forecast, lookups_of
from reconciler.plan.model import Plan
from reconciler.state.lease import Lease
from reconciler.state.protocols import State

from .cancellation import Cancellation, CutOff, write_until_cancelled
from .connection import ServiceSession, open_service
from .errors import (
    EngineError,
    FailedMidway,
    Refused,
    StateOfPlanMissing,
    TooLong,
    typed_endings,
)
from .events import (
    AlreadyApplied,
    Listener,
    LocalStateInPipeline,
    PlanResumed,
    PlanResumedElsewhere,
    StateNotWritten,
    StoppedAtOnce,
    StoppingSoon,
)
from .holder import current_holder
from .interrupted_report import EventRecorder, report_cut_off
from .output_files import save_private
from .planning import (
    PlanRequest,
    connect,
    make_plan,
    open_project_state,
    report_unfinished,
)
from .project_files import ProjectFiles
from .selection import require_known_targets
from .state_access import UNWRITTEN_RECORD, StateLocation, open_state
from .state_lock import locked

_MOST_REASONS: Final = 10
# An answer that took longer than an attempt may is none that was measured.
_SLOWEST: Final = 300.0


@dataclass(frozen=True, slots=True)
class ApplyTerms:
    """What an apply may do.

    accepted: overrides of guards, by name with the very count.
    lock_timeout: seconds to wait for the lock of the state.
    max_duration: seconds that the forecast may say, None: any.
    """

    accepted: Mapping[str, int] = field(default_factory=dict)
    lock_timeout: float = 0.0
    max_duration: float | None = None


@dataclass(frozen=True, slots=True)
class _Open:
    """What is open while a prepared apply waits: the state under its lock, and the service."""

    state: State
    lease: Lease
    record: Record
    session: ServiceSession
    is_saved: bool


class PreparedApply:
    """A plan, and the lock under which it may be carried out; valid inside of its block.

    `finished`: an earlier run has carried it out whole, at that moment, and nothing is left to do.
    """

    def __init__(
        self,
        plan: Plan,
        files: ProjectFiles,
        terms: ApplyTerms,
        cancellation: Cancellation,
        listen: Listener,
        *,
        open_: _Open | None = None,
        finished: datetime | None = None,
    ) -> None:
        self.plan = plan
        self.finished = finished
        self._files = files
        self._terms = terms
        self._cancellation = cancellation
        self._listen = listen
        self._open = open_
        self._is_allowed = False

    @property
    def has_effects(self) -> bool:
        """Whether carrying it out makes a call, or forgets a device."""
        return bool(self.plan.calls or self.plan.summary.released)

    def require_allowed(self) -> None:
        """Raise Refused unless files and state justify all of it, and it is not too long."""
        opened, plan = self._open, self.plan
        if opened is None or self._is_allowed:
            return
        done: frozenset[str] = frozenset()
        if opened.is_saved:
            # It was held against the files before anything was asked of the service.
            done = opened.state.journal.done(plan.id)
        else:
            require_justified(plan, self._files, opened.record)
        limit = self._terms.max_duration
        require_short(plan, self._files, opened.session, limit, done)
        self._is_allowed = True

    def carry_out(self) -> Report:
        """Make the calls, and report what became of each.

        Raises Refused, StateError and ApiError before the first call; FailedMidway after it.
        """
        opened = self._open
        if opened is None:
            return Report(self.plan.id, (), 0.0)
        with typed_endings(self._files.root):
            self.require_allowed()
            if opened.is_saved:
                _report_resumed(self.plan, opened.state, self._listen)
            return _carry_out(self.plan, self._files, opened, self._cancellation, self._listen)


@contextmanager
def prepare_new(
    files: ProjectFiles,
    environ: Mapping[str, str],
    request: PlanRequest,
    terms: ApplyTerms,
    cancellation: Cancellation,
    listen: Listener,
) -> Iterator[PreparedApply]:
    """Lock the state, and make a plan that can be carried out in the block."""
    _report_local_state(files, environ, listen)
    with (
        typed_endings(files.root),
        open_project_state(files, environ, listen) as state,
        locked(state, environ, terms.lock_timeout, cancellation, listen) as lease,
    ):
        record = state.read()
        require_known_targets(files, record, request.selection)
        connection = connect(files, record, environ)
        report_unfinished(state, listen)
        with open_service(connection, cancellation) as session:
            plan = make_plan(files, record, request, session, listen)
            opened = _Open(state, lease, record, session, is_saved=False)
            yield PreparedApply(plan, files, terms, cancellation, listen, open_=opened)


@contextmanager
def prepare_saved(
    files: ProjectFiles,
    environ: Mapping[str, str],
    plan: Plan,
    terms: ApplyTerms,
    cancellation: Cancellation,
    listen: Listener,
) -> Iterator[PreparedApply]:
    """Lock the state for a plan that was made before; one that is finished needs no lock."""

    def finished_apply(state: State) -> PreparedApply | None:
        finished = state.journal.finished(plan.id)
        if finished is None:
            return None
        listen(AlreadyApplied(plan.id, finished))
        return PreparedApply(plan, files, terms, cancellation, listen, finished=finished)

    _report_local_state(files, environ, listen)
    with typed_endings(files.root), _state_of_plan(files, environ) as state:
        if (prepared := finished_apply(state)) is not None:
            yield prepared
            return
        with locked(state, environ, terms.lock_timeout, cancellation, listen) as lease:
            # Whoever had the lock may have been at this very plan.
            if (prepared := finished_apply(state)) is not None:
                yield prepared
                return
            record = state.read()
            done = state.journal.done(plan.id)
            given = consented(files.consents, plan.changes, plan.calls)
            # Before anything is asked of the environment or the service.
            require_justified(plan, files, record, given | terms.accepted.items(), done)
            connection = connect(files, record, environ)
            with open_service(connection, cancellation) as session:
                opened = _Open(state, lease, record, session, is_saved=True)
                yield PreparedApply(plan, files, terms, cancellation, listen, open_=opened)


def require_justified(
    plan: Plan,
    files: ProjectFiles,
    record: Record,
    accepted: Collection[tuple[str, int]] = (),
    done: frozenset[str] = frozenset(),
) -> None:
    """Raise Refused unless files and state justify the plan.

    `accepted` are guards with the counts that somebody overrides; `done`: calls of an earlier run.
    """
    refused = unaccepted(plan.refusals, accepted)
    overridden = {
        f"{refusal.guard}: {refusal.message}" for refusal in plan.refusals if refusal not in refused
    }
    reasons = [
        reason
        for reason in refusal_reasons(plan, files.desired, record, files.project, done)
        if reason not in overridden
    ]
    if not reasons:
        return
    more = [f"and {len(reasons) - _MOST_REASONS:,} more"] if len(reasons) > _MOST_REASONS else []
    raise Refused(
        "\n  ".join(("Refused, nothing was changed:", *reasons[:_MOST_REASONS], *more)),
        "; ".join(refusal.fix for refusal in refused)
        or "Make the plan again, review it, and apply that one.",
        reasons,
    )


def require_short(
    plan: Plan,
    files: ProjectFiles,
    session: ServiceSession,
    limit: float | None,
    done: Collection[str] = frozenset(),
) -> None:
    """Raise TooLong if the calls of a plan that are not `done` take longer than `limit` seconds.

    Of the document only the latency is taken, which nothing here can tell: how long these calls
    take under the limits and the share of this project is computed anew.
    """
    if limit is None:
        return
    measured = plan.forecast.latency_seconds
    latency = measured if 0.0 < measured <= _SLOWEST else None
    lookups = lookups_of(plan.calls, plan.changes, files.desired)
    foretold = forecast(plan.calls, lookups, session.connection.rates, latency, done)
    if foretold.seconds > limit:
        raise TooLong(foretold, limit, len(done))


def _report_local_state(files: ProjectFiles, environ: Mapping[str, str], listen: Listener) -> None:
    """Where a pipeline applies, a local state is gone with the runner."""
    is_local = StateLocation(files.root, files.project.state, environ).is_local
    if is_local and environ.get("CI", "").lower() in ("true", "1"):
        listen(LocalStateInPipeline())


def _state_of_plan(files: ProjectFiles, environ: Mapping[str, str]) -> State:
    location = StateLocation(files.root, files.project.state, environ)
    if location.is_local and not location.path.exists():
        raise StateOfPlanMissing(location.path)
    return open_state(location, current_holder(environ), create=False).state


def _report_resumed(plan: Plan, state: State, listen: Listener) -> None:
    """Report how far an earlier run of this plan came, or another one."""
    journal = state.journal
    elsewhere = journal.elsewhere(plan.id)
    if elsewhere is not None:
        listen(PlanResumedElsewhere(plan.id, elsewhere))
        return
    applied, unsettled = len(journal.done(plan.id)), len(journal.unsettled(plan.id))
    if applied or unsettled:
        listen(PlanResumed(plan.id, applied, unsettled, len(plan.calls)))
    else:
        report_unfinished(state, listen)


def _carry_out(
    plan: Plan,
    files: ProjectFiles,
    opened: _Open,
    cancellation: Cancellation,
    listen: Listener,
) -> Report:
    state, session = opened.state, opened.session
    journal = state.journal_under(opened.lease)
    recorder = EventRecorder(listen)
    session.service.report_to(recorder)
    try:
        work = execute_plan(
            plan,
            files.desired,
            opened.record,
            session.service,
            session.connection.app_codes,
            journal,
            state.records_under(opened.lease),
            opened.lease,
            recorder,
            rates=session.connection.rates,
            breaker=cancellation.breaker,
            safety=files.project.safety,
            privacy=files.project.privacy,
        )
        return session.loop.run(
            write_until_cancelled(work, cancellation, lambda: listen(StoppingSoon()))
        )
    except CutOff:
        listen(StoppedAtOnce())
        # What is still waiting to be written to it.
        journal.close()
        return report_cut_off(plan, recorder, state)
    except StateError:
        # Raised before the first call only.
        raise
    except Exception as error:
        raise FailedMidway from error
    finally:
        _keep_unwritten(files, state, listen)


def _keep_unwritten(files: ProjectFiles, state: State, listen: Listener) -> None:
    """Save what the state should be beside the project, if it could not be written."""
    document = state.unwritten()
    if document is None:
        return
    file = files.root / UNWRITTEN_RECORD
    try:
        with contextlib.suppress(OSError):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        save_private(file, document)
    except EngineError as error:
        listen(StateNotWritten(state.where, None, error.message))
        return
    listen(StateNotWritten(state.where, file))
