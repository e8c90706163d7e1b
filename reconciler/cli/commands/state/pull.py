"""`reconciler state pull`: the state as one document."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options.output_file import require_replaceable
from reconciler.cli.settings import Options
from reconciler.cli.streams import result, say


@click.command(
    "pull",
    epilog="""
\b
Examples:
  reconciler state pull -o state.json       a copy, to keep or to push elsewhere
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
    """Write the state as a document: `reconciler schema state` describes it.

    Unless state.encryption is set, the key of the state's digests stands in it: keep it as you
    keep the state.
    """
    from reconciler.cli.project import open_project_state
    from reconciler.engine.output_files import is_state_document, save_private

    require_replaceable(out, "state", is_state_document)
    document = open_project_state(options).to_document()
    if out is None:
        result(document)
        return
    save_private(out, document)
    say(options, "info", f"Saved to {out}. Back with: reconciler state push {out}")
