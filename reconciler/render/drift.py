"""Drift since the last apply: text for a terminal, Markdown for a scheduled job."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.counting import number, plural
from reconciler.core.fields import OWNER
from reconciler.plan.drift import DriftDocument, MovedDevice, MovedField, Reported
from reconciler.plan.model import HiddenValue

from .escape import LABEL_LIMIT, name, pad, prose, quoted, quoted_pair, width
from .folding import FOLD, fold_alike
from .gfm import LIMIT, code_span, name_devices, table_head, table_row
from .sentences import devices, listed
from .spans import EMPTY, Line, Span, Style, line
from .values import People, look_of_value, show_path, show_value

MARKER: Final = "<!-- reconciler:drift -->"
_FEW: Final = 3
_STYLES: Final[dict[str, Style]] = {"service": "warning", "both": "risk", "files": "dim"}
# What stands behind a table that was cut.
_END: Final = 100
_HEADS: Final = ("device", "application", "field", "is", "applied", "declared", "moved by")
_WHOSE: Final = {"service": "others", "files": "the files", "both": "others and the files"}


_INVOKERS: Final = {"client": "a client", "user": "a user", "system": "the service"}
_REPORTED: Final = {"merged": "its person was merged"}


@dataclass(frozen=True, slots=True)
class _Values:
    """The three values of a field as texts: those that differ also look different."""

    live: str
    applied: str
    declared: str

    @classmethod
    def of(cls, field: MovedField, people: People) -> _Values:
        live, applied, declared = (
            show_value(field.path, scalar, people)
            for scalar in (field.live, field.applied, field.declared)
        )
        if isinstance(field.live, str) and field.path != OWNER:
            if isinstance(field.applied, str) and field.applied != field.live:
                live, applied = quoted_pair(field.live, field.applied)
            if isinstance(field.declared, str) and field.declared != field.live:
                live, declared = quoted_pair(field.live, field.declared)
        return cls(live, applied, declared)


def summary(document: DriftDocument) -> str:
    """Return the last line: "Drift: 3 of 120 devices, 1 of them gone. 2 devices moved in the files
    only."

    Nothing of it is user data.
    """
    counts = document.summary
    after = ""
    if counts.files_moved:
        after = f" {devices(counts.files_moved)} moved in the files only."
    if counts.not_compared:
        their = plural(counts.not_compared, "its", "their")
        after += (
            f" {devices(counts.not_compared)} cannot be compared: the project does not have {their}"
            " application any more."
        )
    if not counts.devices:
        if document.application is not None:
            which = " of this application"
        else:
            which = (
                " that can be compared"
                if counts.not_compared
                else ", so there is nothing to compare"
            )
        return f"No drift: the state holds no device{which}.{after}"
    if not counts.drifted:
        are = plural(counts.devices, "is", "are")
        return f"No drift: {devices(counts.devices)} {are} as applied.{after}"
    gone = f", {number(counts.gone)} of them gone" if counts.gone else ""
    return f"Drift: {number(counts.drifted)} of {devices(counts.devices)}{gone}.{after}"


def lines(document: DriftDocument, fold: int | None = FOLD) -> Iterator[Line]:
    """Yield the document line by line; more than `fold` devices that moved alike are one."""
    for group in _group_alike(document.devices, fold):
        yield from _block(group, document.people)
        yield EMPTY
    yield line(Span(summary(document), "title"))
    if document.summary.drifted:
        yield line(
            Span("reconciler plan shows what apply would fix; onDrift says what it leaves.", "dim")
        )


def markdown(document: DriftDocument, fold: int | None = FOLD, limit: int = LIMIT) -> str:
    """Return a comment or an issue's text: a table of at most `limit` characters, cut if it must
    be, and then it says so."""
    head = f"{MARKER}\n### Reconciler drift\n\n**{summary(document)}**\n"
    groups = _group_alike(document.devices, fold)
    if not groups:
        return head
    head += "\n" + table_head(*_HEADS)
    parts, room, hidden, people = [head], limit - len(head) - _END, 0, document.people
    for group in groups:
        block = "".join(_row(group, field, people) for field in group[0].fields or (None,))
        if hidden or len(block) > room:
            hidden += len(group)
            continue
        room -= len(block)
        parts.append(block)
    if hidden:
        parts.append(f"\nAnd {devices(hidden)} more; `--format json` has all.\n")
    return "".join(parts)


def _group_alike(moved: Sequence[MovedDevice], fold: int | None) -> list[list[MovedDevice]]:
    return sorted(fold_alike(moved, _look_of_device, fold), key=lambda group: group[0].device)


def _look_of_device(device: MovedDevice) -> Hashable:
    """Return what two devices of one application must share to be shown as one."""
    return (
        device.application,
        device.found,
        device.found_in,
        device.unreadable,
        device.events,
        device.source is None,
        tuple(
            (
                *(field.path, field.moved, field.applied_known, field.managed, field.shown),
                *map(look_of_value, (field.applied, field.live, field.declared)),
                isinstance(field.live, HiddenValue) and field.live == field.declared,
            )
            for field in device.fields
        ),
    )


def _block(group: Sequence[MovedDevice], people: People) -> Iterator[Line]:
    first = group[0]
    if len(group) > 1:
        title, place = devices(len(group)), ""
    else:
        label = "" if first.label is None else f"  {quoted(first.label, LABEL_LIMIT)}"
        title = f"{name(first.device)}{label}"
        place = "left the files" if first.source is None else prose(first.source)
    yield line(
        Span("~ ", "change"),
        Span(title, "title"),
        f"  {name(first.application)}",
        Span(f"  {place}".rstrip(), "dim"),
    )
    if first.found != "there":
        yield line(Span(_say_where(first), "warning"), indent=4)
    paths = max((min(width(show_path(field.path)), 44) for field in first.fields), default=0)
    for field in first.fields:
        yield line(
            pad(show_path(field.path), paths) + "  ",
            *_values(field, people),
            Span(f"  ({_say_who_moved(field)})", _STYLES[field.moved]),
            indent=4,
        )
    for event in first.events:
        yield line(Span(_say_event(event), "dim"), indent=4)
    if len(group) > 1:
        ids = [name(device.device) for device in group[:_FEW]]
        yield line(Span(f"on {listed(ids, _FEW, len(group))}", "dim"), indent=4)


def _say_event(event: Reported) -> str:
    """Return "personalized by a client (API), 2026-11-30T10:00:00Z": what, who, where, when."""
    who = _INVOKERS.get(event.invoker, "somebody")
    source = f" ({name(event.source)})" if event.source else ""
    at = f", {name(event.at)}" if event.at else ""
    return f"{_REPORTED.get(event.kind, name(event.kind))} by {who}{source}{at}"


def _say_where(device: MovedDevice, show: Callable[[str], str] = str) -> str:
    if device.found == "gone":
        return "gone: the service knows no such registration"
    if device.found == "unreadable":
        what = name(device.unreadable or "an answer")
        return f"unreadable: the service shows something that cannot be understood ({what})"
    return f"stands in the application {show(name(device.found_in or ''))} now"


def _values(field: MovedField, people: People) -> Iterator[Span | str]:
    if not field.shown:
        yield "no file declares it any more, so its value is not shown"
        return
    shown = _Values.of(field, people)
    yield "is "
    yield Span(shown.live, "warning" if field.moved != "files" else "plain")
    if field.moved == "files":
        yield "" if field.applied is None else ", as applied"
    else:
        yield f", applied {shown.applied}" if field.applied_known else ", not what was applied"
    if field.moved == "service":
        return
    if not field.managed:
        yield ", not declared any more"
    elif _is_as_declared(field, shown):
        yield ", as declared now"
    else:
        yield f", declared {shown.declared}"


def _is_as_declared(field: MovedField, shown: _Values) -> bool:
    """Whether the live value is the declared one; of hidden values their looks say nothing."""
    if isinstance(field.live, HiddenValue):
        return field.live == field.declared
    return shown.declared == shown.live


def _say_who_moved(field: MovedField) -> str:
    match field.moved:
        case "service":
            return "changed by others"
        case "files":
            return "the files moved"
        case _:
            return "changed by others, and the files moved"


def _row(group: Sequence[MovedDevice], field: MovedField | None, people: People) -> str:
    first, which = group[0], name_devices(group)
    others = "; ".join(code_span(_say_event(event)) for event in first.events) or "others"
    where = code_span(name(first.application))
    if first.found != "there":
        return table_row(which, where, "", _say_where(first, code_span), "", "", others)
    if field is None:
        return table_row(which, where, "", "", "", "left the files", "the files")
    whose, path = _WHOSE[field.moved].replace("others", others), code_span(show_path(field.path))
    if not field.shown:
        return table_row(which, where, path, "not shown", "not shown", "not any more", whose)
    shown = _Values.of(field, people)
    return table_row(
        which,
        where,
        path,
        code_span(shown.live),
        code_span(shown.applied) if field.applied_known else "not known",
        code_span(shown.declared) if field.managed else "not any more",
        whose,
    )
