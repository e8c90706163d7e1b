"""The primary flag: what setting it on one registration does to its owner's others."""

from __future__ import annotations

from msgspec.structs import replace

from .assumptions import PROMOTE, Readings
from .world import Registration, World


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
