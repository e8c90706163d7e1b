"""Import: manifests of what lives in an application, proven before a file is written, then adopted.

Target -> census -> selection -> manifests -> proof -> lock -> files -> state: all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from reconciler.api.errors import ApplicationNotFound
from reconciler.core.device import Desired
from reconciler.core.digest import Digester
from reconciler.core.failures import StateError
from reconciler.core.live import Found, LiveRegistration
from reconciler.core.record import Record, record_entry
from reconciler.core.suggestion import hint
from reconciler.diff.import_selection import (
    ImportFilter,
    ImportSelection,
    data_keys,
    select_registrations,
)
from reconciler.live.census import Census, take_census
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.import_entries import Undeclared, make_entries
from reconciler.manifest.result import ManifestFile
from reconciler.manifest.writing import Manifest, make_manifests
from reconciler.state.lease import Lease, LeaseHeld
from reconciler.state.protocols import State

from .cancellation import Cancellation
from .connection import ServiceSession, open_service
from .errors import EngineError, Incomplete, InvalidProject, StateMoved, UnknownName, typed_endings
from .events import Listener
from .files import expand_globs
from .import_proof import Doubt, doubts
from .import_target import ImportTarget, import_target, write_manifests
from .live_state import read_context
from .planning import connect, open_project_state
from .project_files import ProjectFiles, manifest_paths, manifest_schemas, read_manifest_files
from .state_lock import locked


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import, and where to.

    directory: where the manifests go; a glob of the project must match them.
    max_file_size: bytes; several files are written where one would be larger.
    lock_timeout: seconds to wait for the lock of the state.
    """

    application: str
    directory: Path
    registrations: ImportFilter
    max_file_size: int
    lock_timeout: float = 0.0


def filter_from_globs(
    globs: Iterable[str], *, only_owned: bool = False, most: int | None = None
) -> ImportFilter:
    """Return the filter that globs mean: of an id, or KEY=GLOB of a value in additionalData."""
    pairs = [glob.partition("=") for glob in globs]
    return ImportFilter(
        tuple(key for key, sign, _ in pairs if not sign),
        tuple((key, glob) for key, sign, glob in pairs if sign),
        only_owned,
        most,
    )


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it. No manifests: there was nothing to write.

    steady: nobody came or went while the people were read.
    found: how many registrations of the application were found, imported or not.
    counted: how many the service itself counts; None where it does not tell.
    """

    request: ImportRequest
    manifests: tuple[Manifest, ...]
    selection: ImportSelection
    undeclared: tuple[Undeclared, ...]
    steady: bool
    found: int = 0
    counted: int | None = None


class NotProven(EngineError):
    """A plan right after would not be empty, so nothing was written; `doubts` says why."""

    def __init__(self, doubts: tuple[Doubt, ...]) -> None:
        super().__init__(
            "A plan right after would not be empty; nothing was written.",
            "Somebody may have changed them meanwhile: run it again. Otherwise choose the others "
            "with --match.",
        )
        self.doubts = doubts


def import_registrations(
    files: ProjectFiles,
    environ: Mapping[str, str],
    request: ImportRequest,
    cancellation: Cancellation,
    listen: Listener,
) -> Imported:
    """Read an application, and write manifests of it that are proven; or nothing at all."""
    if request.application not in files.project.applications:
        raise UnknownName(
            f"--application {request.application}: the project has no such application."
            f"{hint(request.application, files.project.applications)}"
        )
    target = import_target(files.project, files.root, request.directory, request.application)
    # Before anything is read: what stands in the way is known at once.
    target.place(request.max_file_size)
    with typed_endings(files.root), open_project_state(files, environ, listen) as state:
        _require_unlocked(state, request)
        record = state.read()
        connection = connect(files, record, environ, {request.application})
        with open_service(connection, cancellation) as session:
            population = _census(session, files, request, listen)
            imported = _write_out(files, request, target, population)
            if not imported.manifests:
                return imported
            desired = _prove(files, record, population, imported, session, listen)
        with locked(state, environ, request.lock_timeout, cancellation, listen) as lease:
            if state.read().serial != record.serial:
                raise StateMoved(
                    "The state was written meanwhile; nothing was imported.", "Run it again."
                )
            with write_manifests(target, imported.manifests):
                # From here on it is short, and must be done to its end.
                cancellation.shield()
            _adopt(state, lease, record, request.application, population, imported, desired)
        return imported


def _require_unlocked(state: State, request: ImportRequest) -> None:
    """Raise LeaseHeld now where it would be raised after minutes of reading."""
    holder = None if request.lock_timeout else state.holder()
    if holder is not None:
        raise LeaseHeld(holder)


def _census(
    session: ServiceSession, files: ProjectFiles, request: ImportRequest, listen: Listener
) -> Census:
    try:
        context = read_context(files.project, session, listen)
        return session.read(take_census(context, request.application))
    except ApplicationNotFound as error:
        error.application = request.application
        raise


def _write_out(
    files: ProjectFiles, request: ImportRequest, target: ImportTarget, population: Census
) -> Imported:
    """Choose what is imported, and put it into words of manifests."""
    _require_known_keys(population, request)
    desired = files.desired
    known_ids = desired.devices.keys() | desired.removed.keys()
    selection = select_registrations(population.live, known_ids, request.registrations)
    written = make_entries(
        selection.live,
        request.application,
        desired,
        files.external_people.people,
        files.project.api.assume,
    )
    texts = make_manifests(written, request.application, target.place(request.max_file_size))
    return Imported(
        request,
        texts,
        selection,
        written.undeclared,
        population.steady,
        len(population.live.registrations),
        population.counted,
    )


def _require_known_keys(population: Census, request: ImportRequest) -> None:
    known = data_keys(population.live)
    for key, _ in request.registrations.data:
        if population.live.registrations and key not in known:
            raise UnknownName(
                f"--match {key}=: no registration has this key of additionalData.{hint(key, known)}"
            )


def _prove(
    files: ProjectFiles,
    record: Record,
    population: Census,
    imported: Imported,
    session: ServiceSession,
    listen: Listener,
) -> Desired:
    """Return what all manifests declare with the new ones. Raises InvalidProject, NotProven."""
    project = files.project
    matches = expand_globs(files.root, [pattern.text for pattern in project.manifests]).values()
    paths = manifest_paths((path for group in matches for path in group), project)
    new = [ManifestFile(one.path, one.text.encode()) for one in imported.manifests]
    parsed = read_manifests(
        [*read_manifest_files(files.root, paths), *new],
        project,
        manifest_schemas(),
        outside=files.external_people,
    )
    if parsed.value is None:
        raise InvalidProject(
            files.root,
            parsed.diagnostics,
            "The new manifests would not fit the ones that are there; nothing was written.",
        )
    ids = {id_ for manifest in imported.manifests for id_ in manifest.devices}
    context = read_context(project, session, listen)
    against = doubts(parsed.value, record, population.live, ids, files, context, session)
    if against:
        raise NotProven(tuple(against))
    return parsed.value


def _adopt(
    state: State,
    lease: Lease,
    record: Record,
    application: str,
    population: Census,
    imported: Imported,
    desired: Desired,
) -> None:
    """Note the imported devices in the state. Raises Incomplete: the files are written."""
    digester = Digester(record.key)
    changed = {
        id_: replace(
            record_entry(desired.devices[id_], digester),
            model=_model(population.live.registrations[id_]),
        )
        for manifest in imported.manifests
        for id_ in manifest.devices
    }
    application_id = population.application_id
    numbers = {} if application_id is None else {application: application_id}
    try:
        state.records_under(lease).write(changed, numbers)
    except StateError as error:
        raise Incomplete(
            f"The files are written, the state is not: {error}.",
            "The next reconciler apply adopts them; nothing else is left to do.",
        ) from None


def _model(registration: Found) -> str | None:
    return registration.model if isinstance(registration, LiveRegistration) else None
