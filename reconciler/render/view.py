"""The one view of a plan that every rendering shows: legible texts, folded groups, short lists.

Every text in it is escaped for the eye (see escape), so a rendering adds only its own syntax.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.plan.model import OTHERS_CHANGED_TOO, Action, Change, Plan, Risk

from .changes import ChangeView, change_views
from .coverage import CoverageView, coverage_view
from .devices import DeviceView, DeviceViews
from .escape import name, prose
from .folding import FOLD
from .notices import (
    ErrorView,
    RefusalView,
    WarningView,
    error_view,
    refusal_view,
    warning_view,
)
from .proposals import ProposalView, not_looked_for, proposal_views
from .sentences import RISK_MEANS, summary

_CALLS: Final = frozenset({Action.DEPERSONALIZE, Action.PERSONALIZE, Action.UPDATE})


@dataclass(frozen=True, slots=True)
class RiskView:
    """One kind of risk in the plan: what it means, how many devices, the devices."""

    risk: Risk
    means: str
    devices: Sequence[DeviceView]


@dataclass(frozen=True, slots=True)
class PlanView:
    """A whole plan to be shown. Lists keep the plan's order; a group stands where its first is."""

    changes: tuple[ChangeView, ...]
    drift: tuple[ChangeView, ...]
    adopted: Sequence[DeviceView]
    released: Sequence[DeviceView]
    gone: Sequence[DeviceView]
    proposals: tuple[ProposalView, ...]
    not_looked_for: str
    errors: tuple[ErrorView, ...]
    refusals: tuple[RefusalView, ...]
    warnings: tuple[WarningView, ...]
    risks: tuple[RiskView, ...]
    coverage: CoverageView | None
    summary: str
    id: str
    created_at: str
    commit: str
    digest: str


def view(plan: Plan, fold: int | None = FOLD) -> PlanView:
    """Make the view. Identical changes of more than `fold` devices are one; None folds nothing."""
    changed = [change for change in plan.changes if not _CALLS.isdisjoint(change.actions)]
    called = {change.device for change in changed}
    # Said where the fields stand, so it needs no warning of its own.
    contested = {
        warning.device: warning.fields
        for warning in plan.warnings
        if warning.code == OTHERS_CHANGED_TOO and warning.device in called
    }
    return PlanView(
        changes=change_views(changed, fold, plan.people, contested),
        drift=change_views(plan.drift, fold, plan.people),
        adopted=_with_action(plan, Action.ADOPT),
        released=_with_action(plan, Action.RELEASE),
        gone=_with_action(plan, Action.GONE),
        proposals=proposal_views(plan.proposals, plan.people),
        not_looked_for=not_looked_for(plan.proposals),
        errors=tuple(error_view(error) for error in plan.errors),
        refusals=tuple(refusal_view(refusal) for refusal in plan.refusals),
        warnings=tuple(
            warning_view(warning)
            for warning in plan.warnings
            if warning.code != OTHERS_CHANGED_TOO or warning.device not in contested
        ),
        risks=_risks(changed),
        coverage=coverage_view(plan.coverage),
        summary=summary(plan),
        id=name(plan.id),
        created_at=prose(plan.created_at),
        commit=name(plan.inputs.commit) if plan.inputs.commit else "",
        digest=name(plan.digest),
    )


def _with_action(plan: Plan, action: Action) -> Sequence[DeviceView]:
    return DeviceViews([change for change in plan.changes if action in change.actions])


def _risks(changes: Sequence[Change]) -> tuple[RiskView, ...]:
    found: dict[Risk, list[Change]] = {}
    for change in changes:
        for risk in change.risks:
            found.setdefault(risk, []).append(change)
    return tuple(
        RiskView(risk, RISK_MEANS[risk], DeviceViews(found[risk])) for risk in Risk if risk in found
    )
