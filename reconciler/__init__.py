"""Plan and apply for push device registrations.

The public API. A project is opened once; what can be done with it are its methods:

    project = reconciler.open("fleet", environ=os.environ)
    plan = project.plan()
    report = project.apply(plan)
    with reconciler.sandbox(people=40) as service: ...  # the simulated service, for tests

`Project` says what each takes, returns and raises. Every error is a `ReconcilerError`. Names are
loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .api.errors import ApiError as ServiceError
    from .core.diagnostics import Diagnostic
    from .core.events import Progress
    from .core.failures import ReconcilerError, StateError
    from .core.report import Outcome, Report
    from .engine.cancellation import Cancellation
    from .engine.errors import (
        Cancelled,
        FailedMidway,
        InvalidCredentials,
        InvalidProject,
        InvalidSettings,
        NoSuchCommit,
        NotConfirmed,
        ProjectNotFound,
        Refused,
        StateMissing,
        TimedOut,
        UnknownName,
    )
    from .engine.project import Project
    from .engine.project import open_project as open
    from .engine.selection import Selection
    from .plan.document import InvalidPlan
    from .plan.drift import DriftDocument as Drift
    from .plan.model import Plan
    from .sandbox.embedded import sandbox as sandbox
    from .state.lease import LeaseHeld as StateLocked

__version__ = "0.1.0"

# Each public name: the module that has it, and its name there.
_HOMES: Final = {
    "Cancellation": ("engine.cancellation", "Cancellation"),
    "Cancelled": ("engine.errors", "Cancelled"),
    "Diagnostic": ("core.diagnostics", "Diagnostic"),
    "Drift": ("plan.drift", "DriftDocument"),
    "FailedMidway": ("engine.errors", "FailedMidway"),
    "InvalidCredentials": ("engine.errors", "InvalidCredentials"),
    "InvalidPlan": ("plan.document", "InvalidPlan"),
    "InvalidProject": ("engine.errors", "InvalidProject"),
    "InvalidSettings": ("engine.errors", "InvalidSettings"),
    "NoSuchCommit": ("engine.errors", "NoSuchCommit"),
    "NotConfirmed": ("engine.errors", "NotConfirmed"),
    "Outcome": ("core.report", "Outcome"),
    "Plan": ("plan.model", "Plan"),
    "Progress": ("core.events", "Progress"),
    "Project": ("engine.project", "Project"),
    "ProjectNotFound": ("engine.errors", "ProjectNotFound"),
    "ReconcilerError": ("core.failures", "ReconcilerError"),
    "Refused": ("engine.errors", "Refused"),
    "Report": ("core.report", "Report"),
    "Selection": ("engine.selection", "Selection"),
    "ServiceError": ("api.errors", "ApiError"),
    "StateError": ("core.failures", "StateError"),
    "StateLocked": ("state.lease", "LeaseHeld"),
    "StateMissing": ("engine.errors", "StateMissing"),
    "TimedOut": ("engine.errors", "TimedOut"),
    "UnknownName": ("engine.errors", "UnknownName"),
    "open": ("engine.project", "open_project"),
}

__all__ = [  # noqa: RUF022 - what is used first stands first
    "open",
    "Project",
    "Selection",
    "Plan",
    "Report",
    "Outcome",
    "Drift",
    "Progress",
    "Cancellation",
    "sandbox",
    "Diagnostic",
    "ReconcilerError",
    "ProjectNotFound",
    "InvalidProject",
    "InvalidSettings",
    "InvalidCredentials",
    "InvalidPlan",
    "UnknownName",
    "NoSuchCommit",
    "Refused",
    "NotConfirmed",
    "StateLocked",
    "StateMissing",
    "StateError",
    "ServiceError",
    "TimedOut",
    "Cancelled",
    "FailedMidway",
]


def __getattr__(name: str) -> object:
    if name == "sandbox":
        # The package of that name, which can be called: `sandbox.embedded` says how.
        return import_module(f"{__name__}.sandbox")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value: object = getattr(import_module(f"{__name__}.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
