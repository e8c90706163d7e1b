"""`reconciler state show`: one entry of the state."""

from __future__ import annotations

import click

from reconciler.cli.options.output_format import format_option
from reconciler.cli.settings import Options
from reconciler.cli.streams import result


@click.command(
    "show",
    epilog="""
\b
Examples:
  reconciler state show 8621824C-86B2-41F7-BF6F-20D3B1426005
""",
)
@click.argument("id_", metavar="ID")
@format_option("text", "json")
@click.pass_obj
def command(options: Options, id_: str, form: str) -> None:
    """Show what the state knows of one device. Values stand in it as keyed digests only."""
    from reconciler.cli.project import open_project_state
    from reconciler.render.record import entry_json, entry_text

    device = open_project_state(options).device(id_)
    result(entry_json(device) if form == "json" else entry_text(device))
