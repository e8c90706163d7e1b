"""`reconciler apply`: make it so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.exit_codes import ExitCode, Stop
from reconciler.cli.options.accept import accept_option
from reconciler.cli.options.duration import Duration
from reconciler.cli.options.lock_timeout import lock_timeout_option
from reconciler.cli.options.max_duration import max_duration_option
from reconciler.cli.options.output_file import require_replaceable
from reconciler.cli.options.output_format import format_option
from reconciler.cli.options.selection import selection_options
from reconciler.cli.settings import Options
from reconciler.cli.streams import say
from reconciler.render.formats import REPORT_FORMATS

if TYPE_CHECKING:
    from reconciler.core.report import Report


@click.command(
    "apply",
    epilog="""
\b
Examples:
  reconciler apply plan.json     exactly what was reviewed, without a question
  reconciler apply               plan, show, ask, carry out
  reconciler apply --yes         the same without the question
  reconciler apply --since main  only what changed since then
  reconciler apply plan.json --timeout 30m --lock-timeout 10m --report report.json
                                 in a pipeline
  reconciler apply plan.json --max-duration 25m
                                 not at all, rather than for longer than that
\b
After Ctrl-C, a failure, or a kill: the same command again goes on with the plan.
""",
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Without FILE: do not ask.")
@format_option(*REPORT_FORMATS, help="The form of the report on stdout.")
@click.option(
    "--report",
    "report_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the report as JSON too, however the run ends; an older report is removed first.",
)
@click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="Send no further call after that: 90s, 10m, 1h30m. What is on its way is finished.",
)
@max_duration_option
@selection_options
@lock_timeout_option
@accept_option
@click.pass_obj
def command(
    options: Options,
    file: Path | None,
    yes: bool,
    form: str,
    report_file: Path | None,
    timeout: float | None,
    max_duration: float | None,
    since: str | None,
    selects: tuple[tuple[str, str], ...],
    targets: tuple[str, ...],
    patience: float,
    accepted: dict[str, int],
) -> int:
    """Carry out a saved plan; without FILE: plan, show, ask, carry out.

    Before a device is written it is read again; one that moved since the plan is left alone and
    reported as stale. Exit code 3 when something failed, is unknown, stale or was skipped.

    --since, --select and --target choose devices as plan does, without FILE.

    --max-duration compares with the forecast of what is left to do, before the first call and
    before the question; --timeout ends an apply that has begun.

    Ctrl-C or SIGTERM once: calls on their way are finished, nothing further is sent, exit code
    130. Twice: it stops now.
    """
    from reconciler.engine.cancellation import Cancellation, Deadline
    from reconciler.engine.selection import Selection

    cancellation = Cancellation(Deadline.after(timeout))
    selection = Selection(since, selects, targets)
    if file is not None and selection.given:
        raise click.UsageError(
            f"{selection.given[0]}: a saved plan says itself which devices it is about. "
            "Choose them when it is made: reconciler plan."
        )
    from reconciler.engine.output_files import is_report

    require_replaceable(report_file, "report", is_report)
    if report_file is not None:
        _remove(report_file)
    from reconciler.cli.applying import apply
    from reconciler.cli.exit_codes import apply_exit_code
    from reconciler.cli.interrupts import Signals
    from reconciler.cli.project import open_project
    from reconciler.cli.views import report as views
    from reconciler.engine.applying import ApplyTerms

    project = open_project(options)
    terms = ApplyTerms(accepted, patience, max_duration)
    with Signals(cancellation) as signals:
        applied = apply(options, project, file, selection, terms, cancellation, ask=not yes)
        # Until all is told: a signal that comes now must not cost the report of what was done.
        signals.ignore_one_more()
        plan, report, finished = applied.plan, applied.report, applied.finished
        code = apply_exit_code(plan, report, finished=finished)
        # Before the table: a terminal or a pipe may keep that waiting.
        if report_file is not None:
            code = _saved(options, report, report_file, code)
        try:
            views.show(options, applied, form)
        except Stop as stop:
            # What was done is done, whether it can be told or not.
            say(options, "error", stop.message)
        views.append_report_summary(options, applied)
        if plan.errors and not finished:
            withheld = plan.summary.withheld
            devices = f"{withheld:,} device{' was' if withheld == 1 else 's were'}"
            say(options, "error", f"{devices} withheld by errors of the plan.")
        if options.ends_process:
            signals.ignore_to_the_end()
    return code


def _remove(file: Path) -> None:
    """Remove an older report: whoever reads it after this run must not take it for this one's."""
    from reconciler.engine.output_files import cannot_be_written

    if file.is_file():
        try:
            file.unlink()
        except OSError as error:
            raise cannot_be_written(file, error) from None


def _saved(options: Options, report: Report, file: Path, code: ExitCode) -> ExitCode:
    """Write the report; return the exit code, which is not success if that fails."""
    from reconciler.engine.errors import UnwritableFile
    from reconciler.engine.output_files import save
    from reconciler.render.report import encode

    try:
        save(file, encode(report))
    except UnwritableFile as error:
        say(options, "error", f"The report is missing: {error.message}")
        return code or ExitCode.INCOMPLETE
    return code
