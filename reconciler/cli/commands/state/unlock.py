"""`reconciler state unlock`: take the lock away from a run that hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.exit_codes import ExitCode, Stop
from reconciler.cli.settings import Options
from reconciler.cli.streams import result, say

if TYPE_CHECKING:
    from reconciler.state.lease import Holder


@click.command(
    "unlock",
    epilog="""
\b
Examples:
  reconciler state unlock          show who holds the lock, ask, take it away
  reconciler state unlock --yes    the same without the question
""",
)
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@click.pass_obj
def command(options: Options, yes: bool) -> int:
    """Show who holds the lock of the state, and take it away.

    Rarely needed: the lock of a run that ended in any way expires by itself after 30 seconds. A
    run that loses its lock stops before its next write and ends with what it has done recorded.
    """
    from reconciler.cli.project import open_project_state
    from reconciler.cli.prompt import confirmed

    def confirm(holder: Holder) -> None:
        _show(options, holder)
        if not yes:
            confirmed(
                options, "Take the lock away?", "Say --yes if that run is surely dead or hangs."
            )

    unlocked = open_project_state(options).unlock(confirm)
    holder, taken_by = unlocked.holder, unlocked.taken_by
    if holder is None:
        result("Nobody holds the lock; there is nothing to take away.")
    elif unlocked.is_taken_away:
        result(f"The lock of {holder.who} on {holder.host} was taken away.")
    elif taken_by is None:
        result("That run has ended by now; there is nothing to take away.")
    else:
        raise Stop(
            ExitCode.LOCKED,
            f"Nothing was done: {taken_by.who} on {taken_by.host} (process {taken_by.pid}) took "
            "the lock meanwhile.",
            "Look again: reconciler state unlock",
        )
    return ExitCode.DONE


def _show(options: Options, holder: Holder) -> None:
    lines = [
        "The lock is held:",
        f"by       {holder.who} on {holder.host}, process {holder.pid}",
        f"since    {holder.since.strftime('%Y-%m-%d %H:%M:%S %Z')}",
        f"beat     {holder.silent:.0f} s ago; it expires 30 s after the last one",
    ]
    if holder.run_url is not None:
        lines.append(f"run      {holder.run_url}")
    say(
        options,
        "warning",
        "\n  ".join(lines),
        fix="If that run still lives, it stops before its next write. Calls that it has sent "
        "already may\n  still reach the service, even after the next run has read. End it first "
        "if you can.",
        holder={
            "who": holder.who,
            "host": holder.host,
            "process": holder.pid,
            "run": holder.run_url,
            "since": holder.since.isoformat(),
            "silentSeconds": round(holder.silent, 3),
        },
    )
