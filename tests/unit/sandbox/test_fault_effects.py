"""Faults on the wire: what a client sees of each, and what has happened all the same."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from reconciler.sandbox.calls import overlapping_writes
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions

from .wired import (
    HEADERS,
    PUSH,
    WORLD,
    Answer,
    ask,
    ask_on,
    connection,
    get,
    logged,
    meeting,
    page,
    update,
)

# The clock of the event loop has whole milliseconds.
TICK = 0.005


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(SandboxOptions(world=WORLD, limits=None)) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The server never complains, whatever a fault does."""
    caplog.set_level(logging.WARNING)
    yield
    assert [] == [record.getMessage() for record in caplog.records]


def _value(sandbox: RunningSandbox) -> object:
    return sandbox.world().registrations["r1"].additional_data.get("k")


BROKEN = [
    pytest.param("hang", 0, "TimeoutError", id="hang"),
    pytest.param("hang,seconds=0.05", 0, "RemoteDisconnected", id="hang-seconds"),
    pytest.param("reset", 0, "ConnectionResetError", id="reset"),
    pytest.param("truncate", 200, "IncompleteRead", id="truncate"),
    pytest.param("empty", 200, "", id="empty"),
    pytest.param("garbage", 200, "", id="garbage"),
    pytest.param("html", 200, "", id="html"),
    pytest.param("wrong-type", 200, "", id="wrong-type"),
    pytest.param("503", 503, "", id="503"),
    pytest.param("401,html", 401, "", id="401-html"),
    pytest.param("302", 302, "", id="302"),
    pytest.param("599", 599, "", id="599"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("effect", "status", "broken"), BROKEN)
def test_a_write_that_goes_wrong(
    sandbox: RunningSandbox, effect: str, status: int, broken: str, after: bool
) -> None:
    """Before: nothing is changed and nobody touched. After: the write is done; the client cannot
    tell. The next call works either way."""
    spec = f"update:{effect}{',after' * after}"
    with meeting(sandbox, spec):
        seen = update(sandbox, timeout=0.1 if effect == "hang" else 10)
        assert (status, broken) == (seen.status, seen.broken)
        (call,) = logged(sandbox)
        assert (1 if after else None) == _value(sandbox)
        expected = {"status": status, "done": after, "fault": spec, "people": [1] * after}
        assert expected == {name: call[name] for name in expected}
        assert [(1, 1)] == [(one.met, one.hit) for one in sandbox.faults()]
        assert 200 == get(sandbox).status


@pytest.mark.parametrize("method", ["GET", "POST personalize", "POST depersonalize", "persons"])
@pytest.mark.parametrize(("effect", "status", "broken"), BROKEN)
def test_every_operation_can_go_wrong(
    sandbox: RunningSandbox, method: str, effect: str, status: int, broken: str
) -> None:
    """The same for reads, and for an answer that has no body."""
    verb, _, under = method.partition(" ")
    path = f"{PUSH}r1" + f"/{under}" * bool(under)
    body = {"identity": {"externalId": "courier-1"}} if under == "personalize" else None
    if method == "persons":
        verb, path = "GET", "/people/2/persons?type=PUSH&identifier=r1&sender=A"
    with meeting(sandbox, f"any:{effect}"):
        seen = ask(sandbox, verb, path, body, timeout=0.05 if effect == "hang" else 10)
        assert (status, broken) == (seen.status, seen.broken)
        assert WORLD == sandbox.world()
        assert [(status, False)] == [(one["status"], one["done"]) for one in logged(sandbox)]


def test_what_wrong_answers_say(sandbox: RunningSandbox) -> None:
    """Half of the promised bytes; no bytes; no JSON; a page; JSON of other types."""
    true = get(sandbox)

    def answer(spec: str) -> Answer:
        with meeting(sandbox, spec):
            return get(sandbox)

    cut = answer("get:truncate")
    assert (true.headers["content-length"], true.body[: len(true.body) // 2]) == (
        cut.headers["content-length"],
        cut.body,
    )
    assert (b"", "0") == (answer("get:empty").body, answer("get:empty").headers["content-length"])
    garbage = answer("get:garbage")
    assert "application/json" == garbage.headers["content-type"]
    with pytest.raises(ValueError):
        garbage.json()
    for spec, title in (
        ("get:html", b"200 OK"),
        ("get:503,html", b"503 Service Unavailable"),
        ("get:599,html", b"599 Unknown"),
    ):
        told = answer(spec)
        assert told.headers["content-type"].startswith("text/html")
        assert title in told.body
    wrong, right = answer("get:wrong-type").json(), true.json()
    assert wrong.keys() == right.keys()
    assert [] == [name for name in right if type(right[name]) is type(wrong[name])]


@pytest.mark.parametrize(
    ("status", "message_id"),
    [
        (401, "UNAUTHORIZED"),
        (403, "FORBIDDEN"),
        (404, "NOT_FOUND"),
        (409, "OPTIMISTIC_LOCK"),
        (429, "TOO_MANY_REQUESTS"),
        (500, "GENERAL_ERROR"),
        (502, "BAD_GATEWAY"),
        (503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_a_status_has_the_error_of_the_service(
    sandbox: RunningSandbox, status: int, message_id: str
) -> None:
    """As the service itself would say it, and without a Retry-After that nobody asked for."""
    with meeting(sandbox, f"get:{status}"):
        seen = get(sandbox)
    assert status == seen.status
    assert message_id == seen.json()["requestError"]["serviceException"]["messageId"]
    assert "retry-after" not in seen.headers


def test_a_redirect_stays_on_this_machine(sandbox: RunningSandbox) -> None:
    """Its location is below the sandbox, where nothing is; 304 has neither body nor location."""
    with meeting(sandbox, "get:302"):
        seen = get(sandbox)
    assert f"{sandbox.url}/elsewhere" == seen.headers["location"]
    assert 404 == ask(sandbox, "GET", "/elsewhere").status
    with meeting(sandbox, "get:304"):
        seen = get(sandbox)
    assert (304, b"") == (seen.status, seen.body)
    assert "location" not in seen.headers


def test_retry_after(sandbox: RunningSandbox) -> None:
    """In seconds, or as a date that is never earlier than so many seconds from now."""
    with meeting(sandbox, "get:429,retry-after=2"):
        assert "2" == get(sandbox).headers["retry-after"]
    with meeting(sandbox, "get:503,retry-after=date:2"):
        before = datetime.now(UTC).timestamp()
        date = parsedate_to_datetime(get(sandbox).headers["retry-after"]).timestamp()
    assert before + 2 <= date <= math.ceil(time.time()) + 2


def test_a_drip_is_the_true_answer_slowly(sandbox: RunningSandbox) -> None:
    """The whole answer, no sooner than it says; a body of nothing takes as long; the connection
    goes on, and a client may leave in the middle."""
    true = get(sandbox).body
    with meeting(sandbox, "any:drip,seconds=0.1"), closing(connection(sandbox)) as made:
        start = time.monotonic()
        assert true == ask_on(made, "GET", f"{PUSH}r1").body
        assert time.monotonic() - start >= 0.1 - TICK
        path = f"{PUSH}r2/depersonalize"
        seen = ask_on(made, "POST", path)
        assert (200, b"") == (seen.status, seen.body)
        assert time.monotonic() - start >= 0.2 - TICK
    with meeting(sandbox, "update:drip,seconds=60"):
        assert "TimeoutError" == update(sandbox, timeout=0.05).broken
        (call,) = logged(sandbox)
    assert (200, True, 1) == (call["status"], call["done"], _value(sandbox))
    assert call["end"] - call["start"] < 30


def test_a_delay_goes_on_without_its_client(sandbox: RunningSandbox) -> None:
    """The write is carried out late, after whoever sent it has gone; `after` means at once."""
    with meeting(sandbox, "update:delay,seconds=0.3"):
        assert "TimeoutError" == update(sandbox, "late", timeout=0.02).broken
        assert _value(sandbox) is None
        (call,) = logged(sandbox)
        assert (0, True, "late") == (call["status"], call["done"], _value(sandbox))
        assert call["end"] - call["start"] >= 0.3 - TICK
    with meeting(sandbox, "update:delay,seconds=0.3,after"):
        assert "TimeoutError" == update(sandbox, "early", timeout=0.05).broken
        assert "early" == _value(sandbox)
        (call,) = logged(sandbox)
        assert (0, True) == (call["status"], call["done"])
    with meeting(sandbox, "update:delay,seconds=0.05"):
        start = time.monotonic()
        assert (200, 2) == (update(sandbox, 2).status, _value(sandbox))
        assert time.monotonic() - start >= 0.05 - TICK


def test_a_hanging_write_overlaps_nothing_once_it_is_done(sandbox: RunningSandbox) -> None:
    """Its effect was when it was carried out; another write while its client waits is no overlap,
    nor is one that never reached the service."""
    with meeting(sandbox, "update:hang@#1,after", "update:hang@#2"):
        with closing(connection(sandbox)) as first, closing(connection(sandbox)) as second:
            for number, made in ((1, first), (2, second)):
                made.request("PATCH", f"{PUSH}r1", "{}", HEADERS)
                _await_hits(sandbox, number)
            assert 200 == update(sandbox).status
        assert [[], [1], [1]] == sorted(one["people"] for one in logged(sandbox, 3))
        assert [] == overlapping_writes(sandbox.calls())


def test_writes_that_do_overlap_are_found(sandbox: RunningSandbox) -> None:
    """A write that a fault makes slow runs until it is answered, or carried out."""
    for spec in ("update:drip@#1,seconds=0.3", "update:delay@#1,seconds=0.3"):
        with meeting(sandbox, spec):
            with closing(connection(sandbox)) as first:
                first.request("PATCH", f"{PUSH}r1", "{}", HEADERS)
                _await_hits(sandbox, 1)
                assert 200 == update(sandbox).status
                first.getresponse().read()
            logged(sandbox, 2)
            assert 1 == len(overlapping_writes(sandbox.calls()))


def _await_hits(sandbox: RunningSandbox, number: int) -> None:
    while sum(one.hit for one in sandbox.faults()) < number:
        time.sleep(0.001)


def test_a_rival_changes_what_was_just_answered(sandbox: RunningSandbox) -> None:
    """The answer is from before, the next one from after; without `set` it is registrationEnabled
    that turns around, and a registration that is not there stays so."""
    with meeting(sandbox, 'get:rival@#1,set={"additionalData": {"by": "app"}, "isPrimary": true}'):
        first, then = get(sandbox).json(), get(sandbox).json()
    assert (False, None) == (first["isPrimary"], first.get("additionalData"))
    assert (True, {"by": "app"}) == (then["isPrimary"], then["additionalData"])
    with meeting(sandbox, "any:rival@#1-2"):
        lookup = "/people/2/persons?type=PUSH&identifier=r2&sender=A"
        assert 200 == ask(sandbox, "GET", lookup).status
        assert 400 == get(sandbox, "r9").status
        assert sandbox.world().registrations["r1"].registration_enabled
        assert not sandbox.world().registrations["r2"].registration_enabled
    with meeting(sandbox, 'get:rival,set={"owner": 99}'):
        assert 200 == get(sandbox).status
        assert WORLD == sandbox.world()


def test_pages_shift(sandbox: RunningSandbox) -> None:
    """Before a page somebody old appears, so one stands on two pages; or vanishes, so one stands
    on none. Look-ups of one person are no pages."""
    with meeting(sandbox, "persons:appear@#2"):
        assert [[1, 2], [2, 3], [4]] == [page(sandbox, number) for number in (1, 2, 3)]
        assert {"appeared-5"} == {one.reveal() for one in sandbox.world().people[5].identities}
    with meeting(sandbox, "persons:vanish@#2"):
        assert [[1, 2], [4]] == [page(sandbox, number) for number in (1, 2)]
        assert {"r2", "r3"} == set(sandbox.world().registrations)
    with meeting(sandbox, "persons:appear@#1", "persons:vanish@#2"):
        lookup = "/people/2/persons?type=PUSH&identifier=r2&sender=A"
        assert 200 == ask(sandbox, "GET", lookup).status
        assert [[5, 1], [3, 4], []] == [page(sandbox, number) for number in (1, 2, 3)]
        assert WORLD == sandbox.world()


def test_pages_shift_although_reads_lag() -> None:
    """A shift that a page does not show would be none."""
    options = SandboxOptions(world=WORLD, limits=None, assume={"read-after-write": "lags"})
    with RunningSandbox(options) as lagging:
        lagging.set_faults(["persons:vanish@#2"])
        assert [[1, 2], [4]] == [page(lagging, number) for number in (1, 2)]


def test_the_token_can_go_wrong_too(sandbox: RunningSandbox) -> None:
    """Its requests are counted as `token`, and stand in no log."""
    form = "grant_type=client_credentials&client_id=me&client_secret=word"
    with meeting(sandbox, "token:503@#1", "token:reset@#2,after", "token:wrong-type@#3"):
        seen = [ask(sandbox, "POST", "/auth/1/oauth2/token", form, headers={}) for _ in range(4)]
        assert [503, 0, 200, 200] == [one.status for one in seen]
        assert "ConnectionResetError" == seen[1].broken
        assert 0 == seen[2].json()["access_token"]
        assert seen[3].json()["access_token"].startswith("sandbox-token-")
        assert [4, 4, 4] == [one.met for one in sandbox.faults()]
        assert [] == logged(sandbox, 0)


def test_faults_stand_in_front_of_the_limits() -> None:
    """A call that a fault stops counts for no limit; with `after` it does, and may be refused."""
    from reconciler.platform.operations import DEFAULT_LIMITS, Operation

    limits = {**DEFAULT_LIMITS, Operation.UPDATE: 1.0}
    specs = ("update:500@#1-2", "update:500@#4,after")
    with RunningSandbox(SandboxOptions(world=WORLD, limits=limits, faults=specs)) as limited:
        assert [500, 500, 200, 500, 429] == [update(limited, n).status for n in range(5)]
        assert [False, False, True, False, False] == [one["done"] for one in logged(limited, 5)]
        assert 2 == _value(limited)


def test_it_ends_while_calls_hang(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a hanging call nor a slow one keeps the sandbox from its end."""
    specs = (
        "get:hang@#1",
        "get:hang@#2,seconds=60",
        "get:drip,seconds=60",
        "update:delay,seconds=60",
    )
    with RunningSandbox(SandboxOptions(world=WORLD, faults=specs, limits=None)) as ending:
        made = [connection(ending) for _ in range(4)]
        for one in made[:3]:
            one.request("GET", f"{PUSH}r1", None, HEADERS)
        made[3].request("PATCH", f"{PUSH}r1", "{}", HEADERS)
        _await_hits(ending, 4)
        start = time.monotonic()
    assert time.monotonic() - start < 3
    for one in made:
        one.close()
    assert [] == caplog.records
