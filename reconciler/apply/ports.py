"""What apply needs of others: the service, the journal, the lock, the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from reconciler.api.dispatch import Attempts
from reconciler.core.identity import IdentityValue
from reconciler.core.live import LivePerson, LiveRegistration, Matchable
from reconciler.core.record import RecordedDevice
from reconciler.core.report import Outcome


class Door(Protocol):
    """The calls of the service that an apply makes; each raises ApiError when it fails."""

    async def registration(self, registration_id: str, app_code: str) -> LiveRegistration: ...

    async def owner(
        self, registration_id: str, application_id: str, *, is_web: bool = False
    ) -> LivePerson | None: ...

    @property
    def can_match(self) -> bool: ...

    @property
    def match_size(self) -> int: ...

    async def match(self, keys: Iterable[Matchable]) -> Mapping[Matchable, int]: ...

    async def person(self, value: IdentityValue) -> LivePerson | None: ...

    async def update(
        self,
        registration_id: str,
        app_code: str,
        body: object,
        *,
        attempts: Attempts | None = None,
    ) -> LiveRegistration: ...

    async def personalize(
        self,
        registration_id: str,
        app_code: str,
        body: object,
        query: Mapping[str, str] | None = None,
        *,
        attempts: Attempts | None = None,
    ) -> None: ...

    async def depersonalize(
        self, registration_id: str, app_code: str, *, attempts: Attempts | None = None
    ) -> None: ...


class Journal(Protocol):
    """Intents and outcomes by plan id and call id; raises StateError when it cannot write."""

    def start(self, plan: str) -> None: ...

    def finish(self, plan: str) -> None: ...

    def elsewhere(self, plan: str) -> datetime | None:
        """Return when it was begun, if a run of it noted its calls where this one cannot read."""
        ...

    def done(self, plan: str) -> frozenset[str]: ...

    def unsettled(self, plan: str) -> frozenset[str]: ...

    async def intent(self, plan: str, call: str) -> None: ...

    async def outcome(self, plan: str, call: str, outcome: Outcome) -> None: ...


class Lease(Protocol):
    """Whether this run may still write."""

    def held(self) -> bool: ...


class Records(Protocol):
    """Where the state's entries go (None: forget it); raises StateError when it cannot write."""

    def write(
        self, changed: Mapping[str, RecordedDevice | None], application_ids: Mapping[str, str]
    ) -> int: ...
