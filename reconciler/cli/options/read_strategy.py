"""`--read`: the one option of all commands that read live state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def read_option(command: F) -> F:
    """Add the option; the command gets `strategy`: auto, points or sweep."""
    return click.option(
        "--read",
        "strategy",
        type=click.Choice(["auto", "points", "sweep"]),
        default="auto",
        show_default=True,
        help="How live state is read: registration by registration, or page by page.",
    )(command)
