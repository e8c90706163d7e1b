"""Opening a state as the commands that plan do; a shim over engine.state_access."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.state_backends import StateSettings
from reconciler.engine.holder import current_holder
from reconciler.engine.state_access import StateLocation
from reconciler.engine.state_access import open_state as open_at

from .options import Options
from .state_view import tell_started

if TYPE_CHECKING:
    from reconciler.state.protocols import State


@dataclass(frozen=True, slots=True)
class Places:
    """Where a project's state is, by the environment of this process."""

    root: Path
    settings: StateSettings

    @property
    def is_local(self) -> bool:
        return self._location.is_local

    @property
    def path(self) -> Path:
        """The local file; InvalidSettings if its variable is not set."""
        return self._location.path

    @property
    def _location(self) -> StateLocation:
        return StateLocation(self.root, self.settings, os.environ)


def open_state(options: Options, root: Path, settings: StateSettings, *, create: bool) -> State:
    """Open the state of a project. With `create` a local file that is missing is made, and said."""
    location = StateLocation(root, settings, os.environ)
    state, is_new = open_at(location, current_holder(os.environ), create=create)
    if is_new:
        tell_started(options, location.path)
    return state
