"""Rules across files: what one document cannot know of the others.

Registrations declared twice, two primary devices, people who conflict, hidden keys that nothing
declares. The order in which files are read changes no diagnostic: of several places the first in
the order of files and lines counts as the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from reconciler.core import codes
from reconciler.core.device import Desired, DesiredDevice, Owner, Removal
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.fields import data_key, data_path
from reconciler.core.identity import Identity, IdentityValue
from reconciler.core.privacy import ALL_DATA, Privacy
from reconciler.core.source import Source
from reconciler.core.suggestion import closest
from reconciler.platform.assumptions import PROMOTE, primary_scope

from .external_people import ExternalPeople
from .messages.field_text import show_key
from .people import names_somebody, same_person


@dataclass(frozen=True, slots=True)
class _Primary:
    """A device that is declared primary, and where."""

    place: Source
    device: str
    application: str


@dataclass(slots=True)
class Declared:
    """Everything that was declared so far, by whatever file; and who is known from outside."""

    outside: ExternalPeople = field(default_factory=ExternalPeople)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    devices: dict[str, DesiredDevice] = field(default_factory=dict)
    removed: dict[str, Removal] = field(default_factory=dict)
    # The places of registrations that stand in several.
    mentions: dict[str, list[Source]] = field(default_factory=dict)
    # Everybody, each with the name of the entry; None for an owner written in place.
    people: list[tuple[Owner, str | None]] = field(default_factory=list)
    # By scope and person: place and device, with its application.
    primaries: dict[tuple[str, Identity], list[_Primary]] = field(default_factory=dict)
    # The readings of what nobody knows that the project pins.
    pinned: Mapping[str, str] = field(default_factory=dict)

    def add_device(self, device: DesiredDevice) -> None:
        self._mention(device.id, device.source)
        self.devices[device.id] = device

    def add_removal(self, removal: Removal) -> None:
        self._mention(removal.id, removal.source)
        self.removed[removal.id] = removal

    def add_person(self, person: Owner, name: str | None) -> None:
        self.people.append((person, name))

    def add_primary(self, person: Owner, device: DesiredDevice, place: Source) -> None:
        """Note that `place` declares the device primary for the person."""
        key = (primary_scope(self.pinned, device.application), person.identity)
        self.primaries.setdefault(key, []).append(_Primary(place, device.id, device.application))

    def _mention(self, registration: str, source: Source) -> None:
        if registration in self.devices:
            first = self.devices[registration].source
        elif registration in self.removed:
            first = self.removed[registration].source
        else:
            return
        self.mentions.setdefault(registration, [first]).append(source)


def check_across_files(declared: Declared) -> None:
    """Add the diagnostics of all rules across files."""
    declared.diagnostics += _find_registered_twice(declared)
    declared.diagnostics += _find_two_primaries(declared)
    declared.diagnostics += _find_people_conflicts(declared)


_FIX_ACROSS: Final = (
    f"{codes.TWO_PRIMARIES.fix} Or, if you know that your account keeps one for each application, "
    f"pin it: api.assume.{PROMOTE.name}."
)


def _source_order(source: Source) -> tuple[str, int, int]:
    return (source.file, source.line, source.column)


def _find_registered_twice(declared: Declared) -> Iterable[Diagnostic]:
    for registration, sources in declared.mentions.items():
        first, *others = sorted(sources, key=_source_order)
        message = f"Registration {registration} stands in two places"
        for other in others:
            yield _name_both_places(codes.REGISTERED_TWICE, message, other, first)


def _find_two_primaries(declared: Declared) -> Iterable[Diagnostic]:
    may_pin = PROMOTE.name not in declared.pinned
    for primaries in declared.primaries.values():
        if len({primary.device for primary in primaries}) < 2:
            continue
        first, *others = sorted(primaries, key=lambda primary: _source_order(primary.place))
        applications = {primary.application for primary in primaries}
        for other in others:
            found = _name_both_places(
                codes.TWO_PRIMARIES, codes.TWO_PRIMARIES.title, other.place, first.place
            )
            yield replace(found, fix=_FIX_ACROSS) if may_pin and len(applications) > 1 else found


def _find_people_conflicts(declared: Declared) -> Iterable[Diagnostic]:
    first_with: dict[IdentityValue, Owner] = {}
    outside = declared.outside
    everyone = [*declared.people]
    if outside.judged:
        everyone += [(person, name) for name, person in outside.people.items()]
    for person, _ in sorted(everyone, key=lambda pair: _source_order(_source_of(pair[0]))):
        for value in person.identity:
            first = first_with.setdefault(value, person)
            if first is not person and not same_person(first, person):
                yield Diagnostic(
                    codes.PEOPLE_CONFLICT,
                    f"The same {value.kind.value} as another person, who differs elsewhere",
                    _source_of(person),
                    related=((_source_of(first), "the other one"),),
                )
                break
    everybody = set(first_with)
    for person, name in everyone:
        if name is not None and names_somebody(name, everybody):
            yield Diagnostic(codes.PERSON_NAME, codes.PERSON_NAME.title, _source_of(person))


def _source_of(person: Owner) -> Source:
    assert person.source is not None
    return person.source


def _name_both_places(code: Code, message: str, here: Source, first: Source) -> Diagnostic:
    return Diagnostic(code, message, here, related=((first, "the first one"),))


def check_hidden_keys(privacy: Privacy, desired: Desired) -> Iterator[Diagnostic]:
    """Warn of each hidden key that no device declares: misspelt, it would hide nothing."""
    if not privacy.hide:
        return
    declared = {key for device in desired.devices.values() for key in device.additional_data}
    for path, place in privacy.hide.items():
        key = data_key(path)
        if path == ALL_DATA or key is None or key in declared:
            continue
        meant = closest(key, sorted(declared))
        yield Diagnostic(
            codes.HIDES_NOTHING,
            f"No manifest declares {show_key(path)}",
            place,
            fix=None if meant is None else f"Did you mean {show_key(data_path(meant))}?",
        )
