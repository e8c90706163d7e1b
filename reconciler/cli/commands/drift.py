"""`reconciler drift`: what moved since the last apply."""

from __future__ import annotations

import click

from reconciler.cli.options.duration import Deadline, Duration
from reconciler.cli.options.output_format import format_option
from reconciler.cli.options.read_strategy import read_option
from reconciler.cli.settings import Options


@click.command(
    "drift",
    epilog="""
\b
Examples:
  reconciler drift
  reconciler drift --detailed-exitcode       2 when others changed anything
  reconciler drift --format markdown         for the issue of a scheduled job
  reconciler drift --format json | jq '.devices[].device'
""",
)
@format_option("text", "json", "markdown")
@click.option("--detailed-exitcode", is_flag=True, help="Exit code 2 when others changed anything.")
@click.option("--application", metavar="NAME", help="Only devices of this application.")
@read_option
@click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="End with an error when it is not known by then: 90s, 10m, 1h30m.",
)
@click.pass_obj
def command(
    options: Options,
    form: str,
    detailed_exitcode: bool,
    application: str | None,
    strategy: str,
    timeout: float | None,
) -> int:
    """Compare what is live with what was last applied, for everything the record holds.

    Says which device, which field, and who moved: others at the service, or the files since the
    apply. Changes nothing, neither at the service nor in the record.
    """
    deadline = Deadline.after(timeout)
    from reconciler.cli.exit_codes import ExitCode
    from reconciler.cli.progress.lines import progress
    from reconciler.cli.views.step_summary import summarise
    from reconciler.engine.cancellation import Bounds
    from reconciler.engine.drift import find, show
    from reconciler.engine.project_files import load
    from reconciler.live.strategy import Choice
    from reconciler.render.drift import markdown

    loaded = load(options)
    with progress(options) as listen:
        document = find(options, loaded, application, Choice(strategy), Bounds(deadline), listen)
    show(options, document, form)
    summarise(options, "drift", lambda: markdown(document))
    changed = detailed_exitcode and document.summary.drifted
    return ExitCode.CHANGES if changed else ExitCode.DONE
