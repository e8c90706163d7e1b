"""A plan as a person reads it on a terminal: blocks per device, sections, the summary line last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.core.counting import counted, number
from reconciler.plan.model import Plan

from .changes import ChangeView, DeviceView, FieldView, Sign
from .coverage import CoverageView
from .escape import pad, width
from .folding import FOLD
from .sentences import UNREADABLE_MEANS, devices, listed
from .spans import EMPTY, Line, Span, Style, line
from .view import ErrorView, PlanView, RefusalView, WarningView, view

FEW: Final = 3
# Short lists stand in full up to so many lines; JSON always has all.
_LISTED: Final = 20
# A column grows with its cells up to so many characters; what is wider breaks out alone.
_COLUMN: Final = 44
_STYLES: Final[dict[Sign, Style]] = {"+": "add", "-": "remove", "~": "change"}


def lines(plan: Plan, fold: int | None = FOLD) -> Iterator[Line]:
    """Yield the plan line by line; more than `fold` identical changes or warnings are one.

    None folds nothing and cuts no list short.
    """
    shown = view(plan, fold)
    for change in shown.changes:
        yield from _change(change)
        yield EMPTY
    if shown.drift:
        yield _heading("Drift", shown.drift, "reported only, left as it is (onDrift: report)")
        yield EMPTY
        for change in shown.drift:
            yield from _drift(change)
            yield EMPTY
    yield from _short("Adopt", "as declared already; apply only notes them", shown.adopted, fold)
    yield from _short("Release", "left the files; forgotten, no call", shown.released, fold)
    yield from _short("Gone", "the service knows no such registration", shown.gone, fold)
    yield from _short("Unreadable", UNREADABLE_MEANS, shown.unreadable, fold)
    yield from _proposals(shown, fold)
    yield from _errors(shown.errors)
    yield from _refusals(shown.refusals)
    yield from _warnings(shown.warnings, fold)
    yield from _coverage(shown.coverage, fold)
    yield _summary(shown)


def _proposals(shown: PlanView, fold: int | None) -> Iterator[Line]:
    proposals = shown.proposals
    if proposals:
        explanation = "gone, and perhaps installed again; only proposed, see --write-patch"
        yield line(
            Span(f"Back: {devices(len(proposals))}", "title"), Span(f"  {explanation}", "dim")
        )
    few = len(proposals) if fold is None else _LISTED
    for proposal in proposals[:few]:
        to = (
            [Span(" -> ", "dim"), Span(proposal.replacement, "add")] if proposal.replacement else []
        )
        label = f"  {proposal.label}" if proposal.label else ""
        yield line(
            proposal.id,
            *to,
            label,
            f"  {proposal.application}",
            Span(f"  {proposal.source}", "dim"),
            indent=4,
        )
        yield line(Span(proposal.why, "dim"), indent=8)
    if len(proposals) > few:
        yield line(Span(f"and {number(len(proposals) - few)} more", "dim"), indent=4)
    if shown.not_looked_for:
        yield line(shown.not_looked_for)
    if proposals or shown.not_looked_for:
        yield EMPTY


def _coverage(coverage: CoverageView | None, fold: int | None) -> Iterator[Line]:
    if coverage is None:
        return
    yield line(coverage.sentence())
    few = len(coverage.along) if fold is None else _LISTED
    for device in coverage.along[:few]:
        why = f" comes along for {device.needed_by}: {device.why}"
        yield line(device.id, Span(why, "dim"), indent=4)
    if len(coverage.along) > few:
        yield line(Span(f"and {number(len(coverage.along) - few)} more", "dim"), indent=4)
    yield EMPTY


def _summary(shown: PlanView) -> Line:
    if shown.refusals:
        return line(Span(shown.summary, "title"), Span(" Refused, see above.", "error"))
    return line(Span(shown.summary, "title"))


def _heading(word: str, changes: Sequence[ChangeView], explanation: str) -> Line:
    count = sum(len(change.devices) for change in changes)
    return line(Span(f"{word}: {devices(count)}", "title"), Span(f"  {explanation}", "dim"))


def _change(change: ChangeView) -> Iterator[Line]:
    yield from _head(change, Span("~ ", "change"))
    yield from _fields(change.fields)
    for risk in change.risks:
        yield line(Span(f"! {risk.value}", "risk"), indent=4)
    yield from _folded_devices(change)


def _head(change: ChangeView, symbol: Span) -> Iterator[Line]:
    first = change.devices[0]
    if len(change.devices) > 1:
        title, place = devices(len(change.devices)), ""
    else:
        title = f"{first.id}  {first.label}" if first.label else first.id
        place = first.source
    if change.left_files:
        place = f"left the files  {place}".rstrip()
    yield line(
        symbol, Span(title, "title"), f"  {change.application}", Span(f"  {place}".rstrip(), "dim")
    )


def _fields(fields: Sequence[FieldView]) -> Iterator[Line]:
    paths = _column(field.path for field in fields)
    befores = _column(field.before for field in fields if field.sign != "+")
    for field in fields:
        style = _STYLES[field.sign]
        if field.sign == "+":
            values = [Span(field.after, style)]
        else:
            values = [
                Span(pad(field.before, befores)),
                Span(" -> ", "dim"),
                Span(field.after, style),
            ]
        yield line(
            Span(f"{field.sign} ", style),
            pad(field.path, paths) + "  ",
            *values,
            Span(f"  ({field.note})" if field.note else "", "dim"),
            *(Span(f"  ! {risk.value}", "risk") for risk in field.risks),
            indent=4,
        )


def _column(cells: Iterator[str]) -> int:
    return max((size for cell in cells if (size := width(cell)) <= _COLUMN), default=0)


def _folded_devices(change: ChangeView) -> Iterator[Line]:
    if len(change.devices) == 1:
        return
    ids = [device.id for device in change.devices[:FEW]]
    yield line(Span(f"on {listed(ids, FEW, len(change.devices))}", "dim"), indent=4)
    files = [f"{file} ({number(count)})" for file, count in change.files()]
    if files:
        yield line(Span(f"in {listed(files, FEW)}", "dim"), indent=4)


def _drift(change: ChangeView) -> Iterator[Line]:
    yield from _head(change, Span("  "))
    paths = _column(field.path for field in change.fields)
    for field in change.fields:
        yield line(
            pad(field.path, paths) + "  is ",
            Span(field.before, "warning"),
            f", declared {field.after}",
            indent=6,
        )
    yield from _folded_devices(change)


def _short(
    word: str, explanation: str, listing: Sequence[DeviceView], fold: int | None
) -> Iterator[Line]:
    """Yield a short section; adoptions and the like are many at once, so ids share lines."""
    if not listing:
        return
    yield line(Span(f"{word}: {devices(len(listing))}", "title"), Span(f"  {explanation}", "dim"))
    some = listing if fold is None else listing[:_LISTED]
    if len(listing) > _LISTED and fold is not None and word == "Adopt":
        some = listing[:FEW]
    for device in some:
        label = f"  {device.label}" if device.label else ""
        yield line(
            device.id + label,
            f"  {device.application}",
            Span(f"  {device.source}", "dim"),
            indent=4,
        )
    if len(some) < len(listing):
        yield line(Span(f"and {number(len(listing) - len(some))} more", "dim"), indent=4)
    yield EMPTY


def _errors(errors: Sequence[ErrorView]) -> Iterator[Line]:
    if not errors:
        return
    count = len({device for error in errors for device in error.devices})
    yield line(Span(f"Withheld: {devices(count)}", "title"), Span("  the rest is planned", "dim"))
    for error in errors:
        place = f"{error.source}: " if error.source else ""
        yield line(f"  {place}", Span(f"error[{error.code}]", "error"), f": {error.message}")
        for text in error.detail:
            yield line(text, indent=6)
        if len(error.devices) > 1:
            yield line(Span(f"devices: {listed(error.devices, _LISTED)}", "dim"), indent=6)
        if error.fix:
            yield line(Span(f"fix: {error.fix}", "dim"), indent=6)
    yield EMPTY


def _refusals(refusals: Sequence[RefusalView]) -> Iterator[Line]:
    if not refusals:
        return
    title = f"Refused by {counted(len(refusals), 'guard')}: this plan cannot be applied"
    yield line(Span(title, "error"))
    for refusal in refusals:
        yield line("  ", Span(refusal.guard, "error"), f": {refusal.message}")
        yield line(f"measured  {refusal.measured}", indent=6)
        yield line(f"limit     {refusal.limit}", indent=6)
        yield line(f"fix       {refusal.fix}", indent=6)
    yield EMPTY


def _warnings(warnings: Sequence[WarningView], fold: int | None) -> Iterator[Line]:
    """Yield the warnings; of one code at most _LISTED, unless nothing is folded."""
    counts: dict[str, int] = {}
    for warning in warnings:
        counts[warning.code] = counts.get(warning.code, 0) + 1
        if fold is None or counts[warning.code] <= _LISTED:
            place = f"{warning.source}: " if warning.source else ""
            code = Span(f"warning[{warning.code}]", "warning")
            yield line(place, code, f": {warning.message}")
    for code_, count in counts.items():
        if fold is not None and count > _LISTED:
            more = f": and {number(count - _LISTED)} more of this kind"
            yield line(Span(f"warning[{code_}]", "warning"), more)
    if warnings:
        yield EMPTY
