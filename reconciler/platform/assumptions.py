"""What nobody outside the vendor knows: each unknown one named assumption with its readings.

The first reading of each is the default. The sandbox can switch every one, a project can pin it
(`api.assume`), and a plan is proven under every reading of those it meets unpinned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Assumption:
    """One unknown: its name, its readings (the default first), and the question in words."""

    name: str
    readings: tuple[str, ...]
    question: str

    @property
    def default(self) -> str:
        return self.readings[0]


ADDITIONAL_DATA_PATCH: Final = Assumption(
    "additional-data-patch",
    ("merge", "replace"),
    "Does PATCH merge additionalData by key (null removes), or replace the whole object?",
)
PROMOTE: Final = Assumption(
    "promote",
    ("demotes-others", "demotes-others-of-application", "keeps-others"),
    "Does isPrimary: true take the flag from the person's other registrations?",
)
DETACH: Final = Assumption(
    "detach",
    ("clears-primary-and-data", "keeps"),
    "Does detaching clear isPrimary and additionalData?",
)
OWNED_BY_OTHER: Final = Assumption(
    "personalize-owned-by-other",
    ("400", "409"),
    "What answers an unforced personalize of somebody else's registration?",
)
OWNED_BY_SAME: Final = Assumption(
    "personalize-owned-by-same",
    ("ok", "400"),
    "What answers an unforced personalize that adds nothing to its own person?",
)
MATCHES_TWO_PEOPLE: Final = Assumption(
    "identity-matches-two-people",
    ("400", "merges"),
    "What answers an identity whose values belong to two people?",
)
ANONYMOUS_OWNER: Final = Assumption(
    "anonymous-owner",
    ("200", "404"),
    "Has a registration that was never personalised an anonymous person, or none?",
)
DEPERSONALIZE_ANONYMOUS: Final = Assumption(
    "depersonalize-anonymous",
    ("ok", "400"),
    "What answers a depersonalize of a registration that nobody owns?",
)
READ_AFTER_WRITE: Final = Assumption(
    "read-after-write",
    ("shows", "lags"),
    "Does a read after an answered write show it, or may it lag by up to two seconds?",
)
PAGE_PUSH: Final = Assumption(
    "page-push",
    ("full", "bare"),
    "Do the push entries of a person carry isPrimary and typed additionalData, or text only?",
)

MATCH_SIZE: Final = Assumption(
    "match-size",
    ("1000", "100", "1"),
    "How many identities may one match call name?",
)

ASSUMPTIONS: Final[Mapping[str, Assumption]] = MappingProxyType(
    {
        assumption.name: assumption
        for assumption in (
            ADDITIONAL_DATA_PATCH,
            PROMOTE,
            DETACH,
            OWNED_BY_OTHER,
            OWNED_BY_SAME,
            MATCHES_TWO_PEOPLE,
            ANONYMOUS_OWNER,
            DEPERSONALIZE_ANONYMOUS,
            READ_AFTER_WRITE,
            PAGE_PUSH,
            MATCH_SIZE,
        )
    }
)

# How the model asks for the reading in force; a proof passes one that notes what was asked.
Readings = Callable[[Assumption], str]


def readings(chosen: Mapping[str, str] | None = None) -> Readings:
    """Return the readings in force: those chosen by name, the default for all others."""
    pinned = dict(chosen or {})
    return lambda assumption: pinned.get(assumption.name, assumption.default)
