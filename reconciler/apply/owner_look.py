"""Who owns a device right before its owner is changed, and who has the declared values.

Most are confirmed by a match: the number of the owner is the one that the plan saw, so the verdict
is the plan's and nothing more is read. The look-ups that wait at one moment share a call. Where a
match settles nothing (nobody was expected, it tells another number or none, it is refused) people
are looked up one by one, the owner last.

No look is older than `FRESH_FOR` seconds when its call leaves, and none is kept for another call:
what a call of this run has changed is seen by the look after it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from reconciler.api.breaker import Breaker, BreakerTripped
from reconciler.api.errors import ApiError
from reconciler.api.exchange import do_nothing
from reconciler.core.device import Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import OWNER
from reconciler.core.identity import IdentityValue
from reconciler.core.live import LivePerson, LiveRegistration, Matchable, RegistrationKey
from reconciler.plan.model import NOBODY, PlannedCall
from reconciler.platform.operations import Operation
from reconciler.platform.pace import looks_at_once

from .ports import Door
from .staleness import Effects, Subject, moved

# Seconds from the answer of a look until its call leaves; the ways to the service and back come on
# top, and both together are two seconds at the most.
FRESH_FOR: Final = 1.5
# A registration that was read longer ago, because there was a wait, is read again.
_WAITED: Final = 1.0


@dataclass(frozen=True, slots=True)
class OwnerLook:
    """What a look showed. `owner` may be known in part: by number, and to be somebody.

    `holders` are the people who have a declared value. Good until `good_until` by the clock of the
    run; `release` is to be called when the call has left, or never will.
    """

    registration: LiveRegistration
    owner: LivePerson | None
    holders: frozenset[int]
    good_until: float
    release: Callable[[], None] = do_nothing


@dataclass(frozen=True, slots=True)
class _Matched:
    """A registration, and the numbers of whom a match told, at a moment of the run's clock."""

    registration: LiveRegistration
    numbers: Mapping[Matchable, int]
    at: float


class OwnerLooks:
    """All looks of a run. `rates` are requests a second after the quota share."""

    def __init__(
        self,
        door: Door,
        digester: Digester,
        breaker: Breaker,
        clock: Callable[[], float],
        rates: Mapping[Operation, float],
    ) -> None:
        self._door = door
        self._digester = digester
        self._breaker = breaker
        self._clock = clock
        self._matches = MatchBatcher(door, breaker)
        # So few at a time that none waits for its turn until what was seen is old.
        self._leaving = {
            operation: asyncio.Semaphore(looks_at_once(rates.get(operation, math.inf)))
            for operation in (Operation.PERSONALIZE, Operation.DEPERSONALIZE)
        }
        self._one_by_one = asyncio.Semaphore(looks_at_once(rates.get(Operation.PERSONS, math.inf)))

    async def look(
        self,
        call: PlannedCall,
        subject: Subject,
        effects: Effects,
        app_code: str,
        *,
        in_doubt: bool = False,
    ) -> OwnerLook:
        """Read the registration, its owner, and who has the declared values.

        `in_doubt`: the call was sent, and this look shall tell whether it was done; then all of it
        is read in full. Raises ApiError and BreakerTripped.
        """
        if in_doubt or _expects_nobody(subject) or not self._door.can_match:
            return await self._look_one_by_one(call, subject, app_code, in_doubt=in_doubt)
        permit = self._leaving[Operation(call.operation)]
        async with self._waited_for(permit) as keep:
            registration = await self._door.registration(call.device, app_code)
            values = _declared_values(call, subject)
            key = RegistrationKey(registration.id, registration.application_id)
            numbers = await self._matches.match((key, *values))
            seen = _Matched(registration, numbers, self._clock())
            owner = self._owner_by_number(seen, key, values, subject, effects)
            if owner is not None:
                keep()
                return OwnerLook(
                    registration,
                    owner,
                    frozenset(numbers[value] for value in values if value in numbers),
                    seen.at + FRESH_FOR,
                    _once(permit.release),
                )
        return await self._look_one_by_one(call, subject, app_code, seen)

    def _owner_by_number(
        self,
        seen: _Matched,
        key: RegistrationKey,
        values: Sequence[IdentityValue],
        subject: Subject,
        effects: Effects,
    ) -> LivePerson | None:
        """Return the owner where the numbers say enough of it, and of who has the values."""
        number = seen.numbers.get(key)
        if number is None:
            return None
        if len(values) > 1 and any(value not in seen.numbers for value in values):
            # Perhaps somebody's: then the service might make two people one.
            return None
        held = frozenset(value for value in values if seen.numbers.get(value) == number)
        owner = LivePerson(number, held, is_whole=False)
        is_declared_one = bool(values) and len(held) == len(values)
        if is_declared_one or self._is_as_planned(subject, seen.registration, owner, effects):
            return owner
        return None

    def _is_as_planned(
        self,
        subject: Subject,
        registration: LiveRegistration,
        owner: LivePerson,
        effects: Effects,
    ) -> bool:
        """Whether this is the owner that the plan saw, who was somebody."""
        rests_on_owner = any(change.path == OWNER for change in subject.change.fields)
        if not rests_on_owner or effects.owner_changed:
            return False
        return moved(subject, registration, owner, effects, self._digester) is None

    async def _look_one_by_one(
        self,
        call: PlannedCall,
        subject: Subject,
        app_code: str,
        seen: _Matched | None = None,
        *,
        in_doubt: bool = False,
    ) -> OwnerLook:
        async with self._waited_for(self._one_by_one):
            values = _declared_values(call, subject)
            if len(values) == 1 and not in_doubt:
                # One value is nobody's or one person's.
                values = ()
            if seen is None or self._clock() - seen.at > _WAITED:
                registration = await self._door.registration(call.device, app_code)
                is_asked = bool(values) and self._door.can_match
                numbers = await self._matches.match(values) if is_asked else {}
                seen = _Matched(registration, numbers, self._clock())
            holders = await self._holders(values, seen.numbers)
            # Last, for it is this that must not be old.
            shown = seen.registration
            owner = await self._door.owner(call.device, shown.application_id, is_web=shown.is_web)
            return OwnerLook(seen.registration, owner, holders, self._clock() + FRESH_FOR)

    async def _holders(
        self, values: Sequence[IdentityValue], numbers: Mapping[Matchable, int]
    ) -> frozenset[int]:
        """Look up who has the declared values and is not known by number: some readings would merge
        two people for good."""
        holders = {numbers[value] for value in values if value in numbers}
        for value in values:
            if value not in numbers:
                person = await self._door.person(value)
                if person is not None and person.is_somebody:
                    holders.add(person.number)
        return frozenset(holders)

    @asynccontextmanager
    async def _waited_for(self, permit: asyncio.Semaphore) -> AsyncIterator[Callable[[], None]]:
        """Wait for a permit, and give it back at the end unless it is kept."""
        with self._breaker.waiting():
            await permit.acquire()
        is_kept = False

        def keep() -> None:
            nonlocal is_kept
            is_kept = True

        try:
            yield keep
        finally:
            if not is_kept:
                permit.release()


@dataclass(slots=True, eq=False)
class _Waiting:
    """A look-up that waits for its answer, and what came of it."""

    keys: Sequence[Matchable]
    numbers: Mapping[Matchable, int] | None = None
    failure: Exception | None = None

    @property
    def is_answered(self) -> bool:
        return self.numbers is not None or self.failure is not None


@dataclass(slots=True)
class MatchBatcher:
    """Puts the look-ups that wait at one moment into one match; one call at a time.

    What came before a call left is in it, what comes later is in the next: no answer is older than
    its question.
    """

    door: Door
    breaker: Breaker
    _queue: list[_Waiting] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def match(self, keys: Sequence[Matchable]) -> Mapping[Matchable, int]:
        """Return the number of the person of each; who is missing is unknown.

        Raises ApiError and BreakerTripped.
        """
        mine = _Waiting(keys)
        self._queue.append(mine)
        try:
            with self.breaker.waiting():
                await self._turn.acquire()
            try:
                while not mine.is_answered:
                    await self._ask()
            finally:
                self._turn.release()
        finally:
            if mine in self._queue:
                self._queue.remove(mine)
        if mine.failure is not None:
            raise mine.failure
        return mine.numbers or {}

    async def _ask(self) -> None:
        """Ask for those who have waited longest, as many as go into a call."""
        batch: list[_Waiting] = []
        count = 0
        for waiting in self._queue:
            count += len(waiting.keys)
            if batch and count > self.door.match_size:
                break
            batch.append(waiting)
        try:
            numbers = await self.door.match([key for waiting in batch for key in waiting.keys])
        except (ApiError, BreakerTripped) as error:
            for waiting in batch:
                waiting.failure = error
        else:
            for waiting in batch:
                waiting.numbers = {key: numbers[key] for key in waiting.keys if key in numbers}
        self._queue = [waiting for waiting in self._queue if not waiting.is_answered]


def _expects_nobody(subject: Subject) -> bool:
    """Whether the plan saw nobody: that nobody owns a device is never told by a match."""
    return any(change.path == OWNER and change.before == NOBODY for change in subject.change.fields)


def _declared_values(call: PlannedCall, subject: Subject) -> tuple[IdentityValue, ...]:
    wanted = None if subject.device is None else subject.device.owner
    if call.operation != Operation.PERSONALIZE or not isinstance(wanted, Owner):
        return ()
    return wanted.identity.values


def _once(release: Callable[[], None]) -> Callable[[], None]:
    """Return what releases the first time that it is called."""
    is_released = False

    def release_once() -> None:
        nonlocal is_released
        if not is_released:
            is_released = True
            release()

    return release_once
