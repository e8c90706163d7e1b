"""Promises about the calls: what was sent when, as the sandbox has seen it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from reconciler.platform.operations import Operation
from reconciler.sandbox.calls import LoggedCall, overlapping_writes

from .story import Run, Story, device_of, fault_of, is_heard, is_late, is_sending

Json = dict[str, Any]

# What was on the wire when a 401 came ends; a busy machine hears of it a little late.
_SOON: Final = 0.5


def nothing_is_done_twice(story: Story) -> Iterator[str]:
    """A planned call is carried out once. Again only if its answer was not heard, and no reading
    could tell: reads lag, it was carried out late, or somebody has undone it."""
    last = {run.id: run for run in story.runs if run.applies and run.id is not None}
    for run in last.values():
        for call in calls_of(run):
            landed = [
                (one, other)
                for one in story.same_plan(run)
                for other in story.sendings(one, call)
                if other.done
            ]
            for (first, earlier), (_, later) in pairwise(landed):
                if is_heard(earlier, first):
                    yield f"{call['id']} is sent again after a good answer ({run.said})"
                elif not _is_hidden(story, call, earlier, later):
                    yield f"{call['id']} is sent again, though a read would have shown it done"


def _is_hidden(story: Story, call: Json, earlier: LoggedCall, later: LoggedCall) -> bool:
    if story.case.lags or is_late(earlier):
        return True
    return call["device"] in story.rivals(later.end)


def what_moved_is_left_alone(story: Story) -> Iterator[str]:
    """A declared value that somebody else has changed since the plan, and before the look at the
    device, keeps the first call of that device from being sent."""
    plans = {run.plan["id"]: run for run in story.runs if run.what == "plan" and run.plan}
    for run in story.runs:
        plan = plans.get(run.id or "")
        if plan is None or story.case.lags or any(story.others_since(run)):
            continue
        for call in calls_of(run):
            mine = [sent for one in story.same_plan(run) for sent in story.sendings(one, call)]
            if (
                call["needs"]
                or not mine
                or not story.sendings(run, call)
                or mine[0].start < run.began
            ):
                # What comes later meets what this plan has done itself.
                continue
            looks = [look for look in story.calls_of(run) if _is_look(look, call)]
            earlier = [look.start for look in looks if look.end <= mine[0].start]
            if not earlier:
                yield f"{call['id']} is sent without a look at the device ({run.said})"
                continue
            for path in story.moved_by_rivals(call["device"], plan, max(earlier)):
                yield f"{call['id']} is sent though {path} has changed since the plan ({run.said})"


def _is_look(made: LoggedCall, call: Json) -> bool:
    return made.operation is Operation.GET and device_of(made) == call["device"]


def writes_to_one_person_do_not_overlap(story: Story) -> Iterator[str]:
    """Never are two writes that touch one person on their way at the same time."""
    for run in story.runs:
        touching = [call for call in story.writes_of(run) if _touches(call, run)]
        for earlier, later in overlapping_writes(touching):
            if not is_late(earlier):
                yield f"{_shown(earlier)} and {_shown(later)} ({run.said})"


def _touches(call: LoggedCall, run: Run) -> bool:
    """Whether a write touches a person; an update without isPrimary does not."""
    return call.operation is not Operation.UPDATE or not any(
        is_sending(call, planned) and "isPrimary" not in planned["body"]
        for planned in calls_of(run)
    )


def a_plan_writes_nothing(story: Story) -> Iterator[str]:
    """A plan sends reads only, an apply only what is planned."""
    for run in story.runs:
        for call in story.writes_of(run):
            if not run.applies:
                yield f"{_shown(call)} ({run.said})"
            elif not any(is_sending(call, planned) for planned in calls_of(run)):
                yield f"{_shown(call)} is not in the plan ({run.said})"


def a_denial_stops_the_run(story: Story) -> Iterator[str]:
    """After a 401 or 403 nothing else is sent, and the report says why."""
    for run in story.runs:
        calls = story.calls_of(run)
        denied = [call for call in calls if call.status in (401, 403) and is_heard_as(call)]
        if not denied:
            continue
        end = min(call.end for call in denied)
        for call in calls:
            if call.start > end + _SOON:
                yield f"{_shown(call)} is sent {call.start - end:.1f} s later ({run.said})"
        report = run.report
        if report is not None and report["stopped"] is None and not report["interrupted"]:
            yield f"the report does not say that the run was stopped ({run.said})"


def is_heard_as(call: LoggedCall) -> bool:
    """Whether a status was answered in time."""
    fault = fault_of(call)
    return fault is not None and fault.status == call.status


def calls_of(run: Run) -> list[Json]:
    """Return the planned calls of a run."""
    return [] if run.plan is None else run.plan["calls"]


def _shown(call: LoggedCall) -> str:
    return f"{call.method} {call.path}"
