"""Import, its proof: before anything is written, a plan of exactly the new devices is empty."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from reconciler.core.device import Desired
from reconciler.core.live import Live
from reconciler.core.record import Record
from reconciler.diff.scope import Scope
from reconciler.live.context import ReadContext
from reconciler.live.point_reads import read_by_point
from reconciler.plan.build import Circumstances, build
from reconciler.plan.model import Action, Plan, ReadCounts, Reads

from .checking import Loaded
from .endings import Bounds, completed, cut_off
from .streams import moment


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a plan right after would not leave a device alone; names fields, never values."""

    device: str
    text: str


def doubts(
    desired: Desired,
    record: Record,
    live: Live,
    imported: Collection[str],
    loaded: Loaded,
    means: ReadContext,
    runner: asyncio.Runner,
    bounds: Bounds,
) -> list[Doubt]:
    """Return what stands against an empty plan, sorted; reads what `live` lacks for one."""
    scope = Scope.of(desired, record, loaded.project, frozenset(imported))

    async def known() -> Live:
        found = live
        while needs := scope.missing(found):
            found = await read_by_point(means, found, needs)
        return found

    found = completed(runner, cut_off(known(), bounds.deadline))
    plan = build(
        desired,
        record,
        found,
        loaded.project,
        Circumstances(
            id=str(uuid.uuid4()),
            created_at=moment(),
            reads=Reads("census", ReadCounts()),
            rates=means.rates,
            scope=scope.covered(found),
        ),
    )
    return sorted(_doubts(plan, imported), key=lambda one: (one.device, one.text))


def _doubts(plan: Plan, imported: Collection[str]) -> Iterator[Doubt]:
    for change in plan.changes:
        # What the record does not know yet is what an import adds to it.
        if change.device in imported and set(change.actions) - {Action.ADOPT}:
            fields = ", ".join(field.path for field in change.fields)
            actions = ", ".join(action.value for action in change.actions)
            yield Doubt(change.device, f"{actions} of {fields}" if fields else actions)
    for left in plan.drift:
        if left.device in imported:
            fields = ", ".join(field.path for field in left.fields)
            yield Doubt(left.device, f"drift of {fields}")
    for error in plan.errors:
        for device in error.devices:
            if device in imported:
                yield Doubt(device, f"{error.message} [{error.code}]")
