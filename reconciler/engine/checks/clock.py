"""The clock: how far ours is from the service's, by the Date of an answer."""

from __future__ import annotations

from typing import Final

from reconciler.api.probe import Sounding
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.render.sentences import duration

# Leases of a shared record allow for a minute.
_FAR: Final = 60.0
# A Date has no fractions, so it is half a second early on average.
_HALF: Final = 0.5


def examine(greeting: Sounding) -> CheckResult:
    """Compare the clocks; a difference of more than a minute is a warning."""
    if greeting.date is None:
        return CheckResult("clock", Verdict.SKIPPED, "the answer of the service has no Date")
    ahead = greeting.at - (greeting.date + _HALF)
    if abs(ahead) <= _FAR:
        return CheckResult("clock", Verdict.OK, f"agrees with the service within {_within(ahead)}")
    side = "ahead of" if ahead > 0 else "behind"
    return CheckResult(
        "clock",
        Verdict.WARNING,
        f"this machine is {duration(abs(ahead))} {side} the service",
        ("Leases of a shared record take clocks of machines to agree within a minute.",),
        "Let this machine set its clock by the network (NTP).",
    )


def _within(ahead: float) -> str:
    return duration(max(abs(ahead), 1.0))
