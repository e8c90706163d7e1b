"""The account's limits as the service counts them: requests of one kind in any one second."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from reconciler.platform.operations import Operation


class Limits:
    """Count the requests of each operation over the second that ends now."""

    def __init__(self, limits: Mapping[Operation, float] | None) -> None:
        """`limits` in requests a second by operation; None for no limits at all."""
        self._limits = limits
        self._admitted: dict[Operation, deque[float]] = {kind: deque() for kind in Operation}

    def admits(self, operation: Operation, now: float) -> bool:
        """Admit and count one request, or refuse it (a refused one is not counted)."""
        if self._limits is None:
            return True
        admitted = self._admitted[operation]
        while admitted and admitted[0] <= now - 1:
            admitted.popleft()
        if len(admitted) + 1 > self._limits[operation]:
            return False
        admitted.append(now)
        return True
