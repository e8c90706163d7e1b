"""List the applications there are: those of the project, and what the service lists beside them.

No code stands in it: a code is as good as a credential, and a name is what one chooses by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.api.errors import ApiError
from reconciler.live.applications import by_project_name

from .cancellation import Cancellation
from .connection import open_service, resolve_connection
from .errors import typed_endings
from .events import Listener
from .project_files import ProjectFiles

_CREDENTIALS_REFUSED = 401


@dataclass(frozen=True, slots=True)
class ApplicationSummary:
    """An application. application: what the project calls it, None where it has none of its code.

    name: what the service calls it. registrations: how many the service counts. Both are None where
    the service does not tell.
    """

    application: str | None
    name: str | None = None
    registrations: int | None = None


@dataclass(frozen=True, slots=True)
class ApplicationList:
    """The project's applications in its order, then the others by name.

    refused: why the service lists none, so that only the project's are known; None if it does.
    """

    applications: tuple[ApplicationSummary, ...]
    refused: str | None = None


def list_applications(
    files: ProjectFiles, environ: Mapping[str, str], cancellation: Cancellation, listen: Listener
) -> ApplicationList:
    """Ask the service once; nothing is written."""
    project = files.project
    with typed_endings(files.root):
        connection = resolve_connection(project, (), environ)
        with open_service(connection, cancellation) as session:
            session.service.report_to(listen)
            try:
                listed = session.read(session.service.applications())
            except ApiError as error:
                if error.status == _CREDENTIALS_REFUSED:
                    raise
                ours = tuple(ApplicationSummary(name) for name in project.applications)
                return ApplicationList(ours, str(error))
    named = by_project_name(listed, connection.app_codes)
    ours = tuple(
        ApplicationSummary(name, named[name].name, named[name].registrations)
        if name in named
        else ApplicationSummary(name)
        for name in project.applications
    )
    known = {one.id for one in named.values()}
    others = [
        ApplicationSummary(None, one.name, one.registrations)
        for one in sorted(listed, key=lambda one: (one.name, one.id))
        if one.id not in known
    ]
    return ApplicationList((*ours, *others))
