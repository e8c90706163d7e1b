"""The state of a project, looked after by hand: read, forget, pull, push, migrate, unlock.

Only the project file has to be right for it: broken manifests are no reason to leave it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from reconciler.core.record import Record, RecordedDevice
from reconciler.core.source import Source
from reconciler.core.state_backends import Backend
from reconciler.core.suggestion import hint
from reconciler.state.lease import Holder
from reconciler.state.protocols import State
from reconciler.state.record_codec import decode, encode

from .errors import EngineError, InvalidProject, UnknownName, UnreadableFile, typed_endings
from .holder import current_holder
from .project_files import check_files, locate_project_file
from .state_access import (
    StateLocation,
    open_shared_state,
    open_state,
    settings_from_url,
    state_keys,
)
from .state_transfer import Copied, Pushed, Rewritten, copy_record, push_record, rewrite_record


@dataclass(frozen=True, slots=True)
class Initialised:
    """A state that is there now. `is_new`: it was started; `file` is a local one just made."""

    where: str
    devices: int
    is_new: bool
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What became of a lock that was to be taken away.

    `holder` had it, None: nobody; `taken_by` has it now, if somebody took it meanwhile.
    """

    holder: Holder | None
    is_taken_away: bool = False
    taken_by: Holder | None = None


class UnknownDevice(EngineError):
    """A registration id that the state does not know."""


class ProjectState:
    """Where a project's state is, by its section `state` and the environment. Methods raise
    InvalidSettings, StateError and LeaseHeld; `lock_timeout` is in seconds."""

    def __init__(self, location: StateLocation, holder: Holder) -> None:
        self.location = location
        self.holder = holder

    @classmethod
    def of_project(
        cls, directory: Path, config: Path | None, environ: Mapping[str, str]
    ) -> ProjectState:
        """Return the state that the project file names. Raises ProjectNotFound, InvalidProject."""
        checked = check_files(locate_project_file(directory, config))
        if checked.project is None:
            raise InvalidProject(checked.root, checked.diagnostics, "")
        location = StateLocation(checked.root, checked.project.state, environ)
        return cls(location, current_holder(environ))

    def initialise(self) -> Initialised:
        """Start the state where the project file says; one that is there stays as it is."""
        location = self.location
        with typed_endings(location.root):
            if location.is_local:
                state, is_new_file = open_state(location, self.holder, create=True)
                with state:
                    file = location.path if is_new_file else None
                    return Initialised(state.where, len(state.read().devices), False, file)
            with open_shared_state(location, self.holder) as shared:
                is_new = shared.initialise()
                return Initialised(shared.where, len(shared.read().devices), is_new)

    def read(self) -> Record:
        """Return what the state holds."""
        with self._opened() as state:
            return state.read()

    def list_devices(
        self, application: str | None = None, pattern: str | None = None
    ) -> tuple[Record, list[RecordedDevice]]:
        """Return what the state holds, and the devices of an application whose ids fit a glob."""
        record = self.read()
        return record, [
            device
            for device in record.devices.values()
            if (application is None or device.application == application)
            and (pattern is None or fnmatchcase(device.id, pattern))
        ]

    def device(self, id_: str) -> RecordedDevice:
        """Return what the state knows of one device. Raises UnknownDevice."""
        known = self.read().devices
        if id_ not in known:
            raise UnknownDevice(f"The state does not know {id_}.{hint(id_, known)}")
        return known[id_]

    def forget(
        self, ids: Iterable[str], confirm: Callable[[int], None], *, lock_timeout: float = 0.0
    ) -> int:
        """Let the state know nothing of these devices any more; return how many they are.

        confirm: called with the count before anything is written, under the lock; it raises
        NotConfirmed to keep them. Raises UnknownDevice.
        """
        with (
            self._opened() as state,
            state.lease(self.holder, patience=lock_timeout) as lease,
        ):
            known = state.read().devices
            forgotten = dict.fromkeys(ids)
            for id_ in forgotten:
                if id_ not in known:
                    raise UnknownDevice(
                        f"Nothing was forgotten: the state does not know {id_}.{hint(id_, known)}"
                    )
            confirm(len(forgotten))
            state.records_under(lease).write(forgotten, {})
        return len(forgotten)

    def to_document(self) -> bytes:
        """Return the state as one document, encrypted if its settings say so."""
        location = self.location
        with self._opened() as state:
            return encode(state.read(), state_keys(location.settings, location.environ))

    def push(self, file: Path, *, force: bool = False, lock_timeout: float = 0.0) -> Pushed:
        """Put a document in the place of the state that is there. Raises UnreadableFile."""
        try:
            data = file.read_bytes()
        except OSError as error:
            reason = error.strerror or "unknown"
            raise UnreadableFile(f"{file} cannot be read: {reason}.") from None
        location = self.location
        with typed_endings(location.root):
            keys = state_keys(location.settings, location.environ)
            record = decode(data, str(file), keys, plain=True)
            return push_record(location, record, self.holder, force=force, patience=lock_timeout)

    def copy_to(self, url: str, *, lock_timeout: float = 0.0) -> tuple[Copied, Backend, Path]:
        """Copy the state to a URL or the path of a file; return also the backend that it means, and
        the path of a local one. Raises UnknownName for a URL that means none."""
        location = self.location
        with typed_endings(location.root):
            try:
                settings = settings_from_url(url, location.environ, Source("--to", 1, 1))
            except ValueError as error:
                raise UnknownName(f"--to {url}: {error}.") from None
            # Whoever types an address means it.
            target = StateLocation(location.root, settings, location.environ, is_trusted=True)
            copied = copy_record(location, target, self.holder, patience=lock_timeout)
            return copied, settings.backend, target.path if target.is_local else location.root

    def rewrite(self, *, lock_timeout: float = 0.0) -> Rewritten:
        """Write the state anew where it is: with the current key and format."""
        with typed_endings(self.location.root):
            return rewrite_record(self.location, self.holder, patience=lock_timeout)

    def unlock(self, confirm: Callable[[Holder], None]) -> Unlocked:
        """Take the lock away from who has it.

        confirm: called with the holder before that; it raises NotConfirmed to leave it.
        """
        with self._opened() as state:
            holder = state.holder()
            if holder is None:
                return Unlocked(None)
            confirm(holder)
            if state.unlock(holder):
                return Unlocked(holder, is_taken_away=True)
            return Unlocked(holder, taken_by=state.holder())

    @contextmanager
    def _opened(self) -> Iterator[State]:
        """Open a state that is there."""
        with (
            typed_endings(self.location.root),
            open_state(self.location, self.holder, create=False).state as state,
        ):
            yield state
