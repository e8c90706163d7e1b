"""`reconciler state list`: what the state knows."""

from __future__ import annotations

import click

from reconciler.cli.options.output_format import format_option
from reconciler.cli.settings import Options
from reconciler.cli.streams import result


@click.command(
    "list",
    epilog="""
\b
Examples:
  reconciler state list
  reconciler state list --application courier --match '8621*'
  reconciler state list --format json | jq -r '.devices[].id'
""",
)
@click.option("--application", metavar="NAME", help="Only devices of this application.")
@click.option("--match", "pattern", metavar="GLOB", help="Only ids like this: '8621*'.")
@format_option("text", "json")
@click.pass_obj
def command(options: Options, application: str | None, pattern: str | None, form: str) -> None:
    """List the devices of the state: id, application, and the fields that were applied."""
    from reconciler.cli.project import open_project_state
    from reconciler.render.record import entries_json, entries_text

    record, devices = open_project_state(options).list_devices(application, pattern)
    result(entries_json(record, devices) if form == "json" else entries_text(devices))
