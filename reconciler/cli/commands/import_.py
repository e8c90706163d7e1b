"""`reconciler import`: manifests of what is there."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options.duration import Duration
from reconciler.cli.options.output_format import format_option
from reconciler.cli.options.size import Size
from reconciler.cli.settings import Options


@click.command(
    "import",
    epilog="""
\b
Examples:
  reconciler import                      which applications there are
  reconciler import --application courier -o devices
  reconciler import --application courier -o devices --only-owned
  reconciler import --application courier -o devices --match fleet=zagreb
  reconciler import --application courier -o devices --match '8621*' --max 50
""",
)
@click.option(
    "--application",
    metavar="NAME",
    help="An application of the project; without any, those there are are listed.",
)
@click.option(
    "-o",
    "--out",
    "directory",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the manifests go; a glob under `manifests` must match them.",
)
@click.option("--only-owned", is_flag=True, help="Leave out registrations that nobody owns.")
@click.option(
    "--match",
    "matches",
    metavar="GLOB",
    multiple=True,
    help="Only registrations with such an id, or KEY=GLOB: with such a value in additionalData; "
    "repeatable, one of the ids and all of the keys must match.",
)
@click.option(
    "--max",
    "most",
    metavar="N",
    type=click.IntRange(min=1),
    help="Only the first N registrations by id, of those that are left.",
)
@click.option(
    "--max-file-size",
    "largest",
    metavar="SIZE",
    type=Size(),
    default="256KB",
    show_default=True,
    help="Write several files where one would be larger.",
)
@format_option("text", "json")
@click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="End with an error when it is not read by then: 90s, 10m, 1h30m.",
)
@click.option(
    "--lock-timeout",
    "patience",
    type=Duration(zero=True),
    default="0",
    metavar="DURATION",
    help="Wait so long for the lock of the state if somebody else has it.",
)
@click.pass_obj
def command(
    options: Options,
    application: str | None,
    directory: Path | None,
    only_owned: bool,
    matches: tuple[str, ...],
    most: int | None,
    largest: int,
    form: str,
    timeout: float | None,
    patience: float,
) -> int:
    """Write manifests of the registrations that live in an application, and adopt them.

    A plan right after is empty: that is proven before a file is written, else nothing is. What the
    manifests declare already is left out. The files hold identity values of people.
    """
    if application is None and (directory or matches or only_owned or most):
        raise click.UsageError(
            "Missing option '--application'. Without any option, import lists what there is."
        )
    if application is not None and directory is None:
        raise click.UsageError("Missing option '-o' / '--out'.")
    from reconciler.engine.cancellation import Cancellation, Deadline

    cancellation = Cancellation(Deadline.after(timeout))
    from reconciler.cli.collector import without_collector
    from reconciler.cli.exit_codes import ExitCode
    from reconciler.cli.interrupts import Signals, before_any_change
    from reconciler.cli.project import open_project
    from reconciler.cli.views import import_ as views
    from reconciler.cli.views.events import EventView
    from reconciler.engine.import_registrations import NotProven

    project = open_project(options)
    view = EventView(options)
    if application is None or directory is None:
        with Signals(cancellation), before_any_change(options):
            listed = project.list_applications(on_event=view, cancellation=cancellation)
        views.show_applications(options, listed, form)
        return ExitCode.DONE
    with Signals(cancellation) as signals:
        try:
            with before_any_change(options), without_collector(), view.progress():
                imported = project.import_registrations(
                    application,
                    directory,
                    match=matches,
                    only_owned=only_owned,
                    most=most,
                    max_file_size=largest,
                    lock_timeout=patience,
                    on_event=view,
                    cancellation=cancellation,
                )
        except NotProven as error:
            views.write_doubts(options, error)
            raise
        signals.ignore_one_more()
        views.write_left_out(options, imported)
        views.show(options, project, imported, form)
        if options.ends_process:
            signals.ignore_to_the_end()
    return ExitCode.DONE
