"""The record as the commands of `state` open it: by the project file, whatever else is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.engine.holder import current_holder
from reconciler.engine.state_access import StateLocation, open_state
from reconciler.state.lease import Lease
from reconciler.state.protocols import State

from .checking import check, tell
from .exits import ExitCode, Stop
from .options import Options
from .stages import explained


def state_location(options: Options) -> StateLocation:
    """Return where the project's state is, by its section `state` and the environment.

    Broken manifests are no reason to leave the record alone.
    """
    checked = check(options)
    if checked.project is None:
        tell(options, checked.root, checked.diagnostics)
        raise Stop(ExitCode.ERROR)
    return StateLocation(checked.root, checked.project.state, os.environ)


@contextmanager
def opened_record(options: Options) -> Iterator[State]:
    """Open a record that is there; what goes wrong is told, and ends the command."""
    location = state_location(options)
    with (
        explained(options, location.root),
        open_state(location, current_holder(os.environ), create=False).state as state,
    ):
        yield state


@contextmanager
def leased_record(options: Options, patience: float) -> Iterator[tuple[State, Lease]]:
    """Open a record, and hold its lease as an apply does."""
    with (
        opened_record(options) as state,
        state.lease(current_holder(os.environ), patience=patience) as lease,
    ):
        yield state, lease
