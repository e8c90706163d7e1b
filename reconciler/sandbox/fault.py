"""A fault as a value: which calls it is for, when it strikes, and what it does to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

# What faults call the requests for a token, which are no operation of the API.
TOKEN: Final = "token"


class Effect(StrEnum):
    """What a fault does to a call; STATUS is written as the number itself."""

    STATUS = "status"
    HANG = "hang"
    RESET = "reset"
    TRUNCATE = "truncate"
    EMPTY = "empty"
    GARBAGE = "garbage"
    HTML = "html"
    WRONG_TYPE = "wrong-type"
    DRIP = "drip"
    DELAY = "delay"
    RIVAL = "rival"
    APPEAR = "appear"
    VANISH = "vanish"


# What moves people on pages, and so is for pages only.
SHIFTS: Final = frozenset({Effect.APPEAR, Effect.VANISH})


@dataclass(frozen=True, slots=True)
class Share:
    """A fault of so many of the matching calls, from 0 to 1."""

    of: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """A fault of the matching calls with these numbers, from 1; a `last` of None has no end."""

    first: int = 1
    last: int | None = None


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """The header of that name: in seconds, or as the HTTP date that is then."""

    seconds: int
    as_date: bool


@dataclass(frozen=True, slots=True)
class CallSubject:
    """What a call is about, as far as faults can tell calls apart."""

    operation: str
    device: str | None = None
    is_page: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `after`: the call is carried out first. `merge`: what a rival changes, None for
    turning registrationEnabled around. `seconds` None: the default of the effect."""

    spec: str
    operations: frozenset[str]
    effect: Effect
    status: int = 200
    when: Share | Numbers = field(default_factory=Numbers)
    after: bool = False
    html: bool = False
    retry_after: RetryAfter | None = None
    seconds: float | None = None
    device: str | None = None
    merge: Mapping[str, object] | None = None

    def matches(self, subject: CallSubject) -> bool:
        """Whether a call matches; when the fault then happens is another question."""
        if subject.operation not in self.operations:
            return False
        if self.device is not None and subject.device != self.device:
            return False
        if self.effect in SHIFTS:
            return subject.is_page
        return self.effect is not Effect.RIVAL or subject.device is not None
