"""The one view of a plan that every rendering shows: legible texts, folded groups, short lists.

Every text in it is escaped for the eye (see escape), so a rendering adds only its own syntax.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, overload

import msgspec

from reconciler.core.fields import (
    IS_PRIMARY,
    OWNER,
    REGISTRATION_ENABLED,
    Scalar,
    data_key,
    data_path,
)
from reconciler.plan.definition import (
    INCOMPLETE,
    NOBODY,
    OTHERS_CHANGED_TOO,
    Action,
    Change,
    Drift,
    FieldChange,
    HiddenValue,
    Plan,
    PlanError,
    PlanWarning,
    Reason,
    Refusal,
    Risk,
)

from .coverage import CoverageView, coverage_view
from .escape import LABEL_LIMIT, name, prose, quoted, quoted_pair
from .people import NO_PEOPLE, People, identity
from .proposals import ProposalView, not_looked_for, proposal_views
from .sentences import RISK_MEANS, summary

FOLD: Final = 5
Sign = Literal["+", "-", "~"]
_NONE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
_CALLS: Final = frozenset({Action.DEPERSONALIZE, Action.PERSONALIZE, Action.UPDATE})


class _Part(msgspec.Struct, frozen=True, gc=False):
    """Made by the ten thousand, and never walked by the collector: there are no cycles in it."""


class DeviceView(_Part, frozen=True, gc=False):
    """One device; label (in quotes) and source are empty where there is none."""

    id: str
    application: str
    label: str
    source: str


class FieldView(_Part, frozen=True, gc=False):
    """One field that changes: both values as texts, why (note; empty: declared), and its risks."""

    sign: Sign
    path: str
    before: str
    after: str
    note: str = ""
    risks: tuple[Risk, ...] = ()

    @property
    def arrow(self) -> str:
        """The values in one line: `"a" -> "b"`; of a field that is new only its value."""
        return self.after if self.sign == "+" else f"{self.before} -> {self.after}"


class ChangeView(_Part, frozen=True, gc=False):
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


@dataclass(frozen=True, slots=True)
class RiskView:
    """One kind of risk in the plan: what it means, how many devices, the devices."""

    risk: Risk
    means: str
    devices: Sequence[DeviceView]


@dataclass(frozen=True, slots=True)
class ErrorView:
    code: str
    slug: str
    message: str
    devices: tuple[str, ...]
    source: str
    detail: tuple[str, ...]
    fix: str


@dataclass(frozen=True, slots=True)
class WarningView:
    code: str
    message: str
    source: str


@dataclass(frozen=True, slots=True)
class RefusalView:
    guard: str
    message: str
    measured: str
    limit: str
    way_out: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """A whole plan to be shown. Lists keep the plan's order; a group stands where its first is."""

    changes: tuple[ChangeView, ...]
    drift: tuple[ChangeView, ...]
    adopted: Sequence[DeviceView]
    released: Sequence[DeviceView]
    gone: Sequence[DeviceView]
    proposals: tuple[ProposalView, ...]
    not_looked_for: str
    errors: tuple[ErrorView, ...]
    refusals: tuple[RefusalView, ...]
    warnings: tuple[WarningView, ...]
    risks: tuple[RiskView, ...]
    coverage: CoverageView | None
    summary: str
    id: str
    created_at: str
    commit: str
    digest: str


def view(plan: Plan, fold: int | None = FOLD) -> PlanView:
    """Make the view. Identical changes of more than `fold` devices are one; None folds nothing."""
    changed = [change for change in plan.changes if not _CALLS.isdisjoint(change.actions)]
    called = {change.device for change in changed}
    # Said where the fields stand, so it needs no warning of its own.
    contested = {
        warning.device: warning.fields
        for warning in plan.warnings
        if warning.code == OTHERS_CHANGED_TOO and warning.device in called
    }
    return PlanView(
        changes=_folded(changed, fold, plan.people, contested),
        drift=_folded(plan.drift, fold, plan.people),
        adopted=_with_action(plan, Action.ADOPT),
        released=_with_action(plan, Action.RELEASE),
        gone=_with_action(plan, Action.GONE),
        proposals=proposal_views(plan.proposals, plan.people),
        not_looked_for=not_looked_for(plan.proposals),
        errors=tuple(_error(error) for error in plan.errors),
        refusals=tuple(_refusal(refusal) for refusal in plan.refusals),
        warnings=tuple(
            _warning(warning)
            for warning in plan.warnings
            if warning.code != OTHERS_CHANGED_TOO or warning.device not in contested
        ),
        risks=_risks(changed),
        coverage=coverage_view(plan.coverage),
        summary=summary(plan),
        id=name(plan.id),
        created_at=prose(plan.created_at),
        commit=name(plan.inputs.commit) if plan.inputs.commit else "",
        digest=name(plan.digest),
    )


def value(path: str, scalar: Scalar | HiddenValue | None, people: People = NO_PEOPLE) -> str:
    """Show a value of a field as YAML would read it; people by their names."""
    match scalar:
        case None:
            return "null"
        case HiddenValue():
            return "(hidden)"
        case bool():
            return "true" if scalar else "false"
        case str() if path == OWNER:
            return person(scalar, people)
        case str():
            return quoted(scalar)
        case _:
            return str(scalar)


def person(text: str, people: People = NO_PEOPLE) -> str:
    """Show the name of an owner, and what the project shows of who that is."""
    number = text.removeprefix("person ")
    if text == NOBODY or (number != text and number.isascii() and number.isdigit()):
        return text
    pointer = text.removesuffix(INCOMPLETE)
    return name(pointer) + identity(pointer, people) + text[len(pointer) :]


@lru_cache(maxsize=1024)  # many devices, few paths
def shown_path(path: str) -> str:
    """Show a field path; an odd additionalData key stands in quotes."""
    key = data_key(path)
    return name(path) if key is None else data_path(name(key))


def device_view(change: Change | Drift) -> DeviceView:
    """Make a device legible."""
    return DeviceView(
        id=name(change.device),
        application=name(change.application),
        label="" if change.label is None else quoted(change.label, LABEL_LIMIT),
        source="" if change.source is None else prose(change.source),
    )


class _Devices(Sequence[DeviceView]):
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
            return _Devices(self._changes[index])
        return device_view(self._changes[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def _with_action(plan: Plan, action: Action) -> Sequence[DeviceView]:
    return _Devices([change for change in plan.changes if action in change.actions])


def _folded(
    changes: Sequence[Change | Drift],
    fold: int | None,
    people: People,
    contested: Mapping[str, tuple[str, ...]] = _NONE,
) -> tuple[ChangeView, ...]:
    groups: dict[tuple[object, tuple[str, ...]], list[tuple[int, Change | Drift]]] = {}
    for index, change in enumerate(changes):
        too = contested.get(change.device, ())
        groups.setdefault((_same(change, index, fold), too), []).append((index, change))
    found: list[tuple[int, ChangeView]] = []
    for (_, too), group in groups.items():
        if fold is not None and len(group) > fold:
            found.append((group[0][0], _change([change for _, change in group], people, too)))
        else:
            found.extend((index, _change([change], people, too)) for index, change in group)
    return tuple(change for _, change in sorted(found, key=lambda item: item[0]))


def alike(one: Scalar | HiddenValue | None) -> tuple[type, object]:
    """Return what equals only that of a value that looks the same; 1 and true differ.

    All hidden values look the same: which of them are equal is not to be seen.
    """
    return (type(one), None if isinstance(one, HiddenValue) else one)


def _same(change: Change | Drift, index: int, fold: int | None) -> object:
    """Return what two changes must share to be shown as one."""
    if fold is None:
        return index
    return (
        change.application,
        isinstance(change, Change) and (change.actions, change.risks, change.declaration is None),
        tuple((field.path, *alike(field.before), *alike(field.after)) for field in change.fields),
        tuple(field.reason for field in change.fields),
    )


def _change(
    group: Sequence[Change | Drift], people: People, contested: Collection[str]
) -> ChangeView:
    first = group[0]
    risks = first.risks if isinstance(first, Change) else ()
    fields = tuple(_field(field, risks, people, field.path in contested) for field in first.fields)
    shown = {risk for field in fields for risk in field.risks}
    return ChangeView(
        devices=tuple(device_view(change) for change in group),
        fields=fields,
        actions=first.actions if isinstance(first, Change) else (),
        risks=tuple(risk for risk in risks if risk not in shown),
        all_risks=risks,
        left_files=isinstance(first, Change) and first.declaration is None,
    )


def _field(field: FieldChange, risks: Sequence[Risk], people: People, contested: bool) -> FieldView:
    path, before, after = field.path, field.before, field.after
    if isinstance(before, str) and isinstance(after, str) and path != OWNER:
        texts = quoted_pair(before, after)
    else:
        texts = value(path, before, people), value(path, after, people)
    nothing = NOBODY if path == OWNER else None
    return FieldView(
        sign="+" if before == nothing else "-" if after == nothing else "~",
        path=shown_path(path),
        before=texts[0],
        after=texts[1],
        note=_note(field.reason, contested),
        risks=tuple(risk for risk in risks if _is_of(risk, field)) if risks else (),
    )


def _note(reason: Reason, contested: bool) -> str:
    match reason:
        case Reason.DECLARED:
            return "others changed it too" if contested else ""
        case Reason.DRIFT:
            return "drift: changed by others"
        case Reason.REMOVED:
            return "left the files"


def _is_of(risk: Risk, field: FieldChange) -> bool:
    match risk:
        case Risk.OWNER_CHANGE | Risk.DETACH | Risk.LEAD_PROMOTION:
            return field.path == OWNER
        case Risk.PRIMARY_CHANGE:
            return field.path == IS_PRIMARY
        case Risk.DISABLE:
            return field.path == REGISTRATION_ENABLED
        case Risk.KEY_REMOVAL:
            return data_key(field.path) is not None and field.after is None


def _risks(changes: Sequence[Change]) -> tuple[RiskView, ...]:
    found: dict[Risk, list[Change]] = {}
    for change in changes:
        for risk in change.risks:
            found.setdefault(risk, []).append(change)
    return tuple(
        RiskView(risk, RISK_MEANS[risk], _Devices(found[risk])) for risk in Risk if risk in found
    )


def _error(error: PlanError) -> ErrorView:
    return ErrorView(
        code=name(error.code),
        slug=name(error.slug),
        message=prose(error.message),
        devices=tuple(name(device) for device in error.devices),
        source="" if error.source is None else prose(error.source),
        detail=tuple(prose(text) for text in error.detail),
        fix="" if error.fix is None else prose(error.fix),
    )


def _warning(warning: PlanWarning) -> WarningView:
    source = "" if warning.source is None else prose(warning.source)
    return WarningView(name(warning.code), prose(warning.message), source)


def _refusal(refusal: Refusal) -> RefusalView:
    return RefusalView(
        name(refusal.guard),
        prose(refusal.message),
        prose(refusal.measured),
        prose(refusal.limit),
        prose(refusal.way_out),
    )
