"""No secret and no identity value gets out of the client by any way that makes text."""

from __future__ import annotations

import asyncio
import logging
import traceback

import httpx
import pytest

from reconciler.api.credentials import (
    ApiKeyCredential,
    BasicCredential,
    Credential,
    IbssoCredential,
    OAuth2Credential,
)
from reconciler.api.error_body import redact
from reconciler.api.errors import ApiError
from reconciler.api.service import Service
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.secret import Secret

from .wires import DEVICE, Wire, answer, service_exception

SECRET = "s3cret-Value-77"
CODE = "app-code-1"
EXTERNAL = "x-9"
PIN = 47115
MAIL = "ana.secret@example.com"
CREDENTIALS: list[Credential] = [
    ApiKeyCredential(Secret(SECRET)),
    IbssoCredential(Secret(SECRET)),
    BasicCredential("user", Secret(SECRET)),
    OAuth2Credential("client", Secret(SECRET)),
]


def token_or(reply: httpx.Response | Exception) -> Wire:
    """Answer token calls with a token, all others with `reply`."""

    def pick(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/auth/"):
            return answer({"access_token": SECRET + "-token", "expires_in": 3600})
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(reply.status_code, content=reply.content)

    return Wire(pick)


async def _personalize(service: Service) -> None:
    body = {"identity": {"email": MAIL, "externalId": EXTERNAL}, "attributes": {"firstName": "Ana"}}
    await service.personalize(DEVICE, CODE, body)


async def _update(service: Service) -> None:
    await service.update(DEVICE, CODE, {"additionalData": {"a": EXTERNAL, "b": [MAIL], "c": PIN}})


async def _person(service: Service) -> None:
    await service.person(IdentityValue.of(IdentityKind.EMAIL, MAIL))


ECHO = f"No {MAIL} and no {SECRET} of Bearer {SECRET}-token for {CODE}, {EXTERNAL}, {PIN}"


@pytest.mark.parametrize("credential", CREDENTIALS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("ask", [_personalize, _update, _person])
@pytest.mark.parametrize(
    "reply",
    [
        service_exception("FORBIDDEN", ECHO, 403),
        answer({"errorCode": 48099, "errorMessage": ECHO}, 400),
        answer({"errorCode": "E400", "description": ECHO, "action": ECHO}, 400),
        service_exception("GENERAL_ERROR", ECHO, 500),
        answer(ECHO.encode(), 200),
        answer({"id": ECHO, MAIL: SECRET}, 200),
        httpx.ConnectError(ECHO),
        httpx.ReadError(ECHO),
        httpx.ReadTimeout(ECHO),
        httpx.RemoteProtocolError(ECHO),
    ],
    ids=range(10),
)
def test_no_failure_shows_a_secret_or_an_identity(
    credential: Credential,
    ask: object,
    reply: httpx.Response | Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Message, repr, log and traceback hide them, even if the service or a library echoes them."""
    assert callable(ask)
    service = token_or(reply).service(credential=credential)

    async def main() -> str:
        async with service:
            try:
                await ask(service)
            except ApiError as error:
                trace = "".join(traceback.format_exception(error))
                return f"{trace} {error!r} {error} {error.args!r} {vars(error)!r}"
        return f"{service!r} {vars(service)!r}"

    with caplog.at_level(logging.DEBUG):
        shown = asyncio.run(main()) + caplog.text + repr(credential) + repr(service)
    # A code or an external id that a call did not hold cannot be told from any other word.
    sent = () if ask is _person else (CODE, EXTERNAL)
    sent += (str(PIN),) if ask is _update else ()
    assert [] == [hidden for hidden in (SECRET, MAIL, "ana.secret", *sent) if hidden in shown]


@pytest.mark.parametrize("credential", CREDENTIALS, ids=lambda one: type(one).__name__)
def test_a_traceback_with_local_variables_shows_no_secret(credential: Credential) -> None:
    """Frames of the client that an error passes through hold secrets in hidden form only."""
    service = token_or(service_exception("FORBIDDEN", "no", 403)).service(credential=credential)

    async def main() -> str:
        async with service:
            try:
                await _person(service)
            except ApiError as error:
                trace = traceback.TracebackException.from_exception(error, capture_locals=True)
                return "".join(trace.format())
        return ""

    shown = asyncio.run(main())
    assert "Denied" in shown
    for hidden in (SECRET, MAIL):
        assert hidden not in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Person with email joe@else.org exists", "Person with email <hidden> exists"),
        ("phone +385 91 123 4567 is taken", "phone <hidden> is taken"),
        ("number 385911234567.", "number <hidden>."),
        ("48013 Push registration not found", "48013 Push registration not found"),
        ("device 8621824C-86B2-41F7-BF6F-123456789012", None),
        ("line\nbreak\x1b[31m and \u202e bidi", "line break [31m and bidi"),
        ("x" * 500, "x" * 199 + "…"),
    ],
)
def test_the_services_text_is_washed(text: str, expected: str | None) -> None:
    """Who stands in an error text may be somebody we do not even know; it stays one short line."""
    assert (expected or text) == redact(text, ())


def test_a_short_hidden_value_is_hidden_as_a_word() -> None:
    """An external id of one letter must not turn the text into noise."""
    assert "<hidden> is taken" == redact("a is taken", ["a"])
