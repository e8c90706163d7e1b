"""A group whose commands are imported when they are called, not when the help lists them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword

import click


class LazyGroup(click.Group):
    """Know each command by its one-line help; its module in `package` has a `command` of click."""

    lazy: Mapping[str, str]
    package = "reconciler.cli.commands"

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return None
        # `import` is a word of Python, so its module is called import_.
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: object = import_module(f"{self.package}.{module}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.lazy.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in self.lazy or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from reconciler.core.suggestion import closest

        meant = closest(name, self.lazy)
        hint = f" Did you mean {meant}?" if meant else " The commands are listed by --help."
        raise click.UsageError(f"There is no command {name!r}.{hint}", ctx)
