"""`reconciler apply`: make it so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.exit_codes import ExitCode, Stop
from reconciler.cli.options.accept import accept_option
from reconciler.cli.options.duration import Deadline, Duration
from reconciler.cli.options.lock_timeout import lock_timeout_option
from reconciler.cli.options.max_duration import max_duration_option
from reconciler.cli.options.output_format import format_option
from reconciler.cli.options.selection import Narrowing, choosing_options
from reconciler.cli.settings import Options
from reconciler.cli.streams import result, say

if TYPE_CHECKING:
    from reconciler.engine.applying import Ended


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
@format_option("text", "json", "markdown", help="The form of the report on stdout.")
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
@choosing_options
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
    deadline = Deadline.after(timeout)
    asked = Narrowing(since, selects, targets)
    if file is not None and asked.given:
        raise click.UsageError(
            f"{asked.given[0]}: a saved plan says itself which devices it is about. "
            "Choose them when it is made: reconciler plan."
        )
    if report_file is not None:
        from reconciler.engine.output_files import is_report, require_replaceable

        require_replaceable(report_file, "report", is_report)
        _remove(report_file)
    from reconciler.engine.applying import Terms, apply_fresh, apply_saved
    from reconciler.engine.cancellation import Bounds
    from reconciler.engine.project_files import load
    from reconciler.engine.selection import selection_of

    loaded = load(options)
    selection = selection_of(options, loaded, asked)
    terms = Terms(accepted, Bounds(deadline), patience, yes, selection, max_duration)
    with terms.bounds.signals:
        ended = (
            apply_fresh(options, loaded, terms)
            if file is None
            else apply_saved(options, loaded, file, terms)
        )
        # Until all is told: a signal that comes now must not cost the report of what was done.
        terms.bounds.signals.forgive()
        code = _verdict(ended)
        # Before the table: a terminal or a pipe may keep that waiting.
        if report_file is not None:
            code = _saved(options, ended, report_file, code)
        try:
            _print(options, ended, file, form)
        except Stop as stop:
            # What was done is done, whether it can be told or not.
            say(options, "error", stop.message)
        _summarise(options, ended, file)
        if ended.plan.errors and not ended.finished:
            withheld = ended.plan.summary.withheld
            devices = f"{withheld:,} device{' was' if withheld == 1 else 's were'}"
            say(options, "error", f"{devices} withheld by errors of the plan.")
        if options.ends_process:
            terms.bounds.signals.keep()
    return code


def _remove(file: Path) -> None:
    """Remove an older report: whoever reads it after this run must not take it for this one's."""
    from reconciler.engine.output_files import cannot_be_written

    if file.is_file():
        try:
            file.unlink()
        except OSError as error:
            raise cannot_be_written(file, error) from None


def _verdict(ended: Ended) -> ExitCode:
    report = ended.report
    if report.interrupted:
        return ExitCode.INTERRUPTED
    if ended.finished or (report.complete and not ended.plan.errors):
        return ExitCode.DONE
    return ExitCode.ERROR if report.stopped and not report.changed else ExitCode.INCOMPLETE


def _saved(options: Options, ended: Ended, file: Path, code: ExitCode) -> ExitCode:
    """Write the report; return the exit code, which is not success if that fails."""
    from reconciler.engine.output_files import save
    from reconciler.render.report import encode

    try:
        save(file, encode(ended.report))
    except Stop as stop:
        say(options, "error", f"The report is missing: {stop.message}")
        return code or ExitCode.INCOMPLETE
    return code


def _print(options: Options, ended: Ended, file: Path | None, form: str) -> None:
    if form == "json":
        from reconciler.render.report import encode

        result(encode(ended.report))
    elif form == "markdown":
        result(_markdown(ended, file))
    elif not ended.finished:
        import sys

        from reconciler.cli.views.terminal import paint
        from reconciler.render.report import lines

        paint(sys.stdout, lines(ended.report, again=_again(file)), options)


def _again(file: Path | None) -> str | None:
    """Return the command that goes on with a plan; one that was not saved is made anew."""
    import shlex

    return None if file is None else f"reconciler apply {shlex.quote(str(file))}"


def _markdown(ended: Ended, file: Path | None) -> str:
    from reconciler.render.report_markdown import already, render

    if ended.finished:
        return already(ended.plan.id)
    withheld = ended.plan.summary.withheld
    return render(ended.report, again=_again(file), withheld=withheld)


def _summarise(options: Options, ended: Ended, file: Path | None) -> None:
    from reconciler.cli.views.step_summary import summarise

    summarise(options, "report", lambda: _markdown(ended, file))
