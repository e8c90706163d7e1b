"""Whether a registration belongs to the person that its manifest declares. Never by guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.core.absent import Absent
from reconciler.core.device import Owner
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import LivePerson


@dataclass(frozen=True, slots=True)
class Same:
    """The live owner holds every declared value, or both are nobody."""


@dataclass(frozen=True, slots=True)
class Detach:
    """Somebody owns it, and nobody shall."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Nobody owns it, and somebody shall."""


@dataclass(frozen=True, slots=True)
class Complete:
    """The live owner holds some of the declared values and lacks `missing`."""

    missing: tuple[IdentityValue, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """The live owner holds none of the declared values: somebody else owns it."""


Relation = Same | Detach | Claim | Complete | Move
_SAME: Final = Same()


def somebody(person: LivePerson | None) -> LivePerson | None:
    """Return the person, or None for nobody: an anonymous owner has no identity."""
    return person if person is not None and person.is_somebody else None


def relation(owner: Owner | None, live: LivePerson | None) -> Relation:
    """Say how the declared owner (None: nobody shall own it) relates to the live one.

    A person has lists of phones and e-mails, so the same owner is decided by membership of every
    declared value, not by equality.
    """
    person = somebody(live)
    if owner is None:
        return _SAME if person is None else Detach()
    if person is None:
        return Claim()
    if person.identities.issuperset(owner.identity.values):
        return _SAME
    missing = tuple(value for value in owner.identity if value not in person.identities)
    return Move() if len(missing) == len(owner.identity.values) else Complete(missing)


def looked_up(how: Relation, owner: Owner | None) -> tuple[IdentityValue, ...]:
    """Return the declared values whose person must be known before a personalize.

    Values that the live owner holds are known to be the owner's.
    """
    match how:
        case Same() | Detach():
            return ()
        case Complete(missing):
            return missing
        case Claim() | Move():
            return () if owner is None else owner.identity.values


def settling_values(owner: Owner | Absent | None) -> tuple[IdentityValue, ...]:
    """Return the values of which it is enough to know that the live owner has them all: then it is
    the declared one. None where more has to be known of the live owner in any case: whether it is
    nobody, or its attributes."""
    if not isinstance(owner, Owner) or owner.attributes is not None:
        return ()
    return owner.identity.values


@dataclass(frozen=True, slots=True)
class Conflict:
    """The declared values cannot be one person's without merging or overwriting: why, who."""

    reason: str
    people: tuple[int, ...]


def target(
    owner: Owner,
    how: Relation,
    live: LivePerson | None,
    people: Mapping[IdentityValue, LivePerson | None],
) -> LivePerson | Conflict | None:
    """Return the live person whom a personalize will reach; None when it makes a new one.

    A Conflict when the values belong to two people (merging cannot be undone), or when the
    person already has another external id: there is only one, so adding would overwrite it.
    """
    people_by_number: dict[int, LivePerson] = {}
    if isinstance(how, Complete) and live is not None:
        people_by_number[live.number] = live
    for value in looked_up(how, owner):
        person = people.get(value)
        if person is not None:
            people_by_number.setdefault(person.number, person)
    if len(people_by_number) > 1:
        return Conflict("the values belong to different people", tuple(sorted(people_by_number)))
    if not people_by_number:
        return None
    (person,) = people_by_number.values()
    declared = {v for v in owner.identity if v.kind is IdentityKind.EXTERNAL_ID}
    held = {v for v in person.identities if v.kind is IdentityKind.EXTERNAL_ID}
    if declared and held and not declared <= held:
        return Conflict("this person has another externalId already", (person.number,))
    return person


def differing_attributes(owner: Owner, live: LivePerson | None) -> tuple[str, ...]:
    """Name the declared attributes that the live owner shows otherwise; never their values.

    Tags and custom attributes compare as subset: what others added is no difference.
    """
    if owner.attributes is None or live is None or live.attributes is None:
        return ()
    shown = live.attributes.reveal()
    return tuple(
        name
        for name, wanted in sorted(owner.attributes.reveal().items())
        if not _shows(name, wanted, shown.get(name))
    )


def _shows(name: str, wanted: object, shown: object) -> bool:
    match name:
        case "tags":
            return _items(wanted) <= _items(shown)
        case "customAttributes":
            here = shown if isinstance(shown, Mapping) else {}
            there = wanted if isinstance(wanted, Mapping) else {}
            return all(key in here and here[key] == value for key, value in there.items())
        case "birthday":
            return str(wanted)[:10] == str(shown)[:10]
        case _:
            return wanted == shown


def _items(value: object) -> frozenset[str]:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return frozenset(str(item) for item in value)
    return frozenset()
