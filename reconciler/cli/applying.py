"""Apply as a list of calls: plan or saved plan, lease, checks, consent, carry out, report."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.api.service import Service
from reconciler.apply.carry_out import carry_out
from reconciler.apply.check import check
from reconciler.core.failures import StateError
from reconciler.core.record import Record
from reconciler.core.report import Report
from reconciler.plan.definition import Plan
from reconciler.state.lease import LocalLease
from reconciler.state.local import LocalState

from .checking import Loaded
from .connection import Connection, opened
from .exits import ExitCode, Midway, Stop
from .options import Options
from .progress import progress
from .saved import read_plan
from .showing import show
from .stages import Wishes, connection, explained, holder, make_plan, open_record, state_path
from .streams import blank, say

_FEW = 10


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a plan; `finished` when an earlier run had left nothing to do."""

    plan: Plan
    report: Report
    finished: bool = False


def apply_saved(options: Options, loaded: Loaded, file: Path, accepted: Mapping[str, int]) -> Ended:
    """Carry out a saved plan, if the files and the record still justify all of it."""
    plan = read_plan(file, ExitCode.REFUSED)
    with explained(options, loaded.root), _record_of(loaded) as state:
        finished = state.journal.finished(plan.id)
        if finished is not None:
            when = finished.strftime("%Y-%m-%d %H:%M:%S %Z")
            say(options, "info", f"This plan was applied at {when}; there is nothing left to do.")
            return Ended(plan, Report(plan.id, (), 0.0), finished=True)
        with state.lease(holder()) as lease:
            record = state.read()
            done = state.journal.done(plan.id)
            _require_justified(plan, loaded, record, accepted, done)
            link = connection(loaded, record)
            with opened(link) as run:
                report = _carry_out(options, plan, loaded, record, link, run, state, lease)
                return Ended(plan, report)


def apply_fresh(
    options: Options, loaded: Loaded, accepted: Mapping[str, int], *, yes: bool
) -> Ended:
    """Plan, show, ask, and carry out what was shown, under one lease."""
    with (
        explained(options, loaded.root),
        open_record(options, loaded) as state,
        state.lease(holder()) as lease,
    ):
        record = state.read()
        link = connection(loaded, record)
        with opened(link) as run:
            with progress(options) as listen:
                plan = make_plan(loaded, record, Wishes((), accepted), link, run, listen)
            is_asked = bool(plan.calls or plan.summary.released) and not yes
            if is_asked or not options.quiet:
                # The result on stdout is what was done; this is the question.
                show(plan, "text", options, sys.stderr, fold=not options.verbose)
                blank(options)
            _require_justified(plan, loaded, record, {})
            if is_asked:
                _ask(options, plan)
            report = _carry_out(options, plan, loaded, record, link, run, state, lease)
            return Ended(plan, report)


def _record_of(loaded: Loaded) -> LocalState:
    path = state_path(loaded)
    if not path.exists():
        raise Stop(
            ExitCode.REFUSED,
            "The plan was made with a record that is not here.",
            f"Keep {loaded.project.state.path.text} from the run that planned to the one that "
            "applies; or plan and apply in one run.",
        )
    return LocalState.open(path, create=False)


def _require_justified(
    plan: Plan,
    loaded: Loaded,
    record: Record,
    accepted: Mapping[str, int],
    done: frozenset[str] = frozenset(),
) -> None:
    """Raise Stop unless files and record justify the plan. `done`: calls of an earlier run."""
    consented = {
        f"{refusal.guard}: {refusal.message}"
        for refusal in plan.refusals
        # The measure starts with the count that consent has to name: "12 devices (24%)".
        if str(accepted.get(refusal.guard, "none")) == refusal.measured.split(" ")[0]
    }
    reasons = [
        reason
        for reason in check(plan, loaded.desired, record, loaded.project, done)
        if reason not in consented
    ]
    if not reasons:
        return
    more = [f"and {len(reasons) - _FEW:,} more"] if len(reasons) > _FEW else []
    raise Stop(
        ExitCode.REFUSED,
        "\n  ".join(("Refused, nothing was changed:", *reasons[:_FEW], *more)),
        " ".join(refusal.way_out for refusal in plan.refusals)
        or "Make the plan again, review it, and apply that one.",
    )


def _ask(options: Options, plan: Plan) -> None:
    """Return when "yes" was typed; anything else refuses."""
    if not sys.stdin.isatty():
        raise Stop(
            ExitCode.REFUSED,
            "Not confirmed: there is no terminal to ask on. Nothing was changed.",
            "Apply a saved plan (plan -o FILE, apply FILE), or say --yes.",
        )
    count = plan.summary.calls.total
    what = f"make {'this call' if count == 1 else f'these {count:,} calls'}"
    question = f'{what if count else "forget these devices"}? Only "yes" is accepted: '
    sys.stderr.write(question[0].upper() + question[1:])
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        blank(options)
    if answer.strip() != "yes":
        raise Stop(ExitCode.REFUSED, "Not confirmed. Nothing was changed.")


def _carry_out(
    options: Options,
    plan: Plan,
    loaded: Loaded,
    record: Record,
    link: Connection,
    run: tuple[asyncio.Runner, Service],
    state: LocalState,
    lease: LocalLease,
) -> Report:
    runner, service = run
    try:
        with progress(options) as listen:
            return runner.run(
                carry_out(
                    plan,
                    loaded.desired,
                    record,
                    service,
                    link.app_codes,
                    state.journal,
                    state,
                    lease,
                    listen,
                    rates=link.rates,
                )
            )
    except KeyboardInterrupt:
        raise Stop(
            ExitCode.INTERRUPTED,
            "Interrupted. What was done until now is noted in the record.",
            "What is left: reconciler plan",
        ) from None
    except StateError:
        # Raised before the first call only.
        raise
    except Exception as error:
        raise Midway from error
