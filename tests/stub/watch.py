"""Whoever is being written to: a second write to the same person meanwhile is an overlap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from .world import World

KINDS = {"externalId": "EXTERNAL_ID", "phoneNumber": "PHONE", "email": "EMAIL"}


def touched(world: World, id: str, operation: str, body: Any) -> set[str]:
    """Return the registration and the people that a write is about, as keys.

    An update without isPrimary is about its registration alone.
    """
    keys = {f"registration {id}"}
    registration = world.registrations.get(id)
    is_flagless = operation == "update" and "isPrimary" not in body
    if registration is None or is_flagless:
        return keys
    keys.add(f"person {registration['owner']}")
    if operation == "personalize":
        for kind, value in body.get("identity", {}).items():
            # Somebody the service does not know yet is a person too.
            holder = world.find(KINDS[kind], value)
            keys.add(f"{kind} {value}" if holder is None else f"person {holder}")
    return keys


class Watch:
    """The writes between their arrival and their answer; `overlaps` names those that met."""

    def __init__(self) -> None:
        self.overlaps: list[str] = []
        self._busy: dict[str, int] = {}
        self._lock = Lock()

    @contextmanager
    def over(self, number: int, keys: set[str]) -> Iterator[None]:
        """Note that the call of this number is at work on these."""
        with self._lock:
            for key in sorted(keys):
                if key in self._busy:
                    self.overlaps.append(f"{key}: calls {self._busy[key]} and {number}")
                else:
                    self._busy[key] = number
        try:
            yield
        finally:
            with self._lock:
                for key in keys:
                    if self._busy.get(key) == number:
                        del self._busy[key]
