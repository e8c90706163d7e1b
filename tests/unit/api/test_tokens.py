"""OAuth2: fetched once, renewed before the end, renewed once after a 401, one fetch at a time."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

import httpx
import pytest

from reconciler.api.credentials import OAuth2Credential
from reconciler.api.errors import ApiError, Denied, NotTheContract
from reconciler.core.secret import Secret

from .wires import DEVICE, REGISTRATION, FakeTime, Wire, answer, service_exception

CLIENT = OAuth2Credential("client-1", Secret("secret 1&2"))


class TokenServer:
    """Gives numbered tokens; says 401 to all but those in `good` (None: all are good)."""

    def __init__(self, seconds: object = 3600) -> None:
        self.seconds = seconds
        self.given = 0
        self.good: set[str] | None = None
        self.forms: list[dict[str, list[str]]] = []
        self.used: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/1/oauth2/token":
            self.given += 1
            self.forms.append(parse_qs(request.content.decode()))
            assert "application/x-www-form-urlencoded" == request.headers["Content-Type"]
            return answer({"access_token": f"token-{self.given}", "expires_in": self.seconds})
        self.used.append(request.headers["Authorization"])
        if self.good is not None and self.used[-1] not in self.good:
            return service_exception("UNAUTHORIZED", "Expired", 401)
        return answer(REGISTRATION)


def ask(server: TokenServer, time: FakeTime, *pauses: float, at_once: int = 1) -> None:
    service = Wire(server).service(time, CLIENT)

    async def main() -> None:
        async with service:
            for pause in (0.0, *pauses):
                time.now += pause
                calls = (service.registration(DEVICE, "c") for _ in range(at_once))
                await asyncio.gather(*calls)

    asyncio.run(main())


def test_one_token_serves_many_calls() -> None:
    """However many calls wait for a token, it is fetched once, with the client's credentials."""
    server = TokenServer()
    ask(server, FakeTime(), 10.0, at_once=20)
    assert (1, {"Bearer token-1"}) == (server.given, set(server.used))
    expected = {
        "grant_type": ["client_credentials"],
        "client_id": ["client-1"],
        "client_secret": ["secret 1&2"],
    }
    assert expected == server.forms[0]


@pytest.mark.parametrize(
    ("seconds", "pause", "tokens"),
    [(3600, 3500.0, 1), (3600, 3545.0, 2), (10, 7.0, 1), (10, 8.5, 2), ("3600", 3545.0, 2)],
)
def test_a_token_is_renewed_before_its_end(seconds: object, pause: float, tokens: int) -> None:
    """A minute before the end, or after four fifths of a short life."""
    server = TokenServer(seconds)
    ask(server, FakeTime(), pause)
    assert tokens == server.given


def test_a_401_renews_the_token_once_for_all_calls() -> None:
    """Calls that fail together with one token share the next."""
    server = TokenServer()
    server.good = {"Bearer token-2"}
    ask(server, FakeTime(), at_once=10)
    assert 2 == server.given


def test_a_second_401_is_denied() -> None:
    """A token that is refused right after its fetch is no matter of age."""
    server = TokenServer()
    server.good = set()
    with pytest.raises(Denied) as caught:
        ask(server, FakeTime())
    assert (2, 2) == (server.given, caught.value.attempts)


@pytest.mark.parametrize(
    ("reply", "kind", "asked"),
    [
        (answer({"error": "invalid_client"}, 401), Denied, 1),
        (answer(b"<html>"), NotTheContract, 3),
        (answer({"access_token": ""}), NotTheContract, 3),
        (answer({"access_token": "a b"}), NotTheContract, 3),
        (answer({"access_token": "a", "expires_in": "soon"}), NotTheContract, 3),
        (answer(None, 302), NotTheContract, 1),
    ],
)
def test_no_token_is_an_error_of_the_token_call(
    reply: httpx.Response, kind: type[ApiError], asked: int
) -> None:
    """What fails is named, and the call that wanted the token was not sent."""
    wire = Wire(reply)
    service = wire.service(credential=CLIENT)

    async def main() -> None:
        async with service:
            await service.personalize(DEVICE, "c", {"identity": {}})

    with pytest.raises(kind) as caught:
        asyncio.run(main())
    assert ("token", "not done", asked) == (
        caught.value.operation,
        caught.value.truth,
        len(wire.requests),
    )
