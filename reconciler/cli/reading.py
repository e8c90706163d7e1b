"""Read live state for a command: in its event loop, within its time, and counted for its output."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reconciler.api.service import Service
from reconciler.core.events import Listener
from reconciler.core.live import Live, Needs
from reconciler.core.project import Project
from reconciler.core.sweep_query import SweepQuery
from reconciler.live.context import ReadContext
from reconciler.live.reading import read_live
from reconciler.live.strategy import Choice
from reconciler.plan.model import ReadCounts, Reads
from reconciler.platform.operations import Operation

from .connection import Connection
from .endings import Bounds, completed, cut_off


def live_state(
    ask: Callable[[Live], Needs],
    sought: SweepQuery,
    project: Project,
    link: Connection,
    run: tuple[asyncio.Runner, Service],
    bounds: Bounds,
    listen: Listener,
    choice: Choice = Choice.AUTO,
) -> tuple[Live, Reads]:
    """Read until `ask` misses nothing; return that, and how it was read.

    `sought` is what a sweep would look for. Raises ApiError and GateClosed.
    """
    runner, service = run
    before = dict(service.counts)
    service.tell(listen)
    means = ReadContext(service, link.app_codes, link.rates, listen, project.api.assume)
    work = read_live(ask, sought, means, choice)
    reading = completed(runner, cut_off(work, bounds.deadline))
    counts = {
        operation: service.counts.get(operation, 0) - before.get(operation, 0)
        for operation in (Operation.GET, Operation.PERSONS)
    }
    weighed = reading.weighed
    reads = Reads(
        reading.strategy.value,
        ReadCounts(counts[Operation.GET], counts[Operation.PERSONS]),
        reading.people,
        None if weighed is None else round(weighed.points, 1),
        None if weighed is None else round(weighed.sweep, 1),
    )
    return reading.live, reads
