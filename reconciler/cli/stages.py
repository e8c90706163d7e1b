"""The stages of plan and apply, in the order in which they are called.

files -> record -> service -> live state -> plan; each a function that takes what the one before
returned. What goes wrong in a room leaves here as one message and an exit code.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from reconciler.api.errors import ApiError, ApplicationNotFound, Denied, NoAnswer, NotTheContract
from reconciler.api.gate import TIMED_OUT, GateClosed
from reconciler.api.service import Service
from reconciler.core.events import Listener
from reconciler.core.failures import StateError
from reconciler.core.live import Live, Needs
from reconciler.core.record import Record
from reconciler.diff.missing import missing
from reconciler.git.commit import head
from reconciler.live.points import read_all
from reconciler.plan.build import Circumstances, build
from reconciler.plan.definition import Plan, ReadCounts, Reads
from reconciler.platform.operations import Operation
from reconciler.state.lease import LeaseHeld
from reconciler.state.state import State

from .checking import Loaded, tell
from .connection import Connection, Mistakes, opened, resolved
from .earlier import tell_running
from .endings import Bounds, cut_off
from .exits import ExitCode, Stop
from .holders import their_run
from .options import Options
from .states import open_state
from .streams import blank, did_you_mean

_MORE_TIME: Final = "Give it more time, or leave --timeout out."


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the arguments ask of a plan: `targets` are registration ids, none means all."""

    targets: tuple[str, ...] = ()
    accepted: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def explained(options: Options, root: Path) -> Iterator[None]:
    """Turn what the rooms raise into messages and exit codes; all of it before any write."""
    try:
        yield
    except KeyboardInterrupt:
        blank(options)
        raise Stop(ExitCode.INTERRUPTED, "Interrupted. Nothing was changed.") from None
    except GateClosed as closed:
        fix = _MORE_TIME if closed.reason == TIMED_OUT else ""
        text = f"{closed.reason[0].upper()}{closed.reason[1:]}. Nothing was changed."
        raise Stop(ExitCode.ERROR, text, fix) from None
    except Mistakes as mistakes:
        tell(options, root, mistakes.diagnostics)
        raise Stop(ExitCode.ERROR) from None
    except StateError as error:
        tell(options, root, [error.diagnostic])
        raise Stop(ExitCode.ERROR) from None
    except LeaseHeld as held:
        raise Stop(
            ExitCode.LEASED,
            f"Nothing was done: {held}.{their_run(held.holder)}",
            "Wait for it: --lock-timeout 10m. The lease of a dead run expires by itself: in 30 s, "
            "90 s where it ran on another machine. That of one that hangs is taken away by: "
            "reconciler state unlock",
        ) from None
    except ApiError as error:
        raise Stop(ExitCode.ERROR, str(error), _way_out(error)) from None


def _way_out(error: ApiError) -> str:
    match error:
        case Denied():
            return (
                "Check the credentials that api.auth of the project file names, and their scopes."
            )
        case ApplicationNotFound():
            return "Check the application codes under applications in the project file."
        case NoAnswer():
            return "Check api.baseUrl of the project file, and the network."
        case NotTheContract():
            return "Check that api.baseUrl is the account's own base URL, with nothing in between."
        case _:
            return ""


def scope_of(loaded: Loaded, wishes: Wishes) -> frozenset[str] | None:
    """Return the ids that are planned, None for all; Stop for one that nobody declares."""
    for target in wishes.targets:
        if target not in loaded.desired.devices:
            hint = did_you_mean(target, loaded.desired.devices)
            raise Stop(ExitCode.USAGE, f"--target {target}: no manifest declares this id.{hint}")
    return frozenset(wishes.targets) if wishes.targets else None


def open_record(options: Options, loaded: Loaded) -> State:
    """Open the record; a local one that is missing is made, and said."""
    return open_state(options, loaded.root, loaded.project.state, create=True)


def connection(loaded: Loaded, record: Record) -> Connection:
    """Resolve what calls need from the environment; raises Mistakes."""
    used = {device.application for device in loaded.desired.devices.values()}
    used |= {removal.application for removal in loaded.desired.removed.values()}
    used |= {entry.application for entry in record.devices.values()}
    return resolved(loaded.project, used, os.environ)


def make_plan(
    loaded: Loaded,
    record: Record,
    wishes: Wishes,
    link: Connection,
    run: tuple[asyncio.Runner, Service],
    bounds: Bounds,
    listen: Listener,
) -> Plan:
    """Read live state until nothing is missing, and build the plan."""
    runner, service = run
    scope = scope_of(loaded, wishes)
    before = dict(service.counts)
    service.tell(listen)
    reading = read_all(service, link.app_codes, _asker(loaded, record, scope), listen)
    live = runner.run(cut_off(reading, bounds.deadline))
    counts = {
        operation: service.counts.get(operation, 0) - before.get(operation, 0)
        for operation in (Operation.GET, Operation.PERSONS)
    }
    return build(
        loaded.desired,
        record,
        live,
        loaded.project,
        Circumstances(
            id=str(uuid.uuid4()),
            created_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            reads=Reads("points", ReadCounts(counts[Operation.GET], counts[Operation.PERSONS])),
            rates=link.rates,
            commit=head(loaded.root),
            scope=scope,
            empty_patterns=loaded.empty_patterns,
            accepted=wishes.accepted,
        ),
    )


def _asker(
    loaded: Loaded, record: Record, scope: Collection[str] | None
) -> Callable[[Live], Needs]:
    def ask(live: Live) -> Needs:
        return missing(loaded.desired, record, live, loaded.project, scope)

    return ask


def plan_from_files(
    options: Options, loaded: Loaded, wishes: Wishes, bounds: Bounds, listen: Listener
) -> Plan:
    """Run all stages up to the plan; writes nothing but a record that was not there."""
    scope_of(loaded, wishes)
    with explained(options, loaded.root), open_record(options, loaded) as state:
        record = state.read()
        link = connection(loaded, record)
        tell_running(options, state)
        with opened(link, bounds.gate) as run:
            return make_plan(loaded, record, wishes, link, run, bounds, listen)


def verdict(plan: Plan, *, detailed: bool) -> ExitCode:
    """Return the exit code of a plan: refused, in error, with changes, or done."""
    if plan.refusals:
        return ExitCode.REFUSED
    if plan.errors:
        return ExitCode.ERROR
    # What is only noted (adopt) or found missing (gone) is no change.
    if detailed and (plan.calls or plan.summary.released):
        return ExitCode.CHANGES
    return ExitCode.DONE
