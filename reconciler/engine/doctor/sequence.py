"""Run the checks of `doctor`, in the order in which each leans on those before it.

What a failed one leaves untold is skipped. Only reads: nothing is written to the service or to
the state, and nothing is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from reconciler.api.credentials import Credential, UnusableCredential
from reconciler.api.probe import Probe, ProbeResult
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.device import Desired
from reconciler.core.project import Project
from reconciler.core.record import Record
from reconciler.engine.cancellation import EventLoop
from reconciler.engine.connection import resolve_connection
from reconciler.engine.errors import InvalidSettings
from reconciler.engine.installation import FOREIGN_DISTRIBUTION
from reconciler.engine.state_access import StateLocation
from reconciler.live.applications import by_project_name
from reconciler.platform.operations import Operation

from .account import (
    check_application,
    check_credentials,
    check_limits,
    check_listing,
    declared_ids,
    describe_match,
    reject_credentials,
)
from .connection import check_address, check_clock, check_connection
from .project import check_environment, check_project, check_version
from .results import skipped
from .state import check_state

# Whoever asks what is wrong does not wait for half a minute.
_LONGEST_TIMEOUT: Final = 10.0
_AFTER_CREDENTIALS: Final = ("applications", "application", "limits")


def run_checks(
    directory: Path, config: Path | None, environ: Mapping[str, str], origin: Path | None = None
) -> Iterator[CheckResult]:
    """Yield the result of one check after another, each as soon as it is there.

    `config` names the project file from `directory`; without, it is looked for there and above.
    Paths are shown from `origin` on, which is `directory` where it is left out.
    """
    origin = origin or directory
    yield check_version(distributions(name=FOREIGN_DISTRIBUTION))
    result, checked = check_project(directory, config, origin)
    yield result
    if checked is None or checked.project is None:
        names = ("environment", "state", "lock", "journal", "base-url", "connection", "clock")
        yield from skipped("files", *names, "credentials", *_AFTER_CREDENTIALS)
        return
    project, desired = checked.project, checked.desired
    yield check_environment(project, desired, environ)
    location = StateLocation(checked.root, project.state, environ)
    results, record = check_state(location, origin)
    yield from results
    yield from _check_service(project, desired, record, environ)


def _check_service(
    project: Project, desired: Desired | None, record: Record | None, environ: Mapping[str, str]
) -> Iterator[CheckResult]:
    result, url = check_address(project, environ)
    yield result
    if url is None:
        because = "environment" if result.verdict is Verdict.SKIPPED else "base-url"
        yield from skipped(because, "connection", "clock", "credentials", *_AFTER_CREDENTIALS)
        return
    with _open_probe(_new_probe(project, url, None)) as anonymous:
        greeting = anonymous.loop.run(anonymous.probe.greet())
    reached = check_connection(url, greeting)
    yield reached
    if reached.verdict is Verdict.FAILED:
        yield from skipped("connection", "clock", "credentials", *_AFTER_CREDENTIALS)
        return
    yield check_clock(greeting)
    try:
        connection = resolve_connection(project, (), environ)
    except InvalidSettings:
        yield from skipped("environment", "credentials", *_AFTER_CREDENTIALS)
        return
    try:
        probe = _new_probe(project, url, connection.credential)
    except UnusableCredential as error:
        yield reject_credentials(error)
        yield from skipped("credentials", *_AFTER_CREDENTIALS)
        return
    with _open_probe(probe) as session:
        yield from _check_account(project, desired, record, connection.app_codes, session)


@dataclass(frozen=True, slots=True)
class _ProbeSession:
    """An open probe, and the one event loop in which it may be asked."""

    probe: Probe
    loop: EventLoop

    def read(self, app_code: str, registration_id: str | None = None) -> ProbeResult:
        return self.loop.run(self.probe.registration(app_code, registration_id))


def _check_account(
    project: Project,
    desired: Desired | None,
    record: Record | None,
    app_codes: Mapping[str, str],
    session: _ProbeSession,
) -> Iterator[CheckResult]:
    """Yield what only somebody with the account's credentials can tell."""
    first_code = next(iter(app_codes.values()), None)
    answers = [("people (persons)", session.loop.run(session.probe.person()).error)]
    if first_code is not None:
        answers.append(("registrations (get)", session.read(first_code).error))
    accepted = check_credentials(answers)
    if accepted.verdict is not Verdict.FAILED:
        matched = describe_match(session.loop.run(session.probe.match()).error)
        accepted = replace(accepted, detail=(*accepted.detail, matched))
    yield accepted
    if accepted.verdict is Verdict.FAILED:
        yield from skipped("credentials", *_AFTER_CREDENTIALS)
        return
    listing = session.loop.run(session.probe.applications())
    yield check_listing(listing)
    listed = by_project_name(listing.applications, app_codes)
    for name in project.applications:
        if name not in app_codes:
            yield from skipped("environment", "application", subject=name)
            continue
        yield check_application(
            name,
            declared_ids(name, desired),
            partial(session.read, app_codes[name]),
            None if record is None else record.application_ids.get(name),
            listed.get(name),
        )
    # Whether its code is known does not matter: an answer is an answer.
    yield check_limits(project, None if first_code is None else partial(session.read, first_code))


def _new_probe(project: Project, url: str, credential: Credential | None) -> Probe:
    return Probe(
        url,
        credential,
        limits={Operation(name): limit for name, limit in project.api.limits.items()},
        quota_share=project.api.quota_share,
        timeout=min(project.api.timeout, _LONGEST_TIMEOUT),
    )


@contextmanager
def _open_probe(probe: Probe) -> Iterator[_ProbeSession]:
    with EventLoop() as loop:
        loop.run(probe.__aenter__())
        try:
            yield _ProbeSession(probe, loop)
        finally:
            loop.run(probe.__aexit__(None, None, None))
