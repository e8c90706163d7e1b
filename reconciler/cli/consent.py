"""May this plan be carried out? The files and the record say so, and whoever is asked."""

from __future__ import annotations

import select
import sys
from collections.abc import Mapping
from typing import Final

from reconciler.api.gate import TIMED_OUT, GateClosed
from reconciler.apply.check import check
from reconciler.core.record import Record
from reconciler.plan.definition import Plan

from .checking import Loaded
from .durations import Deadline
from .exits import ExitCode, Stop
from .options import Options
from .streams import blank

_FEW: Final = 10


def require_justified(
    plan: Plan,
    loaded: Loaded,
    record: Record,
    accepted: Mapping[str, int],
    done: frozenset[str] = frozenset(),
) -> None:
    """Raise Stop unless files and record justify the plan. `done`: calls of an earlier run."""
    consented = {
        f"{refusal.guard}: {refusal.message}"
        for refusal in plan.refusals
        # The measure starts with the count that consent has to name: "12 devices (24%)".
        if str(accepted.get(refusal.guard, "none")) == refusal.measured.split(" ")[0]
    }
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
        " ".join(refusal.way_out for refusal in plan.refusals)
        or "Make the plan again, review it, and apply that one.",
    )


def ask(options: Options, plan: Plan, deadline: Deadline) -> None:
    """Return when "yes" was typed; anything else refuses. GateClosed when the time is over."""
    if not sys.stdin.isatty():
        raise Stop(
            ExitCode.REFUSED,
            "Not confirmed: there is no terminal to ask on. Nothing was changed.",
            "Apply a saved plan (plan -o FILE, apply FILE), or say --yes.",
        )
    count = plan.summary.calls.total
    what = f"make {'this call' if count == 1 else f'these {count:,} calls'}"
    question = f'{what if count else "forget these devices"}? Only "yes" is accepted: '
    sys.stderr.write(question[0].upper() + question[1:])
    sys.stderr.flush()
    # Nobody may be there; the lease is held for as long as this waits.
    if not select.select((sys.stdin,), (), (), deadline.left())[0]:
        blank(options)
        raise GateClosed(TIMED_OUT)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        blank(options)
    if answer.strip() != "yes":
        raise Stop(ExitCode.REFUSED, "Not confirmed. Nothing was changed.")
