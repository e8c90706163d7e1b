"""`reconciler state forget`: let the state know nothing of a device."""

from __future__ import annotations

import click

from reconciler.cli.options.lock_timeout import lock_timeout_option
from reconciler.cli.settings import Options
from reconciler.cli.streams import result


@click.command(
    "forget",
    epilog="""
\b
Examples:
  reconciler state forget 8621824C-86B2-41F7-BF6F-20D3B1426005
  reconciler state forget ID ID ID --yes
""",
)
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@lock_timeout_option
@click.pass_obj
def command(options: Options, ids: tuple[str, ...], yes: bool, patience: float) -> None:
    """Forget devices; the service is not called, and nothing changes there.

    A device that a file still declares is adopted again by the next apply. Of one that left the
    files nothing happens any more: its keys and its owner stay as they are.
    """
    from reconciler.cli.project import open_project_state
    from reconciler.cli.prompt import confirmed
    from reconciler.core.counting import counted

    def confirm(count: int) -> None:
        if not yes:
            confirmed(options, f"Forget {counted(count, 'device')}?", "Say --yes.")

    count = open_project_state(options).forget(ids, confirm, lock_timeout=patience)
    result(f"Forgot {counted(count, 'device')}.")
