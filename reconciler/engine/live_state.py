"""Read live state for a use-case: within its time, and counted for the document it ends in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from reconciler.core.live import Live, Needs
from reconciler.core.project import Project
from reconciler.core.sweep_query import SweepQuery
from reconciler.live.context import ReadContext
from reconciler.live.reading import read_live
from reconciler.live.strategy import Choice
from reconciler.plan.model import ReadCounts, Reads
from reconciler.platform.operations import Operation

from .connection import ServiceSession
from .events import Listener


def read_live_state(
    required_reads: Callable[[Live], Needs],
    sweep_query: SweepQuery,
    project: Project,
    session: ServiceSession,
    listen: Listener,
    choice: Choice = Choice.AUTO,
) -> tuple[Live, Reads]:
    """Read until `required_reads` names nothing more; return that, and how it was read.

    Raises ApiError and BreakerTripped.
    """
    service = session.service
    before = dict(service.counts)
    context = read_context(project, session, listen)
    reading = session.read(read_live(required_reads, sweep_query, context, choice))
    counts = {
        operation: service.counts.get(operation, 0) - before.get(operation, 0)
        for operation in (Operation.GET, Operation.PERSONS, Operation.MATCH)
    }
    weighed = reading.weighed
    reads = Reads(
        reading.strategy.value,
        ReadCounts(*counts.values()),
        reading.people,
        None if weighed is None else round(weighed.points, 1),
        None if weighed is None else round(weighed.sweep, 1),
    )
    return reading.live, reads


def read_context(project: Project, session: ServiceSession, listen: Listener) -> ReadContext:
    """Return what reads are made with; the service tells the same listener of its pauses."""
    session.service.report_to(listen)
    connection = session.connection
    return ReadContext(
        session.service, connection.app_codes, connection.rates, listen, project.api.assume
    )


def timestamp() -> str:
    """Return the present moment as documents have it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
