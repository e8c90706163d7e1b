"""`--max-duration DURATION`: an apply that would take longer is refused before it begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from .duration import Duration

F = TypeVar("F", bound=Callable[..., Any])


def max_duration_option(command: F) -> F:
    """Add the option; the command gets `max_duration`, in seconds, or None."""
    return click.option(
        "--max-duration",
        type=Duration(),
        metavar="DURATION",
        help="Refuse to begin, with exit code 4, when the forecast is longer: 90s, 10m, 1h30m.",
    )(command)
