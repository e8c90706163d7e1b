"""The client over real sockets: what goes over the wire, how connections fail, how it closes."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from select import select
from typing import Any

import pytest

from reconciler.api.breaker import Breaker, BreakerTripped
from reconciler.api.credentials import ApiKeyCredential, OAuth2Credential
from reconciler.api.dispatch import Attempts, Timing
from reconciler.api.errors import ApiError, NoAnswer, NotTheContract
from reconciler.api.service import Service
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.secret import Secret
from reconciler.platform.operations import Operation
from tests.stub.faults import Occasion
from tests.stub.server import Stub

from .test_rate_limit import most_in_a_window

KEY = ApiKeyCredential(Secret("key"))
NO_LIMITS = dict.fromkeys(Operation, 0.0)


async def no_wait(seconds: float) -> None:
    await asyncio.sleep(0)


def service(url: str, **options: Any) -> Service:
    timing = Timing(sleep=no_wait)
    return Service(url, KEY, **{"limits": NO_LIMITS, "timing": timing, "timeout": 5.0} | options)


def run(client: Service, ask: Callable[[Service], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with client:
            return await ask(client)

    return asyncio.run(main())


@contextmanager
def raw_server(*replies: bytes | None) -> Iterator[str]:
    """Answer each connection with these bytes and close it; None: say nothing, and keep it."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        left = list(replies)
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            reply = left.pop(0) if len(left) > 1 else left[0]
            connection.recv(65536)
            if reply is None:
                kept.append(connection)
            else:
                connection.sendall(reply)
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    for connection in kept:
        connection.close()


def test_the_main_calls_work_against_the_stub() -> None:
    """Read, claim, change, look up, detach: over HTTP, and without a leftover when closed."""
    odd = "id /?#%2F+č"
    mail = IdentityValue.of(IdentityKind.EMAIL, "Ana+x&y@Example.com")

    async def day(client: Service) -> None:
        assert not (await client.registration(odd, "code-a")).is_primary
        await client.personalize(odd, "code-a", {"identity": {"email": "ana+x&y@example.com"}})
        data = {"n": 1, "t": "x", "b": False}
        changed = await client.update(odd, "code-a", {"isPrimary": True, "additionalData": data})
        assert (True, data) == (changed.is_primary, changed.additional_data)
        by_mail, by_id = await client.person(mail), await client.owner(odd, "APP-A")
        assert by_mail is not None
        assert by_mail == by_id
        await client.depersonalize(odd, "code-a")
        detached = await client.owner(odd, "APP-A")
        assert detached is not None
        assert not detached.identities
        assert await client.person(IdentityValue.of(IdentityKind.PHONE_NUMBER, "+1")) is None

    with warnings.catch_warnings(), Stub() as stub:
        warnings.simplefilter("error")
        stub.world.add_registration(odd)
        run(service(stub.url), day)
        gc.collect()


def test_an_oauth2_client_fetches_its_token() -> None:
    """The token call is a form to the same base URL."""
    with Stub() as stub:
        stub.world.add_registration("a")
        client = Service(stub.url, OAuth2Credential("client", Secret("secret")))
        assert "a" == run(client, lambda client: client.registration("a", "code-a")).id


def test_many_calls_at_once_leave_nothing_behind() -> None:
    """Connections are reused, bounded and closed; a cancelled call leaks none."""

    async def many(client: Service) -> None:
        ask = client.registration
        cancelled = [asyncio.ensure_future(ask("a", "code-a")) for _ in range(20)]
        await asyncio.sleep(0.01)
        for task in cancelled:
            task.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)
        await asyncio.gather(*(ask("a", "code-a") for _ in range(300)))

    with warnings.catch_warnings(), Stub() as stub:
        warnings.simplefilter("error")
        stub.world.add_registration("a")
        run(service(stub.url), many)
        gc.collect()


def test_the_server_sees_no_more_than_the_share_in_any_second() -> None:
    """Measured where it matters: on arrival. The limit is 50, the share 40.

    The least of several runs: other work on this machine only ever makes calls arrive in a bunch,
    and a client that sends too many does it each time.
    """

    async def many(client: Service) -> None:
        await asyncio.gather(*(client.registration("a", "code-a") for _ in range(70)))

    def arrived() -> list[float]:
        arrivals: list[float] = []

        def note(occasion: Occasion) -> None:
            arrivals.append(time.monotonic())

        with Stub() as stub:
            stub.world.add_registration("a")
            stub.schedule = note
            run(Service(stub.url, KEY, limits={Operation.GET: 50}), many)
        return arrivals

    runs = [arrived() for _ in range(3)]
    assert min(map(most_in_a_window, runs)) <= 41
    assert min(arrivals[-1] - arrivals[0] for arrivals in runs) < 70 / 40 * 1.25


def test_nobody_listening_is_no_answer_and_surely_not_done() -> None:
    """A refused connection has carried nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NoAnswer) as caught:
        run(service(f"http://127.0.0.1:{port}"), lambda client: client.depersonalize("a", "c"))
    assert ("not done", "the service cannot be reached") == (
        caught.value.truth,
        caught.value.reason,
    )


def test_a_gate_that_closes_while_a_write_waits_for_its_connection_keeps_it_back() -> None:
    """The gate is asked once more right before the request is written, when the connection stands.

    Here the lock is lost as soon as the listener has a connection that waits to be accepted.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        breaker = Breaker()
        breaker.watch = lambda: "the lock is lost" if select([listener], [], [], 0)[0] else None
        client = service(f"http://127.0.0.1:{listener.getsockname()[1]}", breaker=breaker)
        attempts = Attempts()
        with pytest.raises(BreakerTripped, match="the lock is lost"):
            run(client, lambda client: client.depersonalize("a", "c", attempts=attempts))
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            came = connection.recv(1)

    assert (b"", 0) == (came, attempts.count)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        pytest.param(b"", NoAnswer, id="closed"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", NoAnswer, id="cut-head"),
        pytest.param(HEAD + b'Content-Length: 900\r\n\r\n{"a":', NotTheContract, id="cut-body"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", NotTheContract, id="cut-chunk"
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{", NotTheContract, id="bad-chunk"
        ),
        pytest.param(b"SSH-2.0-OpenSSH_9.0\r\n", NotTheContract, id="not-http"),
        pytest.param(HEAD + b"X: " + b"y" * 99_999 + b"\r\n\r\n", NotTheContract, id="big-head"),
        pytest.param(HEAD + b"Content-Length: -1\r\n\r\n", NotTheContract, id="bad-length"),
        pytest.param(
            HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab",
            NotTheContract,
            id="bad-gzip",
        ),
    ],
)
def test_what_is_not_whole_http_is_an_error_of_an_unknown_outcome(
    reply: bytes, kind: type[ApiError]
) -> None:
    """Whatever bytes come back, a write's outcome is unknown and its device is named."""
    with raw_server(reply) as url, pytest.raises(ApiError) as caught:
        run(service(url), lambda client: client.depersonalize("a", "c"))
    assert (kind, "unknown", "a") == (type(caught.value), caught.value.truth, caught.value.device)


def test_a_read_survives_a_connection_that_dies() -> None:
    """A read is asked for again when the connection dies inside the answer."""
    body = b'{"registrationId": "a", "applicationId": "x"}'
    good = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with raw_server(b"", HEAD + b"Content-Length: 99\r\n\r\n{", good) as url:
        assert "a" == run(service(url), lambda client: client.registration("a", "c")).id


def test_silence_ends_with_the_timeout() -> None:
    """A server that says nothing costs one timeout an attempt, and the outcome is unknown."""
    with raw_server(None) as url, pytest.raises(NoAnswer) as caught:
        run(service(url, timeout=0.2), lambda client: client.depersonalize("a", "c"))
    assert ("unknown", "no whole answer within 0.2 s") == (caught.value.truth, caught.value.reason)


def test_netrc_and_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """What stands in the environment can neither replace the key nor send it elsewhere."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Stub() as stub:
        stub.world.add_registration("a")
        assert "a" == run(service(stub.url), lambda client: client.registration("a", "code-a")).id
