"""A state in a shared place, over the real command line: other machines, kills, lost places."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import pytest

from reconciler.sandbox.serve import RunningSandbox
from tests.changed import replace

from .harness import Project, Ran
from .paused import COUNT, DEVICES, PROJECT, manifest, started, written

KEY = "11" * 32


def shared(place: Path, more: str = "") -> str:
    """Return the project file with the state in a directory."""
    state = f"state: {{backend: objectstore, url: {place.as_uri()}{more}}}"
    return PROJECT.replace("state: {path: state.db}", state)


def machine(sandbox: RunningSandbox, root: Path, name: str, project: str) -> Project:
    """Return another checkout of the same repository, with another HOME."""
    (root / name).mkdir()
    here = Project(root / name, sandbox.url)
    here.write("reconciler.yaml", project)
    here.write("devices.yaml", manifest("night"))
    return here


@pytest.fixture
def here(sandbox: RunningSandbox, tmp_path: Path) -> Project:
    """A checkout whose shared state was started."""
    project = machine(sandbox, tmp_path, "here", shared(tmp_path / "record"))
    assert project.run("state", "init").exit == 0
    return project


@pytest.fixture
def there(here: Project, sandbox: RunningSandbox, tmp_path: Path) -> Project:
    """The same on another machine."""
    return machine(sandbox, tmp_path, "there", shared(tmp_path / "record"))


def slowly(project: Project) -> None:
    """Let an apply last for as long as other commands need to start."""
    file = project.root / "reconciler.yaml"
    file.write_text(file.read_text().replace("update: 25", "update: 4"))


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


def record_of(project: Project) -> list[str]:
    ran = project.run("state", "list", "--format", "json")
    assert ran.exit == 0, said(ran)
    return [device["id"] for device in ran.json()["devices"]]


def test_planned_here_applied_there(here: Project, there: Project, sandbox: RunningSandbox) -> None:
    """A plan is good wherever the state can be read; afterwards both find nothing to do."""
    planned = here.run("plan", "-o", "plan.json")
    assert planned.exit == 0, said(planned)
    there.write("plan.json", (here.root / "plan.json").read_text())
    applied = there.run("apply", "plan.json")

    assert applied.exit == 0, said(applied)
    for project in (here, there):
        again = project.run("plan", "--detailed-exitcode")
        assert again.exit == 0, said(again)
        assert list(DEVICES) == record_of(project)
        finished = project.run("apply", "plan.json")
        assert "was applied at" in finished.err, said(finished)
    assert dict.fromkeys(DEVICES, 1) == Counter(written(sandbox))


def test_a_runner_that_is_gone_is_gone_on_with_elsewhere(
    here: Project, there: Project, sandbox: RunningSandbox
) -> None:
    """Killed in the middle, and its disk with it: the same plan ends in the same world, and nothing
    is written twice."""
    assert here.run("plan", "-o", "plan.json").exit == 0
    there.write("plan.json", (here.root / "plan.json").read_text())
    with started(here, "apply", "plan.json") as run:
        run.until(lambda: len(written(sandbox)) >= 7)
        run.signal(signal.SIGKILL)
        run.ended()
    # A killed run leaves its lock; its process is seen to be dead.
    left = there.run("plan")
    assert "did not finish" in left.err, said(left)
    ran = there.run("apply", "plan.json")

    assert ran.exit == 0, said(ran)
    assert "begun on another machine" in ran.err
    assert f"Applied: {COUNT} calls" in ran.out
    assert "read to be done" not in ran.err
    assert dict.fromkeys(DEVICES, 1) == Counter(written(sandbox))
    assert list(DEVICES) == record_of(there)
    assert there.run("plan", "--detailed-exitcode").exit == 0


def test_a_new_plan_adopts_what_a_lost_runner_did(
    here: Project, there: Project, sandbox: RunningSandbox
) -> None:
    """Whoever plans anew instead finds it as declared, and apply notes it without a call."""
    with started(here, "apply", "--yes") as run:
        run.until(lambda: len(written(sandbox)) >= 7)
        run.signal(signal.SIGKILL)
        run.ended()
    ran = there.run("apply", "--yes")

    assert ran.exit == 0, said(ran)
    assert "adopted" in ran.out
    assert dict.fromkeys(DEVICES, 1) == Counter(written(sandbox))
    assert list(DEVICES) == record_of(there)


def test_of_two_applies_at_once_one_works(
    here: Project, there: Project, sandbox: RunningSandbox
) -> None:
    """The other one is told by whom, and ends with 5; or waits, and finds nothing left."""
    slowly(here)
    with started(here, "apply", "--yes") as run:
        run.until(lambda: len(written(sandbox)) >= 1)
        refused = there.run("apply", "--yes")
        waited = there.run("apply", "--yes", "--lock-timeout", "60s")
        ended = run.ended()

    assert (0, 5, 0) == (ended.exit, refused.exit, waited.exit), said(refused) + said(waited)
    assert "the state is locked by" in refused.err
    assert "Waiting for the lock" in waited.err
    assert dict.fromkeys(DEVICES, 1) == Counter(written(sandbox))


def test_a_lease_taken_away_stops_the_run(
    here: Project, there: Project, sandbox: RunningSandbox
) -> None:
    """Before its next write; what it has done is known, and the next run does the rest."""
    slowly(here)
    with started(here, "apply", "--yes") as run:
        run.until(lambda: len(written(sandbox)) >= 3)
        unlocked = there.run("state", "unlock", "--yes")
        ended = run.ended()

    assert unlocked.exit == 0, said(unlocked)
    assert ended.exit == 3, said(ended)
    assert "the lock was lost" in ended.out.lower()
    assert len(written(sandbox)) < COUNT
    assert there.run("apply", "--yes").exit == 0
    assert dict.fromkeys(DEVICES, 1) == Counter(written(sandbox))


def test_a_record_that_is_not_there_is_not_made_by_itself(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """A wrong address must not look like a fleet that was never applied."""
    project = machine(sandbox, tmp_path, "here", shared(tmp_path / "nowhere"))
    for arguments in (("plan",), ("apply", "--yes"), ("state", "list"), ("state", "pull")):
        ran = project.run(*arguments)
        assert ran.exit == 1, said(ran)
        assert "error[E601]" in ran.err
        assert "reconciler state init" in ran.err
    assert not (tmp_path / "nowhere").exists()
    assert [] == written(sandbox)


def test_a_place_that_is_lost_costs_no_record(
    here: Project, there: Project, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """The run stops, saves the state beside the project and says how to push it; then all is as
    if nothing had happened."""
    place, away, lost = tmp_path / "record", tmp_path / "away", tmp_path / "lost"
    place.rename(away)
    place.symlink_to(away)
    lost.write_text("not a directory")
    (tmp_path / "next").symlink_to(lost)
    with started(here, "apply", "--yes") as run:
        run.until(lambda: len(written(sandbox)) >= 5)
        # At one stroke: without a run part for a moment, the lock would count as taken away.
        (tmp_path / "next").replace(place)
        ended = run.ended()
    done = set(written(sandbox))

    assert ended.exit == 3, said(ended)
    assert "reconciler state push .reconciler/unwritten-state.json" in ended.err
    saved = here.root / ".reconciler/unwritten-state.json"
    assert 0o600 == saved.stat().st_mode & 0o777
    place.unlink()
    place.symlink_to(away)
    pushed = here.run("state", "push", str(saved), "--lock-timeout", "40s")
    assert pushed.exit == 0, said(pushed)
    assert done == set(record_of(there))
    assert there.run("apply", "--yes").exit == 0
    assert dict.fromkeys(DEVICES, 1) == Counter(written(sandbox))


def test_the_record_by_hand(here: Project, there: Project, tmp_path: Path) -> None:
    """List, show, forget, pull, push: what each says, and that nothing is lost unasked."""
    assert here.run("apply", "--yes").exit == 0
    again = here.run("state", "init")
    assert (
        again.out == f"There is a state at {(tmp_path / 'record').as_uri()}; it has 40 devices.\n"
    )
    one = there.run("state", "list", "--match", "*-07")
    assert one.out == "phone-07  courier  additionalData.shift\n"
    assert there.run("state", "list", "--application", "shop").out == ""
    shown = there.run("state", "show", "phone-07", "--format", "json").json()
    assert shown == {
        "id": "phone-07",
        "application": "courier",
        "fields": ["additionalData.shift"],
        "onRemove": None,
        "protect": False,
    }
    missing = there.run("state", "show", "phone-7")
    assert (missing.exit, "Did you mean phone-" in missing.err) == (1, True)

    pulled = there.run("state", "pull", "-o", "copy.json")
    assert pulled.exit == 0, said(pulled)
    assert 0o600 == (there.root / "copy.json").stat().st_mode & 0o777
    unasked = there.run("state", "forget", "phone-07")
    assert (unasked.exit, len(record_of(here))) == (4, 40), said(unasked)
    unknown = there.run("state", "forget", "phone-07", "phone-7", "--yes")
    assert (unknown.exit, len(record_of(here))) == (1, 40), said(unknown)
    forgotten = there.run("state", "forget", "phone-07", "--yes")
    assert (forgotten.exit, forgotten.out) == (0, "Forgot 1 device.\n"), said(forgotten)
    assert len(record_of(here)) == 39
    older = here.run("state", "push", "../there/copy.json")
    assert older.exit == 1, said(older)
    assert "error[E612]" in older.err
    assert len(record_of(here)) == 39
    forced = here.run("state", "push", "../there/copy.json", "--force")
    assert forced.exit == 0, said(forced)
    assert len(record_of(here)) == 40
    same = here.run("state", "push", "../there/copy.json")
    assert "is this one already" in same.out, said(same)


def test_from_local_to_shared_and_encrypted(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """The state moves with all it knows; then a key is set, changed, and wrong."""
    local = machine(sandbox, tmp_path, "here", PROJECT)
    assert local.run("apply", "--yes").exit == 0
    warned = local.run("apply", "--yes", CI="true")
    assert "a CI runner forgets it" in warned.err
    moved = local.run("state", "migrate", "--to", (tmp_path / "record").as_uri())
    assert moved.exit == 0, said(moved)
    section = next(line for line in moved.out.splitlines() if line.startswith("state: "))
    local.write("reconciler.yaml", PROJECT.replace("state: {path: state.db}", section))
    empty = local.run("plan", "--detailed-exitcode", "--format", "json")
    assert (empty.exit, empty.json()["summary"]["unchanged"]) == (0, 40), said(empty)

    key = ", encryption: {key: '${NEW}', previousKey: '${OLD}'}"
    local.write("reconciler.yaml", shared(tmp_path / "record", key))
    refused = local.run("plan", NEW=KEY)
    assert (refused.exit, "error[E611]" in refused.err) == (1, True), said(refused)
    rewritten = local.run("state", "migrate", NEW=KEY)
    assert (rewritten.exit, "encrypted" in rewritten.out) == (0, True), said(rewritten)
    assert local.run("plan", "--detailed-exitcode", NEW=KEY).exit == 0
    stored = json.loads((tmp_path / "record/record.json").read_bytes())
    assert stored["encryption"]["algorithm"] == "AES-256-GCM"
    wrong = local.run("plan", NEW="22" * 32)
    assert "it was written with the key" in wrong.err, said(wrong)
    rotated = local.run("state", "migrate", NEW="22" * 32, OLD=KEY)
    assert rotated.exit == 0, said(rotated)
    assert local.run("apply", "--yes", NEW="22" * 32).exit == 0


def test_what_is_pushed_is_looked_at(here: Project) -> None:
    """A file that is missing, empty, cut off or something else changes nothing."""
    assert here.run("apply", "--yes").exit == 0
    whole = here.run("state", "pull").out
    texts = {"empty": "", "cut": whole[:200], "plan": '{"formatVersion": "1.0"}', "web": "<html>"}
    for name, text in texts.items():
        here.write(f"{name}.json", text)
        ran = here.run("state", "push", f"{name}.json", "--force")
        assert ran.exit == 1, said(ran)
        assert f"{name}.json" in ran.err
    assert here.run("state", "push", "nowhere.json").exit == 1
    assert len(record_of(here)) == 40


def test_nothing_private_stands_in_a_shared_record(
    here: Project, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """Neither the key of the service nor a declared value, in the clear."""
    assert here.run("apply", "--yes").exit == 0
    import base64

    import zstandard

    parts = [json.loads(path.read_bytes()) for path in (tmp_path / "record").glob("*.json")]
    content = b"".join(zstandard.decompress(base64.b64decode(part["content"])) for part in parts)

    assert len(parts) == 2
    assert b"phone-07" in content
    assert replace(here).environment()["SANDBOX_KEY"].encode() not in content
    assert b"night" not in content
