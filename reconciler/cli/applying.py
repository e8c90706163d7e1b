"""`apply` at the terminal: a plan shown, a question asked, and the engine's own steps between."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.report import Report
from reconciler.engine.applying import ApplyTerms, PreparedApply
from reconciler.engine.cancellation import Cancellation
from reconciler.engine.errors import InvalidDocument
from reconciler.engine.project import Project
from reconciler.engine.saved_plan import read_plan
from reconciler.engine.selection import Selection
from reconciler.plan.model import Plan

from .collector import without_collector
from .exit_codes import ExitCode, Stop
from .interrupts import before_any_change
from .prompt import confirmed
from .settings import Options
from .streams import blank
from .views.events import EventView
from .views.plan import show


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan; `finished` when an earlier run had left nothing to do. `file` is the
    saved plan's."""

    plan: Plan
    report: Report
    finished: bool
    file: Path | None


def apply(
    options: Options,
    project: Project,
    file: Path | None,
    selection: Selection,
    terms: ApplyTerms,
    cancellation: Cancellation,
    *,
    ask: bool,
) -> Applied:
    """Carry out a saved plan, or one that is made now, shown and asked about."""
    unfinished = (
        "this one reads what is true now"
        if file is None
        else "each device is read again before it is written"
    )
    view = EventView(options, unfinished=unfinished)
    plan = None if file is None else _saved_plan(file)
    with before_any_change(options), ExitStack() as held:
        with view.progress() if plan is None else nullcontext(), _paused(plan):
            prepared = held.enter_context(
                project.prepare_apply(
                    plan,
                    selection=selection,
                    accept=terms.accepted,
                    lock_timeout=terms.lock_timeout,
                    max_duration=terms.max_duration,
                    on_event=view,
                    cancellation=cancellation,
                )
            )
        if plan is None:
            _show_and_ask(options, prepared, cancellation, ask=ask)
        with view.progress():
            report = prepared.carry_out()
    return Applied(prepared.plan, report, prepared.finished is not None, file)


def _paused(plan: Plan | None) -> AbstractContextManager[None]:
    """Pause the collector while a plan is made."""
    return without_collector() if plan is None else nullcontext()


def _saved_plan(file: Path) -> Plan:
    try:
        return read_plan(file)
    except InvalidDocument as error:
        raise Stop(ExitCode.REFUSED, error.message, error.fix) from None


def _show_and_ask(
    options: Options, prepared: PreparedApply, cancellation: Cancellation, *, ask: bool
) -> None:
    """Show what would be done, and return if it may be done; Refused or Stop otherwise."""
    plan = prepared.plan
    is_asked = prepared.has_effects and ask
    if is_asked or not options.quiet:
        # The result on stdout is what was done; this is the question.
        show(plan, "text", options, sys.stderr, fold=not options.verbose)
        blank(options)
    prepared.require_allowed()
    if is_asked:
        count = plan.summary.calls.total
        calls = f"Make {'this call' if count == 1 else f'these {count:,} calls'}?"
        confirmed(
            options,
            calls if count else "Forget these devices?",
            "Apply a saved plan (plan -o FILE, apply FILE), or say --yes.",
            cancellation.deadline,
        )
