"""`reconciler state init`: start the record, once."""

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
    """Start the record where the project file says; one that is there stays as it is.

    A local record is started by the first plan. A shared one never by itself: a wrong address
    would look like a fleet that nobody ever applied.
    """
    from reconciler.cli.record import state_settings
    from reconciler.cli.states import Places, open_shared, open_state
    from reconciler.engine.planning import explained

    root, settings = state_settings(options)
    with explained(options, root):
        if Places(root, settings).is_local:
            with open_state(options, root, settings, create=True) as local:
                _tell(local.where, len(local.read().devices), is_new=False)
            return
        with open_shared(root, settings) as shared:
            is_new = shared.initialise()
            _tell(shared.where, len(shared.read().devices), is_new=is_new)


def _tell(where: str, devices: int, *, is_new: bool) -> None:
    if is_new:
        result(f"Started a record at {where}.")
    else:
        noun = "device" if devices == 1 else "devices"
        result(f"There is a record at {where}; it has {devices:,} {noun}.")
