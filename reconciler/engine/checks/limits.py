"""The limits: what this tool may use of them, and whether a few reads at that pace are answered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import median
from typing import Final

from reconciler.api.errors import ApiError, ApplicationNotFound, RateLimited, RegistrationNotFound
from reconciler.api.probe import Sounding
from reconciler.api.rate_limit import rate_of
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.project import Project
from reconciler.platform.operations import DEFAULT_LIMITS, Operation

from .answer import said, way_out

_CHECK: Final = "limits"
_MOST_READS: Final = 5
# Where the limit is low, fewer reads: a check shall not take long.
_SECONDS: Final = 2.0
_FIX: Final = (
    "Others use the same account, or it has lower limits: lower api.quotaShare or api.limits of "
    "the project file. An apply slows down by itself."
)


def examine(project: Project, ask: Callable[[], Sounding] | None) -> CheckResult:
    """Tell the pace of each operation; `ask` makes a read, and is None where none can be made."""
    shown = _paces(project.api.limits, project.api.quota_share)
    if ask is None:
        return CheckResult(
            _CHECK,
            Verdict.OK,
            shown,
            ("No read was made at this pace: no application code is set.",),
        )
    rate = rate_of(_limit(project.api.limits, Operation.GET), project.api.quota_share) or math.inf
    count = max(1, min(_MOST_READS, int(rate * _SECONDS) if rate < math.inf else _MOST_READS))
    soundings: list[Sounding] = []
    while len(soundings) < count:
        soundings.append(ask())
        # Nobody waits for four others like it.
        if (failure := _failure(soundings[-1])) is not None:
            message = f"read {len(soundings)} of {count} had no good answer; {said(failure)}"
            return CheckResult(_CHECK, Verdict.WARNING, message, (shown,), way_out(failure))
    throttled = sum(isinstance(one.error, RateLimited) for one in soundings)
    times = [one.seconds * 1000 for one in soundings]
    measured = (
        f"{count} reads: {min(times):.0f} to {max(times):.0f} ms, {median(times):.0f} in the middle"
    )
    if throttled:
        message = f"{throttled} of {count} reads were answered 429"
        return CheckResult(_CHECK, Verdict.WARNING, message, (shown, measured), _FIX)
    return CheckResult(_CHECK, Verdict.OK, shown, (measured,))


def _failure(sounding: Sounding) -> ApiError | None:
    """Return what says nothing of the pace; that nobody knows a device or a code is an answer."""
    match sounding.error:
        case None | RateLimited() | RegistrationNotFound() | ApplicationNotFound():
            return None
        case error:
            return error


def _paces(limits: Mapping[str, float], share: float) -> str:
    """Return the calls a second of each operation, and of what they are a share."""
    told = []
    for operation in DEFAULT_LIMITS:
        rate = rate_of(_limit(limits, operation), share)
        told.append(f"{operation.value} {'unlimited' if rate is None else f'{rate:g}'}")
    return f"a second: {', '.join(told)}; {share:.0%} of the limits"


def _limit(limits: Mapping[str, float], operation: Operation) -> float:
    return limits.get(operation.value, DEFAULT_LIMITS[operation])
