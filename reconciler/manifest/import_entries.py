"""Entries for `import`: what a manifest can declare of live registrations.

What it cannot is left out and named, by device and field. The values are those of people: nothing
here may be shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, cast

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, Owner
from reconciler.core.fields import (
    FIELDS,
    IS_PRIMARY,
    OWNER,
    LiveValue,
    data_path,
    field_values,
)
from reconciler.core.identity import Identity, IdentityKind, IdentityValue
from reconciler.core.live import Live, LivePerson, LiveRegistration, Unreadable
from reconciler.core.opaque import Opaque
from reconciler.core.value_limits import EMAIL, EXTERNAL_ID, NAME, PHONE_DIGITS, VALUE
from reconciler.platform.assumptions import primary_scope

from .people import ATTRIBUTES, names_somebody
from .tree import Tree

# As the schema of manifests has them.
_REGISTRATION: Final = re.compile(r"(?!\.{1,2}\Z)[!-~]{1,256}", re.ASCII)
_PHONE: Final = re.compile(r"\+[1-9][0-9]*", re.ASCII)
_EMAIL: Final = re.compile(r"[^@ \t\r\n]+@[^@ \t\r\n]+")
_NO_EXTERNAL_IDS: Final = frozenset({"null", "Null", "NULL"})
# Which value names a person: the first kind of which they have one that can be declared.
_KINDS: Final = (IdentityKind.EXTERNAL_ID, IdentityKind.PHONE_NUMBER, IdentityKind.EMAIL)

Entry = Mapping[str, Tree]
_NOBODY: Final[Mapping[str, Owner]] = MappingProxyType({})
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Undeclared:
    """What cannot be declared: a field of a device, or None, all of it. `why` holds no value."""

    device: str
    field: str | None
    why: str


@dataclass(frozen=True, slots=True, repr=False)
class Entries:
    """The entries of `devices:` and `people:`, sorted by id and by the people's numbers."""

    devices: Mapping[str, Entry]
    people: Mapping[str, Entry]
    undeclared: tuple[Undeclared, ...] = ()


def make_entries(
    live: Live,
    application: str,
    declared: Desired,
    outside: Mapping[str, Owner] = _NOBODY,
    pinned: Mapping[str, str] = _NOTHING,
) -> Entries:
    """Return the entries of all registrations in `live`, which are those of the application.

    `declared` is what other manifests say: a person whom they declare is declared the same here.
    `outside` are the people who are known by a name already: nothing but that is said of them.
    `pinned` are the readings that the project pins.
    """
    people = _People(declared, outside)
    for id_ in sorted(live.registrations):
        if _REGISTRATION.fullmatch(id_):
            people.add(id_, live.owners.get(id_))
    primaries = _count_primaries(live, application, declared, people, pinned)
    names = people.names()
    undeclared = list(people.undeclared)
    devices: dict[str, Entry] = {}
    for id_ in sorted(live.registrations):
        registration = live.registrations[id_]
        if isinstance(registration, Unreadable):
            undeclared.append(Undeclared(id_, None, f"what it shows is {registration.type}"))
        if not isinstance(registration, LiveRegistration):
            continue
        undeclared += [
            Undeclared(id_, part.path, f"what it shows cannot be understood ({part.type})")
            for part in registration.unreadable
        ]
        if not _REGISTRATION.fullmatch(id_):
            undeclared.append(Undeclared(id_, None, "a manifest cannot hold such an id"))
            continue
        entry: dict[str, Tree] = {}
        number = people.owners.get(id_)
        if number is not None:
            entry[OWNER] = names[number]
        # A browser has no flag.
        flag = ABSENT if registration.is_web else registration.is_primary
        if flag is not ABSENT and number is not None:
            # Whose flag it is, is left open for a device that nobody owns: whoever logs in decides.
            person = people.known[number].identity
            if flag and primaries[person] > 1:
                why = "its person has several primary devices"
                undeclared.append(Undeclared(id_, IS_PRIMARY, why))
            else:
                entry[IS_PRIMARY] = flag
        for spec, value in zip(FIELDS, field_values(registration), strict=True):
            if spec.path == IS_PRIMARY or value is ABSENT or value is None:
                continue
            why_not = _why_undeclarable(spec.path, value)
            if why_not is None:
                entry[spec.path] = value
            else:
                undeclared.append(Undeclared(id_, spec.path, why_not))
        if registration.additional_data is not ABSENT:
            data: dict[str, Tree] = {}
            for key, held in sorted(registration.additional_data.items()):
                why_not = _why_undeclarable(key, held)
                if not isinstance(held, Opaque) and why_not is None:
                    data[key] = held
                elif why_not is not None:
                    undeclared.append(Undeclared(id_, data_path(key), why_not))
            if data:
                entry["additionalData"] = data
        devices[id_] = entry
    return Entries(
        devices,
        {
            names[number]: known.entry
            for number, known in sorted(people.known.items())
            if known.name is None
        },
        tuple(sorted(undeclared, key=lambda missing: (missing.device, missing.field or ""))),
    )


@dataclass(frozen=True, slots=True, repr=False)
class _KnownPerson:
    """A person and their entry; no entry is written for one who has a `name` already."""

    identity: Identity
    entry: Entry
    name: str | None = None


@dataclass(slots=True)
class _People:
    """Who owns what, each person once: `owners` are their numbers by registration id."""

    declared: Desired
    outside: Mapping[str, Owner]
    known: dict[int, _KnownPerson] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    undeclared: list[Undeclared] = field(default_factory=list)
    _elsewhere: dict[IdentityValue, list[Owner]] = field(default_factory=dict)
    _numbers: dict[IdentityValue, int] = field(default_factory=dict)
    _named: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._named = {owner.pointer: name for name, owner in self.outside.items()}
        everybody = (*_declared_owners(self.declared), *self.outside.values())
        for owner in {id(owner): owner for owner in everybody}.values():
            for value in owner.identity:
                self._elsewhere.setdefault(value, []).append(owner)

    def add(self, device: str, person: LivePerson | None) -> None:
        """Note the owner of a device; nobody is not declared."""
        if person is None or not person.is_somebody:
            return
        if person.unreadable and (person.number < 0 or not person.identities):
            part = person.unreadable[0]
            why = f"what its owner shows cannot be understood ({part.path or 'all'}: {part.type})"
            self.undeclared.append(Undeclared(device, OWNER, why))
            return
        if person.number not in self.known:
            known = self._declared_elsewhere(person) or _name_person(person)
            if isinstance(known, str):
                self.undeclared.append(Undeclared(device, OWNER, known))
                return
            holders = {self._numbers.setdefault(value, person.number) for value in known.identity}
            if holders != {person.number}:
                why = "several people of the service have the value that would name its owner"
                self.undeclared.append(Undeclared(device, OWNER, why))
                return
            self.known[person.number] = known
        self.owners[device] = person.number

    def names(self) -> dict[int, str]:
        """Name everybody after the service's number for them; no name is anybody's identity."""
        values = {value for known in self.known.values() for value in known.identity}
        values |= self._elsewhere.keys()
        names: dict[int, str] = {}
        for number in sorted(self.known):
            known = self.known[number].name
            if known is not None:
                names[number] = known
                continue
            name = f"person-{number}"
            if names_somebody(name, values):
                # Without a digit it is no phone number.
                name = "person-" + str(number).translate(_LETTERS)
            while names_somebody(name, values) or name in self.outside:
                name += "x"
            names[number] = name
        return names

    def _declared_elsewhere(self, person: LivePerson) -> _KnownPerson | str | None:
        """Return a person of other manifests as they are declared there; None: nobody does."""
        owners = {
            id(owner): owner
            for value in sorted(person.identities, key=_identity_order)
            for owner in self._elsewhere.get(value, ())
        }
        if not owners:
            return None
        # Whoever has a name already needs no entry, and their values stay where they are.
        known = sorted(
            owners.values(), key=lambda owner: (owner.pointer not in self._named, owner.pointer)
        )
        for owner in known:
            if person.identities.issuperset(owner.identity):
                return _KnownPerson(
                    owner.identity, _owner_entry(owner), self._named.get(owner.pointer)
                )
        pointer = min(owner.pointer for owner in owners.values())
        return f"its owner is declared with other values at {pointer}"


_LETTERS: Final = str.maketrans("0123456789", "abcdefghij")


def _identity_order(value: IdentityValue) -> tuple[str, str]:
    return (value.kind, value.reveal())


def _declared_owners(declared: Desired) -> Iterator[Owner]:
    """Yield each declared person once, however many devices they have."""
    seen: set[int] = set()
    for device in declared.devices.values():
        owner = device.owner
        if isinstance(owner, Owner) and id(owner) not in seen:
            seen.add(id(owner))
            yield owner


def _owner_entry(owner: Owner) -> Entry:
    # In the order of the schema, as `fmt` has it.
    values = sorted(owner.identity, key=lambda value: _KINDS.index(value.kind))
    entry: dict[str, Tree] = {value.kind.value: _identity_text(value) for value in values}
    if owner.keep_as_lead is not None:
        entry["keepAsLead"] = owner.keep_as_lead
    if owner.attributes is not None:
        declared = cast("dict[str, Tree]", owner.attributes.reveal())
        entry["attributes"] = {name: declared[name] for name in ATTRIBUTES if name in declared}
    return entry


def _name_person(person: LivePerson) -> _KnownPerson | str:
    """Return somebody by one value; or why there is none that can be declared."""
    for kind in _KINDS:
        candidates = [
            value for value in person.identities if value.kind is kind and _can_name(value)
        ]
        if candidates:
            value = min(candidates, key=_identity_order)
            return _KnownPerson(Identity.of(value), {kind.value: _identity_text(value)})
    return "a manifest cannot hold any of the values that name its owner"


def _can_name(value: IdentityValue) -> bool:
    text = _identity_text(value)
    if not _is_text(text):
        return False
    match value.kind:
        case IdentityKind.EXTERNAL_ID:
            return EXTERNAL_ID.allows_text(text) and text not in _NO_EXTERNAL_IDS
        case IdentityKind.PHONE_NUMBER:
            return PHONE_DIGITS.allows_text(text[1:]) and _PHONE.fullmatch(text) is not None
        case IdentityKind.EMAIL:
            return EMAIL.allows_text(text) and _EMAIL.fullmatch(text) is not None


def _identity_text(value: IdentityValue) -> str:
    plus = "+" if value.kind is IdentityKind.PHONE_NUMBER else ""
    return plus + value.reveal()


def _count_primaries(
    live: Live,
    application: str,
    declared: Desired,
    people: _People,
    pinned: Mapping[str, str],
) -> Counter[Identity]:
    """Count the primary devices of each person, those declared elsewhere too; of the application
    only where a pinned reading keeps applications apart."""
    scope = primary_scope(pinned, application)
    counts: Counter[Identity] = Counter()
    for device in declared.devices.values():
        owner = device.owner
        if device.is_primary is True and primary_scope(pinned, device.application) == scope:
            counts.update([owner.identity] if isinstance(owner, Owner) else ())
    for id_, number in people.owners.items():
        registration = live.registrations[id_]
        if isinstance(registration, LiveRegistration) and registration.is_primary is True:
            counts[people.known[number].identity] += 1
    return counts


def _why_undeclarable(key: str, value: LiveValue) -> str | None:
    """Return why a manifest cannot hold a key of additionalData; None: it can."""
    if not NAME.allows_text(key):
        return f"a manifest's keys have {NAME.shortest} to {NAME.longest} characters"
    if not _is_text(key):
        return "its name is no Unicode text"
    match value:
        case bool():
            return None
        case Opaque():
            return f"a manifest cannot hold such a value ({value.type})"
        case int() | float():
            return None if VALUE.allows_number(value) else "the number is out of range"
        case str():
            if not VALUE.allows_text(value):
                return f"a manifest's texts have at most {VALUE.longest:,} characters"
            return None if _is_text(value) else "the text is no Unicode text"


def _is_text(text: str) -> bool:
    """Whether it can stand in a file; JSON can escape half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
