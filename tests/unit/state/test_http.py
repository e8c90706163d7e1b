"""The http store against a strict server: faults, locks of others and of the dead, what is told."""

from __future__ import annotations

import base64
import json
import socket
import traceback
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic, sleep
from urllib.parse import urlsplit

import pytest

from reconciler.api.credentials import BasicCredential, UnusableCredential
from reconciler.api.sync_client import BearerCredential, Limits, SyncClient
from reconciler.core import codes
from reconciler.core.diagnostics import Code
from reconciler.core.failures import StateError, Unanswered
from reconciler.core.secret import Secret
from reconciler.state.http import Addresses, HttpStore, addresses
from reconciler.state.http_lock import read_lock
from reconciler.state.retrying_store import RetryingStore
from reconciler.state.store import OutOfReach, Overtaken, Part
from tests.stub.terraform_state import PASSWORD, TOKEN, USER, Fault, Kept, server

ONE, TWO, THREE = b'{"serial": 1}', b'{"serial": 2}', b'{"serial": 3}'
BASIC = BasicCredential(USER, Secret(PASSWORD))
BEARER = BearerCredential(Secret(TOKEN))
SECRETS = (
    *(PASSWORD, TOKEN, "hush", "s3cr3t", "<html>", "Authorization"),
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
)
THEIRS = {"ID": "7d1a7a9e", "Who": "ivo@laptop\x1b[2J", "Created": "2027-03-31T12:00:00Z"}
DEAD = {"ID": "reconciler-of-a-dead-run", "Who": "ana@build-7", "Created": "2027-03-31T12:00:00Z"}


@dataclass(slots=True)
class Time:
    """Ticks that pass while somebody pauses."""

    now: float = 1000.0

    def ticks(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(name="name")
def _name() -> Iterator[str]:
    """The path of a state of its own, on a server without the faults of other tests."""
    _sound()
    yield f"/states/{uuid.uuid4()}"
    _sound()


def _sound() -> None:
    states = server().states
    states.faults.clear()
    states.calls.clear()
    states.conflict = 409


def store(
    name: str,
    time: Time | None = None,
    credential: BasicCredential | BearerCredential | None = None,
    answer: float = 5.0,
) -> HttpStore:
    courier = SyncClient(credential, Limits(answer=answer))
    clock = time or Time()
    return HttpStore(
        courier,
        addresses(server().url + name),
        who="ana@build-7",
        ticks=clock.ticks,
        pause=clock.passes,
    )


def gitlab(project: str = "1") -> str:
    return f"/api/v4/projects/{project}/terraform/state/{uuid.uuid4()}"


def kept(name: str) -> Kept:
    return server().states.of(urlsplit(name).path)


def faulty(*faults: Fault) -> None:
    server().states.faults[:] = faults
    server().states.calls.clear()


def calls(method: str) -> int:
    return sum(call.startswith(f"{method} ") for call in server().states.calls)


def refused(do: Callable[[], object], code: Code) -> str:
    """Return the message of the error, which has the code, is one line, and keeps every secret."""
    with pytest.raises(StateError) as caught:
        do()
    message = caught.value.diagnostic.message
    assert code == caught.value.diagnostic.code, message
    assert isinstance(caught.value, OutOfReach) == (code == codes.STORE_OUT_OF_REACH)
    assert message.isprintable()
    assert len(message) < 400
    shown = "".join(traceback.format_exception(caught.value))
    for piece in SECRETS:
        assert piece not in message
        assert piece not in shown
    return message


FAULTS = [
    *((Fault("GET", 9, status), codes.STORE_DENIED) for status in (401, 403)),
    *((Fault("GET", 9, status), codes.STORE_UNUSABLE) for status in (302, 308, 400, 405, 501)),
    *((Fault("GET", 9, one), codes.STORE_OUT_OF_REACH) for one in (206, 423, 429, 500, 503, 599)),
    (Fault("GET", 9, 200), codes.STORE_OUT_OF_REACH),
    (Fault("GET", 9, cut=True), codes.STORE_OUT_OF_REACH),
    (Fault("GET", 9, torn=True), codes.STORE_OUT_OF_REACH),
    (Fault("GET", 9, dropped=True), codes.STORE_OUT_OF_REACH),
    (Fault("GET", 9, slow=1.5), codes.STORE_OUT_OF_REACH),
    *((Fault("LOCK", 9, one), codes.STORE_UNUSABLE) for one in (301, 400, 404, 405, 501)),
    *((Fault("LOCK", 9, one), codes.STORE_DENIED) for one in (401, 403)),
    *((Fault("LOCK", 9, one), codes.STORE_OUT_OF_REACH) for one in (202, 429, 500)),
    *((Fault("POST", 9, one), codes.STORE_UNUSABLE) for one in (307, 404, 405, 413, 422)),
    *((Fault("POST", 9, one), codes.STORE_DENIED) for one in (401, 403)),
    *((Fault("POST", 9, one), codes.STORE_OUT_OF_REACH) for one in (429, 500, 502)),
    (Fault("POST", 9, cut=True), codes.STORE_OUT_OF_REACH),
    (Fault("POST", 9, dropped=True), codes.STORE_OUT_OF_REACH),
    (Fault("UNLOCK", 9, 405), codes.STORE_UNUSABLE),
    (Fault("UNLOCK", 9, 403), codes.STORE_DENIED),
]


@pytest.mark.parametrize(
    ("fault", "code"),
    FAULTS,
    ids=[f"{fault.method}-{fault.status or number}" for number, (fault, _) in enumerate(FAULTS)],
)
def test_what_goes_wrong_is_told_by_what_can_be_done(name: str, fault: Fault, code: Code) -> None:
    """Denied, no such place, or worth another try; method and status are named.

    The lock is given back, unless it is that which fails.
    """
    # Short only where it has to be: this machine may be busy.
    one = store(name, answer=0.7 if fault.slow else 10.0)
    first = one.write(Part.RECORD, ONE, None)
    faulty(fault)
    do = (lambda: one.read(Part.RECORD)) if fault.method == "GET" else None
    message = refused(do or (lambda: one.write(Part.RECORD, TWO, first)), code)
    if fault.method == "GET":
        refused(lambda: one.write(Part.RECORD, TWO, first), code)

    assert f" at {server().url}{name}: {fault.method}" in message
    assert str(fault.status or "") in message
    assert (kept(name).lock is None) == (fault.method != "UNLOCK")
    one.close()


def test_a_redirect_is_not_followed(name: str) -> None:
    """Neither by a read nor by a write: the credentials are for one address only."""
    one = store(name)
    for method in ("GET", "LOCK"):
        faulty(Fault(method, 9, 307, location=f"{server().url}/states/elsewhere"))
        message = refused(lambda: one.write(Part.RECORD, ONE, None), codes.STORE_UNUSABLE)
        assert "307 Temporary Redirect; redirects are not followed" in message

    assert [call for call in server().states.calls if "elsewhere" in call] == []
    one.close()


LOST = [
    *(Fault("POST", 1, cut=True), Fault("POST", 1, torn=True), Fault("POST", 1, dropped=True)),
    *(Fault("POST", 1, 503), Fault("GET", 2, 500), Fault("GET", 1, torn=True)),
    *(Fault("LOCK", 1, 502), Fault("LOCK", 1, cut=True), Fault("LOCK", 2, dropped=True)),
    *(Fault("UNLOCK", 1, 500), Fault("UNLOCK", 1, cut=True), Fault("UNLOCK", 1, dropped=True)),
]


@pytest.mark.parametrize("fault", LOST, ids=[str(number) for number in range(len(LOST))])
def test_a_trouble_that_passes_is_none(name: str, fault: Fault) -> None:
    """A write is carried out once, and known to be, also where its answer was lost.

    And nobody waits: a lock of ours that stayed is known to be ours.
    """
    time = Time()
    steady = RetryingStore(store(name, time), unit=0.001)
    first = steady.write(Part.RECORD, ONE, None)
    faulty(fault)
    second = steady.write(Part.RECORD, TWO, first)
    third = steady.write(Part.RECORD, THREE, second)
    found = steady.read(Part.RECORD)

    assert found is not None
    assert (THREE, third) == (found.data, found.version)
    assert time.now == 1000.0
    assert kept(name).lock is None
    steady.close()


def test_a_server_that_is_not_there_is_out_of_reach() -> None:
    """The address is named, without its query."""
    nowhere = HttpStore(SyncClient(), addresses("http://127.0.0.1:1/states/x?token=hush"))

    message = refused(lambda: nowhere.read(Part.RECORD), codes.STORE_OUT_OF_REACH)
    assert message.endswith("http://127.0.0.1:1/states/x: GET: the server cannot be reached")


def test_a_lock_of_somebody_else_is_waited_for_and_never_broken(name: str) -> None:
    """However long it stands; the message says who has it, and since when."""
    kept(name).lock = dict(THEIRS)
    time = Time()
    one = store(name, time)
    for number in range(3):
        began = time.now
        message = refused(lambda: one.write(Part.RECORD, ONE, None), codes.STORE_OUT_OF_REACH)
        assert (
            "locked by ivo@laptop [2J since 2027-03-31T12:00:00Z (lock 7d1a7a9e); waited" in message
        )
        assert 20.0 <= time.now - began < 22.0, number

    assert THEIRS == kept(name).lock
    assert calls("UNLOCK") == 0
    kept(name).lock = None
    one.write(Part.RECORD, ONE, None)
    one.close()


def test_a_lock_that_is_given_back_is_waited_for(name: str) -> None:
    """Within one write."""
    kept(name).lock = dict(THEIRS)
    time = Time()

    def passes(seconds: float) -> None:
        time.passes(seconds)
        if time.now > 1010.0:
            kept(name).lock = None

    one = HttpStore(SyncClient(), addresses(server().url + name), ticks=time.ticks, pause=passes)
    one.write(Part.RECORD, ONE, None)

    assert ONE == kept(name).data
    assert 10.0 <= time.now - 1000.0 < 12.0
    one.close()


@pytest.mark.parametrize(
    "body", [b"", b"locked", b"[1]", b'{"ID": 7, "Who": null}', b"\xff", b"[" * 100_000]
)
def test_a_holder_that_the_server_does_not_name(name: str, body: bytes) -> None:
    """Is waited for as any other, and not taken for one of ours."""
    faulty(Fault("LOCK", 10_000, 423, body=body))
    one = store(name)

    message = refused(lambda: one.write(Part.RECORD, ONE, None), codes.STORE_OUT_OF_REACH)
    assert "locked by somebody whom the server does not name; waited" in message
    assert calls("UNLOCK") == 0
    one.close()


def test_the_lock_of_a_writer_that_was_killed_is_broken(name: str) -> None:
    """It is ours by its ID and has stood for longer than any write takes, by our own clock."""
    kept(name).lock = dict(DEAD)
    time = Time()
    one = store(name, time)
    one.write(Part.RECORD, ONE, None)

    assert 30.0 <= time.now - 1000.0 < 32.0
    assert (ONE, None) == (kept(name).data, kept(name).lock)
    one.close()


def test_it_is_broken_by_a_later_call_too(name: str) -> None:
    """The half minute counts across the calls on one store, and the other part has its own."""
    kept(name).lock = dict(DEAD)
    time = Time()
    one = store(name, time)
    faulty(Fault("LOCK", 1, 500, after=1))
    refused(lambda: one.write(Part.RECORD, ONE, None), codes.STORE_OUT_OF_REACH)
    time.passes(31.0)
    began = time.now
    kept(f"{name}-run").lock = dict(DEAD)
    one.write(Part.RECORD, ONE, None)

    assert began == time.now
    assert DEAD == kept(f"{name}-run").lock
    one.write(Part.RUN, ONE, None)
    assert 30.0 <= time.now - began
    one.close()


def test_locks_that_change_are_of_the_living(name: str) -> None:
    """Busy writers are waited for; none of their locks is broken."""
    time = Time()

    def passes(seconds: float) -> None:
        time.passes(seconds)
        kept(name).lock = {"ID": f"reconciler-{time.now // 25}", "Who": "ana"}

    passes(0.0)
    one = HttpStore(SyncClient(), addresses(server().url + name), ticks=time.ticks, pause=passes)
    refused(lambda: one.write(Part.RECORD, ONE, None), codes.STORE_OUT_OF_REACH)

    assert 40.0 <= time.now - 1000.0 < 42.0
    assert calls("UNLOCK") == 0
    one.close()


def test_only_the_very_lock_is_broken(name: str) -> None:
    """Should its holder come to life and another one follow, the server keeps that one's."""
    kept(name).lock = dict(DEAD)
    time = Time()
    one = store(name, time)
    faulty(Fault("UNLOCK", 1, 409))
    began = time.now
    one.write(Part.RECORD, ONE, None)

    # The refused one changed nothing, so a second one was needed.
    assert calls("UNLOCK") == 3
    assert began + 30.0 <= time.now
    one.close()


@pytest.mark.parametrize("status", [0, 500])
def test_who_lost_its_lock_cannot_write(
    name: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server refuses another ID, and the writer knows that it was overtaken, or may have been.

    The other's lock stays.
    """
    path = gitlab() if status else name
    server().states.conflict = status or 409
    one = store(path, credential=BASIC if status else None)
    first = one.write(Part.RECORD, ONE, None)
    read = HttpStore.read

    def broken(self: HttpStore, part: Part) -> object:
        found = read(self, part)
        kept(path).lock = dict(THEIRS)
        return found

    monkeypatch.setattr(HttpStore, "read", broken)
    with pytest.raises(OutOfReach if status else Overtaken):
        one.write(Part.RECORD, TWO, first)
    monkeypatch.undo()

    assert (ONE, THEIRS) == (kept(path).data, kept(path).lock)
    one.close()


def test_who_was_slow_after_the_lock_does_not_write(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may take it for dead, and a server need not refuse a write while nobody locks."""
    time = Time()
    one = store(name, time)
    first = one.write(Part.RECORD, ONE, None)
    read = HttpStore.read

    def asleep(self: HttpStore, part: Part) -> object:
        found = read(self, part)
        time.passes(29.0)
        return found

    monkeypatch.setattr(HttpStore, "read", asleep)
    faulty()
    message = refused(lambda: one.write(Part.RECORD, TWO, first), codes.STORE_OUT_OF_REACH)

    assert "nothing was written: 29 s had passed since the lock" in message
    assert calls("POST") == 0
    assert (ONE, None) == (kept(name).data, kept(name).lock)
    one.close()


def test_who_was_overtaken_gives_the_lock_back(name: str) -> None:
    """And changes nothing."""
    one = store(name)
    one.write(Part.RECORD, ONE, None)
    faulty()
    with pytest.raises(Overtaken):
        one.write(Part.RECORD, TWO, "another version")

    assert ["LOCK", "GET", "UNLOCK"] == [call.split()[0] for call in server().states.calls]
    assert (ONE, None) == (kept(name).data, kept(name).lock)
    one.close()


def test_a_server_that_locks_nothing_is_refused(name: str) -> None:
    """By the first write of a part, which does not happen: it would lose records later."""
    faulty(Fault("LOCK", 9, 200, body=b""), Fault("UNLOCK", 9, 200, body=b""))
    one = store(name)

    message = refused(lambda: one.write(Part.RECORD, ONE, None), codes.STORE_UNUSABLE)
    assert "LOCK gave one lock to two at once" in message
    assert kept(name).data is None
    one.close()


def test_the_lock_says_who_we_are(name: str) -> None:
    """All that Terraform says of itself, under an ID of ours, another one for each write."""
    one = store(name)
    seen: list[dict[str, str]] = []
    version: str | None = None
    for serial in (1, 2):
        faulty(Fault("UNLOCK", 1, dropped=True))
        version = one.write(Part.RECORD, b'{"serial": %d}' % serial, version)
        seen.append(dict(kept(name).lock or {}))
        kept(name).lock = None

    assert {"ID", "Operation", "Info", "Who", "Version", "Created", "Path"} == seen[0].keys()
    assert ["ana@build-7", "record"] == [seen[0]["Who"], seen[0]["Path"]]
    assert all(one["ID"].startswith("reconciler-") for one in seen)
    assert seen[0]["ID"] != seen[1]["ID"]
    assert read_lock(json.dumps(seen[0]).encode()).document() == json.dumps(seen[0]).encode()
    one.close()


def test_the_query_of_an_address_is_kept_and_not_shown(name: str) -> None:
    """With the lock's ID behind it; a server that repeats it is not repeated."""
    one = store(f"{name}?team=s3cr3t&ID=x")
    first = one.write(Part.RECORD, ONE, None)
    faulty(Fault("POST", 1, 400, echo=True, body=b"what: "))
    message = refused(lambda: one.write(Part.RECORD, TWO, first), codes.STORE_UNUSABLE)

    assert f"POST answered 400 Bad Request: what: {name}?team=…&ID=reconciler-" in message
    assert ONE == kept(name).data
    assert one.where == server().url + name
    one.close()


@pytest.mark.parametrize("credential", [BASIC, BEARER], ids=["basic", "bearer"])
def test_credentials_are_sent_and_never_shown(
    name: str, credential: BasicCredential | BearerCredential
) -> None:
    """Also where the server repeats all that it was sent."""
    path = name.replace("/states/", "/guarded/")
    refused(lambda: store(path).read(Part.RECORD), codes.STORE_DENIED)
    one = store(path, credential=credential)
    first = one.write(Part.RECORD, ONE, None)
    for method, status in (("GET", 403), ("LOCK", 500), ("LOCK", 423), ("POST", 400)):
        faulty(Fault(method, 10_000, status, echo=True, body=b""))
        code = {403: codes.STORE_DENIED, 400: codes.STORE_UNUSABLE}
        with pytest.raises(StateError) as caught:
            one.write(Part.RECORD, TWO, first)
        assert caught.value.diagnostic.code == code.get(status, codes.STORE_OUT_OF_REACH)
        assert not [one for one in (*SECRETS[:4], SECRETS[-1]) if one in str(caught.value)]
        assert ("[hidden]" in str(caught.value)) == (status != 423)

    assert "hush" not in repr(vars(one)) + repr(vars(one._http))
    one.close()


def test_a_wrong_password_is_denied(name: str) -> None:
    """By read and write alike."""
    del name
    one = store(gitlab(), credential=BasicCredential("ana", Secret("hush-wrong")))

    message = refused(lambda: one.read(Part.RECORD), codes.STORE_DENIED)
    refused(lambda: one.write(Part.RECORD, ONE, None), codes.STORE_DENIED)
    assert "GET answered 401 Unauthorized: 401 Unauthorized" in message
    one.close()


@pytest.mark.parametrize("token", ["", "a b", "line\nbreak", "ü"])
def test_a_credential_that_no_header_carries_is_refused(token: str) -> None:
    """Before anything is sent."""
    with pytest.raises(UnusableCredential):
        SyncClient(BearerCredential(Secret(token)))
    with pytest.raises(UnusableCredential):
        SyncClient(BasicCredential("a:b", Secret("x")))


def test_an_answer_has_an_end(name: str) -> None:
    """One that is larger than any record is not read to its end."""
    one = store(name)
    one.write(Part.RECORD, b'{"serial": 1, "x": "' + b"x" * 10_000 + b'"}', None)
    small = SyncClient(limits=Limits(largest=5_000))

    with pytest.raises(Unanswered, match="larger than 5000 bytes"):
        small.request("GET", server().url + name, body=None, headers={})
    small.close()
    one.close()


def test_a_password_is_blotted_out_as_json_writes_it(name: str) -> None:
    """Quotes and letters beyond ASCII look different there; what is no refusal stays whole."""
    password = 'hu"shü'
    courier = SyncClient(BasicCredential("ana", Secret(password)))
    url, told = server().url + name, json.dumps({"message": f"not {password}!"}).encode()
    faulty(Fault("GET", 1, 400, body=told), Fault("GET", 1, 200, body=told))
    answers = [courier.request("GET", url, body=None, headers={}) for _ in range(2)]

    assert [b'{"message": "not [hidden]!"}', told] == [answer.body for answer in answers]
    courier.close()


def test_an_answer_that_drips_is_given_up() -> None:
    """Each byte comes in time, and the whole never does."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:

        def drip() -> None:
            line, _ = listening.accept()
            with line, suppress(OSError):
                line.recv(65536)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(200):
                    line.sendall(b"{")
                    sleep(0.05)

        dripping = pool.submit(drip)
        courier, began = SyncClient(limits=Limits(connect=0.2, answer=0.3)), monotonic()
        with pytest.raises(Unanswered, match="no whole answer within"):
            courier.request(
                "GET", f"http://127.0.0.1:{listening.getsockname()[1]}/", body=None, headers={}
            )
        assert monotonic() - began < 5.0
        courier.close()
        dripping.result(20)


@pytest.mark.parametrize("url", ["http://no.such.host.invalid/x", "http://h:99999/", "nonsense"])
def test_what_cannot_be_asked_is_unanswered(url: str) -> None:
    """Whatever a library would have raised."""
    courier = SyncClient()
    with pytest.raises(Unanswered):
        courier.request("GET", url, body=None, headers={})
    courier.close()


def test_gitlab_takes_what_we_write(name: str) -> None:
    """With its own lock addresses and methods, serials that grow, and both parts apart."""
    del name
    path = gitlab("team%2Fproject")
    one = store(path, credential=BASIC)
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


def test_gitlab_has_no_state_before_the_first_write(name: str) -> None:
    """It says 404 before a lock was ever taken, and 204 after."""
    del name
    path = gitlab()
    one = store(path, credential=BASIC)
    before = one.read(Part.RECORD)
    with pytest.raises(Overtaken):
        one.write(Part.RECORD, ONE, "some version")

    assert [before, one.read(Part.RECORD)] == [None, None]
    assert kept(path).known
    one.close()


def test_gitlab_keeps_a_serial_once(name: str) -> None:
    """What it refuses is told with its own words."""
    del name
    one = store(gitlab(), credential=BASIC)
    first = one.write(Part.RECORD, ONE, None)

    again = b'{"serial": 1, "other": true}'
    message = refused(lambda: one.write(Part.RECORD, again, first), codes.STORE_UNUSABLE)
    assert "POST answered 422" in message
    assert message.endswith(": version has already been taken")
    one.close()


def test_gitlab_names_the_holder(name: str) -> None:
    """A lock of Terraform stays, one of a dead writer does not."""
    del name
    path = gitlab()
    one = store(path, credential=BASIC)
    kept(path).lock = dict(THEIRS)
    message = refused(lambda: one.write(Part.RECORD, ONE, None), codes.STORE_OUT_OF_REACH)
    assert "locked by ivo@laptop" in message
    kept(path).lock = dict(DEAD)
    one.write(Part.RECORD, ONE, None)

    assert (ONE, None) == (kept(path).data, kept(path).lock)
    one.close()


def test_threads_share_a_store(name: str) -> None:
    """They take turns for a part; each write is over the one before."""
    one = store(name)
    one.write(Part.RECORD, b'{"serial": 0}', None)

    def add(_: int) -> None:
        while True:
            found = one.read(Part.RECORD)
            assert found is not None
            serial = json.loads(found.data)["serial"] + 1
            try:
                one.write(Part.RECORD, b'{"serial": %d}' % serial, found.version)
            except Overtaken:
                continue
            return

    faulty()
    with ThreadPoolExecutor(4) as pool:
        tuple(pool.map(add, range(12)))
    assert b'{"serial": 12}' == kept(name).data
    # None was refused, nor took the lock of another thread for one that was left behind.
    assert calls("LOCK") == calls("UNLOCK") >= calls("POST") == 12
    one.close()


GITLAB = "https://h/gl/api/v4/projects/a%2Fb/terraform/state/x"


def _addresses(urls: list[str], lock: str, unlock: str, update: str) -> Addresses:
    address, lock_address, unlock_address = urls
    return Addresses(address, lock_address, unlock_address, lock, unlock, update)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"address": "https://h/s?x=1#y"},
            _addresses(["https://h/s?x=1"] * 3, "LOCK", "UNLOCK", "POST"),
        ),
        (
            {"address": GITLAB},
            _addresses([GITLAB, *[f"{GITLAB}/lock"] * 2], "POST", "DELETE", "POST"),
        ),
        (
            {"address": f"{GITLAB}/versions"},
            _addresses([f"{GITLAB}/versions"] * 3, "LOCK", "UNLOCK", "POST"),
        ),
        (
            {
                "address": "https://h/s",
                "lock_address": "https://h/s/l",
                "lock_method": "PUT",
                "update_method": "PUT",
            },
            Addresses("https://h/s", "https://h/s/l", "https://h/s", "PUT", "UNLOCK", "PUT"),
        ),
    ],
)
def test_what_is_not_given_is_known(given: dict[str, str], expected: Addresses) -> None:
    """Terraform's defaults, or those of GitLab."""
    assert expected == addresses(**given)


def test_the_second_part_stands_beside_the_first() -> None:
    """With its lock where the first one has it."""
    record = addresses("https://h/s?x=1", lock_address="https://h/s/lock?y", unlock_method="DELETE")

    assert record == record.of(Part.RECORD)
    assert record.of(Part.RUN) == Addresses(
        *("https://h/s-run?x=1", "https://h/s-run/lock?y", "https://h/s-run?x=1"),
        *("LOCK", "DELETE", "POST"),
    )
    assert record.of(Part.RUN).updating == "https://h/s-run?x=1&ID="


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"address": "ftp://h/s"}, "no http:// or https:// URL"),
        ({"address": "https:///s"}, "no http:// or https:// URL"),
        ({"address": "https://h/s p"}, "no http:// or https:// URL"),
        ({"address": "https://h/s\n"}, "no http:// or https:// URL"),
        ({"address": "https://h:99999/s"}, "is no URL"),
        ({"address": "https://[h/s"}, "is no URL"),
        ({"address": "https://h"}, "no name at the end"),
        ({"address": "https://h/s/"}, "no name at the end"),
        ({"address": "https://ana:s3cr3t@h/s"}, "settings of their own"),
        ({"address": "https://h/s", "lock_address": "https://other/s"}, "lockAddress of the"),
        ({"address": "https://h/s", "unlock_address": "https://h/st"}, "unlockAddress of the"),
        ({"address": "https://h/s", "lock_method": "lock it"}, "capital letters"),
    ],
)
def test_what_is_no_address_is_refused(given: dict[str, str], said: str) -> None:
    """The message says how it has to be, and holds nothing of it that could be secret."""
    with pytest.raises(ValueError, match=said) as raised:
        addresses(**given)

    assert "s3cr3t" not in "".join(traceback.format_exception(raised.value))
