"""`reconciler version`."""

from __future__ import annotations

import click

from reconciler import __version__
from reconciler.cli.streams import result


@click.command("version")
def command() -> None:
    """Print the version."""
    result(f"reconciler {__version__}")
