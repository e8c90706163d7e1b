"""`reconciler state migrate`: the record to another place, key or format."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode, Stop
from reconciler.cli.options.lock_timeout import lock_timeout_option
from reconciler.cli.settings import Options
from reconciler.cli.streams import result


@click.command(
    "migrate",
    epilog="""
\b
Examples:
  reconciler state migrate --to s3://acme-devices/reconciler/prod
  reconciler state migrate --to https://gitlab.com/api/v4/projects/42/terraform/state/devices
  reconciler state migrate       write it anew, with today's key and format
""",
)
@click.option(
    "--to",
    "url",
    metavar="URL",
    help="The new place: s3://, gs://, az://, file://, https://, postgres://, or a path.",
)
@lock_timeout_option
@click.pass_obj
def command(options: Options, url: str | None, patience: float) -> None:
    """Copy the record to another place, and print the section `state` for the project file.

    The old one stays where it is. Without --to it is written anew where it is: encrypted with
    state.encryption.key if there is one, in the format of this version.
    """
    from reconciler.cli.pushing import copy_to, rewrite
    from reconciler.cli.record import state_settings
    from reconciler.cli.states import settings_of
    from reconciler.engine.planning import explained

    root, settings = state_settings(options)
    with explained(options, root):
        if url is None:
            result(rewrite(options, root, settings, patience))
            return
        try:
            target = settings_of(url)
        except ValueError as error:
            raise Stop(ExitCode.USAGE, f"--to {url}: {error}.") from None
        result(copy_to(options, root, settings, target, patience))
