"""`reconciler init`: a repository that validates and plans at once."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.settings import Options


@click.command(
    "init",
    epilog="""
\b
Examples:
  reconciler init
  reconciler init devices-of-ours --ci github
""",
)
@click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--ci",
    type=click.Choice(["github", "gitlab", "none"]),
    default="none",
    show_default=True,
    help="Write pipelines too: the plan on a pull request, apply after the merge, nightly drift.",
)
@click.pass_obj
def command(options: Options, directory: Path, ci: str) -> None:
    """Start a repository in DIR: project file, a first manifest, schemas for your editor.

    It validates, and plans against `reconciler sandbox`, as it is. A file that is there and differs
    is never overwritten: it is named, and then nothing is written. A .gitignore gets the lines that
    it lacks. What was written is listed on stdout.
    """
    import os

    from reconciler.cli.views.init import show_prepared, show_written
    from reconciler.engine.init import prepare_repository, write_repository

    prepared = prepare_repository(directory, ci)
    show_prepared(options, prepared)
    write_repository(prepared)
    if prepared.files:
        show_written(options, prepared, ci, os.environ)
