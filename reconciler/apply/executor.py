"""Carry out a plan: its calls in order, groups side by side, a few workers for each operation."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress

from msgspec.structs import replace

from reconciler.api.breaker import INTERRUPTED, TIMED_OUT, Breaker
from reconciler.api.dispatch import Timing
from reconciler.api.retry import SURE_AFTER
from reconciler.core.device import Desired
from reconciler.core.digest import Digester
from reconciler.core.events import Listener, nobody_listens
from reconciler.core.failures import StateError
from reconciler.core.privacy import Privacy
from reconciler.core.record import Record
from reconciler.core.report import Outcome, Report
from reconciler.core.safety import Safety
from reconciler.plan.model import Plan, PlannedCall
from reconciler.plan.privacy import revealed
from reconciler.platform.operations import DEFAULT_LIMITS, Operation
from reconciler.platform.pace import workers

from .attempt import Circumstances, attempt
from .completion import Settlement
from .ledger import Ledger
from .owner_look import OwnerLooks
from .ports import Door, Journal, Lease, Records
from .record_writer import LEASE_LOST, RecordWriter
from .staleness import subjects


async def execute_plan(
    plan: Plan,
    desired: Desired,
    record: Record,
    service: Door,
    app_codes: Mapping[str, str],
    journal: Journal,
    records: Records,
    lease: Lease,
    listen: Listener = nobody_listens,
    rates: Mapping[Operation, float] = DEFAULT_LIMITS,
    breaker: Breaker | None = None,
    timing: Timing | None = None,
    safety: Safety | None = None,
    privacy: Privacy | None = None,
) -> Report:
    """Make the calls of a plan that `check` found nothing against; report what became of each.

    `app_codes` are by application name, `rates` requests a second after the quota share; `safety`
    protects devices by what is live when it is their turn, `privacy` hides values in the report.
    What an earlier run of the same plan has done is not done again. Tripping the `breaker`, which
    the `service` passes too, ends the run when the calls on the wire have ended. A journal or state
    that fails stops the run and stands in the report; StateError is raised only before the first
    call.
    """
    breaker, timing = breaker or Breaker(), timing or Timing()
    plan = _with_values(plan, desired, Digester(record.key))
    started = timing.clock()
    breaker.watch = lambda: None if lease.held() else LEASE_LOST
    ledger = Ledger(plan, desired, record)
    settlement = Settlement(plan, ledger, listen)
    await asyncio.to_thread(journal.start, plan.id)
    done = await asyncio.to_thread(journal.done, plan.id)
    circumstances = Circumstances(
        plan=plan.id,
        door=service,
        looks=OwnerLooks(service, Digester(record.key), breaker, timing.clock, rates),
        journal=journal,
        app_codes=app_codes,
        digester=Digester(record.key),
        safety=safety or Safety(),
        privacy=privacy or Privacy(),
        unsettled=await asyncio.to_thread(_unsettled, plan, journal, done),
        sure_from=timing.clock() + SURE_AFTER,
        breaker=breaker,
        timing=timing,
        listen=listen,
    )
    scribe = RecordWriter(ledger, records, lease, breaker, timing.clock)
    known = subjects(plan, desired)

    is_cut_short = False

    async def make(call: PlannedCall) -> list[PlannedCall]:
        nonlocal is_cut_short
        result = await attempt(call, known[call.device], settlement.effects.on(call), circumstances)
        if result.stop is not None:
            is_cut_short = True
            breaker.trip(result.stop)
        if result.outcome is Outcome.NOT_TRIED:
            # What follows it is not tried either: the run is ending.
            ledger.note(call, result)
            return []
        ready = settlement.settle(call, result, done)
        await scribe.write_when_due()
        return ready

    def over() -> bool:
        return settlement.finished or breaker.reason is not None

    try:
        crews = _crews(plan.calls, rates)
        await _work(settlement.begin(done), make, over, crews)
    finally:
        await scribe.write()
    why = breaker.reason
    if settlement.finished and not is_cut_short and why in (INTERRUPTED, TIMED_OUT):
        # It came too late to keep anything from being done.
        why = None
    interrupted = why == INTERRUPTED
    report = Report(
        plan.id,
        ledger.rows(why),
        timing.clock() - started,
        interrupted=interrupted,
        stopped=None if interrupted else why,
    )
    if report.complete and not interrupted:
        # If this fails, the next run of the plan finds every call done, and finishes it.
        with suppress(StateError):
            await asyncio.to_thread(journal.finish, plan.id)
    return report


def _with_values(plan: Plan, desired: Desired, digester: Digester) -> Plan:
    """Return the plan with what its calls hide, from the manifests; it is never shown."""
    devices = desired.devices
    calls = tuple(revealed(call, devices.get(call.device), digester) for call in plan.calls)
    return replace(plan, calls=calls)


def _unsettled(plan: Plan, journal: Journal, done: frozenset[str]) -> frozenset[str]:
    """Return the calls that may have reached the service: all, where nobody here can know."""
    if journal.elsewhere(plan.id) is not None:
        return frozenset(call.id for call in plan.calls) - done
    return journal.unsettled(plan.id)


def _crews(calls: Iterable[PlannedCall], rates: Mapping[Operation, float]) -> dict[str, int]:
    """Return how many workers each operation gets; none are idle from the start."""
    counts = Counter(call.operation for call in calls)
    return {kind: min(count, workers(Operation(kind), rates)) for kind, count in counts.items()}


async def _work(
    ready: Iterable[PlannedCall],
    make: Callable[[PlannedCall], Awaitable[list[PlannedCall]]],
    over: Callable[[], bool],
    crews: Mapping[str, int],
) -> None:
    """Make the ready calls, and those that become ready by them, until it is over."""
    queues: dict[str, asyncio.Queue[PlannedCall | None]] = {kind: asyncio.Queue() for kind in crews}

    async def worker(queue: asyncio.Queue[PlannedCall | None]) -> None:
        while (call := await queue.get()) is not None and not over():
            for follower in await make(call):
                queues[follower.operation].put_nowait(follower)
            if over():
                # The others may be waiting for calls that never come.
                for kind, count in crews.items():
                    for _ in range(count):
                        queues[kind].put_nowait(None)

    for call in ready:
        queues[call.operation].put_nowait(call)
    if over():
        return
    async with asyncio.TaskGroup() as group:
        for kind, count in crews.items():
            for _ in range(count):
                group.create_task(worker(queues[kind]))
