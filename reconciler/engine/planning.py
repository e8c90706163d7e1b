"""Make a plan: files -> state -> service -> live state -> plan. Writes nothing to the service."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.core.record import Record
from reconciler.diff.required_reads import sweep_query
from reconciler.diff.scope import Scope
from reconciler.diff.selection import Selection as DeviceSelection
from reconciler.diff.selection import chosen
from reconciler.git.history import head_commit
from reconciler.live.strategy import Choice
from reconciler.plan.build import Circumstances, build
from reconciler.plan.coverage import coverage
from reconciler.plan.model import Plan
from reconciler.state.protocols import State

from .cancellation import Cancellation
from .connection import Connection, ServiceSession, open_service, resolve_connection
from .errors import typed_endings
from .events import ApplyRunning, EarlierRunUnfinished, Listener, StateCreated
from .holder import current_holder
from .live_state import read_live_state, timestamp
from .project_files import ProjectFiles
from .selection import require_known_targets
from .state_access import StateLocation, open_state


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is asked of a plan: which devices, which overrides of guards, how to read."""

    selection: DeviceSelection = field(default_factory=DeviceSelection)
    accepted: Mapping[str, int] = field(default_factory=dict)
    read: Choice = Choice.AUTO


def plan_from_files(
    files: ProjectFiles,
    environ: Mapping[str, str],
    request: PlanRequest,
    cancellation: Cancellation,
    listen: Listener,
) -> Plan:
    """Make a plan of the files; writes nothing but a local state that was not there."""
    with typed_endings(files.root), open_project_state(files, environ, listen) as state:
        record = state.read()
        require_known_targets(files, record, request.selection)
        connection = connect(files, record, environ)
        report_running(state, listen)
        with open_service(connection, cancellation) as session:
            return make_plan(files, record, request, session, listen)


def make_plan(
    files: ProjectFiles,
    record: Record,
    request: PlanRequest,
    session: ServiceSession,
    listen: Listener,
) -> Plan:
    """Read live state until nothing is missing, and build the plan."""
    selection = request.selection
    ids = chosen(selection, files.desired, record)
    scope = Scope.of(files.desired, record, files.project, ids)
    live, reads = read_live_state(
        scope.missing,
        sweep_query(files.desired, record),
        files.project,
        session,
        listen,
        request.read,
    )
    return build(
        files.desired,
        record,
        live,
        files.project,
        Circumstances(
            id=str(uuid.uuid4()),
            created_at=timestamp(),
            reads=reads,
            rates=session.connection.rates,
            latency=session.service.latency,
            can_match=session.service.can_match,
            commit=head_commit(files.root),
            scope=scope.covered(live),
            coverage=coverage(
                selection.given,
                ids,
                scope.along(live),
                files.desired,
                record,
                project_changed=selection.past is not None and selection.past.project_changed,
            ),
            empty_patterns=files.empty_patterns,
            accepted=request.accepted,
            consents=files.consents,
        ),
    )


@contextmanager
def open_project_state(
    files: ProjectFiles, environ: Mapping[str, str], listen: Listener
) -> Iterator[State]:
    """Open the state of a project; a local one that is missing is made, and reported."""
    location = StateLocation(files.root, files.project.state, environ)
    state, is_new = open_state(location, current_holder(environ), create=True)
    with state:
        if is_new:
            listen(StateCreated(location.path))
        yield state


def connect(
    files: ProjectFiles,
    record: Record,
    environ: Mapping[str, str],
    also: Collection[str] = (),
) -> Connection:
    """Resolve what calls need from the environment. Raises InvalidSettings.

    `also` are applications that are used although nothing is declared or recorded of them.
    """
    desired = files.desired
    used = {*also, *(device.application for device in desired.devices.values())}
    used |= {removal.application for removal in desired.removed.values()}
    used |= {entry.application for entry in record.devices.values()}
    return resolve_connection(files.project, used, environ)


def report_running(state: State, listen: Listener) -> None:
    """Report that somebody applies right now, or that the last apply did not finish."""
    holder = state.holder()
    if holder is not None:
        listen(ApplyRunning(holder))
    else:
        report_unfinished(state, listen)


def report_unfinished(state: State, listen: Listener) -> None:
    """Report that the last apply did not finish, if that is so."""
    run = state.journal.unfinished()
    if run is not None:
        listen(EarlierRunUnfinished(run.plan, run.started, run.applied, run.unsettled))
