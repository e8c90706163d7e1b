"""Who owns a registration: personalize, depersonalize, and the primary flag among one person's.

Also whom a call affects, which must not happen to one person twice at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from reconciler.core.identity import IdentityKind

from .answers import (
    AMBIGUOUS_CANDIDATES,
    BAD_REQUEST,
    NO_REGISTRATION,
    PERSONALIZATION_IMPOSSIBLE,
    Refused,
    personalized_json,
    push_error,
    service_exception,
)
from .assumptions import (
    ANONYMOUS_OWNER,
    DEPERSONALIZE_ANONYMOUS,
    DETACH,
    DETACH_KEEPS_DATA,
    DETACH_KEEPS_PRIMARY,
    MATCHES_TWO_PEOPLE,
    OWNED_BY_OTHER,
    OWNED_BY_SAME,
    PROMOTE,
    Readings,
)
from .operations import WRITES, Call, Operation, Response, registration_of
from .requests import Personalization, read_identity
from .world import Person, Registration, World


def personalize(
    world: World, registration: Registration, wanted: Personalization, readings: Readings, now: str
) -> tuple[World, Response]:
    """Attach a registration to the person with an identity; Refused where that is not allowed."""
    if registration.is_web and wanted.set_primary:
        raise Refused(push_error(BAD_REQUEST, "A web registration has no isPrimary"))
    owner = world.owner(registration)
    matching = _find_people(world, wanted)
    named = owner if owner is not None and not owner.is_anonymous else None
    if named is not None and not wanted.force:
        _refuse_unforced(named, matching, wanted, readings)
    target: Person | None = matching[0] if matching else None
    if len(matching) > 1:
        if readings(MATCHES_TWO_PEOPLE) == "400":
            raise _ambiguous_candidates()
        world, target = _merge_people(world, matching, wanted)
    _refuse_second_external_id(target, wanted)
    # Merging may have changed the registration; read it again before it moves.
    registration = world.registrations[registration.id]
    if named is not None and wanted.force:
        registration = _detach(registration, readings)
    if target is None:
        target = _choose_new_owner(world, owner, registration, now)
    target = _enrich(target, wanted, now)
    world = world.with_person(target)
    if registration.owner != target.number:
        registration = replace(registration, owner=target.number)
    world = world.with_registration(registration)
    world = _absorb(world, owner, target)
    if wanted.set_primary:
        registration = replace(registration, is_primary=True)
        world = promote(world.with_registration(registration), registration, readings)
    shown = personalized_json(world, target, with_push=wanted.return_push)
    return world, Response(200, shown)


def depersonalize(world: World, registration: Registration, readings: Readings, now: str) -> World:
    """Detach a registration from its person; it gets an anonymous one of its own, or none."""
    owner = world.owner(registration)
    if owner is None or owner.is_anonymous:
        if readings(DEPERSONALIZE_ANONYMOUS) == "400":
            raise Refused(push_error(NO_REGISTRATION, "NO_REGISTRATION"))
        return world
    detached = _detach(registration, readings)
    if readings(ANONYMOUS_OWNER) == "404":
        return world.with_registration(replace(detached, owner=None))
    anonymous = world.new_person(now)
    world = world.with_person(anonymous)
    return world.with_registration(replace(detached, owner=anonymous.number))


def promote(world: World, registration: Registration, readings: Readings) -> World:
    """Let a registration that has just been given the flag take it from the others of its owner."""
    if registration.owner is None:
        return world
    flagged = [
        other
        for other in world.registrations_of(registration.owner)
        if other.is_primary and other.id != registration.id
    ]
    if not flagged:
        return world
    match readings(PROMOTE):
        case "keeps-others":
            demoted = []
        case "demotes-others-of-application":
            demoted = [
                other for other in flagged if other.application_id == registration.application_id
            ]
        case _:
            demoted = flagged
    for other in demoted:
        world = world.with_registration(replace(other, is_primary=False))
    return world


def affected_people(world: World, call: Call) -> frozenset[int]:
    """Return the numbers of the people whom a write could change: the owner of the registration,
    and whoever has a value of the identity that is sent. A read touches nobody."""
    if call.operation not in WRITES:
        return frozenset()
    affected: set[int] = set()
    registration = world.registrations.get(registration_of(call))
    if registration is not None and registration.owner is not None:
        affected.add(registration.owner)
    if call.operation is Operation.PERSONALIZE:
        holders = (world.holders.get(value) for value in read_identity(call.body))
        affected.update(number for number in holders if number is not None)
    return frozenset(affected)


def _find_people(world: World, wanted: Personalization) -> list[Person]:
    """Return the people who have any of the values, the oldest first."""
    numbers = {world.holders[value] for value in wanted.identity if value in world.holders}
    return [world.people[number] for number in sorted(numbers)]


def _refuse_unforced(
    owner: Person, matching: Sequence[Person], wanted: Personalization, readings: Readings
) -> None:
    """An unforced personalize never takes a registration away from its person."""
    if owner not in matching:
        match readings(OWNED_BY_OTHER):
            case "409":
                raise Refused(service_exception(409, "PERSONALIZATION_IMPOSSIBLE"))
            case "403":
                name = "PERSONALIZATION_IMPOSSIBLE"
                raise Refused(service_exception(403, message_id=name))
            case _:
                raise Refused(push_error(PERSONALIZATION_IMPOSSIBLE, "PERSONALIZATION_IMPOSSIBLE"))
    adds_nothing = owner.identities.issuperset(wanted.identity)
    if adds_nothing and readings(OWNED_BY_SAME) == "400":
        raise Refused(push_error(PERSONALIZATION_IMPOSSIBLE, "PERSONALIZATION_IMPOSSIBLE"))


def _refuse_second_external_id(target: Person | None, wanted: Personalization) -> None:
    """A person has one external id, and a personalize that names another does not replace it."""
    if target is None or target.external_id is None:
        return
    for value in wanted.identity:
        if value.kind is IdentityKind.EXTERNAL_ID and value != target.external_id:
            raise _ambiguous_candidates()


def _merge_people(
    world: World, matching: Sequence[Person], wanted: Personalization
) -> tuple[World, Person]:
    """Merge people into the oldest, who keeps what both have; of two external ids the wanted one
    stays, else the oldest's. All registrations come along."""
    kept, *others = matching
    wanted_ids = set(wanted.identity)
    external = [person.external_id for person in matching if person.external_id is not None]
    chosen = next((value for value in external if value in wanted_ids), next(iter(external), None))
    identities = frozenset(
        value
        for person in matching
        for value in person.identities
        if value.kind is not IdentityKind.EXTERNAL_ID or value == chosen
    )
    attributes: Mapping[str, object] = kept.attributes
    for other in others:
        attributes = _unite_attributes(other.attributes, attributes)
        for moved in world.registrations_of(other.number):
            world = world.with_registration(replace(moved, owner=kept.number))
        world = world.without_person(other.number)
    merged = replace(
        kept,
        identities=identities,
        is_lead=all(person.is_lead for person in matching),
        attributes=attributes,
    )
    return world.with_person(merged), merged


def _detach(registration: Registration, readings: Readings) -> Registration:
    if not (registration.is_primary or registration.additional_data):
        return registration
    reading = readings(DETACH)
    return replace(
        registration,
        is_primary=registration.is_primary and reading in DETACH_KEEPS_PRIMARY,
        additional_data=registration.additional_data if reading in DETACH_KEEPS_DATA else {},
    )


def _choose_new_owner(
    world: World, owner: Person | None, registration: Registration, now: str
) -> Person:
    """Return the person for an identity that nobody has: the anonymous owner itself, if this is
    all that it owns, else a new one."""
    if owner is not None and owner.is_anonymous and world.owned[owner.number] == (registration.id,):
        return owner
    return world.new_person(now)


def _enrich(target: Person, wanted: Personalization, now: str) -> Person:
    return replace(
        target,
        identities=target.identities.union(wanted.identity),
        is_lead=target.is_lead and wanted.keep_as_lead,
        attributes=_unite_attributes(target.attributes, wanted.attributes),
        modified_at=now,
    )


def _unite_attributes(
    held: Mapping[str, object], sent: Mapping[str, object]
) -> Mapping[str, object]:
    """Set what was sent; custom attributes are merged by key, tags are added."""
    united = {**held, **sent}
    old, new = held.get("customAttributes"), sent.get("customAttributes")
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        united["customAttributes"] = {**old, **new}
    old, new = held.get("tags"), sent.get("tags")
    if isinstance(old, Sequence) and isinstance(new, Sequence):
        united["tags"] = [*old, *(tag for tag in new if tag not in old)]
    return united


def _absorb(world: World, owner: Person | None, target: Person) -> World:
    """Let an anonymous person end whose last registration has been claimed by another."""
    if owner is None or owner.number == target.number or not owner.is_anonymous:
        return world
    if world.owned.get(owner.number):
        return world
    return world.without_person(owner.number)


def _ambiguous_candidates() -> Refused:
    return Refused(push_error(AMBIGUOUS_CANDIDATES, "AMBIGUOUS_PERSONALIZE_CANDIDATES"))
