"""What a consent is bound to: the digest of all that a plan would do, and of nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from reconciler.core.consent import Consent

from .model import Action, Change, Plan, PlannedCall, Refusal

_NOTED: Final = (Action.ADOPT,)


def effect_digest(changes: Iterable[Change], calls: Iterable[PlannedCall]) -> str:
    """Return SHA-256 (hexadecimal) over changes and calls.

    Lines that moved, labels and devices that are only adopted do not count, nor do the commit and
    the state's serial: a consent is committed after the plan that it is for was made.
    """
    done = [
        msgspec.structs.replace(change, label=None, source=None, model=None)
        for change in changes
        if change.actions != _NOTED
    ]
    return hashlib.sha256(
        msgspec.json.encode(
            [sorted(done, key=lambda change: change.device), list(calls)], order="deterministic"
        )
    ).hexdigest()


def consented(
    consents: Iterable[Consent], changes: Iterable[Change], calls: Iterable[PlannedCall]
) -> frozenset[tuple[str, int]]:
    """Return what the consents to exactly this accept: guards with counts.

    Two of them may name one guard; a wrong count of one takes nothing from the right one of the
    other, whichever is read first.
    """
    given = tuple(consents)
    if not given:
        return frozenset()
    digest = effect_digest(changes, calls)
    return frozenset(
        accepted
        for consent in given
        if consent.changes == digest
        for accepted in consent.accept.items()
    )


def consent_to(plan: Plan) -> Consent | None:
    """Return the consent that this plan needs; None if it was refused for nothing of that kind."""
    accept = {
        refusal.guard: count
        for refusal in plan.refusals
        if (count := accepted_count(refusal)) is not None
    }
    return Consent(effect_digest(plan.changes, plan.calls), accept) if accept else None


def unaccepted(
    refusals: Iterable[Refusal], accepted: Collection[tuple[str, int]]
) -> tuple[Refusal, ...]:
    """Return the refusals that nobody accepted with their very count.

    `accepted` are guards with the counts that somebody consented to (`--accept owner-change=38`).
    """
    return tuple(one for one in refusals if (one.guard, accepted_count(one)) not in accepted)


def accepted_count(refusal: Refusal) -> int | None:
    """Return the count that consent to a guard has to name; None where there is no consent."""
    if "--accept" not in refusal.fix:
        return None
    # The measure starts with it: "12 devices (24%)".
    count = refusal.measured.split(" ")[0]
    return int(count) if count.isascii() and count.isdigit() else None
