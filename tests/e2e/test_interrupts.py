"""Ctrl-C and SIGTERM in every phase, deadlines, and who waits for whom; over the real command."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.serve import RunningSandbox
from reconciler.state.lease import Holder
from reconciler.state.local import LocalState

from .harness import TIMEOUT, Project, Ran
from .paused import COUNT, PROJECT, hits, leases, manifest, started, written

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)


@pytest.fixture
def project(sandbox: RunningSandbox, tmp_path: Path) -> Project:
    """A project that declares a new key for forty devices."""
    project = Project(tmp_path, sandbox.url)
    project.write("reconciler.yaml", PROJECT)
    project.write("devices.yaml", manifest("night"))
    return project


@pytest.fixture
def planned(project: Project) -> Project:
    """The same with a saved plan."""
    assert project.run("plan", "-o", "plan.json").exit == 0
    return project


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


def report(project: Project) -> Any:
    return json.loads((project.root / "report.json").read_bytes())


@SIGNALS
def test_one_signal_finishes_what_is_on_its_way(
    planned: Project, sandbox: RunningSandbox, number: signal.Signals
) -> None:
    """It records, gives the lock back, prints the table, exits 130; apply again goes on."""
    with started(planned, "apply", "plan.json", "--report", "report.json") as run:
        run.until(lambda: len(written(sandbox)) >= 5)
        run.signal(number)
        ran = run.ended()
    done = len(written(sandbox))

    assert ran.exit == 130, said(ran)
    assert 5 <= done < COUNT
    assert "Interrupted: finishing the calls that are on their way" in ran.err
    assert f"Interrupted: {done} of {COUNT} calls applied, {COUNT - done} not-tried." in ran.out
    assert "`reconciler apply plan.json` again" in ran.out
    assert (report(planned)["interrupted"], report(planned)["counts"]["applied"]) == (True, done)
    assert leases(planned) == 0

    again = planned.run("apply", "plan.json")

    assert again.exit == 0, said(again)
    assert f"Going on with this plan: {done} of {COUNT} calls were applied" in again.err
    assert f"Applied: {COUNT} calls" in again.out
    assert len(written(sandbox)) == len(set(written(sandbox))) == COUNT


def test_a_second_signal_stops_now(planned: Project, sandbox: RunningSandbox) -> None:
    """A call that hangs is not waited for; it is told as unknown, and settled by the next run."""
    sandbox.set_faults(["update:hang@#4,after"])
    with started(planned, "apply", "plan.json", "--report", "report.json") as run:
        run.until(lambda: hits(sandbox) == 1 and len(written(sandbox)) >= 6)
        run.signal(signal.SIGINT)
        run.said("Interrupted: finishing")
        run.signal(signal.SIGINT)
        ran = run.ended(within=20)
    counts = report(planned)["counts"]

    assert ran.exit == 130, said(ran)
    assert "Stopped now" in ran.err
    assert counts["unknown"] >= 1
    assert counts["applied"] + counts["unknown"] + counts["not-tried"] == COUNT
    assert f"Interrupted: {counts['applied']} of {COUNT} calls applied" in ran.out
    assert leases(planned) == 0

    sandbox.clear_faults()
    fresh = planned.run("plan")
    again = planned.run("apply", "plan.json")

    assert "did not finish" in fresh.err
    assert again.exit == 0, said(again)
    assert f"{counts['unknown']} " in again.err
    assert "read first" in again.err
    assert len(written(sandbox)) == len(set(written(sandbox))) == COUNT


@pytest.mark.parametrize(
    "fault", ["update:429@#3+,retry-after=60", "update:503@#3+", "get:503@#9+", "get:hang@#9+"]
)
def test_every_wait_is_cut_short(planned: Project, sandbox: RunningSandbox, fault: str) -> None:
    """The queue of the pace, the pause before another attempt, a Retry-After of a minute."""
    sandbox.forget_calls()
    sandbox.set_faults([fault])
    with started(planned, "--log-format", "json", "apply", "plan.json", "--format", "json") as run:
        run.until(lambda: hits(sandbox) >= 1)
        run.signal(signal.SIGTERM)
        if "hang" in fault:
            # What is on its way is waited for, and it is the service that lets us wait.
            run.said("Interrupted")
            run.signal(signal.SIGTERM)
        ran = run.ended(within=20)
    counts = ran.json()["counts"]

    assert ran.exit == 130, said(ran)
    assert ran.json()["interrupted"] is True
    assert counts["applied"] == len(written(sandbox))
    assert all(isinstance(json.loads(line), dict) for line in ran.err.splitlines())
    assert leases(planned) == 0


@SIGNALS
@pytest.mark.parametrize("arguments", [("plan",), ("apply", "--yes")], ids=" ".join)
@pytest.mark.parametrize("fault", ["get:hang@#9+", "get:503@#9+"])
def test_reading_is_cut_off(
    project: Project,
    sandbox: RunningSandbox,
    number: signal.Signals,
    arguments: tuple[str, ...],
    fault: str,
) -> None:
    """Before the first write there is nothing to finish: 130 at once, and nothing was changed."""
    sandbox.set_faults([fault])
    with started(project, *arguments) as run:
        run.until(lambda: hits(sandbox) >= 1)
        run.signal(number)
        ran = run.ended(within=20)

    assert (ran.exit, ran.out) == (130, ""), said(ran)
    assert "Interrupted. Nothing was changed." in ran.err
    assert "Traceback" not in ran.err
    assert leases(project) == 0


@pytest.mark.parametrize("ends", [True, False])
def test_a_signal_after_all_is_told_changes_no_exit_code(project: Project, ends: bool) -> None:
    """Where the process ends with the command; else whoever answered signals before does again."""
    project.write(
        "late.py",
        "import os, signal, sys\n"
        "from reconciler.cli.interrupts import Signals\n"
        "from reconciler.engine.cancellation import Cancellation\n"
        "with Signals(Cancellation()) as signals:\n"
        f"    signals.ignore_to_the_end() if {ends} else None\n"
        "for number in (signal.SIGINT, signal.SIGTERM):\n"
        "    os.kill(os.getpid(), number)\n"
        "sys.exit(7)\n",
    )
    ran = subprocess.run(
        [sys.executable, "late.py"],
        cwd=project.root,
        env=project.environment(),
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert (ran.returncode == 7) == ends


def test_a_signal_in_the_making_of_a_class_has_our_exit_code(project: Project) -> None:
    """Python makes dataclasses by `exec`; one it met there it would else tell the caller itself."""
    project.write(
        "met.py",
        "import sys\n"
        "from reconciler.cli import main\n"
        "from reconciler.engine import project_files\n"
        "project_files.check_files = lambda _: exec('raise KeyboardInterrupt')\n"
        "sys.argv = ['reconciler', 'validate']\n"
        "main.run()\n",
    )
    ran = subprocess.run(
        [sys.executable, "-m", "met"],
        cwd=project.root,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert (130, "") == (ran.returncode, ran.stdout), ran.stderr
    assert ran.stderr.endswith("error: Interrupted.\n")


@SIGNALS
def test_the_question_can_be_interrupted(
    project: Project, sandbox: RunningSandbox, number: signal.Signals
) -> None:
    """At the terminal nobody has said yes: nothing is changed, and the lock is free."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "reconciler", "apply"],
        cwd=project.root,
        env=project.environment(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        told = b""
        while b"accepted: " not in told:
            told += os.read(process.stderr.fileno(), 1000)
        held = leases(project)
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)

    assert (process.returncode, out, held) == (130, b"", 1)
    assert b"Interrupted. Nothing was changed." in err
    assert (written(sandbox), leases(project)) == ([], 0)


def test_nobody_answers_in_time(project: Project, sandbox: RunningSandbox) -> None:
    """A question keeps the lock; --timeout ends that too."""
    ours, theirs = pty.openpty()
    try:
        ran = subprocess.run(
            [sys.executable, "-P", "-m", "reconciler", "apply", "--timeout", "3s"],
            cwd=project.root,
            env=project.environment(),
            stdin=theirs,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)

    assert ran.returncode == 1
    assert b"The time of --timeout is over. Nothing was changed." in ran.stderr
    assert (written(sandbox), leases(project)) == ([], 0)


def test_the_time_of_an_apply_is_over(planned: Project, sandbox: RunningSandbox) -> None:
    """What is on its way is finished, the rest is not tried: exit 3, and the table says why."""
    sandbox.set_faults(["update:429@#8+,retry-after=60"])
    ran = planned.run("apply", "plan.json", "--timeout", "7s", "--report", "report.json")
    done = len(written(sandbox))

    assert (ran.exit, done) == (3, 7), said(ran)
    assert "Stopped: the time of --timeout is over." in ran.out
    assert f"{done} of {COUNT} calls applied" in ran.out
    assert report(planned)["stopped"] == "the time of --timeout is over"
    assert leases(planned) == 0


def test_an_apply_that_came_to_nothing_in_time_changed_nothing(
    planned: Project, sandbox: RunningSandbox
) -> None:
    """Exit 1 says that nothing was changed, and that is so; the table is there all the same."""
    sandbox.set_faults(["update:429,retry-after=60"])
    ran = planned.run("apply", "plan.json", "--timeout", "2s")

    assert (ran.exit, written(sandbox)) == (1, []), said(ran)
    assert f"0 of {COUNT} calls applied" in ran.out


@pytest.mark.parametrize("arguments", [("plan",), ("apply", "--yes")], ids=" ".join)
def test_the_time_for_reading_is_over(
    project: Project, sandbox: RunningSandbox, arguments: tuple[str, ...]
) -> None:
    """A service that hangs does not keep a pipeline for longer than it said."""
    sandbox.set_faults(["get:hang@#9+"])
    ran = project.run(*arguments, "--timeout", "2s")

    assert (ran.exit, ran.out) == (1, ""), said(ran)
    assert "The time of --timeout is over. Nothing was changed." in ran.err
    assert leases(project) == 0


def test_a_lease_is_waited_for(planned: Project, sandbox: RunningSandbox) -> None:
    """--lock-timeout says once for whom it waits, and its run; then it goes on as if alone."""
    other = Holder("ana", "runner-7", os.getpid(), "https://ci.example/7", datetime.now(UTC))
    with ExitStack() as stack:
        state = stack.enter_context(LocalState.open(planned.root / "state.db", create=False))
        lease = stack.enter_context(state.lease(other))
        command = started(planned, "apply", "plan.json", "--lock-timeout", "1m")
        run = stack.enter_context(command)
        run.said("Its run: https://ci.example/7")
        assert written(sandbox) == []
        lease.release()
        ran = run.ended()

    assert ran.exit == 0, said(ran)
    assert "Waiting for the lock" not in ran.err
    assert len(written(sandbox)) == COUNT


@SIGNALS
def test_waiting_for_a_lease_ends(
    planned: Project, sandbox: RunningSandbox, number: signal.Signals
) -> None:
    """By its time with 5 and the fixes, by a signal with 130; who has it is not disturbed."""
    sandbox.set_faults(["update:429@#3,retry-after=60"])
    with started(planned, "apply", "plan.json") as first:
        first.until(lambda: hits(sandbox) == 1)
        refused = planned.run("apply", "plan.json", "--lock-timeout", "1s")
        with started(planned, "apply", "--yes", "--lock-timeout", "1h") as second:
            second.said("Waiting for the lock")
            second.signal(number)
            ran = second.ended(within=20)
        told = planned.run("plan")
        assert leases(planned) == 1
        first.signal(signal.SIGINT)
        kept = first.ended(within=20)

    assert refused.exit == 5, said(refused)
    assert f"process {first.pid}" in refused.err
    assert "--lock-timeout" in refused.err
    assert "reconciler state unlock" in refused.err
    assert (ran.exit, ran.out) == (130, ""), said(ran)
    assert "Nothing was changed" in ran.err
    assert "is applying since" in told.err
    assert kept.exit == 130, said(kept)
    assert leases(planned) == 0


def test_a_refused_key_ends_the_run(planned: Project, sandbox: RunningSandbox) -> None:
    """In the middle: 3, and what was applied stays. From the start: 1, nothing was changed."""
    sandbox.set_faults(["writes:401@#6+"])
    midway = planned.run("apply", "plan.json", "--report", "report.json")
    done = len(written(sandbox))
    sandbox.set_faults(["writes:403"])
    at_once = planned.run("apply", "plan.json")

    assert (midway.exit, done) == (3, 5), said(midway)
    assert report(planned)["complete"] is False
    assert "401" in report(planned)["stopped"]
    assert at_once.exit == 1, said(at_once)
    assert "Stopped: " in at_once.out
    assert len(written(sandbox)) == done
    assert len(sandbox.calls()) < 5 * COUNT


def test_the_report_of_every_end(planned: Project, sandbox: RunningSandbox) -> None:
    """Complete, finished before, released: the same JSON on stdout and in the file."""
    first = planned.run("apply", "plan.json", "--format", "json", "--report", "report.json")
    complete = report(planned)
    again = planned.run("apply", "plan.json", "--report", "report.json")
    finished = report(planned)
    planned.write("devices.yaml", manifest("night", ("phone-00",)))
    left = planned.run("apply", "--yes", "--accept", "leaving=39", "--report", "report.json")

    assert (first.exit, again.exit, left.exit) == (0, 0, 0), said(left)
    assert first.json() == complete
    assert (complete["complete"], complete["counts"]["applied"]) == (True, COUNT)
    assert (finished["complete"], finished["rows"]) == (True, [])
    assert "no calls needed. 39 released." in left.out
    assert report(planned)["counts"]["released"] == 39
    assert report(planned)["rows"][0]["operation"] == "release"


@pytest.mark.parametrize(
    ("file", "exit_code", "expected"),
    [
        ("nowhere/report.json", 1, "its directory does not exist"),
        (".", 1, "it is a directory"),
        ("plan.json", 64, "is no report"),
        ("-", 64, "--format json"),
    ],
)
def test_a_report_that_cannot_be_written_is_told_before_the_first_call(
    planned: Project, sandbox: RunningSandbox, file: str, exit_code: int, expected: str
) -> None:
    """And nothing that is no report is ever replaced by one."""
    plan = (planned.root / "plan.json").read_bytes()
    sandbox.forget_calls()
    ran = planned.run("apply", "plan.json", "--report", file)

    assert (ran.exit, ran.out, sandbox.calls()) == (exit_code, "", ()), said(ran)
    assert expected in ran.err
    assert (planned.root / "plan.json").read_bytes() == plan


def test_a_report_whose_directory_goes_away_does_not_hide_the_table(
    planned: Project, sandbox: RunningSandbox
) -> None:
    """What was done is told; the exit code does not say that all went well."""
    place = planned.root / "reports"
    place.mkdir()
    with started(planned, "apply", "plan.json", "--report", "reports/report.json") as run:
        run.until(lambda: len(written(sandbox)) >= 1)
        place.rmdir()
        ran = run.ended()

    assert ran.exit == 3, said(ran)
    assert f"Applied: {COUNT} calls" in ran.out
    assert "reports/report.json cannot be written" in ran.err


def test_an_old_report_does_not_stand_for_a_run_that_was_refused(
    planned: Project, sandbox: RunningSandbox
) -> None:
    """Whoever finds the file after a run finds that run's."""
    assert planned.run("apply", "plan.json", "--report", "report.json").exit == 0
    planned.write("devices.yaml", manifest("day"))
    refused = planned.run("apply", "--report", "report.json")

    assert refused.exit == 4, said(refused)
    assert not (planned.root / "report.json").exists()


def test_one_attempt_lasts_as_long_as_the_project_says(
    project: Project, sandbox: RunningSandbox
) -> None:
    """api.timeout: a call that hangs is given up and asked again."""
    project.write("reconciler.yaml", PROJECT.replace("  limits", "  timeout: 0.5\n  limits"))
    sandbox.set_faults(["get:hang@#1"])
    ran = project.run("plan", "--timeout", "20s")

    assert ran.exit == 0, said(ran)
    assert hits(sandbox) == 1
