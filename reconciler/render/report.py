"""What an apply did, as one table for people and as JSON for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from reconciler.core.report import Outcome, Report, Row

from .escape import LABEL_LIMIT, name, pad, prose, quoted, width
from .sentences import counted, duration, listed, number
from .spans import EMPTY, Line, Span, Style, line
from .view import FOLD

FORMAT_VERSION: Final = "1.0"
_FEW: Final = 3
_GOOD: Final = frozenset({Outcome.APPLIED, Outcome.ADOPTED})
# The worst first; what went well stands as counts above the last line.
_ORDER: Final = (
    Outcome.UNKNOWN,
    Outcome.FAILED,
    Outcome.STALE,
    Outcome.SKIPPED,
    Outcome.NOT_TRIED,
    Outcome.APPLIED,
    Outcome.ADOPTED,
)
_STYLES: Final[Mapping[Outcome, Style]] = MappingProxyType(
    {
        Outcome.APPLIED: "success",
        Outcome.ADOPTED: "success",
        Outcome.FAILED: "error",
        Outcome.UNKNOWN: "error",
        Outcome.STALE: "warning",
        Outcome.SKIPPED: "warning",
        Outcome.NOT_TRIED: "warning",
    }
)
_GO_ON: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.UNKNOWN: "unknown: sent, and the answer did not come or could not be read; "
        "the next plan reads what is true.",
        Outcome.FAILED: "failed: the row says why; mend the cause, then plan again.",
        Outcome.STALE: "stale: the registration moved since the plan, nothing was sent; "
        "plan again and review.",
        Outcome.SKIPPED: "skipped: what it needs did not succeed; the next plan has it again.",
        Outcome.NOT_TRIED: "not-tried: the run ended before; the next plan has it again.",
    }
)


def lines(report: Report, fold: int | None = FOLD) -> Iterator[Line]:
    """Yield the table, how to go on, and one last line with the counts.

    Applied and adopted rows are counted only; more than `fold` others alike are one (None: never).
    """
    bad = [group for outcome in _ORDER for group in _groups(report, outcome, fold)]
    if bad:
        yield from _table(bad)
        yield EMPTY
    for outcome in _ORDER:
        if report.counts.get(outcome) and outcome in _GO_ON:
            yield line(Span(_GO_ON[outcome], "dim"))
    if bad:
        yield line("How to go on: run `reconciler plan`, look at what is left, apply that.")
        yield EMPTY
    yield _last(report)


def _groups(report: Report, outcome: Outcome, fold: int | None) -> list[list[Row]]:
    """Return the rows of a bad outcome, those alike in one group where they are many."""
    if outcome in _GOOD:
        return []
    alike: dict[tuple[str | None, ...], list[Row]] = {}
    for row in report.rows:
        if row.outcome is outcome:
            key = (row.application, row.operation, row.truth, row.detail)
            alike.setdefault(key, []).append(row)
    groups: list[list[Row]] = []
    for rows in alike.values():
        if fold is not None and len(rows) > fold:
            groups.append(rows)
        else:
            groups.extend([row] for row in rows)
    return groups


def _table(groups: Sequence[Sequence[Row]]) -> Iterator[Line]:
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
        yield from _details(group, sum(columns))


def _cells(group: Sequence[Row]) -> tuple[str, str, str, str]:
    first = group[0]
    if len(group) > 1:
        ids = [name(row.device) for row in group[:_FEW]]
        device = f"{number(len(group))} devices: {listed(ids, _FEW, len(group))}"
    else:
        label = "" if first.label is None else f"  {quoted(first.label, LABEL_LIMIT)}"
        device = name(first.device) + label
    return first.outcome.value, prose(first.operation or "-"), prose(first.truth), device


def _details(group: Sequence[Row], indent: int) -> Iterator[Line]:
    first = group[0]
    if len(group) == 1 and first.method and first.path:
        tries = f"  ({counted(first.attempts, 'attempt')})" if first.attempts > 1 else ""
        request = f"{prose(first.method)} {prose(first.path)}{tries}"
        yield line(Span(request, "dim"), indent=indent)
    if first.detail:
        yield line(prose(first.detail), indent=indent)


def _last(report: Report) -> Line:
    counts = report.counts
    calls = [row for row in report.rows if row.outcome is not Outcome.ADOPTED]
    applied = counts.get(Outcome.APPLIED, 0)
    if not report.rows:
        return line(Span("Nothing to apply.", "title"))
    adopted = counts.get(Outcome.ADOPTED, 0)
    also = f" {number(adopted)} adopted." if adopted else ""
    took = f" {duration(report.seconds)}."
    if report.complete and not report.interrupted:
        if not calls:
            return line(Span(f"Applied: no calls needed.{also}{took}", "success"))
        kinds = Counter(row.operation for row in calls if row.operation)
        each = ", ".join(f"{number(count)} {prose(kind)}" for kind, count in sorted(kinds.items()))
        text = f"Applied: {counted(applied, 'call')} ({each}).{also}{took}"
        return line(Span(text, "success"))
    bad = ", ".join(
        f"{number(counts[outcome])} {outcome.value}"
        for outcome in _ORDER
        if outcome not in _GOOD and counts.get(outcome)
    )
    word = "Interrupted" if report.interrupted else "Incomplete"
    rest = f", {bad}" if bad else ""
    why = f" Stopped: {prose(report.stopped).rstrip('.')}." if report.stopped else ""
    told = f"{word}: {number(applied)} of {counted(len(calls), 'call')} applied{rest}."
    text = f"{told}{why}{also}{took}"
    return line(Span(text, "error"))


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
