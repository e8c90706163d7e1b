"""`reconciler validate`: the files alone; no network, no secret."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options.output_format import format_option
from reconciler.cli.settings import Options
from reconciler.cli.streams import result


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
@format_option(
    *("text", "json", "github", "sarif"), help="How mistakes are told; all but text go to stdout."
)
@click.pass_obj
def command(options: Options, form: str) -> int:
    """Check the project file and all manifests; needs neither network nor secrets.

    Tells all mistakes of all files at once, each with its place, why it is one and how to mend it.
    Exit code 1 if there is one; a warning alone is 0.
    """
    from reconciler.core.diagnostics import Severity
    from reconciler.engine.project_files import check, mistakes, seen_from, tell
    from reconciler.render import diagnostics as render

    checked = check(options)
    errors = sum(one.severity is Severity.ERROR for one in checked.diagnostics)
    shown = seen_from(options.origin, checked.root, checked.diagnostics)
    match form:
        case "json":
            result(render.json(shown))
        case "github":
            result(render.github(shown))
        case "sarif":
            result(render.sarif(shown))
        case _:
            tell(options, checked.root, checked.diagnostics)
            files = f"{checked.file_count:,} file{'' if checked.file_count == 1 else 's'}"
            if errors:
                result(f"{mistakes(errors)} in {files}.")
            elif checked.desired is not None:
                count = len(checked.desired.devices)
                devices = f"{count:,} device{'' if count == 1 else 's'}"
                result(f"No mistakes: {devices} in {files}.")
    return ExitCode.ERROR if errors else ExitCode.DONE
