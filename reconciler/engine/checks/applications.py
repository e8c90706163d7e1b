"""The applications: whether the service knows their codes, and devices of theirs below them.

An unknown code is told by an error of its own (48012). That a registration is not found (48013)
says that the code is known, and not whether the registration is gone or of another application.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from reconciler.api.errors import ApplicationNotFound, RateLimited, RegistrationNotFound
from reconciler.api.probe import Sounding
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.device import Desired

from .answer import said, way_out

_CHECK: Final = "application"
_SAMPLE: Final = 3


def sample(application: str, desired: Desired | None) -> tuple[str, ...]:
    """Return a few registration ids that are declared for an application."""
    if desired is None:
        return ()
    ids = (id_ for id_, one in desired.devices.items() if one.application == application)
    return tuple(id_ for id_, _ in zip(ids, range(_SAMPLE), strict=False))


def examine(
    name: str, ids: Sequence[str], ask: Callable[[str | None], Sounding], known_id: str | None
) -> CheckResult:
    """Read one declared device after another until one is found; an invented one where none is.

    `known_id` is the service's id of the application as the record has it.
    """
    sounding = None
    for id_ in ids or (None,):
        sounding = ask(id_)
        if not isinstance(sounding.error, RegistrationNotFound):
            break
    assert sounding is not None
    match sounding.error:
        case None if sounding.registration is None:
            verdict, message = Verdict.WARNING, "the service shows a device that nobody made"
            return CheckResult(_CHECK, verdict, message, subject=name)
        case None:
            return _found(name, sounding, known_id)
        case ApplicationNotFound():
            message = "the service knows no application with this code"
            fix = (
                f"Let applications.{name}.appCode name the code as the service's own page of the "
                "application shows it."
            )
            return CheckResult(_CHECK, Verdict.FAILED, message, fix=fix, subject=name)
        case RegistrationNotFound() if ids:
            one = "the declared device that was tried is not in it"
            several = f"none of the {len(ids)} declared devices that were tried is in it"
            return CheckResult(
                _CHECK,
                Verdict.WARNING,
                f"the code is known, but {one if len(ids) == 1 else several}",
                (
                    "Gone, or this is the code of another application: the service answers both "
                    "alike.",
                ),
                f"Compare applications.{name}.appCode with the service's own page of the "
                "application. If it is right, reconciler plan says which devices are gone.",
                name,
            )
        case RegistrationNotFound():
            return CheckResult(
                _CHECK,
                Verdict.OK,
                "the code is known",
                ("No device of it is declared, so nothing tells whether it is the one you mean.",),
                subject=name,
            )
        case error:
            verdict = Verdict.WARNING if isinstance(error, RateLimited) else Verdict.FAILED
            message = f"the code could not be tried; {said(error)}"
            return CheckResult(_CHECK, verdict, message, fix=way_out(error), subject=name)


def _found(name: str, sounding: Sounding, known_id: str | None) -> CheckResult:
    assert sounding.registration is not None
    if known_id is not None and known_id != sounding.registration.application_id:
        return CheckResult(
            _CHECK,
            Verdict.WARNING,
            "the code is known, but the record knows this application by another id",
            ("It was the code of another application when the record was last written.",),
            f"Check whether the change of applications.{name}.appCode was meant.",
            name,
        )
    return CheckResult(
        _CHECK, Verdict.OK, "the code is known, and a declared device is in it", subject=name
    )
