"""`reconciler fmt`: the files in canonical layout, comments kept, meaning the same."""

from __future__ import annotations

import click

from reconciler.cli.settings import Options


@click.command(
    "fmt",
    epilog="""
\b
Examples:
  reconciler fmt                          the project file and all manifests
  reconciler fmt --check                  in a pipeline: exit code 1 if one would change
  reconciler fmt --diff devices/zg.yaml   what would change
  reconciler fmt - < zg.yaml              for editors: from stdin to stdout
""",
)
@click.argument("paths", metavar="[FILE]...", nargs=-1, type=click.Path())
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if a file would change.")
@click.option(
    "--diff", is_flag=True, help="Write nothing; show what would change, values veiled as …"
)
@click.pass_obj
def command(options: Options, paths: tuple[str, ...], check: bool, diff: bool) -> int:
    """Lay files out canonically: order of keys, indentation, quotes, blank lines.

    Without FILE: the project file, and what its `manifests:` name. The files that changed are
    listed on stdout.

    Comments stay with what they belong to, and a file never changes what it means: it is read again
    before it is written. One with mistakes of syntax is left as it is (exit code 1).
    """
    from reconciler.engine.formatting import STDIN, Wish, format_files, format_project, format_stdin

    wish = Wish(check, diff)
    if STDIN in paths:
        if len(paths) > 1:
            raise click.UsageError("- stands for stdin, and goes with no other file.")
        return format_stdin(options, wish)
    return format_files(options, paths, wish) if paths else format_project(options, wish)
