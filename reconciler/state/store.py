"""What a shared state asks of the place that keeps it: two parts, each read and written whole.

Promises of every store: a write happens only if the part is still the one that was read, so of two
writers at once exactly one succeeds; a part is never seen half written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from reconciler.core import codes
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.failures import StateError
from reconciler.core.secret import Secret
from reconciler.core.setting import Setting

if TYPE_CHECKING:
    from .http import Http


class Part(StrEnum):
    """record: what was applied · run: who holds the lock, and which plans were begun."""

    RECORD = "record"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Stored:
    """A part as it was read. `version` means something to its store only."""

    data: bytes
    version: str


class Overtaken(Exception):
    """Somebody else has written the part since it was read."""


class OutOfReach(StateError):
    """The store did not answer, or not with sense. A write may have been carried out all the same.

    Worth another try; what a store raises as a plain StateError is not.
    """


class Store(Protocol):
    """A place for the parts. `where` names it to people; no credentials stand in it."""

    where: str

    def read(self, part: Part) -> Stored | None:
        """Return a part, None if there is none yet. Raises OutOfReach, StateError."""
        ...

    def write(self, part: Part, data: bytes, expected: str | None) -> str:
        """Write a part if its version is the expected one (None: if there is none yet).

        Returns the new version. Raises Overtaken if it is another one, OutOfReach, StateError.
        """
        ...

    def close(self) -> None: ...


class ConnectHttp(Protocol):
    """Makes an HTTP client that authenticates as told: by name and password, by token, or not.

    Raises ValueError for credentials that no header can carry.
    """

    def __call__(
        self, *, username: str | None, password: Secret[str] | None, token: Secret[str] | None
    ) -> Http: ...


@dataclass(frozen=True, slots=True)
class StoreContext:
    """What opening a store takes from outside of this room.

    `resolve` returns the value of a setting, `require_trusted` refuses an address that a setting
    gives if credentials must not be sent there; both raise what their giver likes. `who` names us
    to others.
    """

    resolve: Callable[[Setting], str]
    require_trusted: Callable[[Setting, str], None]
    connect_http: ConnectHttp
    who: str


def out_of_reach(where: str, reason: str) -> OutOfReach:
    """Return the error for a store that may answer at the next try; `reason` holds no secret."""
    return OutOfReach(_diagnosed(codes.STORE_OUT_OF_REACH, where, reason))


def denied(where: str, reason: str) -> StateError:
    """Return the error for a store that refuses our credentials, or the lack of them."""
    return StateError(_diagnosed(codes.STORE_DENIED, where, reason))


def unusable(where: str, reason: str) -> StateError:
    """Return the error for a store that is not what the project file says it is."""
    return StateError(_diagnosed(codes.STORE_UNUSABLE, where, reason))


def _diagnosed(code: Code, where: str, reason: str) -> Diagnostic:
    return Diagnostic(code, f"{code.title} at {where}: {reason}")
