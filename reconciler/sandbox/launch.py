"""What somebody who starts a sandbox chooses: a world, readings of what is unknown, the limits.

The world's file and the assumptions are the platform's; the command line reaches them here.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.platform.assumptions import ASSUMPTIONS
from reconciler.platform.operations import DEFAULT_LIMITS
from reconciler.platform.world import World
from reconciler.platform.worldfile import decode_world, encode_world

from .fleet import APPLICATIONS

__all__ = [
    "DEFAULT_LIMITS",
    "World",
    "application_codes",
    "count_named_people",
    "decode_world",
    "encode_world",
    "readings_by_assumption",
]


def readings_by_assumption() -> Mapping[str, tuple[str, ...]]:
    """Return the readings of each assumption about the service by its name, the default first."""
    return {name: assumption.readings for name, assumption in ASSUMPTIONS.items()}


def application_codes(world: World | None) -> tuple[str, ...]:
    """Return the application codes that a world knows; None is a generated one."""
    return tuple(APPLICATIONS if world is None else world.applications)


def count_named_people(world: World) -> int:
    """Count the people who are known by an identity."""
    return sum(not person.is_anonymous for person in world.people.values())
