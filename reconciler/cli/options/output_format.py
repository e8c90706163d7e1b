"""`--format`: the form of what a command writes to stdout."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def format_option(*forms: str, help: str = "The form on stdout.") -> Callable[[F], F]:
    """Return the option of a command that knows these forms; the first is the default."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default=forms[0], show_default=True, help=help
    )
