"""`reconciler show`: a saved plan; needs neither the files it was made from nor the network."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options.output_format import format_option
from reconciler.cli.settings import Options
from reconciler.render.formats import PLAN_FORMATS


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
@format_option(*PLAN_FORMATS)
@click.pass_obj
def command(options: Options, file: Path, form: str) -> None:
    """Show a saved plan."""
    from reconciler.cli.views.plan import show
    from reconciler.engine.saved_plan import read_plan

    show(read_plan(file), form, options, fold=not options.verbose)
