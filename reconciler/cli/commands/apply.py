"""`reconciler apply`: make it so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.accept import accept_option
from reconciler.cli.exits import ExitCode, Stop
from reconciler.cli.options import Options
from reconciler.cli.streams import result, say

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
""",
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Without FILE: do not ask.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the report on stdout.",
)
@accept_option
@click.pass_obj
def command(
    options: Options, file: Path | None, yes: bool, form: str, accepted: dict[str, int]
) -> int:
    """Carry out a saved plan; without FILE: plan, show, ask, carry out.

    Before a device is written it is read again; one that moved since the plan is left alone and
    reported as stale. Exit code 3 when something failed, is unknown, stale or was skipped.
    """
    from reconciler.cli.applying import apply_fresh, apply_saved
    from reconciler.cli.checking import load

    loaded = load(options)
    ended = (
        apply_fresh(options, loaded, accepted, yes=yes)
        if file is None
        else apply_saved(options, loaded, file, accepted)
    )
    plan, report = ended.plan, ended.report
    try:
        if form == "json" or not ended.finished:
            _print(report, form, options)
    except Stop as stop:
        # What was done is done, whether it can be told or not.
        say(options, "error", stop.message)
    if report.interrupted:
        return ExitCode.INTERRUPTED
    if ended.finished:
        return ExitCode.DONE
    if plan.errors:
        count = plan.summary.withheld
        devices = f"{count:,} device{' was' if count == 1 else 's were'}"
        say(
            options, "error", f"{devices} withheld by errors of the plan; the rest was carried out."
        )
    return ExitCode.DONE if report.complete and not plan.errors else ExitCode.INCOMPLETE


def _print(report: Report, form: str, options: Options) -> None:
    if form == "json":
        from reconciler.render.report import encode

        result(encode(report))
        return
    import sys

    from reconciler.cli.painting import paint
    from reconciler.render.report import lines

    paint(sys.stdout, lines(report), options)
