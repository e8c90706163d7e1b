"""A plan as data: exactly what the plan document holds, field for field.

Nothing here but `people` can hold an identity value, nothing at all a person attribute: people are
names (a manifest pointer, `person 1844`, `nobody`), values of additionalData stand for declared
keys only, and those that the project hides as digests.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from reconciler.core.fields import Reason as Reason
from reconciler.core.fields import Risk as Risk
from reconciler.core.fields import Scalar

FORMAT_VERSION = "1.0"
NOBODY = "nobody"
# An owner whose number the service does not show in a form that can be read.
SOMEBODY = "somebody"
# Behind a pointer: the live owner holds some of the declared identity values, not all of them.
INCOMPLETE = " (incomplete)"
# What a hidden value of a call's body is the only key of, as $person is of a person.
HIDDEN = "$hidden"
# The warning that others moved what the file moved too; renderings say it where the fields stand.
OTHERS_CHANGED_TOO = "others-changed-too"
# The warning that says which part of an answer means nothing.
UNREADABLE = "unreadable"
# The guard of globs that match no file.
PATTERN = "pattern"


class Action(StrEnum):
    """What happens to a device: calls to make, or what apply writes to the state without a call.

    adopt: as declared, and the state does not say so yet · release: left the files, forgotten ·
    gone: the service does not know the id · unreadable: what it shows of a field that matters
    cannot be understood, a warning says which.
    """

    DEPERSONALIZE = "depersonalize"
    PERSONALIZE = "personalize"
    UPDATE = "update"
    ADOPT = "adopt"
    RELEASE = "release"
    GONE = "gone"
    UNREADABLE = "unreadable"


class _Part(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Frozen, camelCase in JSON, unknown fields refused."""


class StateRef(_Part, frozen=True):
    lineage: str
    serial: int


class Inputs(_Part, frozen=True):
    state: StateRef
    commit: str | None = None


class CallCounts(_Part, frozen=True):
    update: int = 0
    personalize: int = 0
    depersonalize: int = 0

    @property
    def total(self) -> int:
        return self.update + self.personalize + self.depersonalize


class Summary(_Part, frozen=True):
    """`devices` counts the declared ones; `changed` those with calls; `withheld` those in errors.

    `adopt` counts devices whose record entry apply writes without a call; `gone` likewise named.
    """

    devices: int
    unchanged: int
    changed: int
    adopt: int
    gone: int
    released: int
    withheld: int
    calls: CallCounts
    forecast_seconds: float


class ReadCounts(_Part, frozen=True):
    get: int = 0
    persons: int = 0
    match: int = 0


class Reads(_Part, frozen=True):
    """How the live state was read.

    `people` is how many there are, null when nobody asked; so are the seconds that each strategy
    was thought to take at this project's share of the limits.
    """

    strategy: str
    calls: ReadCounts
    people: int | None = None
    points_seconds: float | None = None
    sweep_seconds: float | None = None


class Dependency(_Part, frozen=True):
    """A declared device that was not chosen and comes along: a chosen one depends on it."""

    device: str
    needed_by: str
    why: str


class Coverage(_Part, frozen=True):
    """Which declared devices a plan is about. No selectors: all of them, and those that left.

    `selectors` are the options as they were given (`--target ID`, `--since main`); `chosen` counts
    what they match, `left_out` the declared devices that the plan says nothing about, and
    `leaving_left_out` the devices in the state that left the files and are not looked at.
    `project_changed`: the project file is not what it was at the commit of `--since`.
    """

    selectors: tuple[str, ...] = ()
    chosen: int = 0
    dependencies: tuple[Dependency, ...] = ()
    left_out: int = 0
    leaving_left_out: int = 0
    project_changed: bool = False


class ForecastCalls(_Part, frozen=True):
    """Calls that an apply makes, the reads before writes included; but for matches, of which many
    look-ups share one."""

    get: int = 0
    persons: int = 0
    update: int = 0
    personalize: int = 0
    depersonalize: int = 0


class Forecast(_Part, frozen=True):
    """How long an apply takes, and why. Of this run, as id and time are; no part of the digest.

    `chain` counts the planned calls on the longest chain of those that wait for each other;
    `latency_seconds` is what one answer was taken to need.
    """

    seconds: float = 0.0
    calls: ForecastCalls = ForecastCalls()
    chain: int = 0
    latency_seconds: float = 0.0


class HiddenValue(_Part, frozen=True, omit_defaults=True):
    """A value that the project hides: its digest with the state's key, of this one device's field.

    So equal values of two devices do not look equal, and only who has the state can compare. `type`
    is that of a live value that no file could declare: list, object, text or number.
    """

    digest: str = msgspec.field(name=HIDDEN)
    type: str | None = None


class FieldChange(_Part, frozen=True):
    """One field. `before`/`after` are null where there is no value; people are their names."""

    path: str
    before: Scalar | HiddenValue | None
    after: Scalar | HiddenValue | None
    reason: Reason


class Change(_Part, frozen=True):
    """What happens to one device; see Action. `declaration` and `before` are keyed digests.

    A device that left the files has no declaration, and a source only if `removed:` names it.
    `model` is its maker and model as the service shows them, for the state to remember.
    """

    device: str
    application: str
    label: str | None
    source: str | None
    declaration: str | None
    before: str | None
    actions: tuple[Action, ...]
    fields: tuple[FieldChange, ...] = ()
    risks: tuple[Risk, ...] = ()
    model: str | None = None


class Proposal(_Part, frozen=True):
    """A gone device that may be back: the app was installed again. Nothing is done by itself.

    `replacement` is the only registration that it can be, null where several could (`could_be`
    counts them; 0: nobody looked). `model` is what the state remembers of the device; null:
    nothing.
    """

    device: str
    application: str
    label: str | None
    source: str
    owner: str
    replacement: str | None
    model: str | None
    could_be: int


class Drift(_Part, frozen=True):
    """Drift that `onDrift: report` shows and leaves."""

    device: str
    application: str
    label: str | None
    source: str
    fields: tuple[FieldChange, ...]


class PlannedCall(_Part, frozen=True):
    """One call. `after`: ids it must follow (order only); `needs`: ids that must have succeeded.

    `body` holds people as {"$person": pointer}, hidden values as {"$hidden": digest};
    `carry_undeclared` says that apply adds the live undeclared additionalData keys, read right
    before.
    """

    id: str
    operation: str
    device: str
    method: str
    path: str
    query: dict[str, str]
    body: dict[str, object] | None
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    carry_undeclared: bool = False


class PlanWarning(_Part, frozen=True):
    """A side effect or a note. `device` is whom it touches; `fields` the paths it names.

    code: sibling-loses-primary · undeclared-data-may-be-lost · undeclared-primary-may-change ·
    unreadable · key-handed-back · attributes-differ · identity-added · lead-promotion ·
    others-changed-too · ...
    """

    code: str
    device: str
    message: str
    fields: tuple[str, ...] = ()
    source: str | None = None


class PlanError(_Part, frozen=True):
    """A device (or group) that was withheld, and why; the rest is planned."""

    code: str
    slug: str
    message: str
    devices: tuple[str, ...]
    source: str | None = None
    detail: tuple[str, ...] = ()
    fix: str | None = None


class Refusal(_Part, frozen=True):
    """A guard that tripped: what, measured, limit, fix. The plan must not be applied."""

    guard: str
    message: str
    measured: str
    limit: str
    fix: str


class Plan(_Part, frozen=True):
    """The whole document. `digest` covers everything that decides the effect.

    `seal` is a keyed digest of the digest: only who has the state can make a plan for it.

    Lists are sorted: changes, drift, errors by device id (changes of leaving devices among them),
    calls in an order in which they can be carried out.

    `people` are identity values that the project shows, by kind, of the pointers that are named;
    apply does not look at them.
    """

    format_version: str
    id: str
    created_at: str
    inputs: Inputs
    summary: Summary
    reads: Reads
    coverage: Coverage
    forecast: Forecast
    changes: tuple[Change, ...]
    proposals: tuple[Proposal, ...]
    drift: tuple[Drift, ...]
    calls: tuple[PlannedCall, ...]
    warnings: tuple[PlanWarning, ...]
    errors: tuple[PlanError, ...]
    refusals: tuple[Refusal, ...]
    people: dict[str, dict[str, str]] = {}
    digest: str = ""
    seal: str = ""

    def to_json(self) -> bytes:
        """Return the plan document, as `reconciler plan -o` saves it."""
        from .document import encode

        return encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Plan:
        """Read a plan document back. Raises InvalidPlan if it is none, or was changed."""
        from .document import decode

        return decode(data)
