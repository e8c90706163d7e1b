"""Probe a service: reads, one at a time, each sent once, and what came back, as it came.

Nothing is repeated and nothing is hidden behind a retry, so that what is wrong shows. Paced like
all other calls. It cannot write: it knows three calls, and all are reads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from uuid import uuid4

from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import LiveApplication, LiveRegistration
from reconciler.core.secret import Secret
from reconciler.platform import operations
from reconciler.platform.operations import DEFAULT_LIMITS, TOKEN_PATH, Call, Operation

from .applications import decode_applications
from .authorization import Authorization
from .classify import (
    CallSummary,
    check_app_code,
    classify_outcome,
    decode_answer,
    is_person_not_found,
)
from .credentials import Credential, OAuth2Credential, require_usable
from .decode import decode_registration, decode_token
from .encode import build_message, build_token_message, private_texts
from .errors import ApiError
from .exchange import Answer, Message, Outcome, do_nothing, exchange
from .matching import decode_matches, identifier_of
from .people import decode_people
from .rate_limit import Stream, rate_of
from .retry import retry_after_seconds

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one attempt gave. `error` is None for an answer that makes sense.

    `seconds` is how long the answer took, `at` our own clock halfway (Unix time), `date` the
    service's clock if it showed one, to the second.
    """

    error: ApiError | None
    seconds: float
    at: float
    date: float | None
    registration: LiveRegistration | None = None
    applications: tuple[LiveApplication, ...] = ()


class Probe:
    """Asks one service. Use as `async with`. Without `credential` only `greet` can be asked.

    Raises UnusableCredential for a credential that no header can carry.
    """

    def __init__(
        self,
        base_url: str,
        credential: Credential | None,
        *,
        limits: Mapping[Operation, float],
        quota_share: float,
        timeout: float,
    ) -> None:
        if credential is not None:
            require_usable(credential)
        self._base_url = base_url
        self._timeout = timeout
        self._authorization = (
            None
            if credential is None
            else Authorization(credential, self._fetch_token, time.monotonic)
        )
        self._rates = {
            operation: rate_of(limits.get(operation, DEFAULT_LIMITS[operation]), quota_share)
            for operation in (
                Operation.GET,
                Operation.PERSONS,
                Operation.APPLICATIONS,
                Operation.MATCH,
            )
        }
        self._streams: dict[Operation, Stream] = {}
        self._transport: httpx.AsyncBaseTransport | None = None

    async def __aenter__(self) -> Self:
        from .transport import AiohttpTransport

        self._streams = {
            operation: Stream(rate, time.monotonic, asyncio.sleep)
            for operation, rate in self._rates.items()
        }
        self._transport = AiohttpTransport(tls=self._base_url.lower().startswith("https:"))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._transport is not None:
            await self._transport.aclose()

    async def greet(self) -> ProbeResult:
        """Ask something without any credential: whether somebody is there who says no to that."""
        return await self._ask(_absent_person(), None, None)

    async def person(self) -> ProbeResult:
        """Look up a person who does not exist; that nobody has the identifier is a good answer."""
        probe_result = await self._authorized(_absent_person(), None)
        if probe_result.error is not None and is_person_not_found(probe_result.error):
            return replace(probe_result, error=None)
        return probe_result

    async def match(self) -> ProbeResult:
        """Ask whose an identity is that nobody has; an answer without anybody is a good one."""
        absent = IdentityValue.of(IdentityKind.EXTERNAL_ID, f"reconciler-doctor-{uuid4()}")
        return await self._authorized(operations.match([identifier_of(absent)]), None)

    async def registration(self, app_code: str, registration_id: str | None = None) -> ProbeResult:
        """Read a registration of an application; one that does not exist where none is named."""
        id_ = registration_id or f"reconciler-doctor-{uuid4()}"
        return await self._authorized(operations.get(id_, app_code), id_)

    async def applications(self) -> ProbeResult:
        """Ask for the applications of the account."""
        return await self._authorized(operations.applications(), None)

    async def _authorized(self, call: Call, device: str | None) -> ProbeResult:
        if self._authorization is None:
            raise RuntimeError("a probe without a credential can only greet")
        started = time.monotonic()
        try:
            header = await self._authorization.header()
        except ApiError as error:
            return ProbeResult(error, time.monotonic() - started, time.time(), None)
        return await self._ask(call, device, header)

    async def _ask(self, call: Call, device: str | None, header: Secret[str] | None) -> ProbeResult:
        summary = CallSummary.of(call, device)
        refusal = check_app_code(summary, call.app_code)
        if refusal is not None:
            return ProbeResult(refusal, 0.0, time.time(), None)
        turn = await self._streams[call.operation].grant()
        written_at = time.monotonic()

        def before_write() -> None:
            nonlocal written_at
            written_at = time.monotonic()
            turn.leave()

        try:
            outcome = await self._exchange(build_message(Secret(call), header), before_write)
        finally:
            turn.leave()
        seconds = time.monotonic() - written_at
        at = time.time() - seconds / 2
        date = _service_clock(outcome)
        secrets = () if self._authorization is None else self._authorization.secrets()
        answer = classify_outcome(summary, outcome, 1, (*secrets, *private_texts(Secret(call))), at)
        if isinstance(answer, ApiError):
            return ProbeResult(answer, seconds, at, date)
        read = _READERS[call.operation]
        decoded = decode_answer(summary, Secret(answer.body), read, 1)
        if isinstance(decoded, ApiError):
            return ProbeResult(decoded, seconds, at, date)
        shown = decoded.reveal()
        if isinstance(shown, tuple):
            return ProbeResult(None, seconds, at, date, applications=shown)
        return ProbeResult(None, seconds, at, date, shown)

    async def _exchange(
        self, message: Secret[Message], before_write: Callable[[], None] = do_nothing
    ) -> Outcome:
        if self._transport is None:
            raise RuntimeError("the probe was used before it was entered")
        return await exchange(self._transport, self._base_url, message, self._timeout, before_write)

    async def _fetch_token(self, credential: OAuth2Credential) -> tuple[Secret[str], float | None]:
        summary = CallSummary("token", None, "POST", TOKEN_PATH)
        outcome = await self._exchange(build_token_message(credential))
        answer = classify_outcome(
            summary, outcome, 1, (credential.client_secret.reveal(),), time.time()
        )
        if isinstance(answer, ApiError):
            raise answer
        decoded = decode_answer(summary, Secret(answer.body), decode_token, 1)
        if isinstance(decoded, ApiError):
            raise decoded
        return decoded.reveal()


def _read_registration(body: bytes) -> LiveRegistration | None:
    return decode_registration(body)


def _check_people(body: bytes) -> LiveRegistration | None:
    decode_people(body)
    return None


def _check_matches(body: bytes) -> LiveRegistration | None:
    decode_matches(body, ())
    return None


_Shown = LiveRegistration | tuple[LiveApplication, ...] | None
_READERS: Final[Mapping[Operation, Callable[[bytes], _Shown]]] = {
    Operation.GET: _read_registration,
    Operation.PERSONS: _check_people,
    Operation.APPLICATIONS: decode_applications,
    Operation.MATCH: _check_matches,
}


def _absent_person() -> Call:
    """Return the look-up of a person who does not exist: no answer to it holds personal data."""
    return operations.person_by_identity("EXTERNAL_ID", f"reconciler-doctor-{uuid4()}")


def _service_clock(outcome: Outcome) -> float | None:
    """Return the service's clock, in Unix time."""
    # The seconds from 1970 to that date.
    return retry_after_seconds(outcome.date, 0.0) if isinstance(outcome, Answer) else None
