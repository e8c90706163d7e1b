"""`reconciler state`: the record of what was applied, and who works with it."""

from __future__ import annotations

import sys

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.lazy import LazyGroup
from reconciler.cli.streams import write


class _Group(LazyGroup):
    package = __name__
    lazy = {  # noqa: RUF012 - a Mapping in the class above
        "init": "Start the record, once.",
        "list": "List the devices that the record knows.",
        "show": "Show what the record knows of one device.",
        "forget": "Let the record know nothing of a device.",
        "pull": "Write the record as one document.",
        "push": "Put a pulled record in the place of the one that is there.",
        "migrate": "Copy the record to another place, or write it anew.",
        "unlock": "Take the lease away from a run that hangs.",
    }


@click.command("state", cls=_Group, no_args_is_help=False, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int | None:
    """Look after the record of what was applied, which the project file names under state."""
    if ctx.invoked_subcommand is None:
        write(sys.stderr, ctx.get_help() + "\n")
        return ExitCode.USAGE
    return None
