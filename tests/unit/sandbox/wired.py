"""A sandbox over real HTTP for tests: one call, what came back, and what the log says of it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.platform.world import Person, Registration, World
from reconciler.sandbox.serve import RunningSandbox

CODE: Final = "app-code"
PUSH: Final = "/people/2/contactInformation/push/"
HEADERS: Final = {"Authorization": "App key", "AppCode": CODE}
# Three people with a registration each; the fourth, who is the youngest, owns nothing.
WORLD: Final = World.of(
    [
        Person(
            number,
            frozenset({IdentityValue.of(IdentityKind.EXTERNAL_ID, f"courier-{number}")}),
            created_at=f"2026-01-0{number}T00:00:00",
        )
        for number in (1, 2, 3, 4)
    ],
    [Registration(f"r{number}", "A", number) for number in (1, 2, 3)],
    {CODE: "A"},
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: an answer, or the name of what went wrong with the connection."""

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    broken: str = ""

    def json(self) -> Any:
        return json.loads(self.body)


def connection(sandbox: RunningSandbox, timeout: float = 10) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=timeout)


def ask(
    sandbox: RunningSandbox,
    method: str,
    path: str,
    body: object = None,
    *,
    timeout: float = 10,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Send one request on a connection of its own."""
    with closing(connection(sandbox, timeout)) as made:
        return ask_on(made, method, path, body, headers=headers)


def ask_on(
    made: http.client.HTTPConnection,
    method: str,
    path: str,
    body: object = None,
    *,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Send one request on a connection that is there."""
    data = body if isinstance(body, str | None) else json.dumps(body)
    try:
        made.request(method, path, data, HEADERS if headers is None else headers)
        got = made.getresponse()
        named = {name.lower(): value for name, value in got.getheaders()}
        return Answer(got.status, got.read(), named)
    except http.client.IncompleteRead as error:
        return Answer(got.status, error.partial, named, "IncompleteRead")
    except (OSError, http.client.HTTPException) as error:
        return Answer(broken=type(error).__name__)


def get(sandbox: RunningSandbox, device: str = "r1", **more: Any) -> Answer:
    return ask(sandbox, "GET", PUSH + device, **more)


def update(sandbox: RunningSandbox, value: object = 1, **more: Any) -> Answer:
    """Set the key `k` of the first registration."""
    return ask(sandbox, "PATCH", f"{PUSH}r1", {"additionalData": {"k": value}}, **more)


def page(sandbox: RunningSandbox, number: int, limit: int = 2) -> list[int]:
    """Return the numbers of the people on a page."""
    query = f"limit={limit}&page={number}&orderBy=createdAt:asc"
    return [
        one["id"] for one in ask(sandbox, "GET", f"/people/2/persons?{query}").json()["persons"]
    ]


def logged(sandbox: RunningSandbox, number: int = 1) -> list[dict[str, Any]]:
    """Return the log once it has so many calls: an end without an answer is noticed later."""
    deadline = time.monotonic() + 10
    while True:
        calls: list[dict[str, Any]] = ask(sandbox, "GET", "/_sandbox/calls").json()["calls"]
        if len(calls) >= number or time.monotonic() > deadline:
            assert number == len(calls)
            return calls
        time.sleep(0.002)


@contextmanager
def meeting(sandbox: RunningSandbox, *specs: str, seed: int = 0) -> Iterator[None]:
    """Let calls meet faults for a while, from the same world and an empty log."""
    sandbox.set_world(WORLD)
    sandbox.forget_calls()
    sandbox.set_faults(specs, seed)
    try:
        yield
    finally:
        sandbox.clear_faults()
