"""The project that a command works on: opened as its options say, its warnings written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .collector import keep_to_the_end
from .settings import Options

if TYPE_CHECKING:
    from reconciler.engine.project import Project


def open_project(options: Options) -> Project:
    """Open the project; raises what `reconciler.open` does."""
    import reconciler

    from .views.diagnostics import write_diagnostics

    project = reconciler.open(options.directory, config=options.config, environ=os.environ)
    write_diagnostics(options, project.root, project.warnings)
    if options.ends_process:
        keep_to_the_end(project)
    return project
