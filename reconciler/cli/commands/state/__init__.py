"""`reconciler state`: the state of what was applied, and who works with it."""

from __future__ import annotations

import sys

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.lazy import LazyGroup
from reconciler.cli.streams import write


class _Group(LazyGroup):
    package = __name__
    lazy = {  # noqa: RUF012 - a Mapping in the class above
        "init": "Start the state, once.",
        "list": "List the devices that the state knows.",
        "show": "Show what the state knows of one device.",
        "forget": "Let the state know nothing of a device.",
        "pull": "Write the state as one document.",
        "push": "Put a pulled state in the place of the one that is there.",
        "migrate": "Copy the state to another place, or write it anew.",
        "unlock": "Take the lock away from a run that hangs.",
    }


@click.command("state", cls=_Group, no_args_is_help=False, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int | None:
    """Look after the state of what was applied, which the project file names under state."""
    if ctx.invoked_subcommand is None:
        write(sys.stderr, ctx.get_help() + "\n")
        return ExitCode.USAGE
    return None
