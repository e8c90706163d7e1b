"""Matching: what an answer says and what it does not, and how many identities go into a call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence

import pytest

from reconciler.api.decode import Garbled
from reconciler.api.errors import ApiError, Denied, NotTheContract, Rejected, ServerFailed
from reconciler.api.matching import Matcher, decode_matches, identifier_of
from reconciler.core.events import Event, MatchRefused
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import Matchable, RegistrationKey
from reconciler.platform.operations import Identifier

DEVICE = RegistrationKey("Device-1", "APP-A")
ANA = IdentityValue.of(IdentityKind.EXTERNAL_ID, "Ana")
PHONE = IdentityValue.of(IdentityKind.PHONE_NUMBER, "+385911234567")
EMAIL = IdentityValue.of(IdentityKind.EMAIL, "Ana@Example.com")
ASKED = (DEVICE, ANA, PHONE, EMAIL)


def decoded(*entries: object) -> Mapping[Matchable, int]:
    return decode_matches(json.dumps({"matches": entries}).encode(), ASKED)


def entry(kind: str, text: object, number: object = 7, **more: object) -> dict[str, object]:
    return {"type": kind, "identifier": text, "personId": number, **more}


DEVICE_ENTRY = entry("PUSH", "Device-1", sender="APP-A")


def test_an_identity_is_named_as_the_contract_names_it() -> None:
    """A registration with its sender; the others have none."""
    assert [
        Identifier("PUSH", "Device-1", "APP-A"),
        Identifier("EXTERNAL_ID", "Ana"),
        Identifier("PHONE", "385911234567"),
        Identifier("EMAIL", "ana@example.com"),
    ] == list(map(identifier_of, ASKED))


def test_who_is_found_is_known_by_number_and_who_is_not_is_missing() -> None:
    """A number may come as text, and a value in the service's own writing."""
    assert {DEVICE: 7, PHONE: 8, EMAIL: 9} == decoded(
        DEVICE_ENTRY,
        entry("PHONE", "+385 91 123 4567", "8"),
        entry("EMAIL", "ANA@example.com", 9, sender=None, more={"deep": [1]}),
    )
    assert {} == decoded()


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(None, id="null"),
        pytest.param([DEVICE_ENTRY], id="list"),
        pytest.param("PUSH", id="text"),
        pytest.param({}, id="empty"),
        pytest.param({**DEVICE_ENTRY, "personId": None}, id="no number"),
        pytest.param({**DEVICE_ENTRY, "personId": True}, id="boolean"),
        pytest.param({**DEVICE_ENTRY, "personId": 7.5}, id="fraction"),
        pytest.param({**DEVICE_ENTRY, "personId": -1}, id="negative"),
        pytest.param({**DEVICE_ENTRY, "personId": "7" * 30}, id="huge"),
        pytest.param({**DEVICE_ENTRY, "personId": [7]}, id="listed number"),
        pytest.param({**DEVICE_ENTRY, "identifier": 1}, id="number for a text"),
        pytest.param({**DEVICE_ENTRY, "identifier": "device-1"}, id="another registration"),
        pytest.param({**DEVICE_ENTRY, "sender": "APP-B"}, id="another application"),
        pytest.param({**DEVICE_ENTRY, "sender": None}, id="no application"),
        pytest.param({**DEVICE_ENTRY, "type": "EXTERNAL_ID"}, id="another type"),
        pytest.param({**DEVICE_ENTRY, "type": None}, id="no type"),
        pytest.param(entry("EXTERNAL_ID", "ana"), id="somebody who was not asked about"),
    ],
)
def test_an_odd_entry_says_nothing_and_keeps_no_other_from_it(odd: object) -> None:
    """Who is not understood is unknown; the others are read."""
    assert {ANA: 5} == decoded(odd, entry("EXTERNAL_ID", "Ana", 5), odd)


def test_who_is_said_to_be_two_people_is_unknown() -> None:
    """The same twice is the same; who has two numbers is unknown, whichever comes first."""
    twice = entry("EXTERNAL_ID", "Ana", 5)
    assert {ANA: 5, DEVICE: 7} == decoded(twice, DEVICE_ENTRY, twice)
    assert {DEVICE: 7} == decoded(twice, entry("EXTERNAL_ID", "Ana", 6), DEVICE_ENTRY, twice)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"null", b'{"matches": {}}', b"<html>", b"{", rb'["\ud800"]']
)
def test_what_is_no_answer_is_garbled(body: bytes) -> None:
    """And its text is not quoted."""
    with pytest.raises(Garbled):
        decode_matches(body, ASKED)


def keys(count: int) -> list[Matchable]:
    return [IdentityValue.of(IdentityKind.EXTERNAL_ID, str(number)) for number in range(count)]


def number_of(key: Matchable) -> int:
    assert isinstance(key, IdentityValue)
    return int(key.reveal())


class Asked:
    """Answers calls of up to so many identities with the number that each is; notes the sizes."""

    def __init__(
        self,
        most: int = 1000,
        refuse: Callable[[Sequence[Matchable]], ApiError | None] | None = None,
    ) -> None:
        self.most = most
        self.sizes: list[int] = []
        self.events: list[Event] = []
        self._refuse = refuse
        self.matcher = Matcher(self.ask, self.events.append)

    async def ask(self, batch: Sequence[Matchable]) -> Mapping[Matchable, int]:
        await asyncio.sleep(0)
        self.sizes.append(len(batch))
        error = self._refuse(batch) if self._refuse is not None else None
        if error is not None:
            raise error
        if len(batch) > self.most:
            raise Rejected("match", None, "POST", "/x", 400)
        return {key: number_of(key) for key in batch}

    def match(self, wanted: Sequence[Matchable]) -> Mapping[Matchable, int]:
        return asyncio.run(self.matcher.match(wanted))


@pytest.mark.parametrize("most", [1000, 100, 99, 64, 7, 3, 2, 1])
def test_calls_grow_and_shrink_until_the_service_takes_them(most: int) -> None:
    """All are answered; once learned, no call that is too large is made again in the run."""
    service = Asked(most)
    wanted = keys(1500)
    assert {key: number_of(key) for key in wanted} == service.match(wanted)
    learned = len(service.sizes)
    service.match(wanted)
    assert max(service.sizes[learned:]) <= most
    assert most // 2 < service.matcher.size <= most
    assert [] == service.events


def test_the_sizes_are_the_same_in_equal_runs() -> None:
    """How many calls a plan makes stands in it."""
    one, other = Asked(100), Asked(100)
    one.match(keys(2000))
    other.match(keys(2000))
    assert one.sizes == other.sizes


def test_the_same_identity_is_asked_about_once() -> None:
    """Duplicates would fetch one answer."""
    service = Asked()
    service.match([*keys(3), *keys(3)])
    assert [3] == service.sizes


def test_one_that_is_refused_is_unknown_and_makes_no_other_call_smaller_for_good() -> None:
    """A value that the service does not like is found out by halving; the rest are answered."""

    def refuse(batch: Sequence[Matchable]) -> ApiError | None:
        poisoned = any(number_of(key) == 30 for key in batch)
        return Rejected("match", None, "POST", "/x", 400) if poisoned else None

    service = Asked(refuse=refuse)
    wanted = keys(900)
    assert {key: number_of(key) for key in wanted if number_of(key) != 30} == service.match(wanted)
    assert service.matcher.size >= 50
    assert not service.matcher.is_refused


@pytest.mark.parametrize(
    "error",
    [
        Denied("match", None, "POST", "/x", 403),
        Rejected("match", None, "POST", "/x", 404),
        Rejected("match", None, "POST", "/x", 405),
        ServerFailed("match", None, "POST", "/x", 501),
        ServerFailed("match", None, "POST", "/x", 500),
        NotTheContract("match", None, "POST", "/x", 404),
        NotTheContract("match", None, "POST", "/x", 200),
    ],
    ids=lambda error: f"{type(error).__name__} {error.status}",
)
def test_where_it_is_refused_nobody_is_asked_any_more(error: ApiError) -> None:
    """It is told once, and everybody is unknown from then on."""
    service = Asked(refuse=lambda batch: error)
    assert {} == service.match(keys(10))
    calls = len(service.sizes)
    assert {} == service.match(keys(10))
    assert calls == len(service.sizes)
    assert [MatchRefused(str(error))] == service.events
    assert service.matcher.is_refused


def test_a_service_that_takes_not_even_one_is_not_asked_for_each() -> None:
    """Three that are refused alone, and none that was ever taken: it is not about the one."""
    service = Asked(0)
    assert {} == service.match(keys(500))
    assert service.matcher.is_refused
    assert len(service.sizes) < 60
    assert 1 == len(service.events)


def test_credentials_that_are_not_accepted_end_the_run() -> None:
    """A 401 would meet every other call as well."""
    with pytest.raises(Denied):
        Asked(refuse=lambda batch: Denied("match", None, "POST", "/x", 401)).match(keys(3))
