"""`reconciler version`."""

from __future__ import annotations

import sys

import click

from reconciler import __version__
from reconciler.cli.settings import Options
from reconciler.cli.streams import result, say
from reconciler.engine.installation import find_foreign_distribution_in


@click.command("version")
@click.pass_obj
def command(options: Options) -> None:
    """Print the version; warn of another project's files in the place of ours."""
    result(f"reconciler {__version__}")
    foreign = find_foreign_distribution_in(sys.path)
    if foreign is not None:
        say(options, "warning", foreign.message, fix=foreign.fix)
