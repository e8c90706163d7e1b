"""What the service reports by itself: that a registration or a person changed, and who did it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .identity import IdentityValue


class EventKind(StrEnum):
    """What happened, named as plans and reports say it."""

    INSTALLED = "installed"
    UNINSTALLED = "uninstalled"
    PERSONALIZED = "personalized"
    DEPERSONALIZED = "depersonalized"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """One event. `registration` is the registration id, None where it is about a person, whose
    `identities` it names then. `at` is the time as the service wrote it; `invoker` is client, user
    or system, and `source` where it came from (API, ...); each empty where it was not said.
    """

    kind: EventKind
    at: str = ""
    registration: str | None = None
    identities: frozenset[IdentityValue] = field(default=frozenset())
    invoker: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ServiceEvents:
    """The events of a file, in its order. `others` counts those of types that concern no device,
    `unreadable` has the numbers of the lines that are no event at all."""

    events: tuple[ServiceEvent, ...] = ()
    others: int = 0
    unreadable: tuple[int, ...] = ()
