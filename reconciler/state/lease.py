"""The lock: while one run applies, no other does; it expires by itself when its holder is gone.

A holder beats every 10 seconds and counts as gone 30 seconds after its last beat, or at once when
its process is seen to be dead. It believes itself to hold the lock for less long than others do,
so that calls already on their way are over before anybody else can start. Where a lock is kept,
and how whoever was wrong about the time is stopped, is each backend's own.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self, TypeVar

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.failures import ReconcilerError, StateError

from .process_identity import alive_here, ticks_here

EXPIRES_AFTER: Final = 30.0
BEAT_EVERY: Final = 10.0
# A lock that was taken away is noticed so soon, even by a run that has nothing to write.
_LOOK_EVERY: Final = 1.0
_ASK_EVERY: Final = 1.0
_SURE_FOR: Final = 24.0

L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who applies: a person or pipeline, where, since when, and the page of its run if any.

    `silent` is how many seconds ago its last beat was, when it is another run that was looked at.
    """

    who: str
    host: str
    pid: int
    run_url: str | None
    since: datetime
    silent: float = field(default=0.0, compare=False)


def nobody_waits(_: Holder) -> None:
    """Hear for whom a run waits, and do nothing."""


class LeaseHeld(ReconcilerError):
    """Another run holds the lock."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(
            f"the state is locked by {holder.who} on {holder.host} (process {holder.pid}) "
            f"since {holder.since.isoformat(timespec='seconds')}"
        )
        self.holder = holder


@dataclass(frozen=True, slots=True)
class Clocks:
    """What a lock goes by. `ticks` pass in a machine's sleep too, and nobody can set them.

    `alive` says whether a process of this machine lives; `pause` waits some seconds.
    """

    now: Callable[[], float] = time.time
    ticks: Callable[[], float] = ticks_here
    alive: Callable[[int], bool] = alive_here
    pause: Callable[[float], None] = time.sleep


class Lease(ABC):
    """A lock that was taken. As a context it beats in a thread, and is given back at the end."""

    # Seconds between two looks whether it was taken away.
    look_every: float | None = None

    def __init__(self, token: str, beaten: float, clocks: Clocks) -> None:
        self.token = token
        self._beaten = beaten
        self._clocks = clocks
        self._taken_away = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)

    def held(self) -> bool:
        """Whether the lock is surely still ours. Once it is not, it never is again."""
        if self._clocks.ticks() - self._beaten >= _SURE_FOR:
            self._taken_away = True
        return not self._taken_away

    def renew(self) -> bool:
        """Beat once; False when the lock was lost."""
        if not self.held():
            return False
        ticks = self._put_beat()
        if ticks is None:
            self._taken_away = True
        else:
            self._beaten = ticks
        return self.held()

    def release(self) -> None:
        """Stop beating and give the lock back, if it is still ours."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._taken_away = True
        self._give_back()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.release()
        except StateError:
            # What the run did is worth more than this: the lock expires by itself.
            return

    @abstractmethod
    def _put_beat(self) -> float | None:
        """Write a beat; return its ticks, None if the lock is another's. Raises StateError."""

    @abstractmethod
    def _is_ours(self) -> bool:
        """Look whether it is still ours, by reading alone. Raises StateError."""

    @abstractmethod
    def _give_back(self) -> None:
        """Let others have it, if it is still ours. Raises StateError."""

    def _beat(self) -> None:
        while not self._ended.wait(self.look_every or _LOOK_EVERY) and self.held():
            try:
                if self._clocks.ticks() - self._beaten >= BEAT_EVERY:
                    self.renew()
                elif not self._is_ours():
                    self._taken_away = True
            except StateError:
                # The next beat may succeed; if none does, held() turns false by itself.
                continue


def patiently(
    take: Callable[[], L],
    patience: float,
    waiting: Callable[[Holder], None],
    clocks: Clocks,
) -> L:
    """Take a lock; while another run has it, ask again each second for `patience` seconds.

    Then LeaseHeld is raised. `waiting` is told for whom: once, and again whenever that has changed.
    """
    end = clocks.ticks() + patience
    reported: Holder | None = None
    while True:
        try:
            return take()
        except LeaseHeld as held:
            seconds_left = end - clocks.ticks()
            if seconds_left <= 0:
                raise
            if reported != held.holder:
                reported = held.holder
                waiting(reported)
        clocks.pause(min(_ASK_EVERY, seconds_left))


STOOD_STILL: Final = "this run stood still for longer than a lock lasts"
TAKEN_AWAY: Final = "it was taken away"


def lost(reason: str, where: object) -> StateError:
    """Return the error for a write without the lock."""
    return StateError(Diagnostic(codes.LEASE_LOST, f"{codes.LEASE_LOST.title}: {reason} ({where})"))


def has_it(who: str, host: str, since: datetime) -> str:
    """Say who has a lock that was ours."""
    return f"{who} on {host} has it since {since.strftime('%Y-%m-%d %H:%M:%S %Z')}"
