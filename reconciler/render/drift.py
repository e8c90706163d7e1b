"""Stage 5, what moved since the last apply: text for a terminal, Markdown for a scheduled job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.fields import OWNER, Scalar
from reconciler.plan.drift import DriftDocument, MovedDevice, MovedField

from .escape import LABEL_LIMIT, name, pad, prose, quoted, width
from .markdown import code
from .sentences import counted, devices, listed, number
from .spans import EMPTY, Line, Span, Style, line
from .view import shown_path, value

FOLD: Final = 5
MARKER: Final = "<!-- reconciler:drift -->"
LIMIT: Final = 65_535
_FEW: Final = 3
_STYLES: Final[dict[str, Style]] = {"service": "warning", "both": "risk", "files": "dim"}


@dataclass(frozen=True, slots=True)
class _Group:
    """Devices of one application that moved in the same way."""

    devices: tuple[MovedDevice, ...]

    @property
    def first(self) -> MovedDevice:
        return self.devices[0]


def summary(document: DriftDocument) -> str:
    """Return the last line: "Drift: 3 of 120 devices, 1 of them gone. 2 moved in the files only."

    Nothing of it is user data.
    """
    counts = document.summary
    files = ""
    if counts.files_moved:
        files = f" {devices(counts.files_moved)} moved in the files only."
    if not counts.devices:
        return "No drift: the record holds no device."
    if not counts.drifted:
        return f"No drift: nobody else changed any of {devices(counts.devices)}.{files}"
    gone = f", {number(counts.gone)} of them gone" if counts.gone else ""
    return f"Drift: {number(counts.drifted)} of {devices(counts.devices)}{gone}.{files}"


def lines(document: DriftDocument, fold: int | None = FOLD) -> Iterator[Line]:
    """Yield the document line by line; more than `fold` devices that moved alike are one."""
    for group in _grouped(document.devices, fold):
        yield from _block(group)
        yield EMPTY
    yield line(Span(summary(document), "title"))
    if document.summary.drifted:
        yield line(
            Span("reconciler plan shows what apply would mend; onDrift says what it leaves.", "dim")
        )


def markdown(document: DriftDocument, fold: int | None = FOLD, limit: int = LIMIT) -> str:
    """Return a comment or an issue's text: a table of at most `limit` characters, cut if it must
    be, and then it says so."""
    head = f"{MARKER}\n### Reconciler drift\n\n**{summary(document)}**\n"
    groups = _grouped(document.devices, fold)
    if not groups:
        return head
    rows = [
        "",
        "| device | application | field | is | applied | declared | moved by |",
        "|---|---|---|---|---|---|---|",
    ]
    room, left = limit - len(head) - 400, 0
    for group in groups:
        block = [_row(group, field) for field in group.first.fields] or [_row(group, None)]
        size = sum(len(row) + 1 for row in block)
        if left or size > room:
            left += len(group.devices)
            continue
        room -= size
        rows += block
    if left:
        rows += ["", f"And {devices(left)} more; `--format json` has all."]
    return head + "\n".join(rows) + "\n"


def _grouped(moved: Sequence[MovedDevice], fold: int | None) -> list[_Group]:
    alike: dict[object, list[MovedDevice]] = {}
    for index, device in enumerate(moved):
        alike.setdefault(_same(device, index, fold), []).append(device)
    groups: list[_Group] = []
    for found in alike.values():
        if fold is not None and len(found) > fold:
            groups.append(_Group(tuple(found)))
        else:
            groups += [_Group((device,)) for device in found]
    return sorted(groups, key=lambda group: group.first.device)


def _same(device: MovedDevice, index: int, fold: int | None) -> object:
    if fold is None:
        return index
    return (
        device.application,
        device.found,
        device.found_in,
        device.source is None,
        tuple(
            (field, *map(type, (field.applied, field.live, field.declared)))
            for field in device.fields
        ),
    )


def _block(group: _Group) -> Iterator[Line]:
    first = group.first
    if len(group.devices) > 1:
        title, place = devices(len(group.devices)), ""
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
        yield line(Span(_found(first), "warning"), indent=4)
    paths = max((min(width(shown_path(field.path)), 44) for field in first.fields), default=0)
    for field in first.fields:
        yield line(
            pad(shown_path(field.path), paths) + "  ",
            *_values(field),
            Span(f"  ({_whose(field)})", _STYLES[field.moved]),
            indent=4,
        )
    if len(group.devices) > 1:
        ids = [name(device.device) for device in group.devices[:_FEW]]
        yield line(Span(f"on {listed(ids, _FEW, len(group.devices))}", "dim"), indent=4)


def _found(device: MovedDevice) -> str:
    if device.found == "gone":
        return "gone: the service knows no such registration"
    return f"stands in the application {name(device.found_in or '')} now"


def _values(field: MovedField) -> Iterator[Span | str]:
    if not field.shown:
        yield "no file declares it any more, so its value is not shown"
        return
    yield "is "
    yield Span(_value(field, field.live), "warning" if field.moved != "files" else "plain")
    if field.moved == "files":
        yield ", as applied" if field.applied is not None else ""
    elif field.applied is not None or field.moved == "service":
        yield f", applied {_value(field, field.applied)}"
    if field.moved != "service":
        yield f", declared {_value(field, field.declared)}"


def _whose(field: MovedField) -> str:
    match field.moved:
        case "service":
            return "changed by others"
        case "files":
            return "the files moved"
        case _:
            return "changed by others, and the files moved"


def _value(field: MovedField, scalar: Scalar | None) -> str:
    if scalar is None and field.path == OWNER:
        return "not declared"
    return value(field.path, scalar)


def _row(group: _Group, field: MovedField | None) -> str:
    first = group.first
    many = len(group.devices) > 1
    device = f"{devices(len(group.devices))}: " if many else ""
    ids = ", ".join(code(name(one.device)) for one in group.devices[:_FEW])
    more = f" and {counted(len(group.devices) - _FEW, 'more device')}" if many else ""
    if first.found != "there":
        found = _found(first)
        return f"| {device}{ids}{more} | {code(name(first.application))} | {found} | | | | others |"
    if field is None:
        where = code(name(first.application))
        return f"| {device}{ids}{more} | {where} | left the files | | | | the files |"
    cells = ["not shown"] * 3
    if field.shown:
        unknown = field.applied is None and field.moved != "service"
        cells = [
            code(_value(field, field.live)),
            "not known" if unknown else code(_value(field, field.applied)),
            code(_value(field, field.declared)),
        ]
    whose = {"service": "others", "files": "the files", "both": "others and the files"}
    parts = [
        f"{device}{ids}{more}",
        code(name(first.application)),
        code(shown_path(field.path)),
        *cells,
        whose[field.moved],
    ]
    return f"| {' | '.join(parts)} |"
