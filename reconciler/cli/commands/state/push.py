"""`reconciler state push`: a document back to where the record lives."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exit_codes import ExitCode, Stop
from reconciler.cli.options.lock_timeout import lock_timeout_option
from reconciler.cli.settings import Options
from reconciler.cli.streams import result


@click.command(
    "push",
    epilog="""
\b
Examples:
  reconciler state push record.json
  reconciler state push record.json --force      whatever stands there now
""",
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Also over another lineage, or a later serial.")
@lock_timeout_option
@click.pass_obj
def command(options: Options, file: Path, force: bool, patience: float) -> None:
    """Put a pulled or saved record in the place of the one that is there.

    Refused if that one is of another lineage or has a later serial: it would be lost.
    """
    from reconciler.cli.pushing import push
    from reconciler.cli.record import state_settings
    from reconciler.cli.states import keys_of
    from reconciler.engine.planning import explained
    from reconciler.state.record_codec import decode

    try:
        data = file.read_bytes()
    except OSError as error:
        reason = error.strerror or "unknown"
        raise Stop(ExitCode.ERROR, f"{file} cannot be read: {reason}.") from None
    root, settings = state_settings(options)
    with explained(options, root):
        record = decode(data, str(file), keys_of(settings), plain=True)
        result(push(options, root, settings, record, force=force, patience=patience))
