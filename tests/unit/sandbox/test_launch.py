"""What somebody who starts a sandbox may choose: readings, and what a world holds."""

from __future__ import annotations

from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.platform.assumptions import ASSUMPTIONS
from reconciler.platform.world import Person, World
from reconciler.sandbox.fleet import APPLICATIONS
from reconciler.sandbox.launch import (
    application_codes,
    count_named_people,
    readings_by_assumption,
)


def test_every_assumption_can_be_chosen_and_its_default_comes_first() -> None:
    """The first reading is the one in force where nobody chooses."""
    readings = readings_by_assumption()

    assert list(readings) == list(ASSUMPTIONS)
    assert {name: several[0] for name, several in readings.items()} == {
        name: assumption.default for name, assumption in ASSUMPTIONS.items()
    }


def test_what_a_world_holds() -> None:
    """Codes are those of the world, or of the generated one; anonymous people have no name."""
    ana = Person(1, frozenset({IdentityValue.of(IdentityKind.EXTERNAL_ID, "ana")}))
    world = World.of([ana, Person(2, frozenset())], [], {"shop-app-code": "A1"})

    assert application_codes(world) == ("shop-app-code",)
    assert application_codes(None) == tuple(APPLICATIONS)
    assert count_named_people(world) == 1
