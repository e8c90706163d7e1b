"""Retry by rule: whether a failed attempt is repeated, and after which wait. Pure arithmetic."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Final

from .errors import ApiError, NoAnswer, NotTheContract, RateLimited, ServerFailed
from .exchange import NoConnection

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0
# A service that asks for more is not waited for: the run says so instead of standing still.
LONGEST_RETRY_AFTER: Final = 300.0
# About 15 s of waiting; a 429 is a promise that it will work later, so it gets far more patience.
MOST_FAILURES: Final = 6
MOST_THROTTLES: Final = 40


class Trouble(Enum):
    """What may pass by itself. THROTTLED: 429, surely not done · BROKEN: 5xx or connection."""

    THROTTLED = "throttled"
    BROKEN = "broken"


def trouble(error: ApiError) -> Trouble | None:
    """Say what kind of passing trouble an error is, or None if repeating cannot help."""
    match error:
        case RateLimited():
            return Trouble.THROTTLED
        case NoAnswer() if error.reason == NoConnection.CERTIFICATE:
            # Nobody mends that while we wait.
            return None
        case ServerFailed() | NoAnswer():
            return Trouble.BROKEN
        case NotTheContract() if error.status is None:
            # The connection died inside the answer: the same as no answer.
            return Trouble.BROKEN
        case _:
            return None


def wait_before_retry(
    kind: Trouble, count: int, *, repeatable: bool, retry_after: float | None, jitter: float
) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up.

    `count` counts attempts of one call that ended in this kind, this one included. Only calls
    that are `repeatable` (reads, PATCH) are repeated when it is unknown whether they were done.
    `jitter` in [0, 1) spreads calls that failed together over half of the wait.
    """
    if kind is Trouble.BROKEN and not repeatable:
        return None
    if count >= (MOST_THROTTLES if kind is Trouble.THROTTLED else MOST_FAILURES):
        return None
    if retry_after is not None:
        return None if retry_after > LONGEST_RETRY_AFTER else retry_after
    # The exponent is bounded so that 2 ** n stays a small number.
    whole = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(count - 1, 10))
    return whole * (0.5 + 0.5 * jitter)


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Read a Retry-After header: seconds, or a date compared with `now` (a Unix time)."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None
