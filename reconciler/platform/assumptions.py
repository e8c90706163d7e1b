"""What nobody outside the vendor knows: each unknown one named assumption with its readings.

The first reading of each is the default. The sandbox can switch every one, a project can pin it
(`api.assume`), and a plan is proven under every reading of those it meets unpinned. Whatever lists
them (schema, manual, help) is made from this table, or held against it by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Assumption:
    """One unknown: its name, its readings (the default first), the question in words, and what
    speaks for the default in sources that everybody can read.

    Not `is_proven`: under another reading no plan reaches what is declared. So a proof takes the
    default, and an apply looks at what the service answers.
    """

    name: str
    readings: tuple[str, ...]
    question: str
    evidence: str
    is_proven: bool = True

    @property
    def default(self) -> str:
        return self.readings[0]


ADDITIONAL_DATA_PATCH: Final = Assumption(
    "additional-data-patch",
    ("merge", "replace"),
    "Does PATCH merge additionalData by key (null removes), or replace the whole object?",
    "Strong: both mobile SDKs send changed keys only, and null for a key to delete; the contract "
    "calls the body partial.",
)
PROMOTE: Final = Assumption(
    "promote",
    ("demotes-others", "demotes-others-of-application", "keeps-others"),
    "Does isPrimary: true take the flag from the person's other registrations?",
    "Fair: both mobile SDKs mirror it over all installations of a user, and the contract says "
    "primary for the person.",
)
DETACH: Final = Assumption(
    "detach",
    ("clears-primary-and-data", "keeps", "clears-primary", "clears-data"),
    "Does detaching clear isPrimary and additionalData, one of them, or neither?",
    "Fair: the iOS SDK clears both on the phone, the Android SDK the data only.",
)
OWNED_BY_OTHER: Final = Assumption(
    "personalize-owned-by-other",
    ("400", "409", "403"),
    "What answers an unforced personalize of somebody else's registration?",
    "Fair: that it is refused is sure, and the status is not documented.",
)
OWNED_BY_SAME: Final = Assumption(
    "personalize-owned-by-same",
    ("ok", "400"),
    "What answers an unforced personalize that adds nothing to its own person?",
    "Fair: the contract names no error for it, and an app logs its user in more than once.",
)
MATCHES_TWO_PEOPLE: Final = Assumption(
    "identity-matches-two-people",
    ("400", "merges"),
    "What answers an identity whose values belong to two people?",
    "Strong: the manual of the mobile SDKs says that it cannot be done by design, and merging has "
    "an operation of its own.",
)
ANONYMOUS_OWNER: Final = Assumption(
    "anonymous-owner",
    ("200", "404"),
    "Has a registration that was never personalised an anonymous person, or none?",
    "Fair: the service speaks of anonymous people; whether they stand on the pages is open.",
)
DEPERSONALIZE_ANONYMOUS: Final = Assumption(
    "depersonalize-anonymous",
    ("ok", "400"),
    "What answers a depersonalize of a registration that nobody owns?",
    "Weak: the contract names no error for it, and that is all.",
)
READ_AFTER_WRITE: Final = Assumption(
    "read-after-write",
    ("shows", "lags"),
    "Does a read after an answered write show it, or may it lag by up to two seconds?",
    "Open: no public source says anything.",
)
PAGE_PUSH: Final = Assumption(
    "page-push",
    ("full", "bare", "no-flags", "text-data"),
    "Do the push entries of a person carry isPrimary and typed additionalData, neither (bare), or "
    "one of them: no isPrimary (no-flags), values as text (text-data)?",
    "Open: the contract types them, and its example has neither.",
)

NORMALISES: Final = Assumption(
    "normalises",
    ("as-sent", "date-time", "text", "trim", "case", "float32", "ignore"),
    "Does an update store a value as it was sent, a date with a time, every value as text, texts "
    "trimmed or in lower case, numbers with seven digits, or nothing at all?",
    "Open: no public source says anything; so what the answer shows is held against what was sent.",
    is_proven=False,
)

MATCH_SIZE: Final = Assumption(
    "match-size",
    ("1000", "100", "1"),
    "How many identities may one match call name?",
    "Open: no maximum is documented; so calls begin small, grow, and shrink where they are "
    "refused.",
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
            NORMALISES,
            MATCH_SIZE,
        )
    }
)

# The readings of DETACH and PAGE_PUSH answer two questions each; these say which answer what.
DETACH_KEEPS_PRIMARY: Final = frozenset({"keeps", "clears-data"})
DETACH_KEEPS_DATA: Final = frozenset({"keeps", "clears-primary"})
PAGES_WITHOUT_FLAGS: Final = frozenset({"bare", "no-flags"})
PAGES_WITH_TEXTS: Final = frozenset({"bare", "text-data"})

# Under every reading of these what is declared is reached.
PROVEN: Final = tuple(name for name, assumption in ASSUMPTIONS.items() if assumption.is_proven)

# How the model asks for the reading in force; a proof passes one that notes what was asked.
Readings = Callable[[Assumption], str]


def primary_scope(pinned: Mapping[str, str], application: str) -> str:
    """Return the scope within which a person has one primary device: "" for all applications.

    Two devices of one person can both stay primary only where their scopes differ, and that only a
    pinned reading of `promote` allows.
    """
    allows = pinned.get(PROMOTE.name) in ("demotes-others-of-application", "keeps-others")
    return application if allows else ""


def readings(chosen: Mapping[str, str] | None = None) -> Readings:
    """Return the readings in force: those chosen by name, the default for all others."""
    pinned = dict(chosen or {})
    return lambda assumption: pinned.get(assumption.name, assumption.default)
