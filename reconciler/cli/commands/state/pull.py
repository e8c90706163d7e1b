"""`reconciler state pull`: the record as one document."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.settings import Options
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
    from reconciler.cli.record import state_settings
    from reconciler.cli.states import keys_of, open_state
    from reconciler.engine.output_files import require_replaceable, save_private
    from reconciler.engine.planning import explained
    from reconciler.state.envelope import looks_like_one
    from reconciler.state.record_codec import encode

    if out is not None:
        require_replaceable(out, "record", looks_like_one)
    root, settings = state_settings(options)
    with (
        explained(options, root),
        open_state(options, root, settings, create=False) as state,
    ):
        document = encode(state.read(), keys_of(settings))
    if out is None:
        result(document)
        return
    save_private(out, document)
    say(options, "info", f"Saved to {out}. Back with: reconciler state push {out}")
