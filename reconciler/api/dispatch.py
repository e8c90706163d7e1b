"""Send calls: authorized, rate-limited and retried by rule, until each is answered or given up.

One lane per operation: a paced stream and a bounded number of calls in flight, so that no
operation takes anything from another.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.core.events import Listener, Pausing, nobody_listens
from reconciler.core.secret import Secret
from reconciler.platform.operations import (
    DEFAULT_LIMITS,
    TOKEN_PATH,
    WRITES,
    Call,
    Operation,
    is_page,
)
from reconciler.platform.pace import in_flight

from .authorization import Authorization
from .breaker import Breaker, BreakerTripped
from .classify import CallSummary, check_app_code, classify_outcome, decode_answer
from .credentials import Credential, OAuth2Credential
from .decode import decode_token
from .encode import build_message, build_token_message, private_texts
from .errors import (
    ApiError,
    Denied,
    RateLimited,
    RegistrationNotFound,
)
from .exchange import Answer, Message, do_nothing, exchange
from .rate_limit import Stream, TooLate, rate_of
from .retry import LONGEST_RETRY_AFTER, RetryBudget, Transient, classify_transient

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

# Of so many answers, the latest, the middle one is told.
_REMEMBERED: Final = 1001


@dataclass(frozen=True, slots=True)
class Timing:
    """Where time and chance come from. `jitter` gives [0, 1); `wall` is Unix time."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    wall: Callable[[], float] = time.time


@dataclass(slots=True)
class Attempts:
    """How often a call was sent; passed in by a caller who wants to know it of a success too.

    `written` counts those that were really written to a connection: one that waits for it is none.
    A call that has not left by `good_until`, on the clock of the service's timing, does not leave
    any more; `leaves` is called when it does.
    """

    count: int = 0
    written: int = 0
    good_until: float = math.inf
    leaves: Callable[[], None] = do_nothing


class Latency:
    """How long the answers to reads usually take, from when a call left until its answer was whole.

    The wait for a turn, for a place or for a connection is no part of it. Memory is bounded,
    however many answers come.
    """

    __slots__ = ("_latest", "_quickest_page")

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=_REMEMBERED)
        self._quickest_page: float | None = None

    def note(self, call: Call, seconds: float) -> None:
        """Note how long the answer to a call took; that of a write is not what a read can tell."""
        if is_page(call):
            # Most of it may be the thousand people.
            known = self._quickest_page
            self._quickest_page = seconds if known is None else min(known, seconds)
        elif call.operation in (Operation.GET, Operation.PERSONS):
            self._latest.append(seconds)

    def usual(self) -> float | None:
        """Return the seconds of the middle one of the latest answers about one device or person;
        where there was none of the quickest page; None where nothing was read."""
        return median(self._latest) if self._latest else self._quickest_page


class _Lane:
    """What the calls of one operation share: the stream, the places in flight, the count."""

    __slots__ = ("calls", "slots", "stream")

    def __init__(self, rate: float | None, timing: Timing) -> None:
        self.stream = Stream(rate, timing.clock, timing.sleep)
        self.slots = asyncio.Semaphore(in_flight(rate or math.inf))
        self.calls = 0


class Dispatcher:
    """Sends the calls to one service with one credential; `transport` is where the requests go."""

    def __init__(
        self,
        base_url: str,
        credential: Credential,
        limits: Mapping[Operation, float],
        quota_share: float,
        timeout: float,
        timing: Timing,
        breaker: Breaker,
    ) -> None:
        self._base_url = base_url
        self._timeout = timeout
        self._timing = timing
        self._breaker = breaker
        self._authorization = Authorization(credential, self._fetch_token, timing.clock)
        self._lanes = {
            operation: _Lane(rate_of(limits.get(operation, default), quota_share), timing)
            for operation, default in DEFAULT_LIMITS.items()
        }
        self._latency = Latency()
        # When the service last gave an answer that makes sense, whatever it said.
        self._answered_at = -math.inf
        self.transport: httpx.AsyncBaseTransport | None = None
        self.listen: Listener = nobody_listens

    def counts(self) -> Mapping[Operation, int]:
        """Return the calls made so far; a retry is none, so equal runs count the same."""
        return {operation: lane.calls for operation, lane in self._lanes.items()}

    def latency(self) -> float | None:
        """Return the seconds that one answer to a read usually takes, once it has left; None when
        none came yet."""
        return self._latency.usual()

    async def dispatch(
        self,
        summary: CallSummary,
        call: Secret[Call],
        attempts: Attempts,
        read: Callable[[bytes], T],
    ) -> T:
        """Send a call until it is answered (return what `read` makes of the body), refused or
        given up (raise ApiError); a write is sent once. Raises BreakerTripped when it was not
        sent any more, and TooLate (see Attempts).

        A denied call and a service that answers nobody trip the breaker for all others.
        """
        operation = call.reveal().operation
        if summary.device is not None and not summary.device.strip("."):
            # "", "." and ".." in a path would name another resource.
            raise summary.error(RegistrationNotFound, reason="not a registration id", attempts=0)
        refusal = check_app_code(summary, call.reveal().app_code)
        if refusal is not None:
            raise refusal
        lane = self._lanes[operation]
        lane.calls += 1

        def send() -> Awaitable[Secret[bytes] | ApiError]:
            return self._send_and_renew_token(lane, summary, call, attempts)

        # Nobody depends on the list of applications, so nobody waits for it.
        repeats = operation not in WRITES and operation is not Operation.APPLICATIONS
        return await self._send_until_answered(
            summary, send, attempts, read, self._breaker.waiting, repeats=repeats
        )

    async def _send_until_answered(
        self,
        summary: CallSummary,
        send: Callable[[], Awaitable[Secret[bytes] | ApiError]],
        attempts: Attempts,
        read: Callable[[bytes], T],
        waiting: Callable[[], AbstractContextManager[None]],
        *,
        repeats: bool = True,
    ) -> T:
        """Send, decode, and send again by the rule of retries; `waiting` is around each pause."""
        tries = RetryBudget()
        started = self._timing.clock()
        while True:
            answer = await send()
            result = (
                answer
                if isinstance(answer, ApiError)
                else decode_answer(summary, answer, read, attempts.count)
            )
            self._note_answered(result)
            if not isinstance(result, ApiError):
                return result.reveal()
            wait = self._wait_after(result, tries) if repeats else None
            if wait is None:
                self._trip_if_hopeless(result, started)
                raise result
            self.listen(Pausing(result.operation, wait, result.attempts, str(result)))
            with waiting():
                await self._timing.sleep(wait)

    async def _send_and_renew_token(
        self, lane: _Lane, summary: CallSummary, call: Secret[Call], attempts: Attempts
    ) -> Secret[bytes] | ApiError:
        """Send a call once, in its turn; twice if a token had run out."""
        result, header = await self._send_in_turn(lane, summary, call, attempts)
        is_refused = isinstance(result, Denied) and result.status == 401
        if is_refused and self._authorization.can_renew(header):
            result, _ = await self._send_in_turn(lane, summary, call, attempts)
        return result

    async def _send_in_turn(
        self, lane: _Lane, summary: CallSummary, call: Secret[Call], attempts: Attempts
    ) -> tuple[Secret[bytes] | ApiError, Secret[str]]:
        sent = attempts.count
        written_at = math.inf
        # A place before the turn: once granted, a call leaves at once and not in a bunch.
        async with AsyncExitStack() as slot:
            with self._breaker.waiting():
                await slot.enter_async_context(lane.slots)
                header = await self._authorization.header()
                turn = await lane.stream.grant(attempts.good_until)

            def before_write() -> None:
                nonlocal written_at
                # Until here it may have waited for a connection, or the whole process was stopped.
                self._breaker.raise_if_tripped()
                if self._timing.clock() > attempts.good_until:
                    raise TooLate
                attempts.written += 1
                turn.leave()
                attempts.leaves()
                written_at = self._timing.clock()

            try:
                self._breaker.raise_if_tripped()
                attempts.count += 1
                message = build_message(call, header)
                result = await self._send(summary, message, call, attempts.count, before_write)
            except (BreakerTripped, TooLate):
                attempts.count = sent
                raise
            finally:
                turn.leave()
        if isinstance(result, RateLimited):
            pause = min(result.retry_after or 0.0, LONGEST_RETRY_AFTER)
            lane.stream.slow_down(turn.granted_at, pause)
        if not isinstance(result, Answer):
            return result, header
        # Without a moment of leaving (a transport that does not tell) nothing is known.
        if written_at < math.inf:
            self._latency.note(call.reveal(), self._timing.clock() - written_at)
        return Secret(result.body), header

    async def _send(
        self,
        summary: CallSummary,
        message: Secret[Message],
        call: Secret[Call] | None,
        attempts: int,
        before_write: Callable[[], None],
    ) -> Answer | ApiError:
        if self.transport is None:
            raise RuntimeError("the service was used before it was entered")
        outcome = await exchange(
            self.transport, self._base_url, message, self._timeout, before_write
        )
        hide = Secret((*self._authorization.secrets(), *private_texts(call)))
        return classify_outcome(summary, outcome, attempts, hide.reveal(), self._timing.wall())

    def _note_answered(self, result: object) -> None:
        if not isinstance(result, ApiError) or classify_transient(result) is not Transient.BROKEN:
            self._answered_at = self._timing.clock()

    def _wait_after(self, error: ApiError, tries: RetryBudget) -> float | None:
        has_answered = self._answered_at > -math.inf
        return tries.wait_after(error, jitter=self._timing.jitter(), has_answered=has_answered)

    def _trip_if_hopeless(self, error: ApiError, started: float) -> None:
        """Trip the breaker on an error that every other call would meet as well."""
        if error.operation in (Operation.APPLICATIONS, Operation.MATCH) and error.status != 401:
            # A key that may do all else need not be allowed to list applications, and instead of a
            # match there is another way to ask; if that does not answer either, it says so itself.
            return
        if isinstance(error, Denied):
            self._breaker.trip(str(error))
        elif (
            classify_transient(error) is Transient.BROKEN
            and not error.is_write
            # What is odd in the answer about one device is no news about the others.
            and not error.is_json
            and self._answered_at <= started
        ):
            # All through the attempts of this call no other call was answered either.
            self._breaker.trip(f"the service does not answer: {error}")

    async def _fetch_token(self, credential: OAuth2Credential) -> tuple[Secret[str], float | None]:
        """Fetch a token with the client-credentials grant; a token is asked for like a read."""
        summary = CallSummary("token", None, "POST", TOKEN_PATH)
        attempts = Attempts()

        async def send() -> Secret[bytes] | ApiError:
            attempts.count += 1
            result = await self._send(
                summary,
                build_token_message(credential),
                None,
                attempts.count,
                self._breaker.raise_if_tripped,
            )
            return Secret(result.body) if isinstance(result, Answer) else result

        # The call that needs the token waits in the breaker already.
        return await self._send_until_answered(summary, send, attempts, decode_token, nullcontext)
