"""How far a plan goes: the chosen devices, and all that turns out to come along.

What comes along shows only in what is read, and has to be read itself; so the scope is asked again
each time that more is known, until nothing is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.device import Desired
from reconciler.core.live import Live, Needs
from reconciler.core.project import Project
from reconciler.core.record import Record

from .dependencies import Dependencies, Needed
from .required_reads import required_reads


@dataclass(frozen=True, slots=True)
class Scope:
    """`chosen` are the ids of declared devices and of those that left the files; None: all."""

    desired: Desired
    record: Record
    project: Project
    chosen: frozenset[str] | None
    dependencies: Dependencies

    @classmethod
    def of(
        cls, desired: Desired, record: Record, project: Project, chosen: frozenset[str] | None
    ) -> Scope:
        return cls(desired, record, project, chosen, Dependencies(desired, record, project))

    def missing(self, live: Live) -> Needs:
        """Return what must still be read, as far as it can be told from what is known."""
        return required_reads(self.desired, self.record, live, self.project, self.covered(live))

    def along(self, live: Live) -> tuple[Needed, ...]:
        """Return the devices that come along, sorted; final once nothing is missing."""
        if self.chosen is None:
            return ()
        return tuple(self.dependencies.of(self.chosen, live).values())

    def covered(self, live: Live) -> frozenset[str] | None:
        """Return all ids that the plan is about, None for everything."""
        if self.chosen is None:
            return None
        return self.chosen | self.dependencies.of(self.chosen, live).keys()
