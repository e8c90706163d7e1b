"""`reconciler demo`: the whole job on an embedded sandbox, with the real commands."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.settings import Options


@click.command("demo")
@click.option("--keep", is_flag=True, help="Keep the directory, to go on by hand.")
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to write the example; implies --keep.  [default: a temporary directory]",
)
@click.pass_obj
def command(options: Options, keep: bool, directory: Path | None) -> int:
    """See the whole job: declare, plan, apply, plan again, and drift.

    A courier company's fleet, on a simulated service in this process. Nothing leaves this machine,
    no account is needed, and it takes about half a minute to read.
    """
    from reconciler.cli.demo import run_demo

    return run_demo(options, directory, keep=keep)
