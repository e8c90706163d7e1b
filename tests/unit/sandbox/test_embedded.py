"""sandbox(): a simulated service for somebody's own tests, and what it leaves alone."""

from __future__ import annotations

import gc
import json
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

import pytest

import reconciler
from reconciler.platform.operations import Operation
from reconciler.platform.worldfile import encode_world
from reconciler.sandbox.account import UnknownRegistration
from reconciler.sandbox.embedded import RunningSandbox, sandbox
from reconciler.sandbox.fleet import fleet

from .wired import WORLD, Answer, get

DEVICE: Final = next(iter(fleet(1).registrations))
HEADERS: Final = {"Authorization": "App key", "AppCode": "courier-app-code"}


def read(service: RunningSandbox) -> Answer:
    return get(service, DEVICE, headers=HEADERS)


def test_it_serves_while_the_block_lasts() -> None:
    """The world has the people asked for; the environment names the URL, a key and the codes."""
    with sandbox(people=40) as service:
        assert 40 == len(service.world().people)
        assert 200 == read(service).status
        assert {
            "INFOBIP_BASE_URL": service.url,
            "INFOBIP_API_KEY": "any-key-will-do",
            "COURIER_APP_CODE": "courier-app-code",
            "SHOP_APP_CODE": "shop-app-code",
        } == service.environ
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(service.url, timeout=5)


def test_a_hundred_people_by_default() -> None:
    """As many as the command serves."""
    with sandbox() as service:
        assert 100 == len(service.world().people)


def test_changes_beside_the_api_and_the_call_log() -> None:
    """What the app changes is there, and is no call; what is no registration or patch is said."""
    with sandbox(people=3) as service:
        service.change(DEVICE, {"additionalData": {"shift": "late"}})
        assert "late" == service.world().registrations[DEVICE].additional_data["shift"]
        assert () == service.calls()
        read(service)
        assert [(Operation.GET, 200)] == [(call.operation, call.status) for call in service.calls()]
        with pytest.raises(UnknownRegistration):
            service.change("nobody's", {"isPrimary": True})
        with pytest.raises(LookupError):
            service.uninstall("nobody's")
        with pytest.raises(ValueError, match="there is no 'primary' to change"):
            service.change(DEVICE, {"primary": True})


def test_a_world_and_a_world_file(tmp_path: Path) -> None:
    """A World and the path of its file serve the same; a code without a name has no variable."""
    file = tmp_path / "world.json"
    file.write_bytes(encode_world(WORLD))
    for given in (WORLD, file, str(file)):
        with sandbox(world=given) as service:
            assert service.world().changed_people(WORLD) == frozenset()
            assert 200 == get(service).status
            assert {"INFOBIP_BASE_URL", "INFOBIP_API_KEY", "APP_CODE"} == set(service.environ)


def test_faults_readings_latency() -> None:
    """The other arguments reach the service."""
    with sandbox(
        people=1,
        faults=["get:503@#1"],
        assume={"page-push": "bare"},
        latency=0.05,
    ) as service:
        begun = time.monotonic()
        assert [503, 200] == [read(service).status for _ in range(2)]
        assert time.monotonic() - begun >= 0.1
        assert [("get:503@#1", 2, 1)] == [
            (fault.spec, fault.met, fault.hit) for fault in service.faults()
        ]
        entry = json.loads(_people(service))["persons"][0]["contactInformation"]["push"][0]
        assert "isPrimary" not in entry


def test_no_limits_but_those_that_are_given() -> None:
    """Calls pass as quickly as they come; of a limited operation only so many a second."""
    with sandbox(people=1) as service:
        assert {200} == {read(service).status for _ in range(60)}
    with sandbox(people=1, limits={"get": 1}) as service:
        assert [200, 429] == [read(service).status for _ in range(2)]
        for _ in range(7):
            _people(service)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"people": -1}, "people must be from 0 to 10000000"),
        ({"people": 1, "world": WORLD}, "people and world exclude each other"),
        ({"assume": {"detatch": "keeps"}}, "there is no assumption 'detatch'; they are: "),
        (
            {"assume": {"detach": "keep"}},
            "detach is one of: clears-primary-and-data, keeps, clears-primary, clears-data",
        ),
        ({"faults": "get:503"}, r"faults is a list of texts, such as \['get:503@5%'\]"),
        ({"faults": ["get:999"]}, "get:999: 999 is no status of a fault"),
        ({"limits": {"read": 5}}, "there is no operation 'read' to limit; they are: get, update, "),
        ({"limits": {"get": 0}}, "the limit of get is a number of calls a second, 1 at the least"),
        ({"limits": {"get": float("nan")}}, "the limit of get is a number"),
        ({"latency": -0.1}, "latency is in seconds, from 0 to 60"),
        ({"latency": float("nan")}, "latency is in seconds, from 0 to 60"),
    ],
)
def test_what_is_no_good_is_said_before_anything_starts(
    arguments: dict[str, Any], message: str
) -> None:
    """Each wrong argument is a ValueError of the call itself."""
    with pytest.raises(ValueError, match=message):
        sandbox(**arguments)


def test_a_world_file_that_is_none(tmp_path: Path) -> None:
    """What cannot be read is an OSError, what is no world a ValueError that names the file."""
    with pytest.raises(FileNotFoundError):
        sandbox(world=tmp_path / "missing.json")
    file = tmp_path / "world.json"
    file.write_text('{"people": [{"id": "one"}]}')
    with pytest.raises(ValueError, match=r"world\.json is no world: .*people\[0\]\.id"):
        sandbox(world=file)


def test_it_touches_nothing_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No output, no signal handler, no switch of the collector, no variable of the environment."""
    # What the HTTP server would read if it were let, and fail on.
    monkeypatch.setenv("WEB_CONCURRENCY", "many")
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), gc.get_threshold()
    frozen = gc.get_freeze_count()
    with sandbox(people=1) as service:
        assert 200 == read(service).status
        assert before == (
            signal.getsignal(signal.SIGINT),
            signal.getsignal(signal.SIGTERM),
            gc.get_threshold(),
        )
    assert frozen == gc.get_freeze_count()
    assert ("", "") == capfd.readouterr()


def test_the_room_itself_can_be_called() -> None:
    """`reconciler.sandbox` is the room once any module of it is imported, and works as the call."""
    with reconciler.sandbox(people=2) as service:
        assert 2 == len(service.world().people)
    with pytest.raises(TypeError, match="peple"):
        reconciler.sandbox(peple=2)


def test_it_runs_once() -> None:
    """Before the block there is no address yet, and after it the same one does not run again."""
    service = sandbox(people=1)
    with pytest.raises(RuntimeError, match="no address before it runs"):
        service.environ  # noqa: B018
    with service:
        pass
    with pytest.raises(RuntimeError, match="runs once"), service:
        pass


def _people(service: RunningSandbox) -> bytes:
    request = urllib.request.Request(f"{service.url}/people/2/persons?limit=1", headers=HEADERS)
    with urllib.request.urlopen(request, timeout=10) as answer:
        body: bytes = answer.read()
    return body
