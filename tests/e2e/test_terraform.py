"""The real terraform on the state server of our tests: what holds for ours holds for a true one."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.api.credentials import BasicCredential
from reconciler.api.sync_client import Answer, SyncClient
from reconciler.core.secret import Secret
from reconciler.state.http import HttpStore, addresses
from reconciler.state.store import OutOfReach, Part
from tests.stub.terraform_state import PASSWORD, USER, Kept, server

TERRAFORM = shutil.which("terraform")
pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform here")

SETTLED = ("-input=false", "-no-color")
APPLY = ("apply", "-auto-approve", *SETTLED)
RESOURCE = 'resource "terraform_data" "one" {{\n  input = "{}"\n}}\n'


class Interrupted(SyncClient):
    """Does something else once, between the lock and the write that needs it."""

    meanwhile: Callable[[], None] | None = None

    def request(
        self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        if self.meanwhile is not None and "?ID=" in url:
            do, self.meanwhile = self.meanwhile, None
            do()
        return super().request(method, url, body=body, headers=headers)


@dataclass(slots=True)
class Side:
    """A state, a directory of terraform that keeps it, and our store at the same address."""

    directory: Path
    kept: Kept
    settings: dict[str, str]
    courier: Interrupted
    store: HttpStore

    def lock(self) -> dict[str, str] | None:
        return self.kept.lock

    def declare(self, value: str) -> None:
        lines = "".join(f'    {key} = "{text}"\n' for key, text in self.settings.items())
        backend = f'terraform {{\n  backend "http" {{\n{lines}  }}\n}}\n'
        (self.directory / "main.tf").write_text(backend + RESOURCE.format(value), "utf-8")

    def terraform(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        assert TERRAFORM is not None
        return subprocess.run(
            [TERRAFORM, *arguments],
            cwd=self.directory,
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": str(self.directory),
                "CHECKPOINT_DISABLE": "1",
                "TF_IN_AUTOMATION": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def done(self, *arguments: str) -> str:
        ran = self.terraform(*arguments)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


@pytest.fixture(params=["terraform", "gitlab"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    """A state of its own on each flavour, begun by terraform."""
    running, name = server(), str(uuid.uuid4())
    running.states.faults.clear()
    running.states.calls.clear()
    flavour: str = request.param
    path = f"/states/{name}"
    if flavour == "gitlab":
        path = f"/api/v4/projects/1/terraform/state/{name}"
    place = addresses(running.url + path)
    # What our defaults are is told to terraform word by word, so that both mean the same.
    settings = {
        "address": place.address,
        "lock_address": place.lock_address,
        "unlock_address": place.unlock_address,
        "lock_method": place.lock_method,
        "unlock_method": place.unlock_method,
        "retry_max": "0",
    }
    credential = None
    if flavour == "gitlab":
        settings |= {"username": USER, "password": PASSWORD}
        credential = BasicCredential(USER, Secret(PASSWORD))
    passed = [0.0]

    def pause(seconds: float) -> None:
        passed[0] += seconds

    courier = Interrupted(credential)
    store = HttpStore(courier, place, who="ana@build-7", ticks=lambda: passed[0], pause=pause)
    one = Side(tmp_path, running.states.of(path), settings, courier, store)
    one.declare("first")
    one.done("init", *SETTLED)
    yield one
    store.close()


def test_terraform_keeps_its_state_there(side: Side) -> None:
    """What it applied is there the next time, and changes by its own calls alone."""
    side.done(*APPLY)
    first = side.kept.data

    assert "terraform_data.one\n" == side.done("state", "list")
    side.declare("second")
    side.done(*APPLY)
    assert "No changes" in side.done("plan", *SETTLED)
    assert side.lock() is None
    assert first is not None
    assert b'"first"' in first
    assert b'"second"' in (side.kept.data or b"")
    found = side.store.read(Part.RECORD)
    assert found is not None
    assert side.kept.data == found.data


def test_terraform_respects_our_lock(side: Side) -> None:
    """It names its ID and goes, whatever an answer's status is; when we are done, it applies."""
    refusals: list[subprocess.CompletedProcess[str]] = []
    ids: list[str] = []

    def meanwhile() -> None:
        ids.append((side.lock() or {})["ID"])
        refusals.append(side.terraform(*APPLY))

    side.courier.meanwhile = meanwhile
    side.store.write(Part.RECORD, b'{"serial": 0}', None)

    (refused,), (held,) = refusals, ids
    assert refused.returncode == 1, refused.stdout
    assert held.startswith("reconciler-")
    assert held in refused.stderr
    assert b'{"serial": 0}' == side.kept.data
    assert side.lock() is None


def test_we_respect_the_lock_of_terraform(side: Side) -> None:
    """A lock that a killed terraform left is told and kept, until terraform breaks it."""
    side.done(*APPLY)
    theirs = side.store.read(Part.RECORD)
    assert theirs is not None
    # Its apply is killed by its own resource, which leaves the lock behind.
    killing = 'provisioner "local-exec" {\n    command = "kill -9 $PPID"\n  }'
    (side.directory / "second.tf").write_text(
        f'resource "terraform_data" "two" {{\n  {killing}\n}}\n', "utf-8"
    )
    killed = side.terraform(*APPLY)
    lock = side.lock()
    assert killed.returncode != 0
    assert lock is not None

    with pytest.raises(OutOfReach) as raised:
        side.store.write(Part.RECORD, b'{"serial": 99}', theirs.version)
    assert f"locked by {lock['Who']} since {lock['Created']} (lock {lock['ID']})" in str(
        raised.value
    )
    assert lock == side.lock()

    refused = side.terraform(*APPLY)
    assert refused.returncode == 1
    assert lock["ID"] in refused.stderr
    side.done("force-unlock", "-force", lock["ID"])
    assert side.lock() is None

    found = side.store.read(Part.RECORD)
    assert found is not None
    version = side.store.write(Part.RECORD, b'{"serial": 99}', found.version)
    again = side.store.read(Part.RECORD)
    assert again is not None
    assert (b'{"serial": 99}', version) == (again.data, again.version)


def test_a_lock_of_ours_that_stayed_can_be_broken_by_hand(side: Side) -> None:
    """By the ID that terraform itself tells."""
    ours = {"ID": "reconciler-of-a-dead-run", "Who": "ana@build-7", "Info": "", "Path": "record"}
    side.kept.lock = dict(ours)
    refused = side.terraform(*APPLY)
    assert refused.returncode == 1
    assert "reconciler-of-a-dead-run" in refused.stderr

    side.done("force-unlock", "-force", "reconciler-of-a-dead-run")
    assert side.lock() is None
    side.done(*APPLY)
