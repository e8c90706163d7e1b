"""`reconciler state push`: a document back to where the record lives."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconciler.cli.exits import ExitCode, Stop
from reconciler.cli.options import Options
from reconciler.cli.patience import lock_timeout_option
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
    from reconciler.cli.record import state_location
    from reconciler.cli.stages import explained
    from reconciler.cli.state_view import pushed_text, tell_started
    from reconciler.engine.holder import current_holder
    from reconciler.engine.state_access import state_keys
    from reconciler.engine.state_transfer import push_record
    from reconciler.state.record_codec import decode

    try:
        data = file.read_bytes()
    except OSError as error:
        reason = error.strerror or "unknown"
        raise Stop(ExitCode.ERROR, f"{file} cannot be read: {reason}.") from None
    location, holder = state_location(options), current_holder(os.environ)
    with explained(options, location.root):
        keys = state_keys(location.settings, location.environ)
        record = decode(data, str(file), keys, plain=True)
        pushed = push_record(location, record, holder, force=force, patience=patience)
        if pushed.is_new:
            tell_started(options, location.path)
        result(pushed_text(pushed))
