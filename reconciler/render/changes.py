"""Devices and their changes made legible; the same change of many devices is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, overload

import msgspec

from reconciler.core.fields import FIELD_BY_PATH, OWNER, data_key
from reconciler.plan.model import NOBODY, Action, Change, Drift, FieldChange, Reason, Risk

from .escape import LABEL_LIMIT, name, prose, quoted, quoted_pair
from .folding import fold_alike
from .values import People, look_of_value, show_path, show_value


# Made by the ten thousand, and never walked by the collector: it holds no cycle.
class DeviceView(msgspec.Struct, frozen=True, gc=False):
    """One device; label (in quotes) and source are empty where there is none."""

    id: str
    application: str
    label: str
    source: str


def device_view(change: Change | Drift) -> DeviceView:
    """Make a device legible."""
    return DeviceView(
        id=name(change.device),
        application=name(change.application),
        label="" if change.label is None else quoted(change.label, LABEL_LIMIT),
        source="" if change.source is None else prose(change.source),
    )


class DeviceViews(Sequence[DeviceView]):
    """Devices that are made legible when they are shown: of very many only few are."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = changes

    def __len__(self) -> int:
        return len(self._changes)

    @overload
    def __getitem__(self, index: int) -> DeviceView: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[DeviceView]: ...

    def __getitem__(self, index: int | slice) -> DeviceView | Sequence[DeviceView]:
        if isinstance(index, slice):
            return DeviceViews(self._changes[index])
        return device_view(self._changes[index])


Sign = Literal["+", "-", "~"]
_NONE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


# Structs are made by the ten thousand, and never walked by the collector: none holds a cycle.
class FieldView(msgspec.Struct, frozen=True, gc=False):
    """One field that changes: both values as texts, why (note; empty: declared), and its risks."""

    sign: Sign
    path: str
    before: str
    after: str
    note: str = ""
    risks: tuple[Risk, ...] = ()


class ChangeView(msgspec.Struct, frozen=True, gc=False):
    """A change of one device, or the same change of many (folded); all of one application.

    `risks` are those that no field of it shows, `all_risks` those that fields show too. Drift that
    is only reported has neither, and no actions.
    """

    devices: tuple[DeviceView, ...]
    fields: tuple[FieldView, ...]
    actions: tuple[Action, ...] = ()
    risks: tuple[Risk, ...] = ()
    all_risks: tuple[Risk, ...] = ()
    left_files: bool = False

    @property
    def application(self) -> str:
        return self.devices[0].application

    def files(self) -> list[tuple[str, int]]:
        """Return the files that declare these devices with how many, most first."""
        named = Counter(device.source.rsplit(":", 2)[0] for device in self.devices if device.source)
        return sorted(named.items(), key=lambda item: (-item[1], item[0]))


def change_views(
    changes: Sequence[Change | Drift],
    fold: int | None,
    people: People,
    contested: Mapping[str, tuple[str, ...]] = _NONE,
) -> tuple[ChangeView, ...]:
    """Make the views; identical changes of more than `fold` devices are one.

    `contested` are fields by their device that others changed too.
    """

    def too(change: Change | Drift) -> tuple[str, ...]:
        return contested.get(change.device, ())

    groups = fold_alike(changes, lambda change: (_look_of_change(change), too(change)), fold)
    return tuple(_change_view(group, people, too(group[0])) for group in groups)


def _look_of_change(change: Change | Drift) -> Hashable:
    """Return what two changes must share to be shown as one."""
    return (
        change.application,
        isinstance(change, Change) and (change.actions, change.risks, change.declaration is None),
        tuple(
            (field.path, *look_of_value(field.before), *look_of_value(field.after))
            for field in change.fields
        ),
        tuple(field.reason for field in change.fields),
    )


def _change_view(
    group: Sequence[Change | Drift], people: People, contested: Collection[str]
) -> ChangeView:
    first = group[0]
    risks = first.risks if isinstance(first, Change) else ()
    fields = tuple(
        _field_view(field, risks, people, field.path in contested) for field in first.fields
    )
    shown = {risk for field in fields for risk in field.risks}
    return ChangeView(
        devices=tuple(device_view(change) for change in group),
        fields=fields,
        actions=first.actions if isinstance(first, Change) else (),
        risks=tuple(risk for risk in risks if risk not in shown),
        all_risks=risks,
        left_files=isinstance(first, Change) and first.declaration is None,
    )


def _field_view(
    field: FieldChange, risks: Sequence[Risk], people: People, contested: bool
) -> FieldView:
    path, before, after = field.path, field.before, field.after
    if isinstance(before, str) and isinstance(after, str) and path != OWNER:
        texts = quoted_pair(before, after)
    else:
        texts = show_value(path, before, people), show_value(path, after, people)
    nothing = NOBODY if path == OWNER else None
    return FieldView(
        sign="+" if before == nothing else "-" if after == nothing else "~",
        path=show_path(path),
        before=texts[0],
        after=texts[1],
        note=_reason_note(field.reason, contested),
        risks=tuple(risk for risk in risks if _is_risk_of(risk, field)) if risks else (),
    )


def _reason_note(reason: Reason, contested: bool) -> str:
    match reason:
        case Reason.DECLARED:
            return "others changed it too" if contested else ""
        case Reason.DRIFT:
            return "drift: changed by others"
        case Reason.REMOVED:
            return "left the files"


def _is_risk_of(risk: Risk, field: FieldChange) -> bool:
    match risk:
        case Risk.OWNER_CHANGE | Risk.DETACH | Risk.LEAD_PROMOTION:
            return field.path == OWNER
        case Risk.KEY_REMOVAL:
            return data_key(field.path) is not None and field.after is None
        case _:
            known = FIELD_BY_PATH.get(field.path)
            return known is not None and known.risk is risk
