"""Asking: a call goes out authorised and paced, and again if the rule says so, until it has a fate.

One lane per operation: a paced stream and a bounded number of calls in flight, so that no
operation takes anything from another.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler import __version__
from reconciler.core.hidden import Hidden
from reconciler.platform.operations import DEFAULT_LIMITS, WRITES, Call, Operation

from . import answers
from .answers import Garbled
from .authorization import Authorization
from .credentials import Credential, OAuth2Credential
from .errors import (
    ApiError,
    ApplicationNotFound,
    Denied,
    NotTheContract,
    RateLimited,
    RegistrationNotFound,
)
from .exchange import Answer, Message, exchange
from .pace import Stream, rate_of
from .retry import LONGEST_RETRY_AFTER, Trouble, trouble, wait_before_retry
from .verdict import Question, verdict

if TYPE_CHECKING:
    import httpx

TOKEN_PATH: Final = "/auth/1/oauth2/token"
# Places in flight for one operation: over a second of latency at the usual limits, two at others.
_LEAST_IN_FLIGHT: Final = 64
_MOST_IN_FLIGHT: Final = 1024


@dataclass(frozen=True, slots=True)
class Timing:
    """Where time and chance come from. `jitter` gives [0, 1); `wall` is Unix time."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    wall: Callable[[], float] = time.time


@dataclass(slots=True)
class Attempts:
    """How often a call was sent; passed in by a caller who wants to know it of a success too."""

    count: int = 0


class _Lane:
    """What the calls of one operation share: the stream, the places in flight, the count."""

    __slots__ = ("asked", "places", "stream")

    def __init__(self, rate: float | None, timing: Timing) -> None:
        wanted = 0 if rate is None else math.ceil(2 * rate)
        self.stream = Stream(rate, timing.clock, timing.sleep)
        self.places = asyncio.Semaphore(min(_MOST_IN_FLIGHT, max(_LEAST_IN_FLIGHT, wanted)))
        self.asked = 0


class Asker:
    """Asks one service with one credential. `transport` is where the requests go."""

    def __init__(
        self,
        base_url: str,
        credential: Credential,
        limits: Mapping[Operation, float],
        quota_share: float,
        timeout: float,
        timing: Timing,
    ) -> None:
        self._base_url = base_url
        self._timeout = timeout
        self._timing = timing
        self._authorization = Authorization(credential, self._fetch_token, timing.clock)
        self._lanes = {
            operation: _Lane(rate_of(limits.get(operation, default), quota_share), timing)
            for operation, default in DEFAULT_LIMITS.items()
        }
        self.transport: httpx.AsyncBaseTransport | None = None

    def counts(self) -> Mapping[Operation, int]:
        """Return the questions asked so far; a retry is none, so equal runs count the same."""
        return {operation: lane.asked for operation, lane in self._lanes.items()}

    async def ask(
        self, question: Question, call: Hidden[Call], attempts: Attempts
    ) -> Hidden[bytes]:
        """Send a call until it is answered (return the body), refused or given up (raise)."""
        operation = call.reveal().operation
        if question.device is not None and not question.device.strip("."):
            # "", "." and ".." in a path would name another resource.
            raise question.error(RegistrationNotFound, reason="not a registration id", attempts=0)
        if not _fits_a_header(call.reveal().app_code):
            reason = "the application code is empty or cannot stand in a header"
            raise question.error(ApplicationNotFound, reason=reason, attempts=0)
        lane = self._lanes[operation]
        patience = _Patience(operation not in WRITES or operation is Operation.UPDATE, self._timing)
        renewed = False
        lane.asked += 1
        while True:
            # A place before the turn: once granted, a call leaves at once and not in a bunch.
            async with lane.places:
                header = await self._authorization.header()
                granted = await lane.stream.grant()
                attempts.count += 1
                result = await self._send(question, _message(call, header), call, attempts.count)
            if isinstance(result, Answer):
                return Hidden(result.body)
            if isinstance(result, Denied) and result.status == 401 and not renewed:
                renewed = True
                if self._authorization.renewable(header):
                    continue
            if isinstance(result, RateLimited):
                pause = min(result.retry_after or 0.0, LONGEST_RETRY_AFTER)
                lane.stream.slow_down(granted, pause)
            await patience.wait_or_raise(result)

    async def _send(
        self,
        question: Question,
        message: Hidden[Message],
        call: Hidden[Call] | None,
        attempts: int,
    ) -> Answer | ApiError:
        if self.transport is None:
            raise RuntimeError("the service was used before it was entered")
        outcome = await exchange(self.transport, self._base_url, message, self._timeout)
        hide = Hidden((*self._authorization.secrets(), *_private(call)))
        return verdict(question, outcome, attempts, hide.reveal(), self._timing.wall())

    async def _fetch_token(self, credential: OAuth2Credential) -> tuple[Hidden[str], float | None]:
        """Fetch a token with the client-credentials grant; a token is asked for like a read."""
        question = Question("token", None, "POST", TOKEN_PATH)
        patience = _Patience(True, self._timing)
        attempts = 0
        while True:
            attempts += 1
            result = await self._send(question, _token_message(credential), None, attempts)
            if isinstance(result, Answer):
                break
            await patience.wait_or_raise(result)
        try:
            return answers.token(result.body)
        except Garbled as error:
            reason = str(error)
        raise question.error(NotTheContract, status=200, reason=reason, attempts=attempts)


class _Patience:
    """Counts the troubles of one call and waits as the rule says, or raises."""

    __slots__ = ("_counts", "_repeatable", "_timing")

    def __init__(self, repeatable: bool, timing: Timing) -> None:
        self._repeatable = repeatable
        self._timing = timing
        self._counts: Counter[Trouble] = Counter()

    async def wait_or_raise(self, error: ApiError) -> None:
        kind = trouble(error)
        if kind is None:
            raise error
        self._counts[kind] += 1
        wait = wait_before_retry(
            kind,
            self._counts[kind],
            repeatable=self._repeatable,
            retry_after=error.retry_after,
            jitter=self._timing.jitter(),
        )
        if wait is None:
            raise error
        await self._timing.sleep(wait)


def _fits_a_header(app_code: str | None) -> bool:
    if app_code is None:
        return True
    return bool(app_code) and all("!" <= character <= "~" for character in app_code)


def _headers() -> dict[str, str]:
    return {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"reconciler/{__version__}",
    }


def _message(call: Hidden[Call], authorization: Hidden[str]) -> Hidden[Message]:
    asked = call.reveal()
    headers = _headers() | {"Authorization": authorization.reveal()}
    if asked.app_code is not None:
        headers["AppCode"] = asked.app_code
    return Hidden(Message(asked.method, asked.path, asked.query, headers, json=asked.body))


def _token_message(credential: OAuth2Credential) -> Hidden[Message]:
    form = {
        "grant_type": "client_credentials",
        "client_id": credential.client_id,
        "client_secret": credential.client_secret.reveal(),
    }
    return Hidden(Message("POST", TOKEN_PATH, headers=_headers(), form=form))


def _private(call: Hidden[Call] | None) -> Iterator[str]:
    """Yield the texts of a call that the service may echo and nobody should read."""
    if call is None:
        return
    asked = call.reveal()
    if asked.app_code is not None:
        yield asked.app_code
    if asked.operation is Operation.PERSONS and asked.query.get("type") != "PUSH":
        yield asked.query.get("identifier", "")
    if asked.operation is Operation.PERSONALIZE:
        yield from _texts(asked.body)


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
        case _:
            return
