"""`reconciler state forget`: let the record know nothing of a device."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode, Stop
from reconciler.cli.options.lock_timeout import lock_timeout_option
from reconciler.cli.settings import Options
from reconciler.cli.streams import did_you_mean, result


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
    from reconciler.cli.prompt import confirmed
    from reconciler.cli.record import leased_record

    with leased_record(options, patience) as (state, lease):
        known = state.read().devices
        for id_ in ids:
            if id_ not in known:
                raise Stop(
                    ExitCode.ERROR,
                    f"Nothing was forgotten: the record does not know {id_}."
                    f"{did_you_mean(id_, known)}",
                )
        wanted = dict.fromkeys(ids)
        count = f"{len(wanted):,} device{'' if len(wanted) == 1 else 's'}"
        if not yes:
            confirmed(options, f"Forget {count}?", "Say --yes.")
        state.records_under(lease).write(wanted, {})
    result(f"Forgot {count}.")
