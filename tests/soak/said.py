"""Promises about what a run says: rows, counts, exit code, and what it never shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from reconciler.api.breaker import TIMED_OUT
from reconciler.core.report import Outcome
from tests.e2e.harness import KEY
from tests.properties.fleets import values_of

from .sent import calls_of
from .story import Run, Story, is_heard, is_late, is_sending
from .worldly import could_be_read, holds

Json = dict[str, Any]

_GOOD: Final = frozenset(outcome.value for outcome in Outcome if outcome.is_good)
_OUR_OWN_FAULT: Final = ("Traceback", "This is a bug in reconciler")
_HOUSEKEEPING: Final = re.compile(r"Exception ignored in.*?\nKeyboardInterrupt", re.DOTALL)
_APPLIED: Final = re.compile(r"(?:Applied|Incomplete|Interrupted): ([\d,]+|no) (?:of|calls?)\b")


def rows_tell_the_truth(story: Story) -> Iterator[str]:
    """Every row says what became of its call, and what is true now."""
    for run in story.runs:
        if run.report is None or not run.applies:
            continue
        planned = {call["id"]: call for call in calls_of(run)}
        rows = {row["call"]: row for row in run.report["rows"] if row["call"] is not None}
        if run.report["rows"] and rows.keys() != planned.keys():
            yield f"there is not one row for each call ({run.said})"
        for id_, row in rows.items():
            if id_ in planned:
                for what in _row(story, run, planned[id_], row, rows):
                    yield f"{id_} is {row['outcome']}, {row['truth']}: {what} ({run.said})"


def _row(story: Story, run: Run, call: Json, row: Json, rows: dict[str, Json]) -> Iterator[str]:
    mine = story.sendings(run, call)
    ever = [(one, sent) for one in story.same_plan(run) for sent in story.sendings(one, call)]
    done = [sent for _, sent in ever if sent.done]
    # Of a call that the second signal cut off nobody counts the attempts any more.
    is_cut_off = run.killed_at is not None and row["outcome"] == "unknown"
    if row["attempts"] != len(mine) and not is_cut_off:
        yield f"{row['attempts']} attempts, and {len(mine)} calls came"
    if row["truth"] == "not done" and any(sent.done and not is_late(sent) for sent in mine):
        yield "it was done"
    match row["outcome"]:
        case "applied":
            if not done and not could_be_read(story, call, run):
                yield "it was not done"
        case "unknown":
            if row["truth"] != "unknown":
                yield "its truth is known"
            # It had left when the second signal came, and the service never read it to its end.
            is_lost = is_cut_off and not mine and run.journal.get(call["id"], "none") is None
            if not is_lost and not any(not is_heard(sent, one) for one, sent in ever):
                yield "all its answers came"
        case "stale":
            moved = call["device"] in story.rivals(run.ended) or story.case.lags
            unheard = any(not is_heard(sent, one) for one, sent in ever)
            if not moved and not unheard and not any(story.others_since(run)):
                yield "nobody else has moved it"
            if done and not moved and holds(call, run.world, story.case.fleet):
                yield "it was done, and nobody has undone it"
        case "failed":
            # Where reads lag, what another plan has done is sent once more, and may be refused.
            is_repeat = any(is_sending(made, call) for made in story.others_since(run))
            is_refused = story.case.lags and any(sent.status == 400 for sent in mine)
            if not (is_refused and is_repeat) and not any(
                made.fault for made in story.calls_of(run)
            ):
                yield "nothing went wrong"
        case "skipped":
            needs = [rows[id_]["outcome"] for id_ in call["needs"] if id_ in rows]
            if mine or all(outcome == "applied" for outcome in needs):
                yield "what it needs was applied"
        case "not-tried":
            report = run.report or {}
            if mine or not (report["stopped"] or report["interrupted"]):
                yield "the run was not ended, or it was tried"


def exit_codes_agree(story: Story) -> Iterator[str]:
    """The exit code says what the report says, and the calls that were made."""
    for run in story.runs:
        if run.timed_out or (run.signal == "SIGKILL" and run.exit == -9):
            continue
        for what in _applied(story, run) if run.applies else _read(story, run):
            yield f"{run.exit}: {what} ({run.said})"


def _read(story: Story, run: Run) -> Iterator[str]:
    is_troubled = any(call.fault for call in story.calls_of(run))
    allowed = (0, 1) if is_troubled else (0,)
    if run.exit not in (allowed if run.what == "plan" else (*allowed, 2)):
        yield "of a plan"


def _applied(story: Story, run: Run) -> Iterator[str]:
    report, writes = run.report, story.writes_of(run)
    bad = [row for row in (report or {}).get("rows", ()) if row["outcome"] not in _GOOD]
    match run.exit:
        case 0:
            if report is None or not report["complete"] or bad:
                yield "the report is not complete"
            was_finished = any(one.finished for one in story.same_plan(run)[:-1])
            if not was_finished and report is not None and not report["rows"] and calls_of(run):
                yield "nothing was done"
            if was_finished and writes:
                yield "the plan was finished, and calls were made"
        case 1 | 4:
            if any(call.done for call in writes):
                yield "something was done"
            is_noted = any(f" {device}: " in run.err for device in story.noted_since(run))
            if run.exit == 4 and not is_noted and not any(story.others_since(run)):
                yield "the plan was refused, and nobody has done anything since"
            is_troubled = any(call.fault for call in story.calls_of(run))
            if run.exit == 1 and not is_troubled and not _is_out_of_time(run):
                yield "nothing went wrong"
        case 3:
            if report is None or report["complete"] or (not bad and report["stopped"] is None):
                yield "nothing in the report is bad"
        case 130:
            if not run.signals:
                yield "nobody has interrupted it"
            if report is None and run.killed_at is None and any(call.done for call in writes):
                yield "something was done, and there is no report"
            if report is not None and not report["interrupted"]:
                yield "the report does not say so"
        case _:
            yield "is no end of an apply here"
    if report is not None and report["interrupted"] and run.exit != 130:
        yield "it was interrupted"


def _is_out_of_time(run: Run) -> bool:
    """Whether a run says that its --timeout is over, and that is true."""
    if "--timeout" not in run.arguments:
        return False
    allowed = float(run.arguments[run.arguments.index("--timeout") + 1].removesuffix("s"))
    said = str((run.report or {}).get("stopped") or run.err).lower()
    return TIMED_OUT in said and run.ended - run.began >= allowed


def counts_agree(story: Story) -> Iterator[str]:
    """The counts of a report are those of its rows; the last line says the same."""
    for run in story.runs:
        if run.report is None or not run.applies:
            continue
        rows, report = run.report["rows"], run.report
        counted = Counter(row["outcome"] for row in rows)
        if {name: count for name, count in report["counts"].items() if count} != dict(counted):
            yield f"{report['counts']}, and the rows are {dict(counted)} ({run.said})"
        is_whole = all(row["outcome"] in _GOOD for row in rows)
        if report["complete"] and not is_whole:
            yield f"it is no complete one ({run.said})"
        if "json" in run.arguments:
            if run.out != run.files.get("report.json", run.out):
                yield f"stdout and the file differ ({run.said})"
        elif rows and (found := _APPLIED.findall(run.out)):
            number = 0 if found[-1] == "no" else int(found[-1].replace(",", ""))
            if number != counted["applied"]:
                yield f"the last line says {number} applied ({run.said})"
        elif rows:
            yield f"there is no last line with counts ({run.said})"


def nothing_private_is_shown(story: Story) -> Iterator[str]:
    """No identity value, attribute or secret stands in an output, a plan, a report, the state."""
    case = story.case
    private = {KEY, *values_of(case.world, case.fleet)}
    if case.before is not None:
        private |= set(values_of(case.world, case.before))
    for run in story.runs:
        for name, text in {"stdout": run.out, "stderr": run.err, **run.files}.items():
            for value in sorted(private):
                if value in text:
                    yield f"{value} in {name} ({run.said})"


def runs_end_in_order(story: Story) -> Iterator[str]:
    """No run hangs, and none ends in an error of its own."""
    for run in story.runs:
        if run.timed_out:
            yield f"it did not end ({run.said})"
        # Python says so itself when a second Ctrl-C meets it at its own housekeeping.
        err = _HOUSEKEEPING.sub("", run.err) if len(run.signals) > 1 else run.err
        for mark in _OUR_OWN_FAULT:
            if mark in err or mark in run.out:
                yield f"{mark} ({run.said})"
