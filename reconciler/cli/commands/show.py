"""`reconciler show`: a saved plan; needs neither the files it was made from nor the network."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.forms import format_option
from reconciler.cli.options import Options


@click.command(
    "show",
    epilog="""
\b
Examples:
  reconciler show plan.json
  reconciler show plan.json --format html > plan.html
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@format_option("text", "json", "markdown", "html", "calls")
@click.pass_obj
def command(options: Options, file: Path, form: str) -> None:
    """Show a saved plan."""
    from reconciler.cli.exits import ExitCode
    from reconciler.cli.saved import read_plan
    from reconciler.cli.showing import show

    show(read_plan(file, ExitCode.ERROR), form, options, fold=not options.verbose)
