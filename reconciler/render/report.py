"""What an apply did, as one table for people and as JSON for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from reconciler.core.counting import counted, number
from reconciler.core.report import Outcome, Report, Row

from .escape import LABEL_LIMIT, name, pad, prose, quoted, width
from .folding import FOLD, fold_alike
from .sentences import duration, listed
from .spans import EMPTY, Line, Span, Style, line, plain

FORMAT_VERSION: Final = "1.0"
_FEW: Final = 3
# The word of an interrupted run for what it left undone.
_INTERRUPTED: Final = "interrupted"
# The worst first; what went well stands as counts in the last line.
ORDER: Final = (
    Outcome.UNKNOWN,
    Outcome.FAILED,
    Outcome.STALE,
    Outcome.STORED_OTHERWISE,
    Outcome.SKIPPED,
    Outcome.NOT_TRIED,
    Outcome.APPLIED,
    Outcome.ADOPTED,
    Outcome.RELEASED,
)
_STYLES: Final[Mapping[Outcome, Style]] = MappingProxyType(
    {
        Outcome.APPLIED: "success",
        Outcome.ADOPTED: "success",
        Outcome.RELEASED: "success",
        Outcome.FAILED: "error",
        Outcome.UNKNOWN: "error",
        Outcome.STALE: "warning",
        Outcome.STORED_OTHERWISE: "warning",
        Outcome.SKIPPED: "warning",
        Outcome.NOT_TRIED: "warning",
    }
)
MEANS: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.UNKNOWN: "unknown: sent, and nobody knows whether it was done; it is read before "
        "anything is sent again.",
        Outcome.FAILED: "failed: the row says why, and what is true now.",
        Outcome.STALE: "stale: the registration moved since the plan; it was left alone.",
        Outcome.STORED_OTHERWISE: "stored-otherwise: done, and the service keeps other values "
        "than were sent; the row says which.",
        Outcome.SKIPPED: "skipped: what it needs was not applied.",
        Outcome.NOT_TRIED: "not-tried: the run ended before its turn.",
    }
)


def lines(report: Report, fold: int | None = FOLD, again: str | None = None) -> Iterator[Line]:
    """Yield the table, how to go on, and one last line with the counts.

    What went well is counted only; more than `fold` other rows alike are one (None: never).
    `again` is the command that goes on with this very plan, if there is one.
    """
    bad = [group for outcome in ORDER for group in group_rows(report, outcome, fold)]
    if bad:
        yield from _table(bad, report)
        yield EMPTY
        for outcome in ORDER:
            if report.counts.get(outcome) and outcome in MEANS:
                yield line(Span(MEANS[outcome], "dim"))
        for sentence in next_steps(report, again):
            yield line(sentence)
        yield EMPTY
    yield summary_line(report)


def typed(command: str) -> str:
    """Return a command as a text quotes it."""
    return f"`{prose(command)}`"


def next_steps(
    report: Report, again: str | None, typed: Callable[[str], str] = typed
) -> Iterator[str]:
    """Yield what to do about what is left; `typed` marks a command as a rendering does."""
    stale = bool(report.counts.get(Outcome.STALE))
    replanned = (Outcome.STALE, Outcome.STORED_OTHERWISE)
    rest = any(not row.outcome.is_good and row.outcome not in replanned for row in report.rows)
    if again is not None and rest:
        repair = "fix the cause, then " if report.counts.get(Outcome.FAILED) else ""
        yield (
            f"How to go on: {repair}{typed(again)} again. It goes on with this plan: what is "
            "applied is not sent again."
        )
        if stale:
            yield "What is stale needs a new plan: `reconciler plan`."
        return
    yield "How to go on: run `reconciler plan`, look at what is left, apply that."


def group_rows(report: Report, outcome: Outcome, fold: int | None) -> list[list[Row]]:
    """Return the rows of a bad outcome, those alike in one group where they are many."""
    if outcome.is_good:
        return []

    def look(row: Row) -> Hashable:
        # Of a thousand failures that differ in the registration only, one is read.
        why = row_detail(row, report).replace(row.device, "{id}")
        return (row.application, row.operation, row.truth, why)

    return fold_alike((row for row in report.rows if row.outcome is outcome), look, fold)


def row_detail(row: Row, report: Report) -> str:
    """Return the detail without what the row's other columns and the last line say already."""
    detail = row.detail or ""
    why = _INTERRUPTED if report.interrupted else report.stopped
    if row.outcome is Outcome.NOT_TRIED and detail == why:
        return ""
    if why is not None:
        detail = detail.removesuffix(f": {why}")
    return detail.removeprefix(f"{row.operation} of device {row.device}: {row.method} {row.path} ")


def _table(groups: Sequence[Sequence[Row]], report: Report) -> Iterator[Line]:
    heads = ("outcome", "operation", "now", "device")
    cells = [_cells(group) for group in groups]
    columns = [
        max(width(row[index]) for row in [heads, *cells]) + 2 for index in range(len(heads) - 1)
    ]
    yield line(
        Span(
            "".join(pad(head, size) for head, size in zip(heads, columns, strict=False))
            + heads[-1],
            "title",
        )
    )
    for group, row in zip(groups, cells, strict=True):
        outcome, operation, truth, device = row
        yield line(
            Span(pad(outcome, columns[0]), _STYLES[group[0].outcome]),
            pad(operation, columns[1]),
            pad(truth, columns[2]),
            Span(device, "title"),
            f"  {name(group[0].application)}",
        )
        first = group[0]
        details = list(detail_lines(first, row_detail(first, report), sum(columns)))
        if len(group) > 1 and first.device in plain(details):
            yield line(
                Span(f"The first of them, {name(first.device)}:", "dim"), indent=sum(columns)
            )
        yield from details


def _cells(group: Sequence[Row]) -> tuple[str, str, str, str]:
    first = group[0]
    if len(group) > 1:
        ids = [name(row.device) for row in group[:_FEW]]
        device = f"{number(len(group))} devices: {listed(ids, _FEW, len(group))}"
    else:
        label = "" if first.label is None else f"  {quoted(first.label, LABEL_LIMIT)}"
        device = name(first.device) + label
    return first.outcome.value, prose(first.operation or "-"), prose(first.truth), device


def detail_lines(first: Row, said: str, indent: int = 0) -> Iterator[Line]:
    """Yield the request of a row that went wrong, unless it is named already, and what was said."""
    request = f"{first.method} {first.path}"
    # Where nothing was sent, the detail names the read that failed, or there was no request.
    is_sent = first.attempts > 0 or first.outcome is Outcome.UNKNOWN
    is_bad = first.outcome in (Outcome.FAILED, Outcome.UNKNOWN)
    if is_bad and is_sent and first.path and request not in said:
        count = first.attempts
        tries = f"  ({counted(count, 'attempt')})" if count > 1 and "attempt" not in said else ""
        yield line(Span(prose(request) + tries, "dim"), indent=indent)
    if said:
        yield line(prose(said), indent=indent)


def summary_line(report: Report) -> Line:
    """Return the one line with the counts."""
    counts = report.counts
    calls = [row for row in report.rows if row.call is not None]
    applied = counts.get(Outcome.APPLIED, 0)
    if not report.rows and report.stopped is None:
        return line(Span("Nothing to apply.", "title"))
    noted = "".join(
        f" {number(counts[outcome])} {outcome.value}."
        for outcome in (Outcome.ADOPTED, Outcome.RELEASED)
        if counts.get(outcome)
    )
    took = f" {duration(report.seconds)}."
    if report.complete and not report.interrupted:
        if not calls:
            return line(Span(f"Applied: no calls needed.{noted}{took}", "success"))
        kinds = Counter(row.operation for row in calls if row.operation)
        each = ", ".join(f"{number(count)} {prose(kind)}" for kind, count in sorted(kinds.items()))
        text = f"Applied: {counted(applied, 'call')} ({each}).{noted}{took}"
        return line(Span(text, "success"))
    bad = "".join(
        f", {number(counts[outcome])} {outcome.value}"
        for outcome in ORDER
        if not outcome.is_good and counts.get(outcome)
    )
    word = "Interrupted" if report.interrupted else "Incomplete"
    why = f" Stopped: {prose(report.stopped).rstrip('.')}." if report.stopped else ""
    done = f"{word}: {number(applied)} of {counted(len(calls), 'call')} applied{bad}."
    return line(Span(f"{done}{noted}{why}{took}", "error"))


def encode(report: Report) -> bytes:
    """Return the report as JSON in ASCII, every row in the order of the report."""
    counts = report.counts
    document = {
        "formatVersion": FORMAT_VERSION,
        "plan": report.plan,
        "complete": report.complete and not report.interrupted,
        "interrupted": report.interrupted,
        "stopped": report.stopped,
        "seconds": round(report.seconds, 3),
        "counts": {outcome.value: counts.get(outcome, 0) for outcome in Outcome},
        "rows": [_row(row) for row in report.rows],
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _row(row: Row) -> Mapping[str, object]:
    return {
        "device": row.device,
        "application": row.application,
        "label": row.label,
        "outcome": row.outcome.value,
        "call": row.call,
        "operation": row.operation,
        "method": row.method,
        "path": row.path,
        "attempts": row.attempts,
        "truth": row.truth,
        "detail": row.detail,
    }
