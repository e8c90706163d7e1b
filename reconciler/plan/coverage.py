"""What a plan covers and what it does not, in numbers."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.device import Desired
from reconciler.core.record import Record
from reconciler.diff.dependencies import Needed
from reconciler.diff.removed import leaving_ids

from .model import Coverage, Dependency


def coverage(
    selectors: Iterable[str],
    chosen: frozenset[str] | None,
    along: Iterable[Needed],
    desired: Desired,
    record: Record,
    *,
    project_changed: bool = False,
) -> Coverage:
    """Count what is chosen, comes along and is left out; `chosen` is None for everything."""
    if chosen is None:
        return Coverage(chosen=len(desired.devices))
    dependencies = tuple(Dependency(one.device, one.needed_by, one.why) for one in along)
    covered = chosen.union(one.device for one in dependencies)
    leaving = leaving_ids(desired, record)
    return Coverage(
        selectors=tuple(selectors),
        chosen=len(chosen),
        dependencies=tuple(sorted(dependencies, key=lambda one: one.device)),
        left_out=len(desired.devices.keys() - covered),
        leaving_left_out=len(leaving) - len(covered.intersection(leaving)),
        project_changed=project_changed,
    )
