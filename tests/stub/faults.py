"""What can go wrong on the wire of the stub: how an answer is spoilt, and which calls are met.

A fault is handed the true answer as bytes and the connection, and does with them what it likes.
Written from nothing but the words of the task, as the rest of the stub: no code of the sandbox.
"""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

READS = frozenset({"get", "persons", "match"})
WRITES = frozenset({"update", "personalize", "depersonalize"})


@dataclass(frozen=True)
class Occasion:
    """A call that may meet a fault: the `number` of all calls, the `attempt` at this very one."""

    number: int
    attempt: int
    operation: str
    target: str

    @property
    def is_write(self) -> bool:
        return self.operation in WRITES


@dataclass(frozen=True)
class Line:
    """The connection to a client. `closing` ends every wait when the stub is closed."""

    connection: socket.socket
    closing: threading.Event

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reset(self) -> None:
        """Close with a RST: without lingering, and without the FIN that a shutdown would send."""
        once = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, once)
        os.close(self.connection.detach())


@dataclass(frozen=True)
class Fault:
    """`carried_out`: the call is done before the answer is spoilt. `is_lost`: so that the client
    cannot know it. `deliver` answers; afterwards the connection is closed, unless it `keeps` it.
    """

    name: str
    deliver: Callable[[Line, bytes], None]
    carried_out: bool = False
    is_lost: bool = True
    keeps: bool = False


Schedule = Callable[[Occasion], Fault | None]


def no_fault(occasion: Occasion) -> None:
    """The schedule of a good day."""


def message(status: int, body: bytes, kind: str = "application/json", *headers: str) -> bytes:
    """Return a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    if kind:
        lines.insert(1, f"Content-Type: {kind}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def said(name: str, answer: bytes, *, after: bool = False, is_lost: bool = True) -> Fault:
    """Give this answer in place of the true one."""
    return Fault(name, lambda line, true: line.send(answer), after, is_lost, keeps=True)


def error(status: int, *headers: str, after: bool = False) -> Fault:
    """An error as the contract words it. What says 4xx says that nothing was done."""
    body: object = {"requestError": {"serviceException": {"messageId": "SAID", "text": "No."}}}
    if status == 409:
        body = {"errorCode": 40902, "errorMessage": "OPTIMISTIC_LOCK"}
    if status == 405:
        body = {"errorCode": 40501, "errorMessage": "READ_ONLY_ALLOWED"}
    answer = message(status, json.dumps(body).encode(), "application/json", *headers)
    return said(str(status), answer, after=after, is_lost=status >= 500)


def html(status: int, *, after: bool = False) -> Fault:
    page = b"<!DOCTYPE html><html><h1>Somebody between us</h1></html>"
    return said(f"{status} html", message(status, page, "text/html"), after=after)


def empty(status: int, *, after: bool = False) -> Fault:
    return said(f"{status} empty", message(status, b"", ""), after=after)


def redirect(status: int, to: str) -> Fault:
    return said(f"{status} redirect", message(status, b"", "", f"Location: {to}"))


def garbage(*, after: bool = False) -> Fault:
    return said("garbage", message(200, b'{"registrationId": \xff\x00, nil]'), after=after)


def shape(*, after: bool = False) -> Fault:
    """JSON as it should be, of a shape that it should not have."""
    return said("shape", message(200, b'[["registrationId"], 7, null]'), after=after)


def wrong_type(*, after: bool = False) -> Fault:
    picture = message(200, b"\x89PNG\r\n\x1a\n", "image/png")
    return said("wrong type", picture, after=after)


def reset(*, after: bool = False) -> Fault:
    return Fault("reset", lambda line, true: line.reset(), after)


def close(*, after: bool = False) -> Fault:
    return Fault("close", lambda line, true: None, after)


def cut_head(*, after: bool = False) -> Fault:
    return Fault("cut head", lambda line, true: line.send(true[:23]), after)


def cut_body(*, after: bool = False) -> Fault:
    """Headers that promise a whole body, half of it, and the end."""

    def deliver(line: Line, true: bytes) -> None:
        head, _, body = true.partition(b"\r\n\r\n")
        promised = head.replace(b"Content-Length: 0", b"Content-Length: 9")
        line.send(promised + b"\r\n\r\n" + body[: len(body) // 2])

    return Fault("cut body", deliver, after)


def hang(seconds: float, *, after: bool = False) -> Fault:
    """Say nothing for so long, then close."""
    return Fault(f"hang {seconds:g} s", lambda line, true: _wait(line, seconds), after)


def drip(seconds: float) -> Fault:
    """The true answer in ten drops over so many seconds: late, or too late."""

    def deliver(line: Line, true: bytes) -> None:
        size = len(true) // 10 + 1
        for start in range(0, len(true), size):
            line.send(true[start : start + size])
            _wait(line, seconds / 10)

    return Fault(f"drip {seconds:g} s", deliver, carried_out=True)


def _wait(line: Line, seconds: float) -> None:
    line.closing.wait(seconds)


def lost(*, after: bool) -> tuple[Fault, ...]:
    """All the ways to lose an answer so that the client cannot tell whether the call was done."""
    spoilt = (reset, close, cut_head, garbage, shape, wrong_type)
    cut = (cut_body(after=True),) if after else ()
    statuses = (error(500, after=after), html(502, after=after), empty(503, after=after))
    return (*(one(after=after) for one in spoilt), *cut, *statuses)


def first_of_each(operations: Iterable[str], faults: Sequence[Fault]) -> Schedule:
    """The first attempt at each call of these operations meets one of the faults, in turn."""
    wanted = frozenset(operations)

    def schedule(occasion: Occasion) -> Fault | None:
        if occasion.operation not in wanted or occasion.attempt != 1:
            return None
        return faults[occasion.number % len(faults)]

    return schedule


def every(n: int, fault: Fault) -> Schedule:
    """Every n-th call meets the fault, whichever it is."""
    return lambda occasion: fault if occasion.number % n == 0 else None


def nth_write(n: int, fault: Fault, *, onwards: bool = False) -> Schedule:
    """The n-th write meets the fault; with `onwards` every call after it does too."""
    writes = 0

    def schedule(occasion: Occasion) -> Fault | None:
        nonlocal writes
        writes += occasion.is_write
        is_met = writes == n and occasion.is_write
        return fault if is_met or (onwards and writes >= n) else None

    return schedule


def onwards(n: int, fault: Fault) -> Schedule:
    """The n-th call and every later one meet the fault."""
    return lambda occasion: fault if occasion.number >= n else None


def mixed(seed: int, share: float, faults: Sequence[Fault], attempts: int = 2) -> Schedule:
    """A share of the first attempts at any call meets any of the faults, by the call itself.

    Which call meets which does not depend on the order in which they come.
    """

    def schedule(occasion: Occasion) -> Fault | None:
        chance = random.Random(f"{seed} {occasion.operation} {occasion.target} {occasion.attempt}")
        if occasion.attempt > attempts or chance.random() >= share:
            return None
        return chance.choice(faults)

    return schedule
