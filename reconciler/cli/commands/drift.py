"""`reconciler drift`: what moved since the last apply."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options.duration import Duration
from reconciler.cli.options.output_format import format_option
from reconciler.cli.options.read_strategy import read_option
from reconciler.cli.settings import Options
from reconciler.render.formats import DRIFT_FORMATS


@click.command(
    "drift",
    epilog="""
\b
Examples:
  reconciler drift
  reconciler drift --detailed-exitcode       2 when others changed anything
  reconciler drift --format markdown         for the issue of a scheduled job
  reconciler drift --events webhooks.jsonl   only what the service reported, and who did it
  reconciler drift --format json | jq '.devices[].device'
""",
)
@format_option(*DRIFT_FORMATS)
@click.option("--detailed-exitcode", is_flag=True, help="Exit code 2 when others changed anything.")
@click.option("--application", metavar="NAME", help="Only devices of this application.")
@click.option(
    "--events",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Only the devices that these events name: bodies of the service's webhooks (MOBILE_APP_*, "
    "PERSON_MERGED), one JSON object a line.",
)
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
    events: Path | None,
    strategy: str,
    timeout: float | None,
) -> int:
    """Compare what is live with what was last applied, for everything the state holds.

    Says which device, which field, and who moved: others at the service, or the files since the
    apply. Changes nothing, neither at the service nor in the state.
    """
    from reconciler.engine.cancellation import Cancellation, Deadline

    cancellation = Cancellation(Deadline.after(timeout))
    from reconciler.cli.collector import without_collector
    from reconciler.cli.exit_codes import ExitCode
    from reconciler.cli.interrupts import Signals, before_any_change
    from reconciler.cli.project import open_project
    from reconciler.cli.views.drift import show
    from reconciler.cli.views.events import EventView

    view = EventView(
        options,
        reader="drift",
        unfinished="what it changed may show as changed by others until an apply notes it",
    )
    with before_any_change(options), without_collector():
        project = open_project(options)
        with Signals(cancellation), view.progress():
            document = project.drift(
                application,
                read=strategy,
                events=events,
                on_event=view,
                cancellation=cancellation,
            )
    show(options, document, form)
    changed = detailed_exitcode and document.summary.drifted
    return ExitCode.CHANGES if changed else ExitCode.DONE
