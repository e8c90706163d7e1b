"""Drift as a list of calls: files, record, live state, what moved, shown."""

from __future__ import annotations

import sys
from typing import Final

from reconciler.core.events import Listener
from reconciler.core.live import Live, Needs
from reconciler.core.record import RecordedDevice
from reconciler.diff.drift import left_out, moves, recorded_in, unread
from reconciler.diff.required_reads import sought
from reconciler.git.commit import head
from reconciler.live.strategy import Choice
from reconciler.plan.drift import DriftDocument, Made, drift_document, encode

from .checking import Loaded
from .collector import without_collector
from .connection import opened
from .earlier import tell_running
from .endings import Bounds
from .exits import ExitCode, Stop
from .options import Options
from .painting import paint
from .reading import live_state
from .stages import connection, explained
from .states import Places, open_state
from .streams import did_you_mean, moment, result, say

_NOT_NOTED: Final = "what it changed may show as changed by others until an apply notes it"


def find(
    options: Options,
    loaded: Loaded,
    application: str | None,
    choice: Choice,
    bounds: Bounds,
    listen: Listener,
) -> DriftDocument:
    """Read everything that the record holds, and say what moved."""
    project = loaded.project
    if application is not None and application not in project.applications:
        hint = did_you_mean(application, project.applications)
        text = f"--application {application}: the project has no such application.{hint}"
        raise Stop(ExitCode.USAGE, text)
    with explained(options, loaded.root):
        _require_record(loaded)
        settings = project.state
        with open_state(options, loaded.root, settings, create=False) as state:
            tell_running(options, state, "drift", _NOT_NOTED)
            record = state.read()
            devices = recorded_in(record, project, None if application is None else {application})
            others = left_out(record, project) if application is None else []
            _tell_left_out(options, others)
            link = connection(loaded, record)

            def ask(live: Live) -> Needs:
                return unread(devices, loaded.desired, live)

            with opened(link, bounds.gate) as run, without_collector():
                live, reads = live_state(
                    ask,
                    sought(loaded.desired, record),
                    project,
                    link,
                    run,
                    bounds,
                    listen,
                    choice,
                )
                made = Made(
                    moment(),
                    reads,
                    head(loaded.root),
                    application,
                    len(others),
                )
                found = moves(devices, loaded.desired, record, live)
                return drift_document(found, loaded.desired, record, project, made)


def show(options: Options, document: DriftDocument, form: str) -> None:
    """Write it to stdout."""
    from reconciler.render import drift
    from reconciler.render.folding import FOLD

    match form:
        case "json":
            result(encode(document))
        case "markdown":
            result(drift.markdown(document))
        case _:
            fold = None if options.verbose else FOLD
            paint(sys.stdout, drift.lines(document, fold), options)


def _tell_left_out(options: Options, devices: list[RecordedDevice]) -> None:
    from reconciler.render.escape import name

    for application in sorted({device.application for device in devices}):
        count = sum(device.application == application for device in devices)
        what = f"{count:,} recorded device" + ("" if count == 1 else "s")
        say(
            options,
            "warning",
            f"The project has no application {name(application)} any more: {what} of it cannot be "
            "compared.",
        )


def _require_record(loaded: Loaded) -> None:
    places = Places(loaded.root, loaded.project.state)
    # An empty file is one that was cut off before it began.
    if places.is_local and not (places.path.exists() and places.path.stat().st_size):
        raise Stop(
            ExitCode.ERROR,
            "There is no record here: nothing is known of what was applied.",
            "The first reconciler apply writes it; or share the record of the pipeline that "
            "applies (state of the project file).",
        )
