"""From the project's settings and the environment to a service that can be called."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from reconciler.api.credentials import (
    ApiKeyCredential,
    BasicCredential,
    Credential,
    IbssoCredential,
    OAuth2Credential,
    UnusableCredential,
)
from reconciler.api.matching import FIRST_SIZE
from reconciler.api.rate_limit import rate_of
from reconciler.api.service import Service
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.project import ApiKey, Auth, Basic, Ibsso, OAuth2, Project, Setting
from reconciler.core.secret import Secret
from reconciler.manifest.interpolation import Unresolved, check_base_url, resolve_setting
from reconciler.platform.assumptions import MATCH_SIZE
from reconciler.platform.operations import DEFAULT_LIMITS, Operation

from .cancellation import Cancellation, EventLoop, read_until_cancelled
from .errors import InvalidCredentials, InvalidSettings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Connection:
    """All that calls need. `app_codes` by application name; `rates` after the quota share.

    `timeout` is for one attempt of a call, in seconds; `match_size` how many identities the first
    match names.
    """

    base_url: str
    credential: Credential
    app_codes: Mapping[str, str]
    limits: Mapping[Operation, float]
    quota_share: float
    timeout: float
    match_size: int = FIRST_SIZE

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
            return resolve_setting(setting, self.environ)
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


def resolve_connection(
    project: Project, used: Collection[str], environ: Mapping[str, str]
) -> Connection:
    """Resolve what calls need from the environment; raises InvalidSettings.

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
        raise InvalidSettings(tuple(sorted(resolver.wrong, key=Diagnostic.sort_key)))
    limits = {Operation(name): limit for name, limit in project.api.limits.items()}
    api = project.api
    pinned = api.assume.get(MATCH_SIZE.name)
    return Connection(
        base_url,
        credential,
        app_codes,
        limits,
        api.quota_share,
        api.timeout,
        FIRST_SIZE if pinned is None else int(pinned),
    )


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


@dataclass(frozen=True, slots=True)
class ServiceSession:
    """An open service, the event loop that it may be called in, and who may end its work."""

    service: Service
    connection: Connection
    cancellation: Cancellation
    loop: EventLoop

    def read(self, work: Awaitable[T]) -> T:
        """Do some reading to its end. Raises ApiError, and BreakerTripped when it was ended."""
        return self.loop.run(read_until_cancelled(work, self.cancellation))


@contextmanager
def open_service(connection: Connection, cancellation: Cancellation) -> Iterator[ServiceSession]:
    """Open the service; its calls pass the breaker of the cancellation. Raises UnusableSettings.

    A loop of its own instead of one long coroutine: between two works somebody can be asked.
    """
    try:
        service = Service(
            connection.base_url,
            connection.credential,
            limits=connection.limits,
            quota_share=connection.quota_share,
            timeout=connection.timeout,
            breaker=cancellation.breaker,
            match_size=connection.match_size,
        )
    except UnusableCredential as error:
        raise InvalidCredentials(
            f"These credentials cannot be sent: {error}.",
            "Check the environment variables that api.auth of the project file names.",
        ) from None
    with EventLoop() as loop:
        loop.run(service.__aenter__())
        try:
            yield ServiceSession(service, connection, cancellation, loop)
        finally:
            loop.run(service.__aexit__(None, None, None))
