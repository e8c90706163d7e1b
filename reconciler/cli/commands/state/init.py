"""`reconciler state init`: start the state, once."""

from __future__ import annotations

import click

from reconciler.cli.settings import Options
from reconciler.cli.streams import result


@click.command(
    "init",
    epilog="""
\b
Examples:
  reconciler state init        where the section state of reconciler.yaml says
""",
)
@click.pass_obj
def command(options: Options) -> None:
    """Start the state where the project file says; one that is there stays as it is.

    A local state is started by the first plan. A shared one never by itself: a wrong address
    would look like a fleet that nobody ever applied.
    """
    from reconciler.cli.project import open_project_state
    from reconciler.cli.views.state import initialised_text, write_state_created

    initialised = open_project_state(options).initialise()
    if initialised.file is not None:
        write_state_created(options, initialised.file)
    result(initialised_text(initialised))
