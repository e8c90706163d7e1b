"""The proof of an import: what a plan would do with a device is named by field, without value."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.api.service import Service
from reconciler.core.device import DesiredDevice
from reconciler.core.events import nobody_listens
from reconciler.core.live import Live
from reconciler.core.record import Record
from reconciler.engine.cancellation import Cancellation, EventLoop
from reconciler.engine.connection import Connection, ServiceSession
from reconciler.engine.import_proof import Doubt, doubts
from reconciler.engine.project_files import ProjectFiles
from reconciler.live.context import ReadContext
from reconciler.platform.operations import DEFAULT_LIMITS
from tests.fleet import desired, device, external, owner, person, project, record, registration

ANA = person(7, external("ana"))
LIVE = Live(
    {"A": registration("A", data={"shift": "day"}), "B": registration("B")}, {"A": ANA, "B": None}
)
FINE = device(
    "A",
    owner=owner("ana"),
    is_primary=False,
    registration_enabled=True,
    data={"shift": "day"},
)


class Unasked:
    """A service that must not be called: all that is needed is known."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def found(
    *devices: DesiredDevice, of: frozenset[str] = frozenset("A"), known: Record | None = None
) -> list[Doubt]:
    means = ReadContext(cast(Service, Unasked()), {}, DEFAULT_LIMITS, nobody_listens)
    files = ProjectFiles(Path(), project(), desired(), ())
    with EventLoop() as loop:
        session = ServiceSession(means.service, cast(Connection, None), Cancellation(), loop)
        return doubts(desired(*devices), known or record(), LIVE, of, files, means, session)


def test_what_is_as_declared_is_beyond_doubt() -> None:
    """Nothing is read for it, and what the state does not know yet is no doubt."""
    assert [] == found(FINE)
    assert [] == found(FINE, known=record(FINE))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"registration_enabled": False}, "update of registrationEnabled"),
        ({"data": {"shift": "secret", "x": 1}}, "update of additionalData.shift, additionalData.x"),
        ({"owner": None}, "depersonalize of owner"),
    ],
)
def test_what_a_plan_would_change(fields: dict[str, Any], text: str) -> None:
    """By its actions and fields; only of the devices that are imported."""
    assert [Doubt("A", text)] == found(device("A", **fields))
    other = device("B", registration_enabled=False)
    assert [] == found(FINE, other)
