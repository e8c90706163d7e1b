"""The service as methods: each one call of the contract, authorised, paced, retried, typed.

Everything it raises is an ApiError that names operation and device. Safe to use from many tasks
of one event loop at a time; calls that depend on each other are the caller's to order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from reconciler.core.events import Listener
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import LiveApplication, LivePerson, LiveRegistration, Matchable
from reconciler.core.secret import Secret
from reconciler.core.sweep_query import Page
from reconciler.platform import operations
from reconciler.platform.operations import Call, Operation
from reconciler.platform.requests import read_identity

from .applications import decode_applications
from .breaker import Breaker
from .classify import CallSummary, is_person_not_found
from .credentials import Credential, require_usable
from .decode import Garbled, check_depersonalized, check_personalized, decode_registration
from .dispatch import Attempts, Dispatcher, Timing
from .errors import ApiError
from .matching import FIRST_SIZE, Matcher, decode_matches, identifier_of
from .people import PageReader, decode_people

if TYPE_CHECKING:
    import httpx

_IDENTIFIER_TYPES: Final = {
    IdentityKind.EXTERNAL_ID: "EXTERNAL_ID",
    IdentityKind.PHONE_NUMBER: "PHONE",
    IdentityKind.EMAIL: "EMAIL",
}


class Service:
    """The service at one base URL, for one account. Use as `async with Service(...) as service`.

    `limits` are requests a second by operation (what is missing has the contract's default; 0 or
    infinity is no limit), of which `quota_share` is used. `timeout` is for one attempt, in
    seconds. Every call passes the `breaker`, and raises BreakerTripped when that has tripped
    before it was sent. `match_size` is how many identities the first match names. `proxy` is the
    URL of an HTTP proxy; none is taken from the environment.
    A transport that is passed in is closed with the service.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credential,
        *,
        limits: Mapping[Operation, float] | None = None,
        quota_share: float = 0.8,
        timeout: float = 30.0,
        timing: Timing | None = None,
        breaker: Breaker | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        proxy: str | None = None,
        match_size: int = FIRST_SIZE,
    ) -> None:
        require_usable(credentials)
        self._dispatcher = Dispatcher(
            base_url,
            credentials,
            limits or {},
            quota_share,
            timeout,
            timing or Timing(),
            breaker or Breaker(),
        )
        self._tls = base_url.lower().startswith("https:")
        self._proxy = proxy
        self._dispatcher.transport = transport
        self._applications: tuple[LiveApplication, ...] | ApiError | None = None
        self._matcher = Matcher(
            self._match_once, lambda event: self._dispatcher.listen(event), match_size
        )

    async def __aenter__(self) -> Self:
        if self._dispatcher.transport is None:
            # Here, because aiohttp costs a quarter of a second to import and wants a loop.
            from .transport import AiohttpTransport

            self._dispatcher.transport = AiohttpTransport(tls=self._tls, proxy=self._proxy)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._dispatcher.transport is not None:
            await self._dispatcher.transport.aclose()

    @property
    def counts(self) -> Mapping[Operation, int]:
        """The calls made so far, by operation; a retry is no call of its own."""
        return self._dispatcher.counts()

    @property
    def latency(self) -> float | None:
        """The seconds that one answer to a read usually takes, without the wait for its turn; None
        where nothing was read yet."""
        return self._dispatcher.latency()

    def report_to(self, listen: Listener) -> None:
        """From now on tell a listener of the pauses before another attempt."""
        self._dispatcher.listen = listen

    async def registration(self, registration_id: str, app_code: str) -> LiveRegistration:
        """Read one registration. Raises RegistrationNotFound, ApplicationNotFound and the rest."""
        call = Secret(operations.get(registration_id, app_code))
        return await self._registration(registration_id, call, Attempts())

    async def owner(
        self, registration_id: str, application_id: str, *, is_web: bool = False
    ) -> LivePerson | None:
        """Look up who owns a registration, a phone's or a browser's (`is_web`); None if the
        service knows nobody.

        An anonymous owner is a person without identities here.
        """
        call = Secret(
            operations.person_of_registration(registration_id, application_id, is_web=is_web)
        )
        return await self._person(
            CallSummary.of(call.reveal(), registration_id), call, _decode_at_most_one
        )

    async def person(self, value: IdentityValue) -> LivePerson | None:
        """Look up who has an identity value; None if nobody has."""
        call = Secret(operations.person_by_identity(_IDENTIFIER_TYPES[value.kind], value.reveal()))

        def read(body: bytes) -> LivePerson | None:
            decoded = _decode_at_most_one(body)
            # The service may write a phone number in its own way, but not the two other kinds.
            exact = value.kind is not IdentityKind.PHONE_NUMBER
            is_readable = decoded is not None and not decoded.unreadable
            if decoded and exact and is_readable and value not in decoded.identities:
                raise Garbled("the answer is about somebody else")
            return decoded

        return await self._person(CallSummary.of(call.reveal(), None), call, read)

    async def applications(self) -> tuple[LiveApplication, ...]:
        """Return the applications that the service lists; it is asked once, and what it said, a
        refusal too, is remembered. That it refuses (403) is no error of the credentials."""
        if self._applications is None:
            call = Secret(operations.applications())
            summary = CallSummary.of(call.reveal(), None)
            try:
                self._applications = await self._dispatcher.dispatch(
                    summary, call, Attempts(), decode_applications
                )
            except ApiError as error:
                self._applications = error
        if isinstance(self._applications, ApiError):
            raise self._applications
        return self._applications

    @property
    def can_match(self) -> bool:
        """Whether the service has not refused to say whose many identities are at once."""
        return not self._matcher.is_refused

    @property
    def match_size(self) -> int:
        """How many identities one match call names now; see Matcher."""
        return self._matcher.size

    async def match(self, keys: Iterable[Matchable]) -> Mapping[Matchable, int]:
        """Return the number of the person who has each value, or owns each registration.

        Who is missing is unknown; everybody is where the service refuses to be asked so. An
        anonymous owner has a number as well.
        """
        return await self._matcher.match(keys)

    async def _match_once(self, keys: Sequence[Matchable]) -> Mapping[Matchable, int]:
        call = Secret(operations.match(map(identifier_of, keys)))

        def read(body: bytes) -> Mapping[Matchable, int]:
            return decode_matches(body, keys)

        summary = CallSummary.of(call.reveal(), None)
        return await self._dispatcher.dispatch(summary, call, Attempts(), read)

    async def page(self, number: int, reader: PageReader) -> Page:
        """Read a page of everybody, oldest first; pages count from 1 and have up to 1000 people."""
        call = Secret(operations.persons_page(number))
        return await self._dispatcher.dispatch(
            CallSummary.of(call.reveal(), None), call, Attempts(), reader.read
        )

    async def update(
        self,
        registration_id: str,
        app_code: str,
        body: object,
        *,
        attempts: Attempts | None = None,
    ) -> LiveRegistration:
        """Change a registration; return it as it is then. A write is sent once."""
        call = Secret(operations.update(registration_id, app_code, body))
        return await self._registration(registration_id, call, attempts or Attempts())

    async def personalize(
        self,
        registration_id: str,
        app_code: str,
        body: object,
        query: Mapping[str, str] | None = None,
        *,
        attempts: Attempts | None = None,
    ) -> None:
        """Attach a registration to the person of the body's identity."""
        call = Secret(operations.personalize(registration_id, app_code, body, query))
        identity = tuple(read_identity(body))
        # A traceback that shows local variables must not show an identity.
        del body
        summary = CallSummary.of(call.reveal(), registration_id)
        counted = attempts or Attempts()
        await self._dispatcher.dispatch(
            summary, call, counted, lambda answer: check_personalized(answer, identity)
        )

    async def depersonalize(
        self, registration_id: str, app_code: str, *, attempts: Attempts | None = None
    ) -> None:
        """Detach a registration from its person."""
        call = Secret(operations.depersonalize(registration_id, app_code))
        summary = CallSummary.of(call.reveal(), registration_id)
        counted = attempts or Attempts()
        await self._dispatcher.dispatch(summary, call, counted, check_depersonalized)

    async def _registration(
        self, registration_id: str, call: Secret[Call], attempts: Attempts
    ) -> LiveRegistration:
        def read(body: bytes) -> LiveRegistration:
            decoded = decode_registration(body)
            if decoded.id != registration_id:
                raise Garbled("the answer is about another registration")
            return decoded

        summary = CallSummary.of(call.reveal(), registration_id)
        return await self._dispatcher.dispatch(summary, call, attempts, read)

    async def _person(
        self,
        summary: CallSummary,
        call: Secret[Call],
        read: Callable[[bytes], LivePerson | None],
    ) -> LivePerson | None:
        try:
            return await self._dispatcher.dispatch(summary, call, Attempts(), read)
        except ApiError as error:
            if is_person_not_found(error):
                return None
            raise


def _decode_at_most_one(body: bytes) -> LivePerson | None:
    decoded = decode_people(body)
    if len(decoded) > 1:
        raise Garbled(f"{len(decoded)} people for one identifier")
    return decoded[0] if decoded else None
