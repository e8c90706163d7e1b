"""`--lock-timeout DURATION`: how long a command waits for the lock of the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from .duration import Duration

F = TypeVar("F", bound=Callable[..., Any])


def lock_timeout_option(command: F) -> F:
    """Add the option; the command gets `patience`, in seconds."""
    return click.option(
        "--lock-timeout",
        "patience",
        type=Duration(zero=True),
        metavar="DURATION",
        default=0.0,
        help="Wait so long for the lock of the state if another run has it.  [default: not at all]",
    )(command)
