"""The list of applications: read leniently, asked for once, and no error where it is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from reconciler.api.applications import decode_applications
from reconciler.api.breaker import BreakerTripped
from reconciler.api.decode import Garbled
from reconciler.api.errors import ApiError, Denied
from reconciler.api.service import Service
from reconciler.core.live import LiveApplication
from reconciler.live.applications import by_project_name

from .wires import DEVICE, REGISTRATION, Wire

ENTRY: dict[str, Any] = {
    "applicationCode": "code-1",
    "applicationId": "APP-1",
    "name": "Push Test 1",
    "description": "",
    "registrationsCount": 45655,
    "apns": {"enabled": True},
    "gcm": {"enabled": False},
}
READ = LiveApplication("code-1", "APP-1", "Push Test 1", 45655)


@pytest.mark.parametrize("shown", [{"applications": [ENTRY]}, [ENTRY], ENTRY])
def test_every_form_of_the_answer_is_read(shown: object) -> None:
    """The contract types the list as one and the one as a list, and its examples do not."""
    assert (READ,) == decode_applications(msgspec.json.encode(shown))
    assert "code-1" not in repr(READ)


@pytest.mark.parametrize(
    "entry",
    [
        *(b"null", b"7", b'"text"', b"[]", b"{}", b"true"),
        b'{"applicationCode": "c"}',
        b'{"applicationCode": "", "applicationId": "A"}',
        b'{"applicationCode": "c\\r\\nX: y", "applicationId": "A"}',
        b'{"applicationCode": "c", "applicationId": 7}',
        b'{"applicationCode": "\\ud800", "applicationId": "A"}',
        b'{"applicationCode": ["c"], "applicationId": "A"}',
        b'{"applicationCode": "c", "applicationId": "' + b"A" * 257 + b'"}',
    ],
)
def test_an_odd_entry_is_left_out(entry: bytes) -> None:
    """The others are read."""
    body = b'{"applications": [' + entry + b", " + msgspec.json.encode(ENTRY) + b"]}"
    assert (READ,) == decode_applications(body)


@pytest.mark.parametrize("count", [b"-1", b"true", b'"7"', b"null", b"1.5", b"[]", b"9" * 40])
@pytest.mark.parametrize("name", [b"7", b"null", b'"\\ud800"', b"{}"])
def test_what_is_odd_of_an_entry_is_not_known(count: bytes, name: bytes) -> None:
    """Code and id still link."""
    body = b'{"applicationCode": "c", "applicationId": "A", "description": "\\ud800", '
    body += b'"name": ' + name + b', "registrationsCount": ' + count + b"}"
    assert (LiveApplication("c", "A", "", None),) == decode_applications(body)


@pytest.mark.parametrize("body", [b"", b"{}", b"7", b"null", b'{"applications": {}}', b"<html>"])
def test_what_is_no_list_is_garbled(body: bytes) -> None:
    """It is told from an account without applications."""
    with pytest.raises(Garbled):
        decode_applications(body)
    assert () == decode_applications(b'{"applications": []}')


def test_a_code_or_an_id_that_is_listed_twice_links_nothing() -> None:
    """Which of them is meant cannot be told."""
    listed = [
        LiveApplication("a", "1"),
        *(LiveApplication("b", "2"), LiveApplication("b", "3")),
        *(LiveApplication("c", "4"), LiveApplication("d", "4")),
    ]
    codes = {"one": "a", "two": "b", "three": "c", "four": "d", "five": "e"}
    assert {"one": listed[0]} == by_project_name(listed, codes)


async def ask(service: Service) -> tuple[object, object]:
    """Ask for the list twice, then for a registration."""
    answers: list[object] = []
    async with service:
        for _ in range(2):
            try:
                answers.append(await service.applications())
            except ApiError as error:
                answers.append(error)
        assert answers[0] is answers[1]
        try:
            return answers[0], (await service.registration(DEVICE, "code")).id
        except BreakerTripped:
            return answers[0], None


@pytest.mark.parametrize("status", [403, 404, 405, 429, 500, 503])
def test_a_refused_list_ends_nothing_and_is_not_asked_for_again(status: int) -> None:
    """Nobody waits for it, and what needs no list goes on."""
    wire = Wire(httpx.Response(status, json={}), httpx.Response(200, json=REGISTRATION))
    said, id_ = asyncio.run(ask(wire.service()))

    assert isinstance(said, ApiError)
    assert said.status == status
    assert (id_, 2) == (DEVICE, len(wire.requests))
    assert "code" not in wire.requests[0].headers
    assert "/push/1/applications" == next(iter(wire.paths()))


def test_credentials_that_are_not_accepted_end_all() -> None:
    """A 401 is about the key, whoever asks."""
    wire = Wire(httpx.Response(401, json={}))
    said, id_ = asyncio.run(ask(wire.service()))

    assert isinstance(said, Denied)
    assert (id_, 1) == (None, len(wire.requests))
