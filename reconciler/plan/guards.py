"""Guards that refuse a whole plan: each says what, measured, limit and the fix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from reconciler.core.counting import plural
from reconciler.core.project import Pattern
from reconciler.core.record import Record
from reconciler.core.safety import GONE, LEAVING, Budget, Safety
from reconciler.diff.changes import Diff

from .consent import unaccepted
from .model import PATTERN, Change, Refusal, Risk

_FINEST: Final = 6
# What a device of each risk would go through, for the sentence of its guard.
_WOULD: Final[Mapping[Risk, str]] = MappingProxyType(
    {
        Risk.OWNER_CHANGE: "would go to another owner",
        Risk.DETACH: "would be taken from their owners",
        Risk.PRIMARY_CHANGE: "would become primary, or stop being it",
        Risk.KEY_REMOVAL: "would lose a key of additionalData",
        Risk.DISABLE: "would get no push messages any more",
        Risk.LEAD_PROMOTION: "would turn a lead into a customer",
    }
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the guards look at. `looked_at` counts the declared devices of each application that
    the plan covers."""

    diff: Diff
    record: Record
    looked_at: Mapping[str, int]
    changes: tuple[Change, ...]


def refusals(
    measured: Measured,
    safety: Safety,
    empty_patterns: Iterable[Pattern],
    accepted: Collection[tuple[str, int]],
) -> tuple[Refusal, ...]:
    """Return the guards that trip, without those that are `accepted` (plan.consent).

    A plan of a part of the fleet is measured likewise: what leaves by it, against all that is
    recorded, for both are known in full; all else against what it looked at, for of the others
    nobody knows.
    """
    tripped = (
        *_patterns(empty_patterns),
        *_leaving(measured, safety.budgets[LEAVING]),
        *_gone(measured, safety.budgets[GONE]),
        *_risks(measured, safety.budgets),
    )
    return unaccepted(tripped, accepted)


def _patterns(patterns: Iterable[Pattern]) -> Iterable[Refusal]:
    for pattern in patterns:
        yield Refusal(
            PATTERN,
            f'{pattern.source}: the pattern "{pattern.text}" matches no file',
            "0 files",
            "at least 1",
            "fix the pattern, or delete the line if those manifests are gone for good",
        )


def _leaving(measured: Measured, budget: Budget) -> Iterable[Refusal]:
    count, total = len(measured.diff.leaving), len(measured.record.devices)
    if not budget.allows(count, total):
        message = f"{count} of {total} devices in the state left the files"
        yield _over(LEAVING, message, count, total, budget, "the devices in the state")


def _gone(measured: Measured, budget: Budget) -> Iterable[Refusal]:
    gone = Counter(device.application for device in measured.diff.gone)
    for application, count in sorted(gone.items()):
        total = measured.looked_at[application]
        if not budget.allows(count, total):
            message = (
                f"{count} of {total} devices of application {application} that the plan covers "
                "are gone; is its application code the right one?"
            )
            over = _over(f"{GONE}:{application}", message, count, total, budget, "an application")
            yield msgspec.structs.replace(over, fix=f"check the application code; {over.fix}")


def _risks(measured: Measured, budgets: Mapping[str, Budget]) -> Iterable[Refusal]:
    counts = Counter(risk for change in measured.changes for risk in change.risks)
    total = sum(measured.looked_at.values()) + len(measured.diff.leaving)
    for risk in Risk:
        count, budget = counts[risk], budgets[risk]
        if count and not budget.allows(count, total):
            message = f"{count} of {total} devices {_WOULD[risk]}"
            yield _over(risk, message, count, total, budget, "the devices that it covers")


def _over(guard: str, message: str, count: int, total: int, budget: Budget, among: str) -> Refusal:
    """Return the refusal; its measure starts with the count that consent has to name."""
    return Refusal(
        guard,
        message,
        f"{_devices(count)} ({_share(count, total, budget)})",
        _limit(budget, among),
        f"if it is meant: --accept {guard}={count}",
    )


def _limit(budget: Budget, among: str) -> str:
    if budget.devices is not None:
        return _devices(budget.devices)
    few = f", or {budget.few}" if budget.few else ""
    return f"{budget.percent.normalize():f}% of {among}{few}"


def _share(count: int, total: int, budget: Budget) -> str:
    """Return what is over a budget in per cent, with the decimals that tell it from the limit."""
    exact = Decimal(100 * count) / total
    places = 0
    while budget.devices is None and places < _FINEST and round(exact, places) <= budget.percent:
        places += 1
    return f"{exact:.{places}f}%"


def _devices(count: int) -> str:
    return f"{count} {plural(count, 'device')}"
