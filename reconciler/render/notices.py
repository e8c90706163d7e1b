"""What a plan says beside its changes, made legible: errors, warnings, guards that refuse it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.plan.model import PlanError, PlanWarning, Refusal

from .escape import name, prose


@dataclass(frozen=True, slots=True)
class ErrorView:
    code: str
    slug: str
    message: str
    devices: tuple[str, ...]
    source: str
    detail: tuple[str, ...]
    fix: str


@dataclass(frozen=True, slots=True)
class WarningView:
    code: str
    message: str
    source: str


@dataclass(frozen=True, slots=True)
class RefusalView:
    guard: str
    message: str
    measured: str
    limit: str
    way_out: str


def error_view(error: PlanError) -> ErrorView:
    """Make an error legible."""
    return ErrorView(
        code=name(error.code),
        slug=name(error.slug),
        message=prose(error.message),
        devices=tuple(name(device) for device in error.devices),
        source="" if error.source is None else prose(error.source),
        detail=tuple(prose(text) for text in error.detail),
        fix="" if error.fix is None else prose(error.fix),
    )


def warning_view(warning: PlanWarning) -> WarningView:
    """Make a warning legible."""
    source = "" if warning.source is None else prose(warning.source)
    return WarningView(name(warning.code), prose(warning.message), source)


def refusal_view(refusal: Refusal) -> RefusalView:
    """Make a refusal legible."""
    return RefusalView(
        name(refusal.guard),
        prose(refusal.message),
        prose(refusal.measured),
        prose(refusal.limit),
        prose(refusal.way_out),
    )
