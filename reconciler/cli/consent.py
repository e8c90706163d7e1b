"""May this plan be carried out? The files and the record say so, and whoever is asked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from reconciler.apply.justification import check
from reconciler.core.record import Record
from reconciler.plan.consent import unaccepted
from reconciler.plan.model import Plan

from .asking import confirmed
from .checking import Loaded
from .durations import Deadline
from .exits import ExitCode, Stop
from .options import Options

_FEW: Final = 10


def require_justified(
    plan: Plan,
    loaded: Loaded,
    record: Record,
    accepted: Collection[tuple[str, int]] = (),
    done: frozenset[str] = frozenset(),
) -> None:
    """Raise Stop unless files and record justify the plan.

    `accepted` are guards with the counts that somebody consents to; `done`: calls of an earlier
    run.
    """
    refused = unaccepted(plan.refusals, accepted)
    consented = {f"{one.guard}: {one.message}" for one in plan.refusals if one not in refused}
    reasons = [
        reason
        for reason in check(plan, loaded.desired, record, loaded.project, done)
        if reason not in consented
    ]
    if not reasons:
        return
    more = [f"and {len(reasons) - _FEW:,} more"] if len(reasons) > _FEW else []
    raise Stop(
        ExitCode.REFUSED,
        "\n  ".join(("Refused, nothing was changed:", *reasons[:_FEW], *more)),
        "; ".join(refusal.way_out for refusal in refused)
        or "Make the plan again, review it, and apply that one.",
    )


def ask(options: Options, plan: Plan, deadline: Deadline) -> None:
    """Return when "yes" was typed; anything else refuses. GateClosed when the time is over."""
    count = plan.summary.calls.total
    what = f"Make {'this call' if count == 1 else f'these {count:,} calls'}?"
    confirmed(
        options,
        what if count else "Forget these devices?",
        "Apply a saved plan (plan -o FILE, apply FILE), or say --yes.",
        deadline,
    )
