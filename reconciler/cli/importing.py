"""Import as a list of calls: target, census, choice, manifests, proof, lease, files, record."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from reconciler.api.errors import ApplicationNotFound
from reconciler.api.service import Service
from reconciler.core.device import Desired
from reconciler.core.digest import Digester
from reconciler.core.events import Listener
from reconciler.core.failures import StateError
from reconciler.core.live import Found, LiveRegistration
from reconciler.core.record import Record, record_entry
from reconciler.diff.import_selection import ImportFilter, ImportSelection, data_keys, pick
from reconciler.live.census import Census, census
from reconciler.live.context import ReadContext
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.import_entries import Undeclared, entries
from reconciler.manifest.result import ManifestFile
from reconciler.manifest.writing import Manifest, manifests
from reconciler.state.lease import Lease, LeaseHeld
from reconciler.state.protocols import State

from . import files
from .applying import Terms, leased
from .checking import Loaded, manifest_schemas, tell
from .collector import without_collector
from .connection import Connection, opened
from .endings import Bounds, completed, cut_off
from .exits import ExitCode, Stop
from .options import Options
from .outsiders import without_people
from .progress import progress
from .proving import doubts
from .stages import connection, explained, open_record
from .streams import did_you_mean, say
from .targets import Target, target, written

# Whoever has more to read asks for all with -v.
_FOLD: Final = 20


@dataclass(frozen=True, slots=True)
class Order:
    """What the arguments say; `largest` is a file's size in bytes, `patience` for the lease."""

    application: str
    directory: Path
    wanted: ImportFilter
    largest: int
    patience: float
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it. No manifests: there was nothing to write."""

    manifests: tuple[Manifest, ...]
    picked: ImportSelection
    undeclared: tuple[Undeclared, ...]
    steady: bool


def carry_over(options: Options, loaded: Loaded, order: Order) -> Imported:
    """Read an application, and write manifests of it that are proven; or nothing at all."""
    place = _target(loaded, order)
    # Before anything is read: what stands in the way is known at once.
    place.place(order.largest)
    with explained(options, loaded.root), open_record(options, loaded) as state:
        _require_nobody(state, order)
        record = state.read()
        link = connection(loaded, record, {order.application})
        with (
            opened(link, order.bounds.gate) as run,
            without_collector(),
            progress(options) as listen,
        ):
            means = _means(loaded, link, run[1], listen)
            found = _census(run[0], means, order)
            imported = _written_out(loaded, order, place, found)
            if not imported.manifests:
                return imported
            desired = _proven(options, loaded, record, found, imported, means, run[0], order)
        with leased(options, state, Terms({}, order.bounds, order.patience)) as lease:
            if state.read().serial != record.serial:
                text = "The record was written meanwhile; nothing was imported."
                raise Stop(ExitCode.ERROR, text, "Run it again.")
            _keep(loaded, order, place, state, lease, record, found, imported, desired)
        return imported


def _require_nobody(state: State, order: Order) -> None:
    """Raise LeaseHeld now where it would be raised after minutes of reading."""
    other = None if order.patience else state.holder()
    if other is not None:
        raise LeaseHeld(other)


def _target(loaded: Loaded, order: Order) -> Target:
    project, name = loaded.project, order.application
    if name not in project.applications:
        hint = did_you_mean(name, project.applications)
        text = f"--application {name}: the project has no such application.{hint}"
        raise Stop(ExitCode.USAGE, text)
    return target(project, loaded.root, order.directory, name)


def _means(loaded: Loaded, link: Connection, service: Service, listen: Listener) -> ReadContext:
    service.tell(listen)
    return ReadContext(service, link.app_codes, link.rates, listen, loaded.project.api.assume)


def _census(runner: asyncio.Runner, means: ReadContext, order: Order) -> Census:
    work = census(means, order.application)
    try:
        return completed(runner, cut_off(work, order.bounds.deadline))
    except ApplicationNotFound as error:
        error.application = order.application
        raise


def _written_out(loaded: Loaded, order: Order, place: Target, found: Census) -> Imported:
    """Choose what is imported, and put it into words of manifests."""
    _require_keys(found, order)
    desired = loaded.desired
    picked = pick(found.live, desired.devices.keys() | desired.removed.keys(), order.wanted)
    made = entries(picked.live, order.application, desired, loaded.outside.people)
    texts = manifests(made, order.application, place.place(order.largest))
    return Imported(texts, picked, made.undeclared, found.steady)


def _require_keys(found: Census, order: Order) -> None:
    known = data_keys(found.live)
    for key, _ in order.wanted.data:
        if found.live.registrations and key not in known:
            hint = did_you_mean(key, known)
            text = f"--match {key}=: no registration has this key of additionalData.{hint}"
            raise Stop(ExitCode.USAGE, text)


def _proven(
    options: Options,
    loaded: Loaded,
    record: Record,
    found: Census,
    imported: Imported,
    means: ReadContext,
    runner: asyncio.Runner,
    order: Order,
) -> Desired:
    """Return what all manifests declare with the new ones; Stop if a plan would not be empty."""
    project = loaded.project
    patterns = [pattern.text for pattern in project.manifests]
    expanded = files.expand(loaded.root, patterns).values()
    paths = without_people((path for group in expanded for path in group), project)
    present = [
        ManifestFile(files.printable(path), files.read(loaded.root / path, within=loaded.root))
        for path in paths
    ]
    fresh = [ManifestFile(one.path, one.text.encode()) for one in imported.manifests]
    schemas = manifest_schemas()
    reading = read_manifests([*present, *fresh], project, schemas, outside=loaded.outside)
    if reading.value is None:
        tell(options, loaded.root, reading.diagnostics)
        text = "The new manifests would not fit the ones that are there; nothing was written."
        raise Stop(ExitCode.ERROR, text)
    ids = {id_ for manifest in imported.manifests for id_ in manifest.devices}
    against = doubts(reading.value, record, found.live, ids, loaded, means, runner, order.bounds)
    if against:
        tell_folded(options, "error", [f"{one.device}: {one.text}" for one in against])
        raise Stop(
            ExitCode.ERROR,
            "A plan right after would not be empty; nothing was written.",
            "Somebody may have changed them meanwhile: run it again. Otherwise choose the others "
            "with --match.",
        )
    return reading.value


def _keep(
    loaded: Loaded,
    order: Order,
    place: Target,
    state: State,
    lease: Lease,
    record: Record,
    found: Census,
    imported: Imported,
    desired: Desired,
) -> None:
    """Write the files, and adopt the devices into the record."""
    digester = Digester(record.key)
    changed = {
        id_: replace(
            record_entry(desired.devices[id_], digester),
            model=_model(found.live.registrations[id_]),
        )
        for manifest in imported.manifests
        for id_ in manifest.devices
    }
    numbers = {} if found.application_id is None else {order.application: found.application_id}
    with written(place, imported.manifests):
        # From here on it is short, and must be done to its end.
        order.bounds.signals.ignore()
    try:
        state.records_under(lease).write(changed, numbers)
    except StateError as error:
        raise Stop(
            ExitCode.INCOMPLETE,
            f"The files are written, the record is not: {error}.",
            "The next reconciler apply adopts them; nothing else is left to do.",
        ) from None


def _model(found: Found) -> str | None:
    return found.model if isinstance(found, LiveRegistration) else None


def tell_folded(options: Options, level: str, texts: Sequence[str]) -> None:
    """Say the first few, and how many more there are; with -v all of them."""
    from reconciler.render.escape import prose

    shown = texts if options.verbose or len(texts) <= _FOLD else texts[:_FOLD]
    for text in shown:
        say(options, level, prose(text))
    if len(shown) < len(texts):
        say(options, level, f"... and {len(texts) - len(shown):,} more; -v names them.")
