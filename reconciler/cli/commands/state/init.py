"""`reconciler state init`: start the record, once."""

from __future__ import annotations

import os

import click

from reconciler.cli.options import Options
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
    """Start the record where the project file says; one that is there stays as it is.

    A local record is started by the first plan. A shared one never by itself: a wrong address
    would look like a fleet that nobody ever applied.
    """
    from reconciler.cli.record import state_location
    from reconciler.cli.stages import explained
    from reconciler.cli.state_view import started_text, tell_started
    from reconciler.engine.holder import current_holder
    from reconciler.engine.state_access import open_shared_state, open_state

    location, holder = state_location(options), current_holder(os.environ)
    with explained(options, location.root):
        if location.is_local:
            opened = open_state(location, holder, create=True)
            if opened.is_new:
                tell_started(options, location.path)
            with opened.state as local:
                result(started_text(local.where, len(local.read().devices), is_new=False))
            return
        with open_shared_state(location, holder) as shared:
            is_new = shared.initialise()
            result(started_text(shared.where, len(shared.read().devices), is_new=is_new))
