"""The checks of `doctor`, in the order in which each leans on those before it.

What a failed one leaves untold is skipped. Only reads: nothing is written to the service or to
the record, and nothing is made.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import distributions
from typing import Final

from reconciler.api.credentials import Credential, UnusableCredential
from reconciler.api.probe import Probe, Sounding
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.device import Desired
from reconciler.core.project import Project
from reconciler.core.record import Record
from reconciler.engine.installation import FOREIGN_DISTRIBUTION
from reconciler.platform.operations import Operation

from .checks import (
    address,
    applications,
    clock,
    connection,
    credentials,
    environment,
    files,
    limits,
    record,
    version,
)
from .checks.skipped import skipped
from .connection import Mistakes, resolved
from .options import Options

# Whoever asks what is wrong does not wait for half a minute.
_PATIENCE: Final = 10.0
_BEHIND: Final = ("application", "limits")


def checkup(options: Options) -> Iterator[CheckResult]:
    """Yield one finding after another, as they are made."""
    yield version.examine(distributions(name=FOREIGN_DISTRIBUTION))
    found, checked = files.examine(options)
    yield found
    if checked is None or checked.project is None:
        names = ("environment", "record", "lease", "journal", "base-url", "connection", "clock")
        yield from skipped("files", *names, "credentials", *_BEHIND)
        return
    yield environment.examine(checked.project, checked.desired, os.environ)
    findings, known = record.examine(options, checked.root, checked.project.state)
    yield from findings
    yield from _service(checked.project, checked.desired, known)


def _service(
    project: Project, desired: Desired | None, known: Record | None
) -> Iterator[CheckResult]:
    found, url = address.examine(project, os.environ)
    yield found
    if url is None:
        because = "environment" if found.verdict is Verdict.SKIPPED else "base-url"
        yield from skipped(because, "connection", "clock", "credentials", *_BEHIND)
        return
    with _opened(_probe(project, url, None)) as (runner, probe):
        greeting = runner.run(probe.greet())
    reached = connection.examine(url, greeting)
    yield reached
    if reached.verdict is Verdict.FAILED:
        yield from skipped("connection", "clock", "credentials", *_BEHIND)
        return
    yield clock.examine(greeting)
    try:
        link = resolved(project, (), os.environ)
    except Mistakes:
        yield from skipped("environment", "credentials", *_BEHIND)
        return
    try:
        probe = _probe(project, url, link.credential)
    except UnusableCredential as error:
        yield credentials.unusable(error)
        yield from skipped("credentials", *_BEHIND)
        return
    with _opened(probe) as opened:
        yield from _account(project, desired, known, link.app_codes, *opened)


def _account(
    project: Project,
    desired: Desired | None,
    known: Record | None,
    codes: Mapping[str, str],
    runner: asyncio.Runner,
    probe: Probe,
) -> Iterator[CheckResult]:
    """Yield what only somebody with the account's credentials can tell."""
    soundings = [("people (persons)", runner.run(probe.person()).error)]
    if codes:
        first = next(iter(codes.values()))
        soundings.append(("registrations (get)", runner.run(probe.registration(first)).error))
    accepted = credentials.examine(soundings)
    yield accepted
    if accepted.verdict is Verdict.FAILED:
        yield from skipped("credentials", *_BEHIND)
        return
    for name in project.applications:
        if name not in codes:
            yield from skipped("environment", "application", subject=name)
            continue
        found = applications.examine(
            name,
            applications.sample(name, desired),
            partial(_read, runner, probe, codes[name]),
            None if known is None else known.application_ids.get(name),
        )
        yield found
    # Whether its code is known does not matter: an answer is an answer.
    ask = partial(_read, runner, probe, next(iter(codes.values()))) if codes else None
    yield limits.examine(project, ask)


def _read(runner: asyncio.Runner, probe: Probe, code: str, id_: str | None = None) -> Sounding:
    return runner.run(probe.registration(code, id_))


def _probe(project: Project, url: str, credential: Credential | None) -> Probe:
    return Probe(
        url,
        credential,
        limits={Operation(name): limit for name, limit in project.api.limits.items()},
        quota_share=project.api.quota_share,
        timeout=min(project.api.timeout, _PATIENCE),
    )


@contextmanager
def _opened(probe: Probe) -> Iterator[tuple[asyncio.Runner, Probe]]:
    """Open a probe, and the one event loop in which it may be asked."""
    with asyncio.Runner() as runner:
        runner.run(_enter(probe))
        try:
            yield runner, probe
        finally:
            runner.run(_leave(probe))


async def _enter(probe: Probe) -> None:
    await probe.__aenter__()


async def _leave(probe: Probe) -> None:
    await probe.__aexit__(None, None, None)
