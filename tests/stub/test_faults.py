"""The stub fails as its faults say, and sees what its watch is for: else nothing it says counts."""

from __future__ import annotations

import json
import socket
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import pytest

from . import faults
from .faults import Fault
from .server import Stub

PATH = "/people/2/contactInformation/push/a"


def ask(stub: Stub, method: str = "PATCH", body: object = None) -> tuple[int, bytes]:
    """Ask by hand; what the connection does is raised."""
    port = urlsplit(stub.url).port
    connection = HTTPConnection("127.0.0.1", port, timeout=0.3)
    headers = {"Authorization": "App k", "AppCode": "code-a"}
    sent: Any = None if method == "GET" else json.dumps(body or {"isPrimary": True})
    try:
        connection.request(method, PATH, sent, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


LOST = [*faults.lost(after=False), *faults.lost(after=True)]


@pytest.mark.parametrize("fault", [*LOST, faults.hang(0.6), faults.hang(0.6, after=True)])
def test_a_lost_answer_tells_nothing_of_what_was_done(fault: Fault) -> None:
    """No answer of the contract comes, and the world has moved if the fault came after that."""
    with Stub(schedule=faults.nth_write(1, fault)) as stub:
        stub.world.add_registration("a")
        try:
            status, body = ask(stub)
        except (OSError, HTTPException):
            status, body = 0, b""
        assert not (status == 200 and b'"isPrimary": true' in body)
        assert fault.carried_out is stub.world.registrations["a"]["isPrimary"]
        assert [fault.carried_out] == [logged.done for logged in stub.log]
        assert (200, True) == (ask(stub)[0], stub.world.registrations["a"]["isPrimary"])


def test_a_reset_is_a_reset() -> None:
    """RST and not FIN."""
    with Stub(schedule=faults.every(1, faults.reset())) as stub, pytest.raises(OSError) as caught:
        ask(stub)
    assert ConnectionResetError is type(caught.value)


def test_a_dripping_answer_is_the_true_one() -> None:
    """It only takes its time."""
    with Stub(schedule=faults.every(1, faults.drip(0.2))) as stub:
        stub.world.add_registration("a")
        started = time.monotonic()
        assert 200 == ask(stub, "GET")[0]
        assert time.monotonic() - started > 0.1


def test_two_writes_to_one_person_at_a_time_are_seen() -> None:
    """So are two to one registration; two people, or an update that touches nobody, are not."""

    def together(stub: Stub, *asked: tuple[str, object]) -> list[str]:
        def send(id: str, body: object) -> None:
            with socket.create_connection(("127.0.0.1", urlsplit(stub.url).port or 0)) as line:
                data = json.dumps(body).encode()
                head = (
                    f"PATCH {PATH[:-1]}{id} HTTP/1.1\r\nAuthorization: App k\r\nAppCode: code-a\r\n"
                    f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
                )
                line.sendall(head.encode() + data)
                while line.recv(4096):
                    pass

        senders = [threading.Thread(target=send, args=one) for one in asked]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        return [overlap.split(":")[0] for overlap in stub.watch.overlaps]

    for asked, seen in (
        ((("a", {"isPrimary": True}), ("b", {"isPrimary": False})), ["person 1001"]),
        ((("a", {"isPrimary": True}), ("c", {"isPrimary": False})), []),
        ((("a", {"isPrimary": True}), ("b", {"additionalData": {}})), []),
        ((("a", {"additionalData": {}}), ("a", {"additionalData": {}})), ["registration a"]),
    ):
        with Stub(latency=0.3) as stub:
            owner = stub.world.add_person()
            stub.world.add_registration("a", owner)
            stub.world.add_registration("b", owner)
            stub.world.add_registration("c")
            assert seen == together(stub, *asked)
