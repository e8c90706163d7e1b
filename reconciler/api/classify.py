"""Classify what came back: a good answer, or the error that says what is true now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar, assert_never

from reconciler.core.secret import Secret
from reconciler.platform.operations import Call, Operation

from .credentials import fits_in_header
from .decode import Garbled
from .error_body import ErrorBody, parse_error_body
from .errors import (
    ApiError,
    ApplicationNotFound,
    Conflict,
    Denied,
    NoAnswer,
    NotTheContract,
    PersonNotFound,
    RateLimited,
    RegistrationNotFound,
    Rejected,
    ServerFailed,
    Truth,
    WritingSwitchedOff,
)
from .exchange import Answer, InvalidResponse, NoResponse, Outcome
from .retry import retry_after_seconds

T = TypeVar("T")

_NOBODY: Final = frozenset({"40401", "PERSON_DOES_NOT_EXIST"})
_ABOUT_THE_DEVICE: Final = frozenset({"PERSONALIZATION_IMPOSSIBLE"})
_SWITCHED_OFF: Final = frozenset(
    {"40501", "READ_ONLY_ALLOWED", "40502", "WRITE_SOURCES_RESTRICTED"}
)
SWITCHED_OFF: Final = (
    "the account takes no writes over the API, so no other write will work either; let whoever "
    "administers it allow them in the service's own settings of people, then apply again"
)


@dataclass(frozen=True, slots=True)
class CallSummary:
    """A call as far as it may be shown: no query, no body."""

    operation: str
    device: str | None
    method: str
    path: str
    # A personalize that does not take the device away from anybody.
    is_unforced: bool = False

    @classmethod
    def of(cls, call: Call, device: str | None) -> CallSummary:
        """Return what may be shown of a call about a device, or about no one device."""
        is_unforced = (
            call.operation is Operation.PERSONALIZE and "forceDepersonalize" not in call.query
        )
        return cls(call.operation, device, call.method, call.path, is_unforced)

    def error(
        self,
        error_class: type[ApiError],
        *,
        status: int | None = None,
        text: str | None = None,
        attempts: int = 1,
        reason: str | None = None,
        truth: Truth | None = None,
        retry_after: float | None = None,
    ) -> ApiError:
        """Return an error of a kind about this call."""
        return error_class(
            self.operation,
            self.device,
            self.method,
            self.path,
            status,
            text,
            attempts,
            reason=reason,
            truth=truth,
            retry_after=retry_after,
        )


def classify_outcome(
    summary: CallSummary, outcome: Outcome, attempts: int, hide: Iterable[str], now: float
) -> Answer | ApiError:
    """Return the answer if its status is 200, else the error. `now` is the Unix time.

    Only 200 is success: the contract has no other, and a 202 would not have done anything yet.
    """
    match outcome:
        case Answer(status=200):
            return outcome
        case Answer():
            return _classify_refusal(summary, outcome, attempts, hide, now)
        case NoResponse(reason, sent):
            truth: Truth = "unknown" if sent else "not done"
            return summary.error(NoAnswer, reason=reason, attempts=attempts, truth=truth)
        case InvalidResponse(reason, status):
            return summary.error(NotTheContract, status=status, reason=reason, attempts=attempts)
        case _:
            assert_never(outcome)


def decode_answer(
    summary: CallSummary, body: Secret[bytes], read: Callable[[bytes], T], attempts: int
) -> Secret[T] | ApiError:
    """Read an answer; what is not the contract's becomes an error that does not lead to it."""
    try:
        return Secret(read(body.reveal()))
    except Garbled as garbled:
        reason, is_json = str(garbled), garbled.is_json
    error = summary.error(NotTheContract, status=200, reason=reason, attempts=attempts)
    error.is_json = is_json
    return error


def check_app_code(summary: CallSummary, app_code: str | None) -> ApiError | None:
    """Return the error of a call whose application code no header can carry; it is not sent."""
    if app_code is None or fits_in_header(app_code):
        return None
    reason = "the application code is empty or cannot stand in a header"
    return summary.error(ApplicationNotFound, reason=reason, attempts=0)


def is_person_not_found(error: ApiError) -> bool:
    """Whether a persons call was told that nobody has that identifier (404, 40401)."""
    return isinstance(error, PersonNotFound)


def _classify_refusal(
    summary: CallSummary, answer: Answer, attempts: int, hide: Iterable[str], now: float
) -> ApiError:
    error_body = parse_error_body(answer.body, hide)
    status = answer.status
    text = error_body.text if error_body else None
    # The service's own clock, if it shows one: ours may be wrong.
    service_now = now if answer.date is None else _service_clock(answer.date, now)
    error_class = _error_class(summary, status, error_body)
    return summary.error(
        error_class,
        status=status,
        text=text or None,
        attempts=attempts,
        reason=_explain_status(error_class, status, error_body),
        retry_after=retry_after_seconds(answer.retry_after, service_now),
    )


def _service_clock(header: str, now: float) -> float:
    seconds = retry_after_seconds(header, 0.0)
    return now if seconds is None else seconds


def _error_class(summary: CallSummary, status: int, error_body: ErrorBody | None) -> type[ApiError]:
    codes = frozenset() if error_body is None else error_body.codes
    match status:
        case 403 if summary.is_unforced and codes & _ABOUT_THE_DEVICE:
            # Somebody else's device, and not a word about the key.
            return Rejected
        case 401 | 403:
            return Denied
        case 404 if summary.operation == Operation.PERSONS and _says_nobody(codes):
            return PersonNotFound
        case 405 if codes & _SWITCHED_OFF:
            return WritingSwitchedOff
        case 409:
            return Conflict
        case 429:
            return RateLimited
        case _ if 500 <= status <= 599:
            return ServerFailed
        case _ if 400 <= status <= 499 and error_body is not None:
            if "48013" in codes:
                return RegistrationNotFound
            return ApplicationNotFound if "48012" in codes else Rejected
        case _:
            return NotTheContract


def _says_nobody(codes: frozenset[str]) -> bool:
    """Whether a 404 is about a person: that one code, and none of its neighbours beside it."""
    others = {code for code in codes if code.startswith("404") and code.isdigit()} - _NOBODY
    return bool(codes & _NOBODY) and not others - {"404"}


def _explain_status(
    error_class: type[ApiError], status: int, error_body: ErrorBody | None
) -> str | None:
    if error_class is WritingSwitchedOff:
        return SWITCHED_OFF
    match status:
        case _ if 300 <= status <= 399:
            return "a redirect, which is never followed"
        case _ if 200 <= status <= 299:
            return "a success that the contract does not know"
        case _ if error_body is None:
            return "without a readable error"
        case _:
            return None
