"""The judge can find a promise broken: one planted violation of each, in a story without any."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from reconciler.api.breaker import TIMED_OUT
from reconciler.core.digest import Digester
from reconciler.core.secret import Secret
from reconciler.platform.operations import Operation
from reconciler.sandbox.calls import LoggedCall
from tests.changed import replace
from tests.e2e.harness import KEY
from tests.properties.fleets import CODES, Declared, Fleet

from .campaign import Ended, judged, read, written
from .cases import Case, case_of
from .promises import PROMISES, broken
from .said import exit_codes_agree
from .story import Recorded, Run, Story

Json = dict[str, Any]
Plant = Callable[[Story], Story]

PATH: Final = "/people/2/contactInformation/push/device-1"
RECORD_KEY: Final = b"k" * 32
FLEET: Final = Fleet(
    (Declared("device-1", "courier", 1, {"owner": "p2", "registrationEnabled": False}),),
    {"p2": {"externalId": "Identity-of-2"}},
)


def world(owner: int = 1, enabled: bool = True, **other: Any) -> Json:
    """Two people, the declared device, and one that nobody declares."""
    return {
        "applications": CODES,
        "people": [{"id": number, "externalId": f"Identity-of-{number}"} for number in (1, 2)],
        "registrations": [
            {
                "registrationId": "device-1",
                "applicationId": "APPLICATION-ID-1",
                "owner": owner,
                "registrationEnabled": enabled,
                "additionalData": {"theirs": 1},
            },
            {
                "registrationId": "device-2",
                "applicationId": "APPLICATION-ID-1",
                "owner": 1,
                **other,
            },
        ],
    }


MOVE: Final = {
    "id": "personalize/device-1",
    "operation": "personalize",
    "device": "device-1",
    "method": "POST",
    "path": f"{PATH}/personalize",
    "body": {"identity": {"$person": "p2"}},
    "needs": [],
}
UPDATE: Final = {
    "id": "update/device-1",
    "operation": "update",
    "device": "device-1",
    "method": "PATCH",
    "path": PATH,
    "body": {"systemData": {"registrationEnabled": False}},
    "needs": ["personalize/device-1"],
}


def row(call: Json, outcome: str = "applied", truth: str = "done", attempts: int = 1) -> Json:
    return {
        "device": call["device"],
        "call": call["id"],
        "outcome": outcome,
        "truth": truth,
        "attempts": attempts,
    }


def report(*rows: Json, **more: Any) -> Json:
    counts: dict[str, int] = {}
    for one in rows:
        counts[one["outcome"]] = counts.get(one["outcome"], 0) + 1
    complete = set(counts) <= {"applied"}
    return {
        "rows": list(rows),
        "counts": counts,
        "complete": complete,
        "interrupted": False,
        "stopped": None,
        **more,
    }


def called(planned: Json, start: float, **more: Any) -> LoggedCall:
    call = LoggedCall(
        Operation(planned["operation"]),
        planned["method"],
        planned["path"],
        "",
        200,
        frozenset({1, 2}),
        start,
        start + 0.1,
        done=True,
    )
    return replace(call, **more)


def run(what: str, began: float, exit_code: int = 0, after: Json | None = None, **more: Any) -> Run:
    return Run(what, (what,), began, began + 9, exit_code, "", "", after or world(2, False), **more)


def looked(start: float, enabled: bool | None = None) -> LoggedCall:
    """Return a look at the device, after which a rival may have changed it."""
    change = json.dumps({"registrationEnabled": enabled})
    fault = None if enabled is None else f"get:rival@#1,set={change}"
    return LoggedCall(
        Operation.GET, "GET", PATH, "", 200, frozenset(), start, start + 0.1, fault=fault
    )


LOOK: Final = looked(10.5)


def clean() -> Story:
    """Plan, apply, check; one device changed its owner and was disabled."""
    plan: Json = {
        "id": "plan-1",
        "calls": [MOVE, UPDATE],
        "changes": [],
        "warnings": [],
    }
    digester = Digester(Secret(RECORD_KEY))
    fields = {
        "owner": (digester.of("owner", ["externalId", "Identity-of-2"]),),
        "registrationEnabled": (digester.of("registrationEnabled", False),),
    }
    return Story(
        Case(1, world(), None, FLEET, "", {}, 0.0, ()),
        world(),
        (
            run("plan", 0, after=world(), plan=plan),
            run(
                "apply",
                10,
                plan=plan,
                report=report(row(MOVE), row(UPDATE)),
                id="plan-1",
                journal={MOVE["id"]: "applied", UPDATE["id"]: "applied"},
                finished=True,
            ),
            run("check", 20),
        ),
        (LOOK, called(MOVE, 11), called(UPDATE, 12)),
        Recorded(RECORD_KEY, {"device-1": fields}),
    )


def with_apply(story: Story, **more: Any) -> Story:
    """Change the run that applies."""
    runs = tuple(replace(one, **more) if one.what == "apply" else one for one in story.runs)
    return replace(story, runs=runs)


def with_calls(story: Story, *calls: LoggedCall) -> Story:
    """Let these be the calls, and a look before them."""
    calls = (LOOK, *calls)
    return replace(story, calls=tuple(sorted(calls, key=lambda call: call.start)))


def with_world(story: Story, after: Json) -> Story:
    """Let this be the world after the apply, and in the end."""
    runs = tuple(one if one.what == "plan" else replace(one, world=after) for one in story.runs)
    return replace(story, runs=runs)


def with_rows(story: Story, *rows: Json, exit_code: int = 3, **more: Any) -> Story:
    return with_apply(story, report=report(*rows, **more), exit=exit_code)


def with_check(story: Story, exit_code: int) -> Story:
    return replace(story, runs=(*story.runs[:-1], replace(story.runs[-1], exit=exit_code)))


def again(call: LoggedCall, start: float, **more: Any) -> LoggedCall:
    return replace(call, start=start, end=start + 0.1, **more)


_, MOVED, UPDATED = clean().calls
# Each with a part of what is said of it.
PLANTED: Final[dict[str, tuple[Plant, str]]] = {
    "not reached": (
        lambda story: with_world(story, world(2, True)),
        "device-1: registrationEnabled is True",
    ),
    "not empty afterwards": (lambda story: with_check(story, 2), "check (check) ends with 2"),
    "another device moved": (
        lambda story: with_world(story, world(2, False, isPrimary=True)),
        "device-2: is not declared, and its isPrimary moved",
    ),
    "an undeclared key was lost": (
        lambda story: with_world(story, _without_key(world(2, False))),
        "device-1: undeclared key theirs moved",
    ),
    "sent again after a good answer": (
        lambda story: with_calls(story, MOVED, again(MOVED, 11.5), UPDATED),
        "is sent again after a good answer",
    ),
    "sent again without a look": (
        lambda story: with_calls(
            story, replace(MOVED, status=0, fault="personalize:reset,after"), again(MOVED, 11.5)
        ),
        "though a read would have shown it done",
    ),
    "sent again by another run after a good answer": (
        lambda story: replace(
            with_calls(story, MOVED, UPDATED, again(UPDATED, 31)),
            runs=(*story.runs, replace(story.runs[1], began=30, ended=39)),
        ),
        "update/device-1 is sent again after a good answer",
    ),
    "a change of somebody else run over": (
        lambda story: with_calls(story, looked(10.1, enabled=False), MOVED, UPDATED),
        "is sent though registrationEnabled has changed since the plan",
    ),
    "sent without a look": (
        lambda story: replace(story, calls=(MOVED, UPDATED)),
        "is sent without a look at the device",
    ),
    "two writes to one person": (
        lambda story: with_calls(story, MOVED, again(_flagged(story)[1], 11.05)),
        "writes to one person do not overlap",
    ),
    "a plan that writes": (
        lambda story: with_calls(story, again(UPDATED, 1), MOVED, UPDATED),
        "a plan writes nothing",
    ),
    "a write that is not planned": (
        lambda story: with_calls(
            story, MOVED, UPDATED, replace(again(UPDATED, 13), path=PATH[:-1] + "2")
        ),
        "device-2 is not in the plan",
    ),
    "going on after a 401": (
        lambda story: with_calls(
            story,
            replace(MOVED, start=10.1, end=10.2, status=401, fault="any:401@#1+", done=False),
            UPDATED,
        ),
        "a denial stops the run: PATCH",
    ),
    "silent about a 401": (
        lambda story: with_calls(
            story, replace(MOVED, status=401, fault="any:401@#1+", done=False)
        ),
        "the report does not say that the run was stopped",
    ),
    "no intent": (
        lambda story: with_apply(story, finished=False, journal={MOVE["id"]: "applied"}),
        "update/device-1 is sent and not in the journal",
    ),
    "noted and not done": (
        lambda story: with_calls(with_world(story, world(2, True)), MOVED),
        "update/device-1 is said to be applied, and was not done",
    ),
    "done and noted as failed": (
        lambda story: with_apply(story, journal={MOVE["id"]: "applied", UPDATE["id"]: "failed"}),
        "update/device-1 is said to be failed, and was done",
    ),
    "never finished": (
        lambda story: with_apply(story, finished=False),
        "not noted as finished",
    ),
    "not recorded": (
        lambda story: replace(story, record=Recorded(RECORD_KEY)),
        "device-1 is not recorded",
    ),
    "recorded otherwise": (
        lambda story: replace(story, record=_recorded(registrationEnabled=("of True",))),
        "the recorded registrationEnabled is not the living one",
    ),
    "recorded with another owner": (
        lambda story: replace(story, record=_recorded(owner=("of another",))),
        "the recorded owner is not the living one",
    ),
    "a field recorded that nobody declares": (
        lambda story: replace(story, record=_recorded(isPrimary=("of True",))),
        "isPrimary is recorded only",
    ),
    "a lock kept": (lambda story: with_apply(story, leased=True), "the lock is given back"),
    "an attempt too many": (
        lambda story: with_rows(story, row(MOVE, attempts=2), row(UPDATE), exit_code=0),
        "2 attempts, and 1 calls came",
    ),
    "a row missing": (
        lambda story: with_rows(story, row(MOVE), exit_code=0),
        "there is not one row for each call",
    ),
    "done and said not to be": (
        lambda story: with_rows(story, row(MOVE), row(UPDATE, "failed", "not done")),
        "update/device-1 is failed, not done: it was done",
    ),
    "failed without a cause": (
        lambda story: with_rows(story, row(MOVE), row(UPDATE, "failed", "not done")),
        "nothing went wrong",
    ),
    "applied and said to be, but not done": (
        lambda story: with_calls(with_world(story, world(2, True)), MOVED),
        "update/device-1 is applied, done: it was not done",
    ),
    "unknown though it was answered": (
        lambda story: with_rows(story, row(MOVE), row(UPDATE, "unknown", "unknown")),
        "all its answers came",
    ),
    "unknown though it was never begun": (
        lambda story: with_calls(cut_off(story), MOVED),
        "all its answers came",
    ),
    "stale though nobody moved it": (
        lambda story: with_rows(story, row(MOVE), row(UPDATE, "stale", "not done", 0)),
        "nobody else has moved it",
    ),
    "stale though it is done": (
        lambda story: with_rows(story, row(MOVE), row(UPDATE, "stale", "not done")),
        "it was done, and nobody has undone it",
    ),
    "skipped without a cause": (
        lambda story: with_calls(
            with_rows(story, row(MOVE), row(UPDATE, "skipped", "not done", 0)), MOVED
        ),
        "what it needs was applied",
    ),
    "not tried without a cause": (
        lambda story: with_calls(
            with_rows(story, row(MOVE), row(UPDATE, "not-tried", "not done", 0)), MOVED
        ),
        "the run was not ended, or it was tried",
    ),
    "success with a failure": (
        lambda story: with_rows(story, row(MOVE), row(UPDATE, "failed", "not done"), exit_code=0),
        "0: the report is not complete",
    ),
    "incomplete and all is well": (
        lambda story: with_apply(story, exit=3),
        "3: nothing in the report is bad",
    ),
    "nothing was changed, it says": (
        lambda story: with_apply(story, exit=1, report=None),
        "1: something was done",
    ),
    "refused without a cause": (
        lambda story: with_calls(with_apply(story, exit=4, report=None)),
        "4: the plan was refused, and nobody has done anything since",
    ),
    "locked by nobody": (
        lambda story: with_apply(story, exit=5, report=None),
        "5: is no end of an apply here",
    ),
    "interrupted by nobody": (
        lambda story: with_apply(story, exit=130, report=None),
        "130: nobody has interrupted it",
    ),
    "interrupted without a report": (
        lambda story: with_apply(story, exit=130, report=None, signal="SIGINT", signals=(12.0,)),
        "130: something was done, and there is no report",
    ),
    "wrong counts": (
        lambda story: with_rows(story, row(MOVE), row(UPDATE), exit_code=0, counts={"applied": 3}),
        "and the rows are {'applied': 2}",
    ),
    "wrong last line": (
        lambda story: with_apply(story, out="Applied: 3 calls (1 personalize, 2 update). 1 s.\n"),
        "the last line says 3 applied",
    ),
    "an identity shown": (
        lambda story: with_apply(story, err="person Identity-of-2 has it"),
        "Identity-of-2 in stderr",
    ),
    "a secret kept": (
        lambda story: with_apply(story, files={"state.db": f"...{KEY}..."}),
        f"{KEY} in state.db",
    ),
    "a traceback": (
        lambda story: with_apply(story, err="Traceback (most recent call last):"),
        "runs end in order: Traceback",
    ),
    "a run that hangs": (
        lambda story: with_apply(story, timed_out=True),
        "it did not end",
    ),
}


def _without_key(after: Json) -> Json:
    changed = copy.deepcopy(after)
    del changed["registrations"][0]["additionalData"]["theirs"]
    return changed


def _flagged(story: Story) -> tuple[LoggedCall, LoggedCall]:
    """Return the calls of the story, for a plan whose update touches the person."""
    plan = story.runs[1].plan
    assert plan is not None
    plan["calls"][1] = {**UPDATE, "body": {**UPDATE["body"], "isPrimary": False}}
    return MOVED, UPDATED


def _recorded(**fields: tuple[str, ...]) -> Recorded:
    record = clean().record
    assert record is not None
    return Recorded(record.key, {"device-1": {**record.devices["device-1"], **fields}})


def cut_off(story: Story, **journal: str | None) -> Story:
    """Let a second signal end the apply while its update is not known to have arrived."""
    story = with_rows(story, row(MOVE), row(UPDATE, "unknown", "unknown", 0), exit_code=130)
    signals = {"signal": "SIGINT", "signals": (12.0, 12.1)}
    return with_apply(story, **signals, journal={"personalize/device-1": "applied", **journal})


def said_well(story: Story) -> Story:
    """Give the apply the last line that fits its report."""
    applied = "Applied: 2 calls (1 personalize, 1 update). 1 s.\n"
    return with_apply(story, out=applied)


def test_a_story_without_a_violation_breaks_no_promise() -> None:
    """Or what follows would say nothing."""
    assert [] == broken(said_well(clean()))


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_found(name: str) -> None:
    """Each by what it is."""
    plant, expected = PLANTED[name]
    found = broken(plant(said_well(clean())))
    assert [what for what in found if expected in what], found


def test_every_promise_has_a_planted_violation() -> None:
    """A promise that nothing breaks in a test may be one that nothing can break."""
    found = {what.split(":")[0] for plant, _ in PLANTED.values() for what in broken(plant(clean()))}
    assert {promise.__name__.replace("_", " ") for promise in PROMISES} == found


@pytest.mark.parametrize(
    "excused",
    [
        "personalize:reset,after",
        "personalize:delay,seconds=1.6",
    ],
)
def test_a_lost_answer_excuses_a_second_sending_where_no_read_can_tell(excused: str) -> None:
    """Where reads lag, or the call was carried out late."""
    story = said_well(clean())
    first = replace(MOVED, status=0, fault=excused, end=MOVED.start + 0.7)
    story = with_calls(story, first, again(MOVED, 11.9), UPDATED)
    lagging = replace(story.case, assume={"read-after-write": "lags"})
    story = replace(story, case=lagging) if "reset" in excused else story
    assert [] == [what for what in broken(story) if "sent again" in what]


def test_what_the_second_signal_found_on_its_way_may_have_been_lost() -> None:
    """Its intent is on the disk, it was handed to a connection, and the service never read it."""
    story = with_calls(cut_off(said_well(clean()), **{UPDATE["id"]: None}), MOVED)
    assert [] == [what for what in broken(story) if "all its answers came" in what]


def test_a_goal_may_be_read_right_before_a_rival_changes_it() -> None:
    """Its call was lost, and what it was to set was so already when the run looked."""
    story = with_calls(with_world(said_well(clean()), world(2, True)), MOVED, looked(11.2, True))
    assert [] == [what for what in broken(story) if "not done" in what]


def test_a_case_is_the_same_from_a_seed_and_from_a_file(tmp_path: Any) -> None:
    """A failure can be run again as it was."""
    for seed in range(1, 40):
        file = written(Ended(case_of(seed), ("planted",)), tmp_path)
        assert case_of(seed) == read(file)


def test_an_error_of_the_fuzzer_is_a_failure_of_its_case() -> None:
    """And does not end the others."""
    impossible = replace(case_of(1), world={"registrations": 1})
    assert judged(impossible).broken


def after_another(story: Story, other: Run, *calls: LoggedCall) -> Story:
    """Let another plan be applied between the plan of the story and its apply."""
    first, *rest = story.runs
    return with_calls(replace(story, runs=(first, other, *rest)), *calls)


@pytest.mark.parametrize(
    ("named", "outcome", "is_excused"),
    [
        ("device-1", "adopted", True),
        ("device-1", "released", True),
        ("device-2", "adopted", False),
        ("device-1", "stale", False),
    ],
)
def test_a_refused_plan_is_excused_by_what_was_noted_of_the_device_it_names(
    named: str, outcome: str, is_excused: bool
) -> None:
    """And by no other device, and by nothing that leaves the state as it is."""
    noted = report(row(UPDATE, outcome, "done", 0))
    other = replace(run("fresh", 9.2, report=noted, id="plan-2"), ended=9.8)
    err = f"error: Refused, nothing was changed:\n  {named}: additionalData.shift is not recorded\n"
    story = with_apply(said_well(clean()), exit=4, report=None, err=err)
    found = broken(after_another(story, other))
    assert is_excused is not any("the plan was refused" in what for what in found), found


@pytest.mark.parametrize(
    ("lags", "status", "done_before", "is_excused"),
    [
        ("lags", 400, MOVE, True),
        ("lags", 500, MOVE, False),
        ("lags", 400, UPDATE, False),
        ("immediate", 400, MOVE, False),
    ],
)
def test_a_repeat_may_be_refused_where_reads_lag(
    lags: str, status: int, done_before: Json, is_excused: bool
) -> None:
    """Only a repeat, only by a 400, only there."""
    other = replace(run("fresh", 9.2, report=report(row(done_before)), id="plan-2"), ended=9.8)
    story = with_rows(said_well(clean()), row(MOVE, "failed", "not done"))
    story = replace(story, case=replace(story.case, assume={"read-after-write": lags}))
    refused = replace(MOVED, status=status, done=False)
    found = broken(after_another(story, other, called(done_before, 9.3), refused))
    assert is_excused is not any("nothing went wrong" in what for what in found), found


@pytest.mark.parametrize(
    ("arguments", "lasted", "stopped", "broken"),
    [
        (("apply", "--timeout", "3s"), 3.5, TIMED_OUT, False),
        (("apply", "--timeout", "3s"), 2.5, TIMED_OUT, True),
        (("apply", "--timeout", "3s"), 3.5, "the service answers nobody", True),
        (("apply",), 3.5, TIMED_OUT, True),
    ],
)
def test_a_time_that_is_over_excuses_an_apply_that_came_to_nothing(
    arguments: tuple[str, ...], lasted: float, stopped: str, broken: bool
) -> None:
    """If it was over: on a busy machine that needs no fault."""
    story = clean()
    applied = next(one for one in story.runs if one.applies)
    ended = replace(
        applied,
        arguments=arguments,
        ended=applied.began + lasted,
        exit=1,
        report=report(row(UPDATE, "not-tried", "not done", 0), complete=False, stopped=stopped),
    )
    said = list(exit_codes_agree(replace(story, runs=(ended,), calls=())))

    assert broken == any("nothing went wrong" in one for one in said)
