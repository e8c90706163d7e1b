"""The one view of a plan that every rendering shows: legible texts, folded groups, short lists.

Every text in it is escaped for the eye (see escape), so a rendering adds only its own syntax.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.plan.model import (
    OTHERS_CHANGED_TOO,
    Action,
    Change,
    Plan,
    PlanError,
    PlanWarning,
    Proposal,
    Refusal,
    Risk,
)

from .changes import ChangeView, DeviceView, DeviceViews, change_views
from .coverage import CoverageView, coverage_view
from .escape import LABEL_LIMIT, name, prose, quoted
from .folding import FOLD
from .sentences import RISK_MEANS, devices, summary
from .values import NO_PEOPLE, People, show_identity

PATCH_COMMAND: Final = "reconciler plan --write-patch FILE"
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
    unreadable: Sequence[DeviceView]
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
        adopted=_devices_with_action(plan, Action.ADOPT),
        released=_devices_with_action(plan, Action.RELEASE),
        gone=_devices_with_action(plan, Action.GONE),
        unreadable=_devices_with_action(plan, Action.UNREADABLE),
        proposals=proposal_views(plan.proposals, plan.people),
        not_looked_for=count_not_looked_for(plan.proposals),
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


def _devices_with_action(plan: Plan, action: Action) -> Sequence[DeviceView]:
    return DeviceViews([change for change in plan.changes if action in change.actions])


def _risks(changes: Sequence[Change]) -> tuple[RiskView, ...]:
    by_risk: dict[Risk, list[Change]] = {}
    for change in changes:
        for risk in change.risks:
            by_risk.setdefault(risk, []).append(change)
    return tuple(
        RiskView(risk, RISK_MEANS[risk], DeviceViews(by_risk[risk]))
        for risk in Risk
        if risk in by_risk
    )


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
    fix: str


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
        prose(refusal.fix),
    )


@dataclass(frozen=True, slots=True)
class ProposalView:
    """One device: the old id, the new one (empty: several are possible), and how sure that is."""

    id: str
    label: str
    application: str
    source: str
    replacement: str
    why: str


def proposal_views(
    proposals: Iterable[Proposal], people: People = NO_PEOPLE
) -> tuple[ProposalView, ...]:
    """Make the views of those that may be back."""
    return tuple(_proposal_view(proposal, people) for proposal in proposals if proposal.could_be)


def count_not_looked_for(proposals: Iterable[Proposal]) -> str:
    """Say how many may be back or not, as nobody looked; empty if there are none.

    They are counted only: with a wrong application code that is a whole fleet.
    """
    count = sum(not proposal.could_be for proposal in proposals)
    if not count:
        return ""
    return (
        f"Not looked for: {devices(count)} that may be back, as too many are gone or no other "
        "device of their application was read."
    )


def _proposal_view(proposal: Proposal, people: People) -> ProposalView:
    owner = name(proposal.owner) + show_identity(proposal.owner, people)
    if proposal.replacement is None:
        many = "another device that is gone, or that the plan leaves out, may be it too"
        if proposal.could_be > 1:
            many = f"{proposal.could_be:,} registrations of {owner} could be it"
        why = f"{many}; nothing is proposed"
    elif proposal.model is None:
        why = f"the only other registration of {owner} here; which model it was is not known"
    else:
        why = f"of {owner} too, and a {quoted(proposal.model, LABEL_LIMIT)} as well"
    return ProposalView(
        name(proposal.device),
        "" if proposal.label is None else quoted(proposal.label, LABEL_LIMIT),
        name(proposal.application),
        prose(proposal.source),
        "" if proposal.replacement is None else name(proposal.replacement),
        why,
    )
