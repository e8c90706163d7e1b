"""The one place that says whether a run may still write."""

from __future__ import annotations

from typing import Final

from .ports import Lease

LEASE_LOST: Final = "the lease was lost"


class Brake:
    """Pulled once, it stays: the first reason is the one that counts."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self.reason: str | None = None

    def pull(self, reason: str) -> None:
        """Let nothing further be written."""
        self.reason = self.reason or reason

    def holds_lease(self) -> bool:
        """Whether the record is still this run's to write."""
        if not self._lease.held():
            self.pull(LEASE_LOST)
        return self.reason != LEASE_LOST

    def hindrance(self) -> str | None:
        """Return why nothing may be written any more; None while all is well."""
        self.holds_lease()
        return self.reason
