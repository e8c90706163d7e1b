"""Whom a call touches: what must not happen to one person twice at a time."""

from __future__ import annotations

from .operations import WRITES, Call, Operation, registration_of
from .requests import read_identity
from .world import World


def people_of(world: World, call: Call) -> frozenset[int]:
    """Return the numbers of the people whom a write could change: the owner of the registration,
    and whoever has a value of the identity that is sent. A read touches nobody."""
    if call.operation not in WRITES:
        return frozenset()
    touched: set[int] = set()
    registration = world.registrations.get(registration_of(call))
    if registration is not None and registration.owner is not None:
        touched.add(registration.owner)
    if call.operation is Operation.PERSONALIZE:
        holders = (world.holders.get(value) for value in read_identity(call.body))
        touched.update(number for number in holders if number is not None)
    return frozenset(touched)
