"""From the project's settings and the environment to a service that can be called."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf

from reconciler.api.breaker import Breaker
from reconciler.api.credentials import (
    ApiKeyCredential,
    BasicCredential,
    Credential,
    IbssoCredential,
    OAuth2Credential,
    UnusableCredential,
)
from reconciler.api.rate_limit import rate_of
from reconciler.api.service import Service
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.project import ApiKey, Auth, Basic, Ibsso, OAuth2, Project, Setting
from reconciler.core.secret import Secret
from reconciler.engine.errors import InvalidSettings
from reconciler.manifest.interpolation import Unresolved, check_base_url, resolve
from reconciler.platform.operations import DEFAULT_LIMITS, Operation

from .exits import ExitCode, Stop

Mistakes = InvalidSettings


@dataclass(frozen=True, slots=True)
class Connection:
    """All that calls need. `app_codes` by application name; `rates` after the quota share.

    `timeout` is for one attempt of a call, in seconds.
    """

    base_url: str
    credential: Credential
    app_codes: Mapping[str, str]
    limits: Mapping[Operation, float]
    quota_share: float
    timeout: float

    @property
    def rates(self) -> Mapping[Operation, float]:
        return {
            operation: rate_of(self.limits.get(operation, default), self.quota_share) or inf
            for operation, default in DEFAULT_LIMITS.items()
        }


class _Resolver:
    """Resolve settings one after another, and keep what is wrong for the end."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.wrong: list[Diagnostic] = []

    def text(self, setting: Setting) -> str:
        try:
            return resolve(setting, self.environ)
        except Unresolved as unresolved:
            self.wrong.append(unresolved.diagnostic)
            return ""

    def secret(self, setting: Setting) -> Secret[str]:
        return Secret(self.text(setting))

    def url(self, setting: Setting) -> str:
        url = self.text(setting)
        refused = check_base_url(url, self.environ, setting) if url else None
        if refused is not None:
            self.wrong.append(refused)
        return url


def resolved(project: Project, used: Collection[str], environ: Mapping[str, str]) -> Connection:
    """Resolve what calls need; raises Mistakes.

    The codes of applications that are not `used` only help to say where a registration really is,
    so one of these that is not set is left out.
    """
    resolver = _Resolver(environ)
    base_url = resolver.url(project.api.base_url)
    credential = _credential(project.api.auth, resolver)
    app_codes = {}
    for name, application in project.applications.items():
        if name in used:
            app_codes[name] = resolver.text(application.app_code)
        else:
            code = _Resolver(environ).text(application.app_code)
            app_codes |= {name: code} if code else {}
    if resolver.wrong:
        raise Mistakes(tuple(sorted(resolver.wrong, key=Diagnostic.sort_key)))
    limits = {Operation(name): limit for name, limit in project.api.limits.items()}
    api = project.api
    return Connection(base_url, credential, app_codes, limits, api.quota_share, api.timeout)


def _credential(auth: Auth, resolver: _Resolver) -> Credential:
    match auth:
        case ApiKey(key):
            return ApiKeyCredential(resolver.secret(key))
        case Basic(username, password):
            return BasicCredential(resolver.text(username), resolver.secret(password))
        case OAuth2(client_id, client_secret):
            return OAuth2Credential(resolver.text(client_id), resolver.secret(client_secret))
        case Ibsso(token):
            return IbssoCredential(resolver.secret(token))


@contextmanager
def opened(connection: Connection, gate: Breaker) -> Iterator[tuple[asyncio.Runner, Service]]:
    """Open the service, and the one event loop in which it may be called; calls pass the gate.

    A runner instead of one long coroutine: between two of its runs the terminal can be asked, and
    Ctrl-C reaches the question.
    """
    try:
        service = Service(
            connection.base_url,
            connection.credential,
            limits=connection.limits,
            quota_share=connection.quota_share,
            timeout=connection.timeout,
            gate=gate,
        )
    except UnusableCredential as error:
        raise Stop(
            ExitCode.ERROR,
            f"These credentials cannot be sent: {error}.",
            "Check the environment variables that api.auth of the project file names.",
        ) from None
    with asyncio.Runner() as runner:
        runner.run(_enter(service))
        try:
            yield runner, service
        finally:
            runner.run(_leave(service))


async def _enter(service: Service) -> None:
    await service.__aenter__()


async def _leave(service: Service) -> None:
    await service.__aexit__(None, None, None)
