"""The credentials, the applications, and the limits: what only the account's credentials can tell.

An unknown application code is told by an error of its own (48012). That a registration is not found
(48013) says that the code is known, and not whether the registration is gone or of another
application.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from statistics import median
from typing import Final

from reconciler.api.credentials import UnusableCredential
from reconciler.api.errors import (
    ApiError,
    ApplicationNotFound,
    Denied,
    RateLimited,
    RegistrationNotFound,
    Rejected,
)
from reconciler.api.probe import ProbeResult
from reconciler.api.rate_limit import rate_of
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.counting import counted
from reconciler.core.device import Desired
from reconciler.core.live import LiveApplication
from reconciler.core.project import Project
from reconciler.core.suggestion import joined
from reconciler.platform.operations import DEFAULT_LIMITS, Operation

from .results import describe_answer, suggest_fix

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
_MOST_DEVICES: Final = 3
_MOST_READS: Final = 5
# Where the limit is low, fewer reads: a check shall not take long.
_MOST_SECONDS: Final = 2.0
_LOWER_LIMITS: Final = (
    "Others use the same account, or it has lower limits: lower api.quotaShare or api.limits of "
    "the project file. An apply slows down by itself."
)


def check_credentials(answers: Sequence[tuple[str, ApiError | None]]) -> CheckResult:
    """Judge the answers to reads of people (persons) and of registrations (get)."""
    denied = [(kind, error) for kind, error in answers if isinstance(error, Denied)]
    if denied:
        return _denied(denied[0][1], [kind for kind, _ in denied])
    unclear = [(kind, error) for kind, error in answers if error is not None and _is_unclear(error)]
    good = [kind for kind, error in answers if error is None or not _is_unclear(error)]
    message = f"accepted for {joined(good)}; what writing needs is not tried"
    if not unclear:
        return CheckResult("credentials", Verdict.OK, message)
    is_busy = all(isinstance(error, RateLimited) for _, error in unclear)
    return CheckResult(
        "credentials",
        Verdict.WARNING if is_busy else Verdict.FAILED,
        message if good else "whether they are accepted is not known",
        tuple(f"{kind}: {describe_answer(error)}" for kind, error in unclear),
        suggest_fix(unclear[0][1]),
    )


def describe_match(error: ApiError | None) -> str:
    """Say whether whose many devices are can be asked at once; without, all goes on as well."""
    if error is None:
        return "Who owns what is asked for many at once (match)."
    answer = describe_answer(error)
    return f"Who owns what is asked one by one, which takes longer: match {answer}"


def reject_credentials(error: UnusableCredential) -> CheckResult:
    """Say of credentials why they cannot even be sent."""
    fix = "Check the environment variables that api.auth of the project file names."
    return CheckResult("credentials", Verdict.FAILED, f"they cannot be sent: {error}", fix=fix)


def check_listing(listing: ProbeResult) -> CheckResult:
    """Say whether the key may list the applications: nothing needs it, names come from it."""
    check = "applications"
    match listing.error:
        case None:
            return CheckResult(
                check, Verdict.OK, f"{counted(len(listing.applications), 'application')} listed"
            )
        case Denied() | Rejected():
            message = "the key may not list them, so codes are not compared with names"
            scope = "Nothing else needs it. The scope is mobile-app-messaging:manage."
            return CheckResult(check, Verdict.OK, message, (scope,))
        case error:
            message = f"they could not be listed; {describe_answer(error)}"
            return CheckResult(check, Verdict.WARNING, message, fix=suggest_fix(error))


def declared_ids(application: str, desired: Desired | None) -> tuple[str, ...]:
    """Return a few registration ids that are declared for an application."""
    if desired is None:
        return ()
    devices = desired.devices.items()
    ids = (id_ for id_, device in devices if device.application == application)
    return tuple(islice(ids, _MOST_DEVICES))


def check_application(
    name: str,
    ids: Sequence[str],
    read: Callable[[str | None], ProbeResult],
    recorded_id: str | None,
    listed: LiveApplication | None = None,
) -> CheckResult:
    """Read one declared device after another until one is found; an invented one where none is.

    `recorded_id` is the service's id of the application as the state has it; `listed` is what the
    service lists with this code.
    """
    check = "application"
    known = "the code is known" if listed is None else _describe_listed(listed)
    probe_result = None
    for id_ in ids or (None,):
        probe_result = read(id_)
        if not isinstance(probe_result.error, RegistrationNotFound):
            break
    assert probe_result is not None
    registration = probe_result.registration
    if probe_result.error is None and registration is not None:
        message = f"{known}, and a declared device is in it"
        return _compare_application_id(
            name, known, message, registration.application_id, recorded_id
        )
    match probe_result.error:
        case None:
            message = "the service shows a device that nobody made"
            return CheckResult(check, Verdict.WARNING, message, subject=name)
        case ApplicationNotFound():
            message = "the service knows no application with this code"
            fix = (
                f"Let applications.{name}.appCode name the code as the service's own page of the "
                "application shows it."
            )
            return CheckResult(check, Verdict.FAILED, message, fix=fix, subject=name)
        case RegistrationNotFound() if ids:
            if len(ids) == 1:
                tried = "the declared device that was tried is not in it"
            else:
                tried = f"none of the {len(ids)} declared devices that were tried is in it"
            return CheckResult(
                check,
                Verdict.WARNING,
                f"{known}, but {tried}",
                (
                    "Gone, or this is the code of another application: the service answers both "
                    "alike.",
                ),
                f"Compare applications.{name}.appCode with the service's own page of the "
                "application. If it is right, reconciler plan says which devices are gone.",
                name,
            )
        case RegistrationNotFound() if listed is not None:
            return _compare_application_id(name, known, known, listed.id, recorded_id)
        case RegistrationNotFound():
            return CheckResult(
                check,
                Verdict.OK,
                "the code is known",
                ("No device of it is declared, so nothing shows whether it is the one you mean.",),
                subject=name,
            )
        case error:
            verdict = Verdict.WARNING if isinstance(error, RateLimited) else Verdict.FAILED
            message = f"the code could not be tried; {describe_answer(error)}"
            return CheckResult(check, verdict, message, fix=suggest_fix(error), subject=name)


def check_limits(project: Project, read: Callable[[], ProbeResult] | None) -> CheckResult:
    """Say how many calls a second of each operation are made, and try a few reads at that rate.

    `read` is None where no read can be made.
    """
    limits, share = project.api.limits, project.api.quota_share
    rates = _describe_rates(limits, share)
    if read is None:
        detail = ("No read was made at this pace: no application code is set.",)
        return CheckResult("limits", Verdict.OK, rates, detail)
    rate = rate_of(_limit_of(limits, Operation.GET), share) or math.inf
    count = max(1, int(min(_MOST_READS, rate * _MOST_SECONDS)))
    probe_results: list[ProbeResult] = []
    while len(probe_results) < count:
        probe_results.append(read())
        error = probe_results[-1].error
        # Nobody waits for four others like it.
        if error is not None and not _says_something(error):
            answer = describe_answer(error)
            message = f"read {len(probe_results)} of {count} had no good answer; {answer}"
            return CheckResult("limits", Verdict.WARNING, message, (rates,), suggest_fix(error))
    throttled = sum(isinstance(probe_result.error, RateLimited) for probe_result in probe_results)
    times = [probe_result.seconds * 1000 for probe_result in probe_results]
    measured = (
        f"{count} reads: {min(times):.0f} to {max(times):.0f} ms, {median(times):.0f} in the middle"
    )
    if throttled:
        message = f"{throttled} of {count} reads were answered 429"
        return CheckResult("limits", Verdict.WARNING, message, (rates, measured), _LOWER_LIMITS)
    return CheckResult("limits", Verdict.OK, rates, (measured,))


def _denied(error: ApiError, kinds: Sequence[str]) -> CheckResult:
    is_forbidden = error.status == 403
    message = f"{'forbidden' if is_forbidden else 'not accepted'} for {joined(kinds)}"
    fix = _FORBIDDEN if is_forbidden else _UNKNOWN
    if error.service_text is None:
        fix += _SOMEBODY_ELSE
    message = f"{message}; {describe_answer(error)}"
    return CheckResult("credentials", Verdict.FAILED, message, fix=fix)


def _is_unclear(error: ApiError) -> bool:
    """Whether an answer says nothing of the credentials. That the service does not know what was
    asked for says that they passed; any other 4xx may be of a proxy between."""
    return not isinstance(error, RegistrationNotFound | ApplicationNotFound)


def _describe_listed(listed: LiveApplication) -> str:
    """Say what the service calls the application of a code; the code itself is not shown."""
    count = listed.registrations
    holds = "" if count is None else f", {counted(count, 'registration')}"
    return (
        f"the code is that of {listed.name or 'an application without a name'} ({listed.id}{holds})"
    )


def _compare_application_id(
    name: str, known: str, message: str, application_id: str, recorded_id: str | None
) -> CheckResult:
    """Return the message, unless the state knows the application by another id."""
    if recorded_id is not None and recorded_id != application_id:
        return CheckResult(
            "application",
            Verdict.WARNING,
            f"{known}, but the state knows this application by another id",
            ("It was the code of another application when the state was last written.",),
            f"Check whether the change of applications.{name}.appCode was meant.",
            name,
        )
    return CheckResult("application", Verdict.OK, message, subject=name)


def _says_something(error: ApiError) -> bool:
    """Whether an error says something of the rate: that nobody knows a device or a code is an
    answer too."""
    return isinstance(error, RateLimited | RegistrationNotFound | ApplicationNotFound)


def _describe_rates(limits: Mapping[str, float], share: float) -> str:
    """Return the calls a second of each operation, and of what they are a share."""
    rates = []
    for operation in DEFAULT_LIMITS:
        rate = rate_of(_limit_of(limits, operation), share)
        rates.append(f"{operation.value} {'unlimited' if rate is None else f'{rate:g}'}")
    return f"a second: {', '.join(rates)}; {share:.0%} of the limits"


def _limit_of(limits: Mapping[str, float], operation: Operation) -> float:
    return limits.get(operation.value, DEFAULT_LIMITS[operation])
