"""`reconciler completion`: the script that a shell sources."""

from __future__ import annotations

import click

from reconciler.cli.streams import result


@click.command(
    "completion",
    epilog="""
\b
Set up:
  bash   reconciler completion bash > ~/.local/share/bash-completion/completions/reconciler
  zsh    reconciler completion zsh > "${fpath[1]}/_reconciler"
  fish   reconciler completion fish > ~/.config/fish/completions/reconciler.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of bash, zsh or fish."""
    from click.shell_completion import get_completion_class

    from reconciler.cli.main import cli

    completion_class = get_completion_class(shell)
    assert completion_class is not None
    completion = completion_class(cli, {}, "reconciler", "_RECONCILER_COMPLETE")
    # Not .source(): for bash it would run a bash to look at its version.
    result(completion.source_template % completion.source_vars())
