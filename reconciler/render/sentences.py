"""The sentences every rendering shares: the summary line, durations, counts, what a risk means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from reconciler.plan.definition import Plan, Risk

RISK_MEANS: Final[Mapping[Risk, str]] = MappingProxyType(
    {
        Risk.OWNER_CHANGE: "The device moves from one person to another.",
        Risk.DETACH: "The device is taken from its person and belongs to nobody.",
        Risk.PRIMARY_CHANGE: "Which device of a person is primary changes.",
        Risk.KEY_REMOVAL: "A key of additionalData is removed with its value.",
        Risk.DISABLE: "The device gets no push messages any more.",
        Risk.LEAD_PROMOTION: "A lead becomes a customer, which cannot be undone here.",
    }
)


def number(count: int) -> str:
    """Return a count as people write it: 20,000."""
    return f"{count:,}"


def devices(count: int) -> str:
    """Return "1 device" or "412 devices"."""
    return counted(count, "device")


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where it is one."""
    return f"{number(count)} {noun}" + ("" if count == 1 else "s")


def duration(seconds: float) -> str:
    """Return about how long something takes, in the unit a person would choose; at least 1 s."""
    if seconds <= 90:
        return f"{max(1, math.ceil(seconds))} s"
    if seconds <= 90 * 60:
        return f"{math.ceil(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def listed(names: Sequence[str], few: int, total: int | None = None) -> str:
    """Return the first few names: "a, b, c and 409 more"."""
    total = len(names) if total is None else total
    if total <= few:
        return ", ".join(names)
    return f"{', '.join(names[:few])} and {number(total - few)} more"


def summary(plan: Plan) -> str:
    """Return the last line of a plan: "Plan: 12 to change, 88 unchanged. 14 calls, about 1 s."

    What is zero is left out, but for the changes. What is counted among the unchanged already (to
    adopt, drifted), or not declared any more (to release), has a sentence of its own at the end.
    """
    counts, drifted = plan.summary, len(plan.drift)
    aside = _parts([(counts.adopt, "to adopt"), (counts.released, "to release")])
    aside += _parts([(drifted, "drifted")])
    gone = (counts.gone, "gone")
    if counts.changed == 0 and counts.calls.total == 0 and counts.withheld == 0:
        settled = _as_declared(max(0, counts.unchanged - drifted), counts.devices)
        sentences = ["No changes", settled, *aside, *_parts([gone])]
    else:
        parts = _parts([(counts.unchanged, "unchanged"), gone, (counts.withheld, "withheld")])
        sentences = [f"Plan: {', '.join([f'{number(counts.changed)} to change', *parts])}"]
        if calls := counts.calls.total:
            took = duration(counts.forecast_seconds)
            sentences.append(f"{counted(calls, 'call')}, about {took}")
        sentences += aside
    return " ".join(f"{sentence}." for sentence in sentences)


def _parts(counts: Sequence[tuple[int, str]]) -> list[str]:
    return [f"{number(count)} {word}" for count, word in counts if count]


def _as_declared(settled: int, declared: int) -> str:
    if declared == 0:
        return "No devices are declared"
    return f"{devices(settled)} {'is' if settled == 1 else 'are'} as declared"
