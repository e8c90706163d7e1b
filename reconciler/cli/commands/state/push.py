"""`reconciler state push`: a document back to where the state lives."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options.lock_timeout import lock_timeout_option
from reconciler.cli.settings import Options
from reconciler.cli.streams import result


@click.command(
    "push",
    epilog="""
\b
Examples:
  reconciler state push state.json
  reconciler state push state.json --force      whatever stands there now
""",
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Also over another lineage, or a later serial.")
@lock_timeout_option
@click.pass_obj
def command(options: Options, file: Path, force: bool, patience: float) -> None:
    """Put a pulled or saved state in the place of the one that is there.

    Refused if that one is of another lineage or has a later serial: it would be lost.
    """
    from reconciler.cli.project import open_project_state
    from reconciler.cli.views.state import pushed_text, write_state_created

    state = open_project_state(options)
    pushed = state.push(file, force=force, lock_timeout=patience)
    if pushed.is_new:
        write_state_created(options, state.location.path)
    result(pushed_text(pushed))
