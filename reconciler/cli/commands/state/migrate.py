"""`reconciler state migrate`: the state to another place, key or format."""

from __future__ import annotations

import click

from reconciler.cli.options.lock_timeout import lock_timeout_option
from reconciler.cli.settings import Options
from reconciler.cli.streams import result
from reconciler.core.state_backends import known_urls


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
    help=f"The new place: {', '.join(known_urls())}, or a path.",
)
@lock_timeout_option
@click.pass_obj
def command(options: Options, url: str | None, patience: float) -> None:
    """Copy the state to another place, and print the section `state` for the project file.

    The old one stays where it is. Without --to it is written anew where it is: encrypted with
    state.encryption.key if there is one, in the format of this version.
    """
    from reconciler.cli.project import open_project_state
    from reconciler.cli.views.state import copied_text, rewritten_text, write_state_created

    state = open_project_state(options)
    if url is None:
        result(rewritten_text(state.rewrite(lock_timeout=patience)))
        return
    copied, backend, file = state.copy_to(url, lock_timeout=patience)
    if copied.pushed.is_new:
        write_state_created(options, file)
    result(copied_text(copied, backend))
