"""`--accept GUARD=COUNT`: override a guard, in exactly the number that it measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

# No fleet has more devices than these digits can say; of thousands Python makes no number.
_LONGEST: Final = 18


def _parsed(ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> dict[str, int]:
    if not texts:
        return {}
    from reconciler.core.safety import DEFAULT_BUDGETS, GONE

    def wrong(message: str) -> click.BadParameter:
        return click.BadParameter(message, ctx=ctx, param=option)

    accepted: dict[str, int] = {}
    for text in texts:
        guard, _, digits = text.rpartition("=")
        is_count = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST
        if not guard or not is_count:
            raise wrong(f"{text!r} is not GUARD=COUNT, as in leaving=12.")
        name, _, application = guard.partition(":")
        # Only a guard of one application has one behind it.
        if not (application if name == GONE else guard in DEFAULT_BUDGETS):
            known = (f"{one}:APPLICATION" if one == GONE else one for one in DEFAULT_BUDGETS)
            raise wrong(
                f"there is no guard {guard!r} to override; the guards are {', '.join(known)}."
            )
        count = int(digits)
        if accepted.setdefault(guard, count) != count:
            raise wrong(f"{guard} has two counts, {accepted[guard]} and {count}; one is right.")
    return accepted


def accept_option(command: F) -> F:
    """Add the option; the command gets `accepted`, counts by the names of guards."""
    return click.option(
        "--accept",
        "accepted",
        metavar="GUARD=COUNT",
        multiple=True,
        callback=_parsed,
        help="Override a guard, in the number that its refusal says; repeatable.",
    )(command)
