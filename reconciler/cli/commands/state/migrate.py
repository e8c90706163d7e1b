"""`reconciler state migrate`: the record to another place, key or format."""

from __future__ import annotations

import os

import click

from reconciler.cli.exits import ExitCode, Stop
from reconciler.cli.options import Options
from reconciler.cli.patience import lock_timeout_option
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
    """Copy the record to another place, and print the section `state` for the project file.

    The old one stays where it is. Without --to it is written anew where it is: encrypted with
    state.encryption.key if there is one, in the format of this version.
    """
    from reconciler.cli.record import state_location
    from reconciler.cli.stages import explained
    from reconciler.cli.state_view import copied_text, rewritten_text, tell_started
    from reconciler.core.source import Source
    from reconciler.engine.holder import current_holder
    from reconciler.engine.state_access import StateLocation, settings_from_url
    from reconciler.engine.state_transfer import copy_record, rewrite_record

    source, holder = state_location(options), current_holder(os.environ)
    with explained(options, source.root):
        if url is None:
            result(rewritten_text(rewrite_record(source, holder, patience=patience)))
            return
        try:
            settings = settings_from_url(url, os.environ, Source("--to", 1, 1))
        except ValueError as error:
            raise Stop(ExitCode.USAGE, f"--to {url}: {error}.") from None
        # Whoever types an address means it.
        target = StateLocation(source.root, settings, os.environ, is_trusted=True)
        copied = copy_record(source, target, holder, patience=patience)
        if copied.pushed.is_new:
            tell_started(options, target.path)
        result(copied_text(copied, settings.backend))
