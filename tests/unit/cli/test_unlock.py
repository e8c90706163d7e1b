"""`state unlock`: who holds the lock is shown before it is taken away, and only with consent."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.cli import prompt as asking
from reconciler.state.lease import Holder
from reconciler.state.local import LocalState
from reconciler.state.local_lease import LocalLease
from tests.e2e.harness import ROOT, Ran
from tests.properties.command import command

SINCE = datetime(2027, 3, 31, 12, 0, 5, 250_000, tzinfo=UTC)
ANA = Holder("ana", "build-7", os.getpid(), "https://ci.example/7", SINCE)
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
api: {baseUrl: "${SANDBOX_URL}", auth: {apiKey: "${SANDBOX_KEY}"}}
applications: {courier: {appCode: code}}
manifests: [devices.yaml]
state: {backend: local, path: state.db}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a state, and manifests that cannot be read: they do not matter here."""
    (tmp_path / "reconciler.yaml").write_text(PROJECT, "utf-8")
    (tmp_path / "devices.yaml").write_text("devices: {", "utf-8")
    LocalState.open(tmp_path / "state.db", create=True).close()
    return tmp_path


@pytest.fixture
def state(root: Path) -> Iterator[LocalState]:
    with LocalState.open(root / "state.db", create=False) as state:
        yield state


@pytest.fixture
def lease(state: LocalState) -> LocalLease:
    """Taken by ana, and not beating."""
    return state.lease(ANA)


def unlock(root: Path, *arguments: str) -> Ran:
    return command(root, "http://127.0.0.1:1", "state", "unlock", *arguments)


def test_where_nobody_holds_it_there_is_nothing_to_do(root: Path) -> None:
    """It says so, and that is no error; no consent is needed."""
    assert Ran(0, "Nobody holds the lock; there is nothing to take away.\n", "") == unlock(root)


def test_the_holder_is_shown_and_what_it_may_cost(
    root: Path, state: LocalState, lease: LocalLease
) -> None:
    """Who, where, which process and run, since when, how long silent; then it is taken away."""
    ran = unlock(root, "--yes")

    assert (0, "The lock of ana on build-7 was taken away.\n") == (ran.exit, ran.out)
    assert (
        "warning: The lock is held:\n"
        f"  by       ana on build-7, process {os.getpid()}\n"
        "  since    2027-03-31 12:00:05 UTC\n"
        "  beat     0 s ago; it expires 30 s after the last one\n"
        "  run      https://ci.example/7\n"
        "  If that run still lives, it stops before its next write. Calls that it has sent already"
        " may\n  still reach the service, even after the next run has read. End it first if you"
        " can.\n"
    ) == re.sub(r"\d+ s ago", "0 s ago", ran.err)
    assert state.holder() is None
    assert not lease.renew()


def test_without_a_terminal_consent_has_to_be_given(
    root: Path, state: LocalState, lease: LocalLease
) -> None:
    """The holder is shown all the same, and keeps the lock."""
    ran = unlock(root)

    assert (4, "") == (ran.exit, ran.out)
    assert "by       ana on build-7" in ran.err
    assert "Say --yes if that run is surely dead or hangs." in ran.err
    assert ANA == state.holder()


def test_programs_read_the_holder_as_json(root: Path, lease: LocalLease) -> None:
    """On stderr, as every message is with --log-format json."""
    ran = command(root, "http://127.0.0.1:1", "--log-format", "json", "state", "unlock", "--yes")
    shown = json.loads(ran.err.splitlines()[0])["holder"]
    silent = shown.pop("silentSeconds")

    assert {
        "who": "ana",
        "host": "build-7",
        "process": os.getpid(),
        "run": "https://ci.example/7",
        "since": "2027-03-31T12:00:05.250000+00:00",
    } == shown
    assert 0 <= silent < 30


def test_without_a_record_there_is_an_error(root: Path) -> None:
    """A wrong directory must not look like a lock that nobody holds."""
    (root / "state.db").unlink()

    ran = unlock(root, "--yes")
    assert 1 == ran.exit
    assert "error[E601]: No state" in ran.err


def test_a_broken_project_file_is_told(root: Path) -> None:
    """Where the state is cannot be known then."""
    (root / "reconciler.yaml").write_text("kind: [", "utf-8")

    ran = unlock(root, "--yes")
    assert (1, True) == (ran.exit, "reconciler.yaml:" in ran.err)


@pytest.mark.parametrize(("answer", "exit_code"), [("yes", 0), ("y", 4), ("", 4)])
def test_on_a_terminal_it_asks(
    root: Path, state: LocalState, lease: LocalLease, answer: str, exit_code: int
) -> None:
    """Only "yes" takes the lock away."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "-C", str(root), "state", "unlock"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    _, said = process.communicate(timeout=60)
    os.close(ours)

    assert exit_code == process.returncode
    assert 'Take the lock away? Only "yes" is accepted: ' in said
    assert (None if exit_code == 0 else ANA) == state.holder()


@pytest.mark.parametrize(
    ("next_one", "exit_code", "said"),
    [
        (None, 0, "That run has ended by now; there is nothing to take away."),
        (Holder("ivo", "build-8", os.getpid(), None, SINCE), 5, "ivo on build-8"),
    ],
)
def test_only_the_lease_that_was_shown_is_taken_away(
    root: Path,
    state: LocalState,
    lease: LocalLease,
    monkeypatch: pytest.MonkeyPatch,
    next_one: Holder | None,
    exit_code: int,
    said: str,
) -> None:
    """While the question stood there, the run ended, and perhaps the next one began."""

    def answer(*_: object) -> None:
        lease.release()
        if next_one is not None:
            state.lease(next_one)

    monkeypatch.setattr(asking, "confirmed", answer)
    ran = unlock(root)

    assert (exit_code, True) == (ran.exit, said in ran.out + ran.err)
    assert next_one == state.holder()
