"""`--accept GUARD=COUNT`: consent to what a guard refuses, in exactly that number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _parsed(ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> dict[str, int]:
    if not texts:
        return {}
    from reconciler.core.safety import DEFAULT_BUDGETS, GONE

    accepted: dict[str, int] = {}
    for text in texts:
        guard, _, count = text.rpartition("=")
        if not guard or not count.isascii() or not count.isdigit():
            raise click.BadParameter(
                f"{text!r} is not GUARD=COUNT, as in leaving=12.", ctx=ctx, param=option
            )
        name, _, application = guard.partition(":")
        # Only a guard of one application has one behind it.
        if name not in DEFAULT_BUDGETS or (name == GONE) != bool(application):
            known = (f"{one}:APPLICATION" if one == GONE else one for one in DEFAULT_BUDGETS)
            raise click.BadParameter(
                f"there is no guard {guard!r} to consent to; there are {', '.join(known)}.",
                ctx=ctx,
                param=option,
            )
        accepted[guard] = int(count)
    return accepted


def accept_option(command: F) -> F:
    """Add the option; the command gets `accepted`, counts by the names of guards."""
    return click.option(
        "--accept",
        "accepted",
        metavar="GUARD=COUNT",
        multiple=True,
        callback=_parsed,
        help="Consent to what a guard refuses, as its way out says; repeatable.",
    )(command)
