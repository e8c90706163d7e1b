"""`--max-duration DURATION`: an apply that would take longer is refused before it begins."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from ..exit_codes import ExitCode, Stop
from .duration import Duration

if TYPE_CHECKING:
    from reconciler.engine.connection import Connection
    from reconciler.engine.project_files import Loaded
    from reconciler.plan.model import Forecast, Plan

F = TypeVar("F", bound=Callable[..., Any])
# An answer that took longer than an attempt may is none that was measured.
_SLOWEST: Final = 300.0


def max_duration_option(command: F) -> F:
    """Add the option; the command gets `max_duration`, in seconds, or None."""
    return click.option(
        "--max-duration",
        type=Duration(),
        metavar="DURATION",
        help="Refuse to begin, with exit code 4, when the forecast is longer: 90s, 10m, 1h30m.",
    )(command)


def require_short(
    plan: Plan,
    loaded: Loaded,
    link: Connection,
    most: float | None,
    done: Collection[str] = frozenset(),
) -> None:
    """Raise Stop if the calls of a plan that are not `done` take longer than `most` seconds.

    Of the document only the latency is taken, which nothing here can tell: how long these calls
    take under the limits and the share of this project is computed anew.
    """
    if most is None:
        return
    from reconciler.plan.forecast import forecast, lookups_of

    measured = plan.forecast.latency_seconds
    latency = measured if 0.0 < measured <= _SLOWEST else None
    lookups = lookups_of(plan.calls, plan.changes, loaded.desired)
    foretold = forecast(plan.calls, lookups, link.rates, latency, done)
    if foretold.seconds > most:
        raise _refusal(foretold, most, len(done))


def _refusal(foretold: Forecast, most: float, done: int) -> Stop:
    from reconciler.render.sentences import counted, foretold_calls

    waits = f", the longest chain {counted(foretold.chain, 'call')}" if foretold.chain > 1 else ""
    before = f"; {counted(done, 'call')} of an earlier run left out" if done else ""
    return Stop(
        ExitCode.REFUSED,
        "Refused, nothing was changed: this apply would take longer than it may.\n"
        f"  measured  {_told(foretold.seconds)}: {foretold_calls(foretold.calls)}{waits}{before}\n"
        f"  limit     {_told(most)}: --max-duration",
        f"Give it longer: --max-duration {math.ceil(foretold.seconds / 60)}m. Or apply parts: "
        "plan --since, --select or --target. Or raise api.limits or api.quotaShare, if the account "
        "has more.",
    )


def _told(seconds: float) -> str:
    from reconciler.render.sentences import duration

    exact = f"{math.ceil(seconds):,} s"
    short = duration(seconds)
    return short if short == exact else f"{short} ({exact})"
