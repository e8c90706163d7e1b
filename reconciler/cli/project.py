"""The project that a command works on: opened as its options say, its warnings written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .collector import keep_to_the_end
from .settings import Options

if TYPE_CHECKING:
    from reconciler.engine.project import Project
    from reconciler.engine.project_state import ProjectState


def open_project(options: Options) -> Project:
    """Open the project; raises what `reconciler.open` does."""
    import reconciler

    from .views.diagnostics import write_diagnostics

    project = reconciler.open(options.directory, config=options.config, environ=os.environ)
    write_diagnostics(options, project.root, project.warnings)
    if options.ends_process:
        keep_to_the_end(project)
    return project


def open_project_state(options: Options) -> ProjectState:
    """Open the project's state alone; raises what `ProjectState.of_project` does."""
    from reconciler.engine.project_state import ProjectState

    return ProjectState.of_project(options.directory, options.config, os.environ)
