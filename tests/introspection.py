"""The command line as click knows it: every command, option, argument, value and file.

Tests that hold something to the command line ask here, so that what is added there is asked about
as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from reconciler.cli.main import cli


@dataclass(frozen=True, slots=True)
class Command:
    """One command or group: how it is typed (the program itself: no word), and click's own."""

    path: tuple[str, ...]
    click: click.Command

    @property
    def name(self) -> str:
        return " ".join(self.path)

    @property
    def is_group(self) -> bool:
        return isinstance(self.click, click.Group)

    @property
    def options(self) -> list[click.Option]:
        return [one for one in self.click.params if isinstance(one, click.Option)]

    @property
    def choices(self) -> list[Choice]:
        """The options and arguments that take one of some values."""
        return [
            Choice(spelling(one), tuple(str(value) for value in one.type.choices), one.required)
            for one in self.click.params
            if isinstance(one.type, click.Choice)
        ]

    @property
    def file_options(self) -> dict[str, tuple[str, ...]]:
        """The options that take a file, a directory or an address, with all their spellings."""
        return {
            spelling(one): tuple(one.opts)
            for one in self.options
            if isinstance(one.type, click.Path | click.File)
            or one.metavar in {"FILE", "DIR", "PATH", "URL"}
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """An option (`--format`) or an argument (`NAME`, without dashes) and the values it takes."""

    parameter: str
    values: tuple[str, ...]
    required: bool

    def typed(self, value: str) -> tuple[str, ...]:
        """Return what is typed for a value."""
        return (self.parameter, value) if self.parameter.startswith("-") else (value,)


def commands(group: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[Command]:
    """Yield every command, hidden ones too: the program itself, groups, and what is in them."""
    yield Command(path, group)
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None, name
            yield from commands(command, (*path, name))


def spelling(parameter: click.Parameter) -> str:
    """Return the longest way to type an option; of an argument the name that help shows."""
    if isinstance(parameter, click.Argument):
        return parameter.human_readable_name
    return max(parameter.opts, key=len)


def formats(name: str) -> tuple[str, ...]:
    """Return what `--format` of a command chooses from."""
    (command,) = (one for one in commands() if one.name == name)
    (choice,) = (one for one in command.choices if one.parameter == "--format")
    return choice.values
