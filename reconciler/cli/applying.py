"""Apply as a list of calls: plan or saved plan, lease, checks, consent, carry out, report."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.api.service import Service
from reconciler.apply.executor import carry_out
from reconciler.core.failures import StateError
from reconciler.core.record import Record
from reconciler.core.report import Report
from reconciler.diff.selection import Selection
from reconciler.plan.consent import consented
from reconciler.plan.model import Plan
from reconciler.state.lease import Holder, Lease
from reconciler.state.protocols import State

from .allowance import require_short
from .checking import Loaded
from .chosen import require_known
from .connection import Connection, opened
from .consent import ask, require_justified
from .earlier import at, tell_going_on, tell_unfinished
from .endings import Bounds, StoppedNow, completed, wound_up
from .exits import ExitCode, Midway, Stop
from .holders import holder, their_run
from .options import Options
from .progress import progress, shows_bars
from .rescue import keep_unwritten
from .saved import read_plan
from .showing import show
from .stages import (
    Wishes,
    connection,
    explained,
    make_plan,
    open_record,
)
from .states import Places, open_state
from .stopped import Heard, report_of
from .streams import blank, say, write


@dataclass(frozen=True, slots=True)
class Terms:
    """What the arguments say of how to apply; `patience` is how long to wait for the lease.

    `selection` is for a plan that is made now; a saved one was made with its own. `max_duration`
    is how many seconds a forecast may say, None: any.
    """

    accepted: Mapping[str, int]
    bounds: Bounds
    patience: float = 0.0
    yes: bool = False
    selection: Selection = field(default_factory=Selection)
    max_duration: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a plan; `finished` when an earlier run had left nothing to do."""

    plan: Plan
    report: Report
    finished: bool = False


def apply_saved(options: Options, loaded: Loaded, file: Path, terms: Terms) -> Ended:
    """Carry out a saved plan, if the files and the record still justify all of it."""
    plan = read_plan(file, ExitCode.REFUSED)
    bounds = terms.bounds
    _warn_of_forgetting(options, loaded)
    with explained(options, loaded.root), _record_of(options, loaded) as state:
        if _is_finished(options, plan, state):
            return Ended(plan, Report(plan.id, (), 0.0), finished=True)
        with leased(options, state, terms) as lease:
            # Whoever had the lease may have been at this very plan.
            if _is_finished(options, plan, state):
                return Ended(plan, Report(plan.id, (), 0.0), finished=True)
            record = state.read()
            done = state.journal.done(plan.id)
            consents = consented(loaded.consents, plan.changes, plan.calls)
            accepted = consents | terms.accepted.items()
            require_justified(plan, loaded, record, accepted, done)
            link = connection(loaded, record)
            require_short(plan, loaded, link, terms.max_duration, done)
            tell_going_on(options, plan, state)
            with opened(link, bounds.gate) as run:
                report = _carry_out(options, plan, loaded, record, link, run, state, lease, bounds)
                return Ended(plan, report)


def apply_fresh(options: Options, loaded: Loaded, terms: Terms) -> Ended:
    """Plan, show, ask, and carry out what was shown, under one lease."""
    bounds = terms.bounds
    _warn_of_forgetting(options, loaded)
    with (
        explained(options, loaded.root),
        open_record(options, loaded) as state,
        leased(options, state, terms) as lease,
    ):
        record = state.read()
        require_known(loaded, record, terms.selection)
        link = connection(loaded, record)
        tell_unfinished(options, state, "this one reads what is true now")
        with opened(link, bounds.gate) as run:
            with progress(options) as listen:
                wishes = Wishes(terms.selection, terms.accepted)
                plan = make_plan(loaded, record, wishes, link, run, bounds, listen)
            is_asked = bool(plan.calls or plan.summary.released) and not terms.yes
            if is_asked or not options.quiet:
                # The result on stdout is what was done; this is the question.
                show(plan, "text", options, sys.stderr, fold=not options.verbose)
                blank(options)
            require_justified(plan, loaded, record)
            require_short(plan, loaded, link, terms.max_duration)
            if is_asked:
                ask(options, plan, bounds.deadline)
            report = _carry_out(options, plan, loaded, record, link, run, state, lease, bounds)
            return Ended(plan, report)


def _warn_of_forgetting(options: Options, loaded: Loaded) -> None:
    """Where a pipeline applies, a local record is gone with the runner."""
    is_local = Places(loaded.root, loaded.project.state).is_local
    if is_local and os.environ.get("CI", "").lower() in ("true", "1"):
        say(
            options,
            "warning",
            "The record is a local file, and a CI runner forgets it.",
            fix="Share it: reconciler state migrate --to URL (s3://, gs://, az://, https://, "
            "postgres://).",
        )


def _record_of(options: Options, loaded: Loaded) -> State:
    places = Places(loaded.root, loaded.project.state)
    if places.is_local and not places.path.exists():
        raise Stop(
            ExitCode.REFUSED,
            "The plan was made with a record that is not here.",
            f"Keep {os.path.relpath(places.path, options.origin)} from the run that planned to the "
            "one that applies; or share the record (state of the project file).",
        )
    return open_state(options, loaded.root, loaded.project.state, create=False)


def _is_finished(options: Options, plan: Plan, state: State) -> bool:
    finished = state.journal.finished(plan.id)
    if finished is not None:
        what = f"This plan was applied at {at(finished)}; there is nothing left to do."
        say(options, "info", what)
    return finished is not None


@contextmanager
def leased(options: Options, state: State, terms: Terms) -> Iterator[Lease]:
    """Take the lease, waiting for it if that is wished, and give it back whatever happens."""

    def waiting(other: Holder) -> None:
        say(
            options,
            "info",
            f"Waiting for the lease: {other.who} on {other.host} (process {other.pid}) has it "
            f"since {at(other.since)}.{their_run(other)}",
        )

    left = terms.bounds.deadline.left()
    patience = terms.patience if left is None else min(left, terms.patience)
    with ExitStack() as held:
        taken = state.lease(holder(), patience=patience, waiting=waiting)
        lease = held.enter_context(taken)
        try:
            yield lease
        finally:
            # A signal now must not keep the next run waiting for a lease that nobody has.
            terms.bounds.signals.ignore()
            held.close()


def _carry_out(
    options: Options,
    plan: Plan,
    loaded: Loaded,
    record: Record,
    link: Connection,
    run: tuple[asyncio.Runner, Service],
    state: State,
    lease: Lease,
    bounds: Bounds,
) -> Report:
    runner, service = run

    def interrupted() -> None:
        if sys.stderr.isatty() and not shows_bars(options):
            # Not behind the ^C that the terminal shows.
            write(sys.stderr, "\n")
        what = "Interrupted: finishing the calls that are on their way; a second Ctrl-C stops now."
        say(options, "warning", what, event="interrupted")

    journal = state.journal_under(lease)
    heard: Heard | None = None
    try:
        with progress(options) as listen:
            heard = Heard(listen)
            service.tell(heard)
            work = carry_out(
                plan,
                loaded.desired,
                record,
                service,
                link.app_codes,
                journal,
                state.records_under(lease),
                lease,
                heard,
                rates=link.rates,
                gate=bounds.gate,
                safety=loaded.project.safety,
            )
            return completed(runner, wound_up(work, bounds, interrupted))
    except StoppedNow:
        say(options, "warning", "Stopped now, without waiting for the calls on their way.")
        # What is still waiting to be written to it.
        journal.close()
        assert heard is not None, "only calls under way are stopped"
        return report_of(plan, heard, state)
    except StateError:
        # Raised before the first call only.
        raise
    except Exception as error:
        raise Midway from error
    finally:
        keep_unwritten(options, loaded, state)
