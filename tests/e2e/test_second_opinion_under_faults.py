"""The main job against the hand-written stub, while the wire fails in every way it can.

The cases run side by side in processes of their own: they are waiting nearly all the time.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.stub import faults
from tests.stub.faults import Schedule, no_fault

from .harness import Ran
from .ordeal import SCHEDULES, case, prepared, repeated

AT_A_TIME: Final = 24
PRELOADED: Final = [
    *("tests.e2e.ordeal", "deepdiff", "reconciler.engine.applying", "reconciler.cli.commands.plan"),
    *("reconciler.cli.commands.apply", "reconciler.manifest.documents", "reconciler.api.transport"),
    *("reconciler.diff.changes", "reconciler.plan.build", "reconciler.render.report"),
]
# A handover that swaps two, a promotion, removals by depersonalize, and claims.
SCENARIOS: Final = ("owners-swapped", "primary-moves", "leaving", "claim")
MIXED: Final = (
    *SCENARIOS,
    *("chain-of-five", "crossed-handover", "detach", "every-field", "identity-added"),
)
CASES: Final = (
    # The longest first.
    *(
        (scenario, schedule)
        for schedule in SCHEDULES
        for scenario in SCENARIOS
        if not schedule.startswith("redirected")
        # Each attempt at a depersonalize is three calls: this would meet them all, for 20 seconds.
        and (scenario, schedule) != ("leaving", "every third 503")
    ),
    *(("owners-swapped", schedule) for schedule in SCHEDULES if schedule.startswith("redirected")),
    *((scenario, f"mix {seed}") for seed in (6, 9) for scenario in MIXED),
)


def test_faults_on_the_wire_change_nothing_but_the_time(tmp_path: Path) -> None:
    """Under every schedule apply ends, after one more run at most, in the world of a good day.

    No write is sent again once it was answered or read to be done, nobody is written to twice at
    the same time, no redirect is followed, and nothing is left to do.
    """
    judge(CASES, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_many_mixes_of_faults_change_nothing_but_the_time(tmp_path: Path) -> None:
    """The same for a hundred seeds."""
    judge([(scenario, f"mix {seed}") for seed in range(100, 200) for scenario in MIXED], tmp_path)


def judge(cases: Sequence[tuple[str, str]], root: Path) -> None:
    """Run cases of (scenario, schedule), and fail with the story of every one that breaks."""
    context = multiprocessing.get_context("forkserver")
    # Each process then starts with the command line imported, for nothing.
    context.set_forkserver_preload(PRELOADED)
    with ProcessPoolExecutor(AT_A_TIME, context) as pool:
        running = []
        for index, (scenario, schedule) in enumerate(cases):
            directory = root / str(index)
            directory.mkdir()
            running.append(pool.submit(case, scenario, schedule, str(directory)))
        told = [
            "\n".join((f"{scenario} under {schedule}:", *broken))
            for (scenario, schedule), future in zip(cases, running, strict=True)
            if (broken := future.result())
        ]
    if told:
        # An assertion would show the first lines of it only.
        pytest.fail("\n".join(told), pytrace=False)


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


@pytest.mark.parametrize(
    ("schedule", "status", "applied"),
    [
        pytest.param(partial(faults.nth_write, 1, onwards=True), 401, 0, id="first-write"),
        pytest.param(partial(faults.nth_write, 3, onwards=True), 403, 2, id="third-write"),
        pytest.param(partial(faults.onwards, 2), 403, 0, id="read-before-the-first"),
        pytest.param(partial(faults.onwards, 6), 401, 1, id="read-before-the-second"),
    ],
)
def test_a_denied_call_ends_the_apply(
    schedule: Callable[..., Schedule], status: int, applied: int, tmp_path: Path
) -> None:
    """Nothing at all is sent after it; the table says so, and the same plan goes on later.

    The moves along a chain of people run one after another, so nothing else is on its way.
    """
    with prepared("chain-of-five", tmp_path) as ordeal:
        planned = ordeal.run("plan", "-o", "plan.json")
        assert planned.exit == 0, said(planned)
        ordeal.stub.forget()
        ordeal.stub.schedule = schedule(fault=faults.error(status))
        ended = ordeal.run("apply", "plan.json", "--format", "json")
        assert ended.exit == (3 if applied else 1), said(ended)
        assert [1] == [
            len(ordeal.stub.log) - index
            for index, logged in enumerate(ordeal.stub.log)
            if logged.fault is not None
            # Who may not match may still look people up one by one, and is told there.
            and (logged.occasion.operation != "match" or status == 401)
        ]
        report = ended.json()
        counts = {name: count for name, count in report["counts"].items() if count}
        wanted = {"applied": applied, "failed": 1, "not-tried": 8 - applied - 1}
        assert counts == {name: count for name, count in wanted.items() if count}, said(ended)
        assert str(status) in report["stopped"]

        ordeal.stub.schedule = no_fault
        later = ordeal.run("apply", "plan.json")
        assert later.exit == 0, said(later)
        assert list(ordeal.is_wanted()) == []
        assert list(repeated(ordeal.stub.log)) == []


FLEET: Final = 80


@pytest.mark.parametrize("status", [401, 405])
def test_a_denied_call_among_many_ends_the_apply(status: int, tmp_path: Path) -> None:
    """Of a fleet, only what was on its way already arrives after it; the table folds the rest."""
    with prepared("every-field", tmp_path) as ordeal:
        stub = ordeal.stub
        (tmp_path / "devices").mkdir(exist_ok=True)
        for old in (tmp_path / "devices").iterdir():
            old.unlink()
        ids = [f"device-{number:03}" for number in range(FLEET)]
        application = stub.world.applications["courier-app-code"]
        for id in ids:
            stub.world.add_registration(id, applicationId=application)
        devices = "".join(f"  {id}: {{registrationEnabled: false}}\n" for id in ids)
        head = "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\ndevices:\n"
        ordeal.project.write("devices/fleet.yaml", head + devices)
        planned = ordeal.run("plan", "-o", "plan.json", "--accept", f"disable={FLEET}")
        assert planned.exit == 0, said(planned)
        stub.forget()
        stub.schedule = faults.nth_write(10, faults.error(status))
        ended = ordeal.run("apply", "plan.json")
        assert ended.exit == 3, said(ended)
        (denied,) = [index for index, one in enumerate(stub.writes) if one.fault is not None]
        # Sent 25 ms apart, so that few are on their way at a time.
        late = len(stub.writes) - 1 - denied
        assert late < 10
        assert all(one.done for one in stub.writes if one.fault is None)
        assert f"Incomplete: {9 + late} of 80 calls applied, 1 failed, {70 - late} not-tried." in (
            ended.out
        )
        assert (status == 405) == ("the account takes no writes over the API" in ended.out)


def test_a_404_of_somebody_between_is_not_nobody(tmp_path: Path) -> None:
    """Taken for it, the plan would adopt an owned device as one of nobody, and detach others."""
    with prepared("detach", tmp_path) as ordeal:
        ordeal.stub.schedule = lambda occasion: (
            faults.error(404) if occasion.operation == "persons" else None
        )
        for more in ((), ("--read", "sweep"), ("--read", "points")):
            planned = ordeal.run("plan", "-o", "plan.json", *more)
            assert planned.exit == 1, said(planned)
            assert "GET /people/2/persons answered 404: SAID No." in planned.err
            assert "with nothing in between" in planned.err
        checked = ordeal.run("doctor")
        assert checked.exit == 1, said(checked)
        assert "accepted for registrations (get); what" in checked.out
        assert "people (persons): answered 404: SAID No." in checked.out
