"""Retry by rule: whether a failed attempt is repeated, and after which wait. Pure arithmetic.

The one home of the rule: reads are repeated by the client, writes by the apply stage, which reads
the device again before it sends again.
"""

from __future__ import annotations

from collections import Counter
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Final

from reconciler.platform.operations import WRITES

from .errors import (
    ApiError,
    Conflict,
    NoAnswer,
    NotTheContract,
    RateLimited,
    ServerFailed,
)
from .exchange import NoConnection

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0
# A service that asks for more is not waited for: the run says so instead of standing still.
LONGEST_RETRY_AFTER: Final = 300.0
# A read may lag by two seconds behind an answered write; only then does it say what became of one
# that was not answered.
SURE_AFTER: Final = 2.2


class Transient(Enum):
    """What may pass by itself; the value is how many attempts of a call may end in it.

    THROTTLED: 429, surely not done; a promise that it will work later, so it gets patience for
    about 20 minutes · BROKEN: 5xx, no whole answer, no connection; about 15 seconds · CLASHED: 409,
    another write to the same person at the same time. A read may meet one too.
    """

    THROTTLED = 40
    BROKEN = 6
    CLASHED = 5


# A service that has not answered anything yet is a wrong address more often than a bad moment.
MOST_UNMET: Final = 3


def classify_transient(error: ApiError) -> Transient | None:
    """Say what kind of passing trouble an error is, or None if repeating cannot help."""
    match error:
        case RateLimited():
            return Transient.THROTTLED
        case Conflict():
            return Transient.CLASHED
        case NoAnswer() if error.reason == NoConnection.CERTIFICATE:
            # Nobody fixes that while we wait.
            return None
        case ServerFailed(status=501):
            # It is not implemented, and will not be while we wait.
            return None
        case ServerFailed() | NoAnswer():
            return Transient.BROKEN
        case NotTheContract() if error.status in (None, 200):
            # Cut off or garbled on its way; a redirect or another status stays so.
            return Transient.BROKEN
        case _:
            return None


class RetryBudget:
    """What the attempts of one call ended in so far."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Counter[Transient] = Counter()

    def wait_after(
        self, error: ApiError, *, jitter: float, has_answered: bool = True
    ) -> float | None:
        """Count an attempt that ended in an error; return the seconds to wait, None to give up.

        `jitter` in [0, 1) spreads calls that failed together over half of the wait. `has_answered`:
        the service has answered something in this run.
        """
        transient = classify_transient(error)
        if transient is None:
            return None
        self._counts[transient] += 1
        most = transient.value if has_answered or transient is not Transient.BROKEN else MOST_UNMET
        if self._counts[transient] >= most:
            return None
        wait = wait_before_retry(self._counts[transient], error.retry_after, jitter)
        if wait is None or error.operation not in WRITES or error.truth == "not done":
            return wait
        return max(wait, SURE_AFTER)


def wait_before_retry(count: int, retry_after: float | None, jitter: float) -> float | None:
    """Return the seconds to wait after `count` attempts that ended alike; None: longer than we do.

    `retry_after` is what the service asks for, in seconds.
    """
    if retry_after is not None:
        return None if retry_after > LONGEST_RETRY_AFTER else retry_after
    # The exponent is bounded so that 2 ** n stays a small number.
    unjittered = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(count - 1, 10))
    return unjittered * (0.5 + 0.5 * jitter)


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Read a Retry-After header: seconds, or a date compared with `now` (a Unix time)."""
    if header is None:
        return None
    value = header.strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None
