"""The stages of plan and apply, in the order in which they are called.

files -> record -> service -> live state -> plan; each a function that takes what the one before
returned. What goes wrong in a room leaves here as one message and an exit code.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reconciler.api.breaker import TIMED_OUT, BreakerTripped
from reconciler.api.errors import ApiError, ApplicationNotFound, Denied, NoAnswer, NotTheContract
from reconciler.api.service import Service
from reconciler.core.events import Listener
from reconciler.core.failures import StateError
from reconciler.core.record import Record
from reconciler.diff.required_reads import sought
from reconciler.diff.scope import Scope
from reconciler.diff.selection import Selection, chosen
from reconciler.git.commit import head
from reconciler.live.strategy import Choice
from reconciler.plan.build import Circumstances, build
from reconciler.plan.coverage import coverage
from reconciler.plan.model import Plan
from reconciler.state.lease import LeaseHeld
from reconciler.state.protocols import State

from .checking import Loaded, tell
from .chosen import require_known
from .collector import without_collector
from .connection import Connection, Mistakes, opened, resolved
from .earlier import tell_running
from .endings import Bounds
from .exits import ExitCode, Stop
from .holders import their_run
from .options import Options
from .reading import live_state
from .states import open_state
from .streams import blank, moment

_MORE_TIME: Final = "Give it more time, or leave --timeout out."


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the arguments ask of a plan: which devices, what they consent to, how to read."""

    selection: Selection = field(default_factory=Selection)
    accepted: Mapping[str, int] = field(default_factory=dict)
    read: Choice = Choice.AUTO


@contextmanager
def explained(options: Options, root: Path) -> Iterator[None]:
    """Turn what the rooms raise into messages and exit codes; all of it before any write."""
    try:
        yield
    except KeyboardInterrupt:
        blank(options)
        raise Stop(ExitCode.INTERRUPTED, "Interrupted. Nothing was changed.") from None
    except BreakerTripped as closed:
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


def open_record(options: Options, loaded: Loaded) -> State:
    """Open the record; a local one that is missing is made, and said."""
    return open_state(options, loaded.root, loaded.project.state, create=True)


def connection(loaded: Loaded, record: Record, also: Collection[str] = ()) -> Connection:
    """Resolve what calls need from the environment; raises Mistakes.

    `also` are applications that are used although nothing is declared or recorded of them.
    """
    used = {*also, *(device.application for device in loaded.desired.devices.values())}
    used |= {removal.application for removal in loaded.desired.removed.values()}
    used |= {entry.application for entry in record.devices.values()}
    return resolved(loaded.project, used, os.environ)


@without_collector()
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
    past = wishes.selection.past
    ids = chosen(wishes.selection, loaded.desired, record)
    scope = Scope.of(loaded.desired, record, loaded.project, ids)
    live, reads = live_state(
        scope.missing,
        sought(loaded.desired, record),
        loaded.project,
        link,
        run,
        bounds,
        listen,
        wishes.read,
    )
    return build(
        loaded.desired,
        record,
        live,
        loaded.project,
        Circumstances(
            id=str(uuid.uuid4()),
            created_at=moment(),
            reads=reads,
            rates=link.rates,
            latency=run[1].latency,
            commit=head(loaded.root),
            scope=scope.covered(live),
            coverage=coverage(
                wishes.selection.given,
                ids,
                scope.along(live),
                loaded.desired,
                record,
                project_changed=past is not None and past.project_changed,
            ),
            empty_patterns=loaded.empty_patterns,
            accepted=wishes.accepted,
            consents=loaded.consents,
        ),
    )


def plan_from_files(
    options: Options, loaded: Loaded, wishes: Wishes, bounds: Bounds, listen: Listener
) -> Plan:
    """Run all stages up to the plan; writes nothing but a record that was not there."""
    with explained(options, loaded.root), open_record(options, loaded) as state:
        record = state.read()
        require_known(loaded, record, wishes.selection)
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
