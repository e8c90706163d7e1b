"""Privacy of plans: what a finished document may hold of values that the project hides or shows.

Plans are made and proven with the true values; they leave this room without those that are hidden,
and apply puts them in again from the manifests, as far as the digests agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from msgspec.structs import replace

from reconciler.core.device import DesiredDevice, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import ADDITIONAL_DATA, OWNER, LiveValue, Scalar, data_path
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.opaque import Opaque
from reconciler.core.privacy import Privacy
from reconciler.core.project import Project

from .model import (
    HIDDEN,
    INCOMPLETE,
    Change,
    Coverage,
    Drift,
    FieldChange,
    HiddenValue,
    PlannedCall,
    Proposal,
)
from .people import DeclaredPeople

_PERSON = "$person"
_SELECT = "--select "


def hidden_digest(device: str, path: str, value: object, digester: Digester) -> str:
    """Digest a hidden value, for one device and one field: two of them never compare equal."""
    return digester.of("hidden", [device, path, value])


def opaque_value(device: str, path: str, value: Opaque, digester: Digester) -> HiddenValue:
    """Return what a document holds of a live value that no file could declare."""
    return HiddenValue(hidden_digest(device, path, value, digester), value.type)


@dataclass(frozen=True, slots=True)
class Veil:
    """Takes the values of hidden fields out of what a plan is made of."""

    privacy: Privacy
    digester: Digester

    def value(self, device: str, path: str, value: LiveValue | None) -> Scalar | HiddenValue | None:
        """Return a value as a document may hold it; that there is none is nothing to hide. Of a
        live value that no file could declare, the type is shown."""
        if isinstance(value, Opaque):
            return opaque_value(device, path, value, self.digester)
        if value is None or not self.privacy.hides(path):
            return value
        return HiddenValue(hidden_digest(device, path, value, self.digester))

    def changes(self, changes: Iterable[Change]) -> list[Change]:
        if not self.privacy.hide:
            return list(changes)
        return [replace(one, fields=self._fields(one.device, one.fields)) for one in changes]

    def drift(self, drift: Iterable[Drift]) -> tuple[Drift, ...]:
        if not self.privacy.hide:
            return tuple(drift)
        return tuple(replace(one, fields=self._fields(one.device, one.fields)) for one in drift)

    def calls(self, calls: Iterable[PlannedCall]) -> tuple[PlannedCall, ...]:
        return tuple(calls) if not self.privacy.hide else tuple(map(self._call, calls))

    def coverage(self, coverage: Coverage) -> Coverage:
        """Return it without what a selector says of a hidden key: `--select email=ana@*`."""
        return replace(coverage, selectors=tuple(map(self._selector, coverage.selectors)))

    def _fields(self, device: str, fields: Iterable[FieldChange]) -> tuple[FieldChange, ...]:
        return tuple(self._field(device, field) for field in fields)

    def _field(self, device: str, field: FieldChange) -> FieldChange:
        if not self.privacy.hides(field.path):
            return field
        before, after = (
            one if isinstance(one, HiddenValue) else self.value(device, field.path, one)
            for one in (field.before, field.after)
        )
        return replace(field, before=before, after=after)

    def _call(self, call: PlannedCall) -> PlannedCall:
        data = None if call.body is None else call.body.get(ADDITIONAL_DATA)
        if not isinstance(data, dict):
            return call
        shown = {key: self._sent(call.device, key, value) for key, value in data.items()}
        return replace(call, body={**(call.body or {}), ADDITIONAL_DATA: shown})

    def _sent(self, device: str, key: str, value: object) -> object:
        path = data_path(key)
        if value is None or not self.privacy.hides(path):
            return value
        return {HIDDEN: hidden_digest(device, path, value, self.digester)}

    def _selector(self, text: str) -> str:
        key, sign, _ = text.removeprefix(_SELECT).partition("=")
        if not text.startswith(_SELECT) or not sign or key == "label":
            return text
        if self.privacy.hides(key) or self.privacy.hides(data_path(key)):
            return f"{_SELECT}{key}=(hidden)"
        return text


def revealed(call: PlannedCall, device: DesiredDevice | None, digester: Digester) -> PlannedCall:
    """Return a call with the declared values in the places of those that were hidden.

    A hidden value that is not the declared one stays as it is: nothing justifies it.
    """
    data = None if call.body is None else call.body.get(ADDITIONAL_DATA)
    if device is None or not isinstance(data, dict):
        return call
    declared = device.additional_data
    known = {
        key: declared[key]
        for key, value in data.items()
        if is_hidden(value)
        and key in declared
        and value == {HIDDEN: hidden_digest(call.device, data_path(key), declared[key], digester)}
    }
    return (
        replace(call, body={**(call.body or {}), ADDITIONAL_DATA: {**data, **known}})
        if known
        else call
    )


def is_hidden(value: object) -> bool:
    """Whether a value of a call's body stands for a hidden one."""
    return isinstance(value, dict) and value.keys() == {HIDDEN}


def named_in(
    changes: Iterable[Change],
    drift: Iterable[Drift],
    calls: Iterable[PlannedCall],
    proposals: Iterable[Proposal],
) -> Iterator[str]:
    """Yield the names of people that the parts of a plan hold; also of nobody, and undeclared."""
    fields = chain(*(one.fields for one in changes), *(one.fields for one in drift))
    for field in fields:
        if field.path == OWNER:
            yield from (one for one in (field.before, field.after) if isinstance(one, str))
    for call in calls:
        for value in (call.body or {}).values():
            if isinstance(value, dict) and isinstance(value.get(_PERSON), str):
                yield value[_PERSON]
    yield from (proposal.owner for proposal in proposals)


def shown_people(
    names: Iterable[str], people: DeclaredPeople, project: Project
) -> dict[str, dict[str, str]]:
    """Return what the project shows of the people that are named: values by kind, by pointer.

    Those of files outside of Git are not shown: that is why they are kept there.
    """
    kinds = project.privacy.show
    if not kinds:
        return {}
    outside = {pattern.text for pattern in project.people_from}
    shown: dict[str, dict[str, str]] = {}
    for name in sorted({name.removesuffix(INCOMPLETE) for name in names}):
        owner = people.by_pointer.get(name)
        if owner is None or owner.source is None or owner.source.file in outside:
            continue
        values = _values(owner, kinds)
        if values:
            shown[name] = values
    return shown


def _values(owner: Owner, kinds: frozenset[IdentityKind]) -> dict[str, str]:
    return {value.kind.value: _text(value) for value in owner.identity if value.kind in kinds}


def _text(value: IdentityValue) -> str:
    plus = "+" if value.kind is IdentityKind.PHONE_NUMBER else ""
    return plus + value.reveal()
