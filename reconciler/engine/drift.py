"""What others changed since the last apply: files, state, live state, compared field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.core.digest import Digester
from reconciler.core.live import Live, Needs
from reconciler.core.record import RecordedDevice
from reconciler.core.service_event import ServiceEvent
from reconciler.core.suggestion import hint
from reconciler.diff.drift import drift_of, left_out, recorded_in, required_reads_of_drift
from reconciler.diff.required_reads import sweep_query
from reconciler.git.history import head_commit
from reconciler.live.strategy import Choice
from reconciler.plan.drift import DriftDocument, Made, drift_document

from .cancellation import Cancellation
from .connection import open_service
from .errors import StateMissing, UnknownName, typed_endings
from .events import ApplicationUnknown, EventsRead, Listener
from .holder import current_holder
from .live_state import read_live_state, timestamp
from .planning import connect, report_running
from .project_files import ProjectFiles
from .service_events import events_by_device, read_service_events
from .state_access import StateLocation, open_state


def find_drift(
    files: ProjectFiles,
    environ: Mapping[str, str],
    application: str | None,
    choice: Choice,
    cancellation: Cancellation,
    listen: Listener,
    events: Path | None = None,
) -> DriftDocument:
    """Read everything that the state holds (of one application, or all), and say what moved.

    With a file of `events` only what they name is read, by point.
    """
    reported = None if events is None else read_service_events(events)
    project = files.project
    if application is not None and application not in project.applications:
        raise UnknownName(
            f"--application {application}: the project has no such application."
            f"{hint(application, project.applications)}"
        )
    location = StateLocation(files.root, project.state, environ)
    with typed_endings(files.root):
        if location.is_empty_file:
            raise StateMissing(
                "There is no state here: nothing is known of what was applied.",
                "The first reconciler apply writes it; or share the state of the pipeline that "
                "applies (state of the project file).",
            )
        with open_state(location, current_holder(environ), create=False).state as state:
            report_running(state, listen)
            record = state.read()
            devices = recorded_in(record, project, None if application is None else {application})
            by_device: Mapping[str, tuple[ServiceEvent, ...]] = {}
            if reported is not None:
                by_device = events_by_device(reported, devices, Digester(record.key))
                devices = [device for device in devices if device.id in by_device]
                named = {event for events in by_device.values() for event in events}
                listen(
                    EventsRead(
                        len(reported.events),
                        len(devices),
                        sum(event not in named for event in reported.events),
                        reported.unreadable,
                    )
                )
                choice = Choice.POINTS
            whole = application is None and reported is None
            others = left_out(record, project) if whole else []
            _report_unknown_applications(others, listen)

            def required_reads(live: Live) -> Needs:
                return required_reads_of_drift(devices, files.desired, record, live)

            with open_service(connect(files, record, environ), cancellation) as session:
                live, reads = read_live_state(
                    required_reads,
                    sweep_query(files.desired, record),
                    project,
                    session,
                    listen,
                    choice,
                )
                origin = Made(
                    timestamp(),
                    reads,
                    head_commit(files.root),
                    application,
                    len(others),
                    by_device,
                )
                drifted = drift_of(devices, files.desired, record, live)
                return drift_document(drifted, files.desired, record, project, origin)


def _report_unknown_applications(devices: Sequence[RecordedDevice], listen: Listener) -> None:
    counts = Counter(device.application for device in devices)
    for application in sorted(counts):
        listen(ApplicationUnknown(application, counts[application]))
