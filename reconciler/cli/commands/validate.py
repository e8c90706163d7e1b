"""`reconciler validate`: the files alone; no network, no secret."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options.output_format import format_option
from reconciler.cli.settings import Options
from reconciler.cli.streams import result
from reconciler.render.formats import DIAGNOSTIC_FORMATS


@click.command(
    "validate",
    epilog="""
\b
Examples:
  reconciler validate
  reconciler validate --format github     annotations on a pull request
  reconciler validate --format sarif > mistakes.sarif
""",
)
@format_option(*DIAGNOSTIC_FORMATS, help="How mistakes are shown; all but text go to stdout.")
@click.pass_obj
def command(options: Options, form: str) -> int:
    """Check the project file and all manifests; needs neither network nor secrets.

    Shows all mistakes of all files at once, each with its place, why it is one and how to fix it.
    Exit code 1 if there is one; a warning alone is 0.
    """
    from reconciler.cli.collector import keep_to_the_end, without_collector
    from reconciler.cli.views.diagnostics import write_diagnostics
    from reconciler.core.counting import counted
    from reconciler.engine.files import relocate
    from reconciler.engine.project_files import check_files, count_mistakes, locate_project_file

    with without_collector():
        checked = check_files(locate_project_file(options.directory, options.config))
    if options.ends_process:
        keep_to_the_end(checked)
    errors = checked.error_count
    shown = relocate(options.origin, checked.root, checked.diagnostics)
    if form != "text":
        result(DIAGNOSTIC_FORMATS[form](shown))
        return ExitCode.ERROR if errors else ExitCode.DONE
    write_diagnostics(options, checked.root, checked.diagnostics)
    files = counted(checked.file_count, "file")
    if errors:
        result(f"{count_mistakes(errors)} in {files}.")
    elif checked.desired is not None:
        result(f"No mistakes: {counted(len(checked.desired.devices), 'device')} in {files}.")
    return ExitCode.ERROR if errors else ExitCode.DONE
