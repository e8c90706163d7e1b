"""`reconciler state pull`: the record as one document."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconciler.cli.options import Options
from reconciler.cli.streams import result, say


@click.command(
    "pull",
    epilog="""
\b
Examples:
  reconciler state pull -o record.json       a copy, to keep or to push elsewhere
""",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to a file that only you can read, instead of stdout.",
)
@click.pass_obj
def command(options: Options, out: Path | None) -> None:
    """Write the record as a document: `reconciler schema state` describes it.

    Unless state.encryption is set, the key of the record's digests stands in it: keep it as you
    keep the record.
    """
    from reconciler.cli.outputs import require_replaceable, save_private
    from reconciler.cli.record import state_location
    from reconciler.cli.stages import explained
    from reconciler.engine.holder import current_holder
    from reconciler.engine.state_access import open_state, state_keys
    from reconciler.state.envelope import looks_like_one
    from reconciler.state.record_codec import encode

    if out is not None:
        require_replaceable(out, "record", looks_like_one)
    location = state_location(options)
    with (
        explained(options, location.root),
        open_state(location, current_holder(os.environ), create=False).state as state,
    ):
        document = encode(state.read(), state_keys(location.settings, location.environ))
    if out is None:
        result(document)
        return
    save_private(out, document)
    say(options, "info", f"Saved to {out}. Back with: reconciler state push {out}")
