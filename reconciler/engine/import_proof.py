"""The proof of an import: a plan of exactly the new devices is empty, before a file is written."""

from __future__ import annotations

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

from .connection import ServiceSession
from .live_state import timestamp
from .project_files import ProjectFiles


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
    files: ProjectFiles,
    context: ReadContext,
    session: ServiceSession,
) -> list[Doubt]:
    """Return what stands against an empty plan, sorted; reads what `live` lacks for one."""
    scope = Scope.of(desired, record, files.project, frozenset(imported))

    async def read_missing() -> Live:
        known = live
        while needs := scope.missing(known):
            known = await read_by_point(context, known, needs)
        return known

    known = session.read(read_missing())
    plan = build(
        desired,
        record,
        known,
        files.project,
        Circumstances(
            id=str(uuid.uuid4()),
            created_at=timestamp(),
            reads=Reads("census", ReadCounts()),
            rates=context.rates,
            scope=scope.covered(known),
        ),
    )
    return sorted(_doubts(plan, imported), key=lambda doubt: (doubt.device, doubt.text))


def _doubts(plan: Plan, imported: Collection[str]) -> Iterator[Doubt]:
    for change in plan.changes:
        # What the state does not know yet is what an import adds to it.
        if change.device in imported and set(change.actions) - {Action.ADOPT}:
            fields = ", ".join(field.path for field in change.fields)
            actions = ", ".join(action.value for action in change.actions)
            yield Doubt(change.device, f"{actions} of {fields}" if fields else actions)
    for drift in plan.drift:
        if drift.device in imported:
            fields = ", ".join(field.path for field in drift.fields)
            yield Doubt(drift.device, f"drift of {fields}")
    for error in plan.errors:
        for device in error.devices:
            if device in imported:
                yield Doubt(device, f"{error.message} [{error.code}]")
