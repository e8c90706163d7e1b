"""A project: its files, read and checked, and everything that can be done with them.

This is the public API, and what the commands call. Nothing here prints, asks, reads the
environment, installs a signal handler or changes a switch of the process. What is called for it
does as it does elsewhere: Git runs in the environment of this process, and the drivers of clouds
and databases read variables of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reconciler.live.strategy import Choice

from .cancellation import Cancellation, Deadline
from .errors import NotConfirmed
from .events import Listener, ignore
from .project_files import ProjectFiles, load_files, locate_project_file
from .selection import Selection, resolve_selection

if TYPE_CHECKING:
    import os

    from reconciler.core.diagnostics import Diagnostic
    from reconciler.core.report import Report
    from reconciler.plan.drift import DriftDocument
    from reconciler.plan.model import Plan

    from .applications import ApplicationList
    from .applying import PreparedApply
    from .consent_files import WrittenConsent
    from .import_registrations import Imported
    from .manifest_patch import WrittenPatch

T = TypeVar("T")
_EVERYTHING = Selection()


def open_project(
    directory: str | os.PathLike[str] = ".",
    *,
    config: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Project:
    """Read and check the files of a project.

    directory: where the project file is looked for, there and in the directories above.
    config: the project file itself, relative to `directory`.
    environ: what `${NAME}` in the project file is resolved from; nothing, if it is left out.

    Raises ProjectNotFound; InvalidProject with every mistake, its file, line and column.
    """
    path = locate_project_file(Path(directory).absolute(), None if config is None else Path(config))
    return Project(load_files(path), {} if environ is None else environ)


class Project:
    """Files without a mistake. Each method has a twin that is awaited (`plan` and `aplan`).

    A listener hears of each event in the thread that does the work: the caller's own, or another
    one for the twins. Cancelling a twin ends its work in order before the cancellation is raised:
    reading is cut off, of an apply the calls on their way are finished and noted.
    """

    def __init__(self, files: ProjectFiles, environ: Mapping[str, str]) -> None:
        self.files = files
        self.environ = environ

    @property
    def root(self) -> Path:
        """The directory of the project file."""
        return self.files.root

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is odd in the files, and no mistake; paths are relative to `root`."""
        return self.files.warnings

    def plan(
        self,
        selection: Selection = _EVERYTHING,
        *,
        accept: Mapping[str, int] | None = None,
        read: str = "auto",
        timeout: float | None = None,
        on_event: Listener = ignore,
        cancellation: Cancellation | None = None,
    ) -> Plan:
        """Read live state, and return what apply would do; nothing is written to the service.

        selection: which devices; all, if it is left out.
        accept: overrides of guards, by name with the very count they measured.
        read: "points" (one by one), "sweep" (page by page) or "auto".
        timeout: seconds until it is ended.

        A plan with `errors` or `refusals` is returned, not raised. Raises UnknownName,
        NoSuchCommit, InvalidSettings, StateError, ServiceError, TimedOut, Cancelled.
        """
        from .planning import PlanRequest, plan_from_files

        resolved = resolve_selection(self.files, selection, on_event)
        request = PlanRequest(resolved, accept or {}, Choice(read))
        run = cancellation or Cancellation(Deadline.after(timeout))
        return plan_from_files(self.files, self.environ, request, run, on_event)

    async def aplan(
        self,
        selection: Selection = _EVERYTHING,
        *,
        accept: Mapping[str, int] | None = None,
        read: str = "auto",
        timeout: float | None = None,  # noqa: ASYNC109 - ends in order, with a report
        on_event: Listener = ignore,
    ) -> Plan:
        """Do what `plan` does, beside a running event loop."""
        return await _in_thread(
            lambda run: self.plan(
                selection, accept=accept, read=read, on_event=on_event, cancellation=run
            ),
            Deadline.after(timeout),
        )

    @contextmanager
    def prepare_apply(
        self,
        plan: Plan | None = None,
        *,
        selection: Selection = _EVERYTHING,
        accept: Mapping[str, int] | None = None,
        lock_timeout: float = 0.0,
        max_duration: float | None = None,
        on_event: Listener = ignore,
        cancellation: Cancellation | None = None,
    ) -> Iterator[PreparedApply]:
        """Lock the state, and give a plan that can be looked at, and carried out, in the block.

        Takes what `apply` takes, and raises what it raises; nothing is sent before `carry_out` of
        what is given, which has the `plan`.
        """
        from .applying import ApplyTerms, prepare_new, prepare_saved
        from .planning import PlanRequest

        terms = ApplyTerms(accept or {}, lock_timeout, max_duration)
        run = cancellation or Cancellation()
        if plan is not None:
            saved = prepare_saved(self.files, self.environ, plan, terms, run, on_event)
            with saved as prepared:
                yield prepared
            return
        resolved = resolve_selection(self.files, selection, on_event)
        request = PlanRequest(resolved, terms.accepted)
        with prepare_new(self.files, self.environ, request, terms, run, on_event) as prepared:
            yield prepared

    def apply(
        self,
        plan: Plan | None = None,
        *,
        selection: Selection = _EVERYTHING,
        accept: Mapping[str, int] | None = None,
        confirm: Callable[[Plan], bool] | None = None,
        timeout: float | None = None,
        lock_timeout: float = 0.0,
        max_duration: float | None = None,
        on_event: Listener = ignore,
        cancellation: Cancellation | None = None,
    ) -> Report:
        """Carry out a plan, and report what became of each call.

        plan: one that was made before; without, one is made now of the `selection`.
        accept: overrides of guards, by name with the very count they measured.
        confirm: asked before the first call, if there is anything to do; NotConfirmed if it says
            no.
        timeout: seconds after which no further call is sent.
        lock_timeout: seconds to wait for the lock of the state.
        max_duration: seconds that the forecast may say.

        That some calls failed, are unknown, stale or skipped stands in the report. Raises what
        `plan` raises; StateLocked, Refused, FailedMidway.
        """
        run = cancellation or Cancellation(Deadline.after(timeout))
        with self.prepare_apply(
            plan,
            selection=selection,
            accept=accept,
            lock_timeout=lock_timeout,
            max_duration=max_duration,
            on_event=on_event,
            cancellation=run,
        ) as prepared:
            prepared.require_allowed()
            is_pending = prepared.has_effects and prepared.finished is None
            if is_pending and confirm is not None and not confirm(prepared.plan):
                raise NotConfirmed("Not confirmed. Nothing was changed.")
            return prepared.carry_out()

    async def aapply(
        self,
        plan: Plan | None = None,
        *,
        selection: Selection = _EVERYTHING,
        accept: Mapping[str, int] | None = None,
        confirm: Callable[[Plan], bool] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - ends in order, with a report
        lock_timeout: float = 0.0,
        max_duration: float | None = None,
        on_event: Listener = ignore,
    ) -> Report:
        """Do what `apply` does, beside a running event loop."""
        return await _in_thread(
            lambda run: self.apply(
                plan,
                selection=selection,
                accept=accept,
                confirm=confirm,
                lock_timeout=lock_timeout,
                max_duration=max_duration,
                on_event=on_event,
                cancellation=run,
            ),
            Deadline.after(timeout),
        )

    def drift(
        self,
        application: str | None = None,
        *,
        read: str = "auto",
        events: str | os.PathLike[str] | None = None,
        timeout: float | None = None,
        on_event: Listener = ignore,
        cancellation: Cancellation | None = None,
    ) -> DriftDocument:
        """Compare what is live with what was last applied; nothing is written anywhere.

        application: only devices of this one.
        events: a file of the service's webhook bodies, one JSON object a line; only the devices
        that they name are read and compared.
        timeout: seconds until it is ended.

        Raises UnknownName, StateMissing, InvalidSettings, StateError, ServiceError, TimedOut,
        Cancelled.
        """
        from .drift import find_drift

        run = cancellation or Cancellation(Deadline.after(timeout))
        return find_drift(
            self.files,
            self.environ,
            application,
            Choice(read),
            run,
            on_event,
            None if events is None else Path(events),
        )

    async def adrift(
        self,
        application: str | None = None,
        *,
        read: str = "auto",
        events: str | os.PathLike[str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - ends in order, with a report
        on_event: Listener = ignore,
    ) -> DriftDocument:
        """Do what `drift` does, beside a running event loop."""
        return await _in_thread(
            lambda run: self.drift(
                application, read=read, events=events, on_event=on_event, cancellation=run
            ),
            Deadline.after(timeout),
        )

    def import_registrations(
        self,
        application: str,
        directory: str | os.PathLike[str],
        *,
        match: Iterable[str] = (),
        only_owned: bool = False,
        most: int | None = None,
        max_file_size: int = 256 * 1024,
        timeout: float | None = None,
        lock_timeout: float = 0.0,
        on_event: Listener = ignore,
        cancellation: Cancellation | None = None,
    ) -> Imported:
        """Write manifests of what lives in an application, and adopt it; or write nothing.

        directory: where the manifests go; a glob of the project must match them.
        match: globs of ids, or KEY=GLOB of a value in additionalData.
        only_owned: leave out registrations that nobody owns.
        most: only so many, the first by id.
        max_file_size: bytes; several files are written where one would be larger.

        Raises what `plan` raises; StateLocked; and EngineError for a directory that no plan would
        see, or manifests that cannot be proven.
        """
        from .import_registrations import ImportRequest, filter_from_globs, import_registrations

        wanted = filter_from_globs(match, only_owned=only_owned, most=most)
        request = ImportRequest(application, Path(directory), wanted, max_file_size, lock_timeout)
        run = cancellation or Cancellation(Deadline.after(timeout))
        return import_registrations(self.files, self.environ, request, run, on_event)

    def list_applications(
        self,
        *,
        timeout: float | None = None,
        on_event: Listener = ignore,
        cancellation: Cancellation | None = None,
    ) -> ApplicationList:
        """List the applications of the project, and those that the service lists beside them.

        timeout: seconds.

        Raises InvalidSettings, and ServiceError where the credentials are refused or nobody
        answers. That the key may not list applications is no error.
        """
        from .applications import list_applications

        run = cancellation or Cancellation(Deadline.after(timeout))
        return list_applications(self.files, self.environ, run, on_event)

    def write_patch(self, plan: Plan, file: Path) -> WrittenPatch:
        """Write the proposals of a plan (devices that are gone, or back under a new id) as a patch
        of the manifests; no file where there are none. Raises UnwritableFile."""
        from .manifest_patch import write_patch

        return write_patch(self.files, plan, file)

    def write_consent(self, plan: Plan, file: Path) -> WrittenConsent | None:
        """Write the consent that a refused plan asks for, for review; None, and no file, if it asks
        for none. Raises UnwritableFile."""
        from .consent_files import write_consent

        return write_consent(self.files, plan, file)


async def _in_thread(work: Callable[[Cancellation], T], deadline: Deadline) -> T:
    """Do some work in a thread of its own; a cancellation is passed on, and its end waited for."""
    run = Cancellation(deadline)
    task = asyncio.ensure_future(asyncio.to_thread(work, run))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.cancelled():
            run.request()
            await asyncio.wait({task})
            if not task.cancelled():
                # What it came to is not wanted any more; an error of it is not lost in a warning.
                task.exception()
        raise
