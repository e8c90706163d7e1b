"""What the network and a server may do to a call, over real sockets: what is true then, and said.

Each server counts the requests that reach it: nothing is ever sent behind the client's back.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import shutil
import socket
import ssl
import subprocess
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reconciler.api.credentials import ApiKeyCredential
from reconciler.api.dispatch import Timing
from reconciler.api.errors import (
    ApiError,
    Conflict,
    Denied,
    NoAnswer,
    NotTheContract,
    RateLimited,
    Rejected,
    ServerFailed,
)
from reconciler.api.exchange import NoConnection
from reconciler.api.service import Service
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.secret import Secret
from reconciler.platform.operations import Operation

KEY = "key-that-nobody-may-see"
CODE = "code-that-nobody-may-see"
MAIL = "ana.nobody@example.com"
NAME = "courier-nobody-may-see"
BODY = b'{"registrationId": "a", "applicationId": "x"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Ask = Callable[[Service], Awaitable[object]]


async def get(service: Service) -> object:
    return await service.registration("a", CODE)


async def person(service: Service) -> object:
    return await service.person(IdentityValue.of(IdentityKind.EMAIL, MAIL))


async def update(service: Service) -> object:
    return await service.update("a", CODE, {"isPrimary": True})


async def personalize(service: Service) -> object:
    body = {"identity": {"email": MAIL, "externalId": NAME}}
    return await service.personalize("a", CODE, body)


async def depersonalize(service: Service) -> object:
    return await service.depersonalize("a", CODE)


READS = (get, person)
WRITES = (update, personalize, depersonalize)


@dataclass
class Peer:
    """The server's side of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Close with a RST: what is not read and not sent is thrown away."""
        self.writer.transport.abort()

    async def hang(self) -> None:
        """Wait until the client goes."""
        await self.reader.read()


# What a server does about a request; `number` counts the requests of all connections, from 1.
Play = Callable[[Peer, int], Awaitable[None]]


@dataclass
class Server:
    """A server on loopback that counts: `requests` are methods, in the order of arrival."""

    url: str = ""
    connections: int = 0
    requests: list[str] = field(default_factory=list)


@asynccontextmanager
async def serving(
    play: Play, *, context: ssl.SSLContext | None = None, deaf: bool = False
) -> AsyncIterator[Server]:
    """Serve until the end of the block. `deaf`: play without reading a request."""
    here = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.connections += 1
        peer = Peer(reader, writer)
        try:
            while not writer.is_closing():
                if not deaf:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = re.search(rb"(?i)content-length: (\d+)", head)
                    await reader.readexactly(int(length[1]) if length else 0)
                    here.requests.append(head.split()[0].decode())
                await play(peer, len(here.requests))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    scheme = "http" if context is None else "https"
    here.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield here
    finally:
        server.close()


async def no_wait(seconds: float) -> None:
    await asyncio.sleep(0)


def service(url: str, timeout: float = 5.0) -> Service:
    limits = dict.fromkeys(Operation, 0.0)
    key = ApiKeyCredential(Secret(KEY))
    return Service(url, key, limits=limits, timeout=timeout, timing=Timing(sleep=no_wait))


def outcome(server: Any, ask: Ask, *, timeout: float = 5.0) -> tuple[Server, ApiError | None]:
    """Ask once and return the server and the error, if it was one; nothing secret is in it."""

    async def main() -> tuple[Server, ApiError | None]:
        async with server as here, service(here.url, timeout) as client:
            try:
                await ask(client)
            except ApiError as error:
                return here, error
            return here, None

    here, error = asyncio.run(main())
    if error is not None:
        told = f"{error} {error!r} {vars(error)} {''.join(traceback.format_exception(error))}"
        assert [] == [secret for secret in (KEY, CODE, MAIL, NAME) if secret in told]
    return here, error


def said(error: ApiError | None) -> tuple[type[ApiError], str, int | None, str | None, int]:
    assert error is not None
    return type(error), error.truth, error.status, error.reason, error.attempts


async def reset_at_once(peer: Peer, number: int) -> None:
    peer.reset()


async def close_at_once(peer: Peer, number: int) -> None:
    peer.writer.close()


async def half_a_status_line(peer: Peer, number: int) -> None:
    await peer.send(b"HTTP/1.1 20")
    peer.writer.close()


async def reset_in_the_body(peer: Peer, number: int) -> None:
    await peer.send(HEAD + b"Content-Length: 999\r\n\r\n{")
    # Else the reset overtakes the head.
    await asyncio.sleep(0.05)
    peer.reset()


async def short_body(peer: Peer, number: int) -> None:
    await peer.send(HEAD + b"Content-Length: 999\r\n\r\n" + BODY)
    peer.writer.close()


async def cut_chunks(peer: Peer, number: int) -> None:
    await peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(BODY), BODY))
    peer.writer.close()


@cache
def millions() -> bytes:
    """Return a few bytes that unpack to more than any answer has."""
    return gzip.compress(b" " * 40_000_000, 1)


async def bomb(peer: Peer, number: int) -> None:
    packed = millions()
    length = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    await peer.send(HEAD + length + packed)


async def bomb_in_a_bomb(peer: Peer, number: int) -> None:
    packed = gzip.compress(millions())
    length = b"Content-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    await peer.send(HEAD + length + packed)


async def cut_gzip(peer: Peer, number: int) -> None:
    packed = gzip.compress(BODY)[:-9]
    length = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    await peer.send(HEAD + length + packed)


async def two_lengths(peer: Peer, number: int) -> None:
    await peer.send(HEAD + b"Content-Length: 3\r\nContent-Length: 44\r\n\r\n" + BODY)


async def picture(peer: Peer, number: int) -> None:
    await peer.send(
        b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 4\r\n\r\n\x89PNG"
    )


LOST = "the connection was lost"
NO_HTTP = "the answer is not whole HTTP"
TOO_LARGE = "the answer is larger than any of the contract"


@pytest.mark.parametrize("ask", [*READS, *WRITES])
@pytest.mark.parametrize(
    ("play", "kind", "status", "reason"),
    [
        (reset_at_once, NoAnswer, None, LOST),
        (close_at_once, NoAnswer, None, LOST),
        (half_a_status_line, NoAnswer, None, LOST),
        (reset_in_the_body, NotTheContract, None, NO_HTTP),
        (short_body, NotTheContract, None, NO_HTTP),
        (cut_chunks, NotTheContract, None, NO_HTTP),
        (cut_gzip, NotTheContract, None, NO_HTTP),
        (two_lengths, NotTheContract, None, NO_HTTP),
        (bomb, NotTheContract, 200, TOO_LARGE),
        (bomb_in_a_bomb, NotTheContract, None, NO_HTTP),
        (picture, NotTheContract, 200, "the answer is not whole JSON"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_answer_that_does_not_come_whole(
    play: Play, kind: type[ApiError], status: int | None, reason: str, ask: Ask
) -> None:
    """A write was sent once and its outcome is unknown; a read is asked three times, all counted.

    Three, because this service has never answered anything.
    """
    here, error = outcome(serving(play), ask)
    is_read = ask in READS
    attempts = 3 if is_read else 1
    assert (kind, "not done" if is_read else "unknown", status, reason, attempts) == said(error)
    assert attempts == len(here.requests)


@pytest.mark.parametrize("ask", [get, update])
def test_a_reset_before_the_request_was_read(ask: Ask) -> None:
    """Whether anything of it arrived cannot be known: unknown, and nothing is sent again."""
    here, error = outcome(serving(reset_at_once, deaf=True), ask)
    truth, attempts = ("not done", 3) if ask is get else ("unknown", 1)
    assert (NoAnswer, truth, None, LOST, attempts) == said(error)
    assert attempts == here.connections


async def silent(peer: Peer, number: int) -> None:
    await peer.hang()


async def headers_only(peer: Peer, number: int) -> None:
    await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY))
    await peer.hang()


async def slow_body(peer: Peer, number: int) -> None:
    """Never silent for long, and never done in time."""
    await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY))
    for byte in BODY:
        await peer.send(bytes([byte]))
        await asyncio.sleep(0.02)


async def endless_promises(peer: Peer, number: int) -> None:
    while True:
        await peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("play", [silent, headers_only, slow_body, endless_promises])
@pytest.mark.parametrize("ask", [get, depersonalize])
def test_no_whole_answer_in_time(play: Play, ask: Ask) -> None:
    """The timeout is for the whole answer, however busy the connection looks."""
    started = time.monotonic()
    here, error = outcome(serving(play), ask, timeout=0.2)
    truth, attempts = ("not done", 3) if ask is get else ("unknown", 1)
    assert (NoAnswer, truth, None, "no whole answer within 0.2 s", attempts) == said(error)
    assert attempts == len(here.requests)
    assert time.monotonic() - started < 0.2 * attempts + 1


async def hints_first(peer: Peer, number: int) -> None:
    hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    await peer.send(hints + HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)


async def of_old(peer: Peer, number: int) -> None:
    """HTTP/1.0: no length, the end of the connection is the end of the body."""
    await peer.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + BODY)
    peer.writer.close()


async def packed(peer: Peer, number: int) -> None:
    data = gzip.compress(BODY)
    length = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(data)
    await peer.send(HEAD + length + data)


async def in_drops(peer: Peer, number: int) -> None:
    for byte in HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY:
        await peer.send(bytes([byte]))


@pytest.mark.parametrize("play", [hints_first, of_old, packed, in_drops])
@pytest.mark.parametrize("ask", [get, update])
def test_odd_but_whole_answers_are_answers(play: Play, ask: Ask) -> None:
    """What HTTP allows is read; the type that a server names matters less than what it sent."""
    here, error = outcome(serving(play), ask)
    assert (None, 1) == (error, len(here.requests))


def answering(status: bytes, body: bytes = b"", *headers: bytes) -> Play:
    """Answer with a status line, whose phrase echoes everything that was sent, and a body."""

    async def play(peer: Peer, number: int) -> None:
        lines = [
            b"HTTP/1.1 %s %s %s" % (status, KEY.encode(), MAIL.encode()),
            b"Content-Length: %d" % len(body),
            *headers,
        ]
        await peer.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    return play


@pytest.mark.parametrize("ask", [get, update])
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (b"101", "without a readable error"),
        (b"204", "a success that the contract does not know"),
        (b"206", "a success that the contract does not know"),
        (b"304", "a redirect, which is never followed"),
    ],
)
def test_a_status_that_the_contract_does_not_know(status: bytes, reason: str, ask: Ask) -> None:
    """It is not taken for success, and asking again would not change it."""
    here, error = outcome(serving(answering(status)), ask)
    truth = "not done" if ask is get else "unknown"
    assert (NotTheContract, truth, int(status), reason, 1) == said(error)
    assert 1 == len(here.requests)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("ask", [get, update, depersonalize])
def test_no_redirect_is_followed(status: int, ask: Ask) -> None:
    """The other server is not asked for anything, and never sees the key."""

    async def main() -> tuple[Server, Server, ApiError]:
        async with serving(answering(b"200", BODY)) as other:
            to = b"Location: %s/people/2/persons?%s" % (other.url.encode(), KEY.encode())
            play = answering(str(status).encode(), b"", to)
            async with serving(play) as here, service(here.url) as client:
                with pytest.raises(NotTheContract) as caught:
                    await ask(client)
                return here, other, caught.value

    here, other, error = asyncio.run(main())
    truth = "not done" if ask is get else "unknown"
    assert (truth, status, "a redirect, which is never followed", 1) == said(error)[1:]
    assert (1, 0) == (len(here.requests), other.connections)
    assert KEY not in str(error)


ECHO = f"{KEY} of {CODE}: {MAIL}, {NAME}".encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "truth", "text"),
    [
        (b"500", b"<html>%s</html>" % ECHO, ServerFailed, "unknown", None),
        (b"502", ECHO, ServerFailed, "unknown", None),
        (b"503", b"", ServerFailed, "unknown", None),
        (
            b"500",
            b'{"errorCode": "E500", "description": "%s"}' % ECHO,
            ServerFailed,
            "unknown",
            "E500 <hidden> of <hidden>: <hidden>, <hidden>",
        ),
        (b"400", b"<html>%s</html>" % ECHO, NotTheContract, "unknown", None),
        (
            b"400",
            b'{"errorCode": 40001, "errorMessage": "%s"}' % ECHO,
            Rejected,
            "not done",
            "40001 <hidden> of <hidden>: <hidden>, <hidden>",
        ),
        (b"401", b"<html>%s</html>" % ECHO, Denied, "not done", None),
        (b"403", b"", Denied, "not done", None),
        (b"409", b"<html>%s</html>" % ECHO, Conflict, "not done", None),
        (b"429", b"", RateLimited, "not done", None),
    ],
)
def test_a_refused_write_says_what_is_true_and_nothing_it_was_sent(
    status: bytes, body: bytes, kind: type[ApiError], truth: str, text: str | None
) -> None:
    """Status line, HTML and error texts that echo the request show nothing of it."""
    here, error = outcome(serving(answering(status, body)), personalize)
    assert error is not None
    assert (kind, truth, int(status), 1) == (type(error), error.truth, error.status, error.attempts)
    assert (text, 1) == (error.service_text, len(here.requests))


async def first_is_good(peer: Peer, number: int) -> None:
    """Answer the first request, and close under the second on the same connection."""
    if number == 1:
        await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
    else:
        peer.reset()


@pytest.mark.parametrize("ask", WRITES)
def test_a_kept_connection_that_dies_under_a_write(ask: Ask) -> None:
    """The write is sent once, on that connection, and nobody repeats it for us."""

    async def both(client: Service) -> None:
        await get(client)
        await ask(client)

    here, error = outcome(serving(first_is_good), both)
    assert (NoAnswer, "unknown", None, LOST, 1) == said(error)
    assert (1, 2) == (here.connections, len(here.requests))


def test_a_kept_connection_that_dies_under_a_read() -> None:
    """Each request that reaches the server is an attempt of ours: counted, and paced."""

    async def both(client: Service) -> None:
        await get(client)
        await get(client)

    here, error = outcome(serving(first_is_good), both)
    assert (NoAnswer, "not done", None, LOST, 6) == said(error)
    assert ["GET"] * 7 == here.requests


async def closed_while_idle(peer: Peer, number: int) -> None:
    """Answer, and close a moment later without having said so."""
    await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
    await asyncio.sleep(0.05)
    peer.writer.close()


def test_a_connection_that_was_closed_while_idle_is_not_used() -> None:
    """A write goes out on a new one, and is done."""

    async def both(client: Service) -> None:
        await get(client)
        await asyncio.sleep(0.2)
        await update(client)

    here, error = outcome(serving(closed_while_idle), both)
    assert (None, 2, ["GET", "PATCH"]) == (error, here.connections, here.requests)


def test_a_host_name_that_does_not_exist() -> None:
    """Nothing can have been sent anywhere."""

    async def main() -> None:
        async with service("http://nobody.invalid", 20.0) as client:
            await update(client)

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(main())
    assert ("not done", None, NoConnection.NAME, 1) == said(caught.value)[1:]


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the name is waiting before anything is sent."""

    def slow(*_: object, **__: object) -> list[Any]:
        time.sleep(0.5)
        raise socket.gaierror(socket.EAI_AGAIN, "too late")

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def main() -> None:
        async with service("http://nobody.invalid", 0.2) as client:
            await update(client)

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(main())
    assert ("not done", None, NoConnection.SLOW, 1) == said(caught.value)[1:]


def test_a_server_that_does_not_accept() -> None:
    """A connection that is never made has carried nothing, and that is known in time."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(address)

        async def main() -> None:
            async with service(f"http://127.0.0.1:{address[1]}", 0.5) as client:
                await update(client)

        with pytest.raises(NoAnswer) as caught:
            asyncio.run(main())
        for one in crowd:
            one.close()
    assert ("not done", None, NoConnection.SLOW, 1) == said(caught.value)[1:]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody signed, and its key, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    file = tmp_path_factory.mktemp("tls") / "own.pem"
    made = subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(file), "-out", str(file.with_suffix(".crt"))),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"openssl cannot make a certificate: {made.stderr.decode()}")
    file.write_bytes(file.read_bytes() + file.with_suffix(".crt").read_bytes())
    return file


def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


good = answering(b"200", BODY)


def test_a_certificate_that_nobody_signed(certificate: Path) -> None:
    """Nothing is sent to a server that cannot show who it is; not even once more."""
    for ask in (get, update):
        here, error = outcome(serving(good, context=tls(certificate)), ask)
        assert (NoAnswer, "not done", None, NoConnection.CERTIFICATE, 1) == said(error)
        assert [] == here.requests


def test_a_certificate_of_an_authority_that_is_named(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE adds a company's own; the same server is then asked."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    here, error = outcome(serving(good, context=tls(certificate)), update)
    assert (None, ["PATCH"]) == (error, here.requests)


def test_a_certificate_for_another_host(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed or not, it is somebody else's."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))

    @asynccontextmanager
    async def renamed() -> AsyncIterator[Server]:
        async with serving(good, context=tls(certificate)) as here:
            here.url = here.url.replace("127.0.0.1", "localhost")
            yield here

    here, error = outcome(renamed(), update)
    assert (NoAnswer, "not done", None, NoConnection.CERTIFICATE, 1) == said(error)
    assert [] == here.requests


@asynccontextmanager
async def as_https(play: Play, *, deaf: bool = False) -> AsyncIterator[Server]:
    async with serving(play, deaf=deaf) as here:
        here.url = here.url.replace("http:", "https:")
        yield here


async def answer_in_plain(peer: Peer, number: int) -> None:
    await peer.send(HEAD + b"Content-Length: 0\r\n\r\n")
    peer.writer.close()


def test_https_to_a_server_that_speaks_plain_http() -> None:
    """No secure connection, no request."""
    _, error = outcome(as_https(answer_in_plain, deaf=True), update)
    assert (NoAnswer, "not done", None, NoConnection.TLS, 1) == said(error)


@pytest.mark.parametrize("play", [reset_at_once, close_at_once, silent])
def test_a_connection_that_dies_while_it_is_made_secure(play: Play) -> None:
    """The request was not sent yet."""
    _, error = outcome(as_https(play, deaf=True), update, timeout=0.5)
    assert error is not None
    assert (NoAnswer, "not done", 1) == (type(error), error.truth, error.attempts)


def test_plain_http_to_a_server_that_speaks_tls(certificate: Path) -> None:
    """It cannot be known what such a server made of it."""

    @asynccontextmanager
    async def in_plain() -> AsyncIterator[Server]:
        async with serving(good, context=tls(certificate)) as here:
            here.url = here.url.replace("https:", "http:")
            yield here

    here, error = outcome(in_plain(), update)
    assert error is not None
    assert ("unknown", 1, []) == (error.truth, error.attempts, here.requests)
