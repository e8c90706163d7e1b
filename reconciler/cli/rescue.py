"""A record that could not be written where it lives is kept beside the project, to be pushed."""

from __future__ import annotations

import contextlib
import os

from reconciler.engine.state_access import UNWRITTEN_RECORD
from reconciler.state.protocols import State

from .checking import Loaded
from .exits import Stop
from .options import Options
from .outputs import save_private
from .streams import say


def keep_unwritten(options: Options, loaded: Loaded, state: State) -> None:
    """Save what the record should be, if it could not be written, and say how to push it."""
    document = state.unwritten()
    if document is None:
        return
    file = loaded.root / UNWRITTEN_RECORD
    shown = os.path.relpath(file, options.origin)
    try:
        with contextlib.suppress(OSError):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        save_private(file, document)
    except Stop as stop:
        say(
            options,
            "error",
            f"The record could not be written to {state.where}, and {stop.message}",
            fix="Nothing is lost: the next apply finds the devices as declared, and adopts them.",
        )
        return
    say(
        options,
        "warning",
        f"The record could not be written to {state.where}. It was saved to {shown}.",
        fix=f"When the place can be reached again: reconciler state push {shown}",
        event="unwritten",
        file=shown,
    )
