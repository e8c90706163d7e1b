"""The credentials: whether the service takes them, for each of the two kinds of reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.api.credentials import UnusableCredential
from reconciler.api.errors import ApiError, Denied, RateLimited, Refused
from reconciler.core.check_result import CheckResult, Verdict

from .answer import said, way_out

_CHECK: Final = "credentials"
_UNKNOWN: Final = (
    "They are wrong, revoked, or of another account: check the variables that api.auth names, and "
    "that api.baseUrl is the one of the same account."
)
_FORBIDDEN: Final = (
    "The service knows them, and they may not do this: give the key the scopes for people and "
    "push registrations, and check that it allows the address of this machine."
)
_SOMEBODY_ELSE: Final = (
    " The service says why where it refuses, and this answer does not: perhaps it is of a proxy or "
    "a firewall between."
)


def examine(soundings: Sequence[tuple[str, ApiError | None]]) -> CheckResult:
    """Judge the answers to reads of people (persons) and of registrations (get)."""
    denied = [(kind, error) for kind, error in soundings if isinstance(error, Denied)]
    if denied:
        return _denied(denied[0][1], [kind for kind, _ in denied])
    unclear = [
        (kind, error) for kind, error in soundings if error is not None and _is_unclear(error)
    ]
    good = [kind for kind, error in soundings if error is None or not _is_unclear(error)]
    message = f"accepted for {' and '.join(good)}; what writing needs is not tried"
    if not unclear:
        return CheckResult(_CHECK, Verdict.OK, message)
    busy = all(isinstance(error, RateLimited) for _, error in unclear)
    return CheckResult(
        _CHECK,
        Verdict.WARNING if busy else Verdict.FAILED,
        message if good else "whether they are accepted cannot be told",
        tuple(f"{kind}: {said(error)}" for kind, error in unclear),
        way_out(unclear[0][1]),
    )


def unusable(error: UnusableCredential) -> CheckResult:
    """Say of credentials why they cannot even be sent."""
    fix = "Check the environment variables that api.auth of the project file names."
    return CheckResult(_CHECK, Verdict.FAILED, f"they cannot be sent: {error}", fix=fix)


def _denied(error: ApiError, kinds: Sequence[str]) -> CheckResult:
    forbidden = error.status == 403
    message = f"{'forbidden' if forbidden else 'not accepted'} for {' and '.join(kinds)}"
    fix = _FORBIDDEN if forbidden else _UNKNOWN
    if error.service_text is None:
        fix += _SOMEBODY_ELSE
    return CheckResult(_CHECK, Verdict.FAILED, f"{message}; {said(error)}", fix=fix)


def _is_unclear(error: ApiError) -> bool:
    """Whether an answer says nothing of the credentials; a 4xx of the contract says they passed."""
    return isinstance(error, RateLimited) or not isinstance(error, Refused)
