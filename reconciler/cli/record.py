"""The record as the commands of `state` open it: by the project file, whatever else is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.core.project import StateSettings
from reconciler.engine.planning import explained
from reconciler.engine.project_files import check, tell
from reconciler.state.lease import Lease
from reconciler.state.protocols import State

from .exit_codes import ExitCode, Stop
from .holders import holder
from .settings import Options
from .states import open_state


def state_settings(options: Options) -> tuple[Path, StateSettings]:
    """Return the project's directory and its section `state`.

    Broken manifests are no reason to leave the record alone.
    """
    checked = check(options)
    if checked.project is None:
        tell(options, checked.root, checked.diagnostics)
        raise Stop(ExitCode.ERROR)
    return checked.root, checked.project.state


@contextmanager
def opened_record(options: Options) -> Iterator[State]:
    """Open a record that is there; what goes wrong is told, and ends the command."""
    root, settings = state_settings(options)
    with explained(options, root), open_state(options, root, settings, create=False) as state:
        yield state


@contextmanager
def leased_record(options: Options, patience: float) -> Iterator[tuple[State, Lease]]:
    """Open a record, and hold its lease as an apply does."""
    with opened_record(options) as state, state.lease(holder(), patience=patience) as lease:
        yield state, lease
