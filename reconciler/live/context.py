"""Stage 2: with what is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.api.service import Service
from reconciler.core.events import Listener
from reconciler.platform.assumptions import PAGE_PUSH
from reconciler.platform.operations import Operation


@dataclass(frozen=True, slots=True)
class ReadContext:
    """With what is read. `app_codes` by application name, `rates` requests a second after the
    quota share, `pinned` the readings of assumptions that the project pins."""

    service: Service
    app_codes: Mapping[str, str]
    rates: Mapping[Operation, float]
    listen: Listener
    pinned: Mapping[str, str] = field(default_factory=dict)

    @property
    def trusts_texts(self) -> bool:
        """Whether the project knows that text on a page is text, whatever it looks like."""
        return self.pinned.get(PAGE_PUSH.name) == "full"
