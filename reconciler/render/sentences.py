"""Sentences that every rendering shares: the summary line, durations, what a risk means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from reconciler.core.counting import counted as counted
from reconciler.core.counting import number, plural
from reconciler.plan.glossary import BY_NAME
from reconciler.plan.model import Action, ForecastCalls, Plan, Risk

RISK_MEANS: Final[Mapping[Risk, str]] = MappingProxyType(
    {risk: BY_NAME[risk].title for risk in Risk}
)


# What stands beside the devices that a plan leaves alone for that.
UNREADABLE_MEANS: Final = "what the service shows cannot be understood; left as it is, see below"


def devices(count: int) -> str:
    """Return "1 device" or "412 devices"."""
    return counted(count, "device")


def duration(seconds: float) -> str:
    """Return about how long something takes, in the unit a person would choose; at least 1 s."""
    if seconds <= 90:
        return f"{max(1, math.ceil(seconds))} s"
    if seconds <= 90 * 60:
        return f"{math.ceil(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def format_moment(moment: datetime) -> str:
    """Return a moment as messages show it: to the second, with its time zone."""
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z")


def listed(names: Sequence[str], few: int, total: int | None = None) -> str:
    """Return the first few names: "a, b, c and 409 more"."""
    total = len(names) if total is None else total
    if total <= few:
        return ", ".join(names)
    return f"{', '.join(names[:few])} and {number(total - few)} more"


def summary(plan: Plan) -> str:
    """Return the last line of a plan: "Plan: 12 to change, 88 unchanged. 14 calls (14 update) and
    14 reads (14 get), about 1 s."

    What is zero is left out, but for the changes. What is counted among the unchanged already (to
    adopt, drifted), or not declared any more (to release), has a sentence of its own at the end.
    """
    counts, drifted = plan.summary, len(plan.drift)
    aside = _nonzero([(counts.adopt, "to adopt"), (counts.released, "to release")])
    aside += _nonzero([(drifted, "drifted")])
    unreadable = sum(Action.UNREADABLE in change.actions for change in plan.changes)
    gone = [(counts.gone, "gone"), (unreadable, "unreadable")]
    if counts.changed == 0 and counts.calls.total == 0 and counts.withheld == 0:
        settled = _as_declared(
            max(0, counts.unchanged - drifted),
            counts.devices,
            chosen_only=bool(plan.coverage.selectors),
        )
        sentences = ["No changes", settled, *aside, *_nonzero(gone)]
    else:
        parts = _nonzero([(counts.unchanged, "unchanged"), *gone, (counts.withheld, "withheld")])
        sentences = [f"Plan: {', '.join([f'{number(counts.changed)} to change', *parts])}"]
        if counts.calls.total:
            sentences.append(work_sentence(plan))
        sentences += aside
    return " ".join(f"{sentence}." for sentence in sentences)


def work_sentence(plan: Plan) -> str:
    """Return what an apply of a plan does: its calls and the reads before them, by their kinds,
    and about how long that takes."""
    calls, read = plan.summary.calls, plan.forecast.calls
    # How many calls there are is counted from them; a forecast is what somebody foretold.
    all_of_it = ForecastCalls(
        read.get, read.persons, calls.update, calls.personalize, calls.depersonalize
    )
    return f"{foretold_calls(all_of_it)}, about {duration(plan.summary.forecast_seconds)}"


def foretold_calls(calls: ForecastCalls) -> str:
    """Return calls and reads by their kinds: "2 calls (2 update) and 2 reads (2 get)"."""
    writes = (
        (calls.depersonalize, "depersonalize"),
        (calls.personalize, "personalize"),
        (calls.update, "update"),
    )
    reads = ((calls.get, "get"), (calls.persons, "persons"))
    return " and ".join(
        f"{counted(total, noun)} ({', '.join(_nonzero(kinds))})"
        for noun, kinds in (("call", writes), ("read", reads))
        if (total := sum(count for count, _ in kinds))
    )


def _nonzero(counts: Sequence[tuple[int, str]]) -> list[str]:
    return [f"{number(count)} {word}" for count, word in counts if count]


def _as_declared(settled: int, declared: int, *, chosen_only: bool) -> str:
    if declared == 0:
        return "No devices are chosen" if chosen_only else "No devices are declared"
    return f"{devices(settled)} {plural(settled, 'is', 'are')} as declared"
