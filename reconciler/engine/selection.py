"""Which devices a plan is about: what somebody asks for, and what that means in these files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from reconciler.core.record import Record
from reconciler.core.suggestion import hint
from reconciler.diff.selection import Selection as DeviceSelection
from reconciler.diff.selection import Trait, unknown_keys, unknown_targets
from reconciler.render.escape import prose

from .errors import UnknownName
from .events import Listener
from .project_files import ProjectFiles

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Selection:
    """Which devices a plan is about; a device is chosen if it matches each kind that is given.

    since: a commit of the project's Git repository; chosen is what is declared otherwise now.
    select: (key, glob) pairs over additionalData, or `label`; all must match.
    targets: registration ids, declared or noted in the state; one of them must match.
    Nothing given: everything is planned.
    """

    since: str | None = None
    select: Collection[tuple[str, str]] = ()
    targets: Collection[str] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """The selectors as the command line spells them, one text each; plans name them so."""
        return (
            *(() if self.since is None else (f"--since {self.since}",)),
            *(f"--select {key}={glob}" for key, glob in self.select),
            *(f"--target {target}" for target in self.targets),
        )


def resolve_selection(
    files: ProjectFiles, selection: Selection, listen: Listener
) -> DeviceSelection:
    """Return what a selection means; reads what the files were, if it asks. Raises UnknownName for
    a key that nobody declares, NoSuchCommit for a commit that is not known."""
    previous = None
    if selection.since is not None:
        from .previous_commit import previous_since

        previous = previous_since(files, selection.since, listen)
    traits = tuple(Trait(key, glob) for key, glob in selection.select)
    resolved = DeviceSelection(selection.given, frozenset(selection.targets), traits, previous)
    for key in unknown_keys(resolved, files.desired):
        known = {
            name for device in files.desired.devices.values() for name in device.additional_data
        }
        raise UnknownName(
            f"--select {prose(key, _LONGEST)}: no device declares this key of additionalData."
            f"{hint(key, sorted({'label', *known}))}"
        )
    return resolved


def require_known_targets(files: ProjectFiles, record: Record, selection: DeviceSelection) -> None:
    """Raise UnknownName for a target that neither the files nor the state know."""
    for target in unknown_targets(selection, files.desired, record):
        known = sorted(files.desired.devices.keys() | record.devices.keys())
        raise UnknownName(
            f"--target {prose(target, _LONGEST)}: no manifest declares this id, and the state "
            f"does not know it.{hint(target, known)}"
        )
