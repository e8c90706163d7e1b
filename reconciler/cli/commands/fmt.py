"""`reconciler fmt`: the files in canonical layout, comments kept, meaning the same."""

from __future__ import annotations

from typing import Final

import click

from reconciler.cli.settings import Options

_STDIN: Final = "-"


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
    import sys

    from reconciler.cli.views.formatting import FormatView
    from reconciler.engine.formatting import format_bytes, format_files, format_project
    from reconciler.engine.project_files import locate_project_file

    if _STDIN in paths:
        if len(paths) > 1:
            raise click.UsageError("- stands for stdin, and goes with no other file.")
        data = sys.stdin.buffer.read()
        view = FormatView(options, options.origin, check, diff)
        return view.show_stdin(data, format_bytes("<stdin>", data))
    write = not (check or diff)
    if paths:
        view = FormatView(options, options.directory, check, diff)
        return view.show_all(format_files(options.directory, paths, write=write))
    project_file = locate_project_file(options.directory, options.config)
    view = FormatView(options, project_file.parent, check, diff)
    return view.show_all(format_project(project_file, write=write))
