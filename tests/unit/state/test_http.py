"""The http store against a strict server: faults, locks of others and of the dead, what is told."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

import httpx
import pytest

from reconciler.api.credentials import UnusableCredential
from reconciler.api.plain import PlainHttp
from reconciler.core.failures import StateError
from reconciler.core.hidden import Hidden
from reconciler.state.http import Addresses, Clock, HttpStore, addresses
from reconciler.state.steady import Steady
from reconciler.state.store import OutOfReach, Overtaken, Part
from tests.stub.terraform_state import PASSWORD, USER, Fault, server

ONE, TWO = b'{"serial": 1}', b'{"serial": 2}'


@dataclass(slots=True)
class Time:
    """Ticks that pass while somebody pauses."""

    ticks: float = 0.0

    def clock(self) -> Clock:
        return Clock(lambda: self.ticks, self.passes, lambda: 1.0)

    def passes(self, seconds: float) -> None:
        self.ticks += seconds


@pytest.fixture
def name() -> str:
    """The path of a state of its own; no fault of another test is left."""
    server().states.faults.clear()
    server().states.calls.clear()
    return f"/states/{uuid.uuid4()}"


def client(timeout: float = 5.0) -> PlainHttp:
    return PlainHttp(timeout=httpx.Timeout(timeout))


def store(name: str, time: Time | None = None, timeout: float = 5.0) -> HttpStore:
    where = addresses(server().url + name)
    return HttpStore(where, client(timeout), "ana@build-7", (time or Time()).clock())


def gitlab(password: str = PASSWORD) -> tuple[str, HttpStore]:
    path = f"/api/v4/projects/1/terraform/state/{uuid.uuid4()}"
    http = PlainHttp(username=USER, password=Hidden(password))
    return path, HttpStore(addresses(server().url + path), http, clock=Time().clock())


def failure(attempt: object) -> tuple[str, str]:
    assert isinstance(attempt, StateError)
    return attempt.diagnostic.code.id, str(attempt)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("GET", 9, 401), "E609"),
        (Fault("GET", 9, 403), "E609"),
        (Fault("GET", 9, 302, location="http://127.0.0.1:1/"), "E610"),
        (Fault("GET", 9, 400), "E610"),
        (Fault("GET", 9, 429), "E608"),
        (Fault("GET", 9, 500), "E608"),
        (Fault("GET", 9, 503), "E608"),
        (Fault("GET", 9, cut=True), "E608"),
        (Fault("GET", 9, torn=True), "E608"),
        (Fault("GET", 9, slow=0.6), "E608"),
        (Fault("LOCK", 9, 405), "E610"),
        (Fault("LOCK", 9, 404), "E610"),
        (Fault("LOCK", 9, 403), "E609"),
        (Fault("LOCK", 9, 500), "E608"),
        (Fault("POST", 9, 413), "E610"),
        (Fault("POST", 9, 401), "E609"),
        (Fault("POST", 9, 502), "E608"),
        (Fault("POST", 9, cut=True), "E608"),
    ],
    ids=lambda one: one if isinstance(one, str) else f"{one.method}-{one.status}",
)
def test_what_goes_wrong_is_told_by_what_can_be_done(name: str, fault: Fault, code: str) -> None:
    """Denied, no such place, or worth another try; the method and the status are named, and the
    lock is given back whatever happened."""
    one = store(name, timeout=0.4)
    one.write(Part.RECORD, ONE, None)
    server().states.faults.append(fault)
    found = None
    with pytest.raises(StateError) as raised:
        found = one.read(Part.RECORD)
        one.write(Part.RECORD, TWO, None if found is None else found.version)
    server().states.faults.clear()

    assert code == failure(raised.value)[0]
    assert (code == "E608") == isinstance(raised.value, OutOfReach)
    assert fault.method in str(raised.value)
    assert server().states.of(name).lock is None
    one.close()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", 1, cut=True),
        Fault("POST", 1, torn=True),
        Fault("POST", 1, 503),
        Fault("GET", 2, 500),
        Fault("LOCK", 1, 502),
        Fault("UNLOCK", 1, 500),
    ],
    ids=lambda one: f"{one.method}-{one.status}",
)
def test_a_trouble_that_passes_is_none(name: str, fault: Fault) -> None:
    """A write is carried out once, and known to be, also where its answer was lost."""
    steady = Steady(store(name, Time()), unit=0.001)
    first = steady.write(Part.RECORD, ONE, None)
    server().states.faults.append(fault)
    second = steady.write(Part.RECORD, TWO, first)
    found = steady.read(Part.RECORD)

    assert found is not None
    assert (TWO, second) == (found.data, found.version)
    steady.close()


def test_a_server_that_is_not_there_is_out_of_reach() -> None:
    """The address is named, without anything that could be a secret."""
    nowhere = HttpStore(addresses("http://127.0.0.1:1/states/x"), client())
    with pytest.raises(OutOfReach) as raised:
        nowhere.read(Part.RECORD)

    assert "http://127.0.0.1:1/states/x: GET: no connection" in str(raised.value)


def test_a_lock_of_somebody_else_is_waited_for_and_never_broken(name: str) -> None:
    """However long it stands; the message says who has it, and since when."""
    info = {"ID": "theirs", "Who": "ivo@laptop\x1b[2J", "Created": "2027-03-31T12:00:00Z"}
    server().states.of(name).lock = dict(info)
    time = Time()
    one = store(name, time)
    for _ in range(3):
        with pytest.raises(OutOfReach) as raised:
            one.write(Part.RECORD, ONE, None)
        assert "it is locked by ivo@laptop[2J since 2027-03-31T12:00:00Z" in str(raised.value)

    assert time.ticks >= 60.0
    assert info == server().states.of(name).lock
    server().states.of(name).lock = None
    one.write(Part.RECORD, ONE, None)
    one.close()


def test_the_lock_of_a_writer_that_was_killed_is_broken(name: str) -> None:
    """It is ours by its id and has stood for longer than any write takes, by our own clock."""
    server().states.of(name).lock = {"ID": "reconciler-of-a-dead-run", "Who": "ana"}
    time = Time()
    one = store(name, time)
    one.write(Part.RECORD, ONE, None)

    assert 30.0 <= time.ticks < 50.0
    found = one.read(Part.RECORD)
    assert found is not None
    assert ONE == found.data
    one.close()


def test_locks_that_change_are_of_the_living(name: str) -> None:
    """Busy writers are waited for; none of their locks is broken."""
    kept = server().states.of(name)
    time = Time()

    def passes(seconds: float) -> None:
        time.passes(seconds)
        kept.lock = {"ID": f"reconciler-{time.ticks // 5}", "Who": "ana"}

    passes(0.0)
    one = HttpStore(
        addresses(server().url + name), client(), clock=Clock(lambda: time.ticks, passes)
    )
    with pytest.raises(OutOfReach):
        one.write(Part.RECORD, ONE, None)

    assert not any(call.startswith("UNLOCK") for call in server().states.calls)
    kept.lock = None
    one.close()


def test_who_lost_its_lock_cannot_write(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server refuses another id, and the writer knows that it was overtaken."""
    one = store(name)
    first = one.write(Part.RECORD, ONE, None)
    read = HttpStore.read

    def broken(self: HttpStore, part: Part) -> object:
        found = read(self, part)
        server().states.of(name).lock = {"ID": "another", "Who": "ivo"}
        return found

    monkeypatch.setattr(HttpStore, "read", broken)
    with pytest.raises(Overtaken):
        one.write(Part.RECORD, TWO, first)
    monkeypatch.undo()

    assert ONE == server().states.of(name).data
    assert {"ID": "another", "Who": "ivo"} == server().states.of(name).lock
    server().states.of(name).lock = None
    one.close()


def test_gitlab_takes_what_we_write(name: str) -> None:
    """With its own lock addresses and methods, serials that grow, and both parts apart."""
    path, one = gitlab()
    version: str | None = None
    for serial in range(3):
        data = json.dumps({"serial": serial}).encode()
        version = one.write(Part.RECORD, data, version)
        assert one.read(Part.RUN) is None
    one.write(Part.RUN, ONE, None)

    assert {f"POST {path}/lock", f"DELETE {path}/lock", f"POST {path}-run/lock"} <= set(
        server().states.calls
    )
    found = one.read(Part.RECORD)
    assert found is not None
    assert version == found.version
    one.close()


def test_a_wrong_password_is_denied_without_being_shown(name: str) -> None:
    """Neither it nor the user's name stands in the message."""
    del name
    _, one = gitlab("wrong-hush")
    with pytest.raises(StateError) as raised:
        one.read(Part.RECORD)
    code, message = failure(raised.value)

    assert "E609" == code
    assert "wrong-hush" not in message
    assert USER not in message
    one.close()


@pytest.mark.parametrize("token", ["", "a b", "line\nbreak", "ü"])
def test_a_token_that_no_header_carries_is_refused(token: str) -> None:
    """Before anything is sent."""
    with pytest.raises(UnusableCredential):
        PlainHttp(token=Hidden(token))


def test_an_answer_has_an_end(name: str) -> None:
    """One that is larger than any record is not read to its end."""
    one = store(name)
    one.write(Part.RECORD, b'{"serial": 1, "x": "' + b"x" * 10_000 + b'"}', None)
    small = HttpStore(addresses(server().url + name), PlainHttp(largest=5_000))
    with pytest.raises(OutOfReach) as raised:
        small.read(Part.RECORD)

    assert "larger than any record" in str(raised.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"address": "https://h/state/"},
            Addresses("https://h/state", "https://h/state", "https://h/state"),
        ),
        (
            {"address": "https://h/gl/api/v4/projects/a%2Fb/terraform/state/x"},
            Addresses(
                "https://h/gl/api/v4/projects/a%2Fb/terraform/state/x",
                "https://h/gl/api/v4/projects/a%2Fb/terraform/state/x/lock",
                "https://h/gl/api/v4/projects/a%2Fb/terraform/state/x/lock",
                "POST",
                "DELETE",
            ),
        ),
        (
            {"address": "https://h/s", "lock_address": "https://h/s/l", "lock_method": "PUT"},
            Addresses("https://h/s", "https://h/s/l", "https://h/s/l", "PUT"),
        ),
    ],
)
def test_what_is_not_given_is_known(given: dict[str, str], expected: Addresses) -> None:
    """Terraform's defaults, or those of GitLab."""
    assert expected == addresses(**given)


def test_the_second_part_stands_beside_the_first() -> None:
    """With its lock where the first one has it."""
    whole = addresses("https://h/s", lock_address="https://h/s/lock").of(Part.RUN)

    assert ("https://h/s-run", "https://h/s-run/lock", "https://h/s-run/lock") == (
        whole.address,
        whole.lock_address,
        whole.unlock_address,
    )


@pytest.mark.parametrize(
    "given",
    [
        {"address": "ftp://h/s"},
        {"address": "https:///s"},
        {"address": "https://h"},
        {"address": "https://u:p@h/s"},
        {"address": "https://h/s?x=1"},
        {"address": "https://h/s", "lock_address": "https://other/s/lock"},
        {"address": "https://h/s", "unlock_address": "https://h/st"},
    ],
)
def test_what_is_no_address_is_refused(given: dict[str, str]) -> None:
    """The message says how it has to be, and holds nothing of it that could be secret."""
    with pytest.raises(ValueError, match="address") as raised:
        addresses(**given)

    assert "u:p" not in str(raised.value)
