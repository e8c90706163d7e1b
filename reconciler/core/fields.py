"""The table of a device's fields: the name, place, type, comparison and risk of each managed field.

Whatever declares, reads, compares, plans, sends, simulates, records, imports or shows a field goes
over `FIELDS`, with `declared_fields(device)` and `live_value(path, registration)`. To add a field,
add its row here, its attribute in `DesiredDevice`, `LiveRegistration`, the platform's
`Registration` and the answers that `api` decodes, and its entries in the schemas; the tests in
tests/unit/core/test_fields.py fail for whatever of that is forgotten.

Two sorts of fields have a path and no row: `owner`, which is a person, has calls of its own and is
compared by membership of its identity values; and `additionalData.KEY`, as many as there are keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from .absent import ABSENT, Absent
from .opaque import Opaque

if TYPE_CHECKING:
    from .device import DesiredDevice
    from .live import LiveRegistration

OWNER: Final = "owner"
IS_PRIMARY: Final = "isPrimary"
REGISTRATION_ENABLED: Final = "registrationEnabled"
ADDITIONAL_DATA: Final = "additionalData"
SYSTEM_DATA: Final = "systemData"
# Names what a registration belongs to; read-only, and needed to ask who owns it.
APPLICATION_ID: Final = "applicationId"
# The member of systemData that tells a browser from a phone, and what it says of a browser.
CLOUD_TYPE: Final = "cloudType"
WEB: Final = "WEB"
_DATA: Final = f"{ADDITIONAL_DATA}."

# A value of a field after the manifest or the wire was read; dates are their text.
Scalar = str | int | float | bool
# What the service holds is more than a manifest can declare.
LiveValue = Scalar | Opaque


class Reason(StrEnum):
    """Why a field changes: the file moved, others moved it, or it left the files."""

    DECLARED = "declared"
    DRIFT = "drift"
    REMOVED = "removed"


class Risk(StrEnum):
    """What a reviewer should look at twice."""

    OWNER_CHANGE = "owner-change"
    DETACH = "detach"
    PRIMARY_CHANGE = "primary-change"
    KEY_REMOVAL = "key-removal"
    DISABLE = "disable"
    LEAD_PROMOTION = "lead-promotion"


@dataclass(frozen=True, slots=True)
class Field:
    """One managed field of a device.

    `path` names it in manifests, plans, records and options; `attribute` is where a
    `DesiredDevice`, a `LiveRegistration` and the platform's `Registration` hold it; `wire` leads to
    it in the body of an update and in every answer.

    `type` is that of its values, which are the same when they are equal (`same_value`). `at_rest`
    is what it is where an answer leaves it out: None, no value; ABSENT, not to be told.
    `page_says_text`: every form of a page of people shows it, as text whatever it is (`"true"`). A
    field without that is left out by the bare form, so that it is in doubt where it is not there.

    `risk` is that of a change to `risky_value`, or of every change if that is ABSENT.
    """

    path: str
    attribute: str
    wire: tuple[str, ...]
    type: type[bool] | type[str]
    at_rest: Scalar | Absent | None = ABSENT
    page_says_text: bool = False
    risk: Risk | None = None
    risky_value: Scalar | Absent = ABSENT

    @property
    def possible_values(self) -> tuple[Scalar, ...]:
        """All values that there are, where those are few: a digest of one then tells which."""
        return (True, False) if self.type is bool else ()

    def is_risky(self, after: object) -> bool:
        """Whether a change to `after` has the risk."""
        return self.risk is not None and (
            self.risky_value is ABSENT or same_value(after, self.risky_value)
        )

    def read(self, document: Mapping[str, object]) -> object:
        """Return what stands at its place in a body or an answer; ABSENT if nothing does."""
        value: object = document
        for name in self.wire:
            if not isinstance(value, Mapping) or name not in value:
                return ABSENT
            value = value[name]
        return value


FIELDS: Final = (
    Field(
        path=IS_PRIMARY,
        attribute="is_primary",
        wire=("isPrimary",),
        type=bool,
        at_rest=False,
        risk=Risk.PRIMARY_CHANGE,
    ),
    Field(
        path=REGISTRATION_ENABLED,
        attribute="registration_enabled",
        wire=(SYSTEM_DATA, "registrationEnabled"),
        type=bool,
        page_says_text=True,
        risk=Risk.DISABLE,
        risky_value=False,
    ),
)
FIELD_BY_PATH: Final[Mapping[str, Field]] = MappingProxyType(
    {field.path: field for field in FIELDS}
)
# The paths that a person can write, in the order in which fields are shown.
WRITABLE_PATHS: Final = (OWNER, *FIELD_BY_PATH, f"{_DATA}KEY")
_ORDER: Final = {path: rank for rank, path in enumerate((OWNER, *FIELD_BY_PATH))}
_PATHS: Final = tuple(FIELD_BY_PATH)
# The values of `FIELDS` in their order, of whatever has their attributes. Every device of a fleet
# is asked several times, so it is the getter itself.
field_values: Final = cast(
    "Callable[[object], tuple[Scalar | Absent | None, ...]]",
    attrgetter(*(field.attribute for field in FIELDS)),
)


def data_path(key: str) -> str:
    """Return the path of an additionalData key; the key may hold dots itself."""
    return _DATA + key


def data_key(path: str) -> str | None:
    """Return the additionalData key that a path names, or None for another field."""
    return path.removeprefix(_DATA) if path.startswith(_DATA) else None


def field_order(path: str) -> tuple[int, str]:
    """Sort key: the owner, then the fields as the table has them, then additionalData by key."""
    rank = _ORDER.get(path)
    return (len(_ORDER), path) if rank is None else (rank, "")


def declared_fields(device: DesiredDevice) -> dict[str, Scalar | None]:
    """Return what a device declares, by path, but for the owner; None: the key shall be gone."""
    declared: dict[str, Scalar | None] = {}
    for path, value in zip(_PATHS, field_values(device), strict=True):
        if value is not ABSENT:
            declared[path] = value
    for key, data in device.additional_data.items():
        declared[_DATA + key] = data
    return declared


def live_value(path: str, registration: LiveRegistration) -> LiveValue | Absent | None:
    """Return the live value of a field other than the owner.

    None: it has no value. ABSENT: the service did not say, and saying nothing means nothing.
    """
    field = FIELD_BY_PATH.get(path)
    if field is not None:
        value: LiveValue | Absent | None = getattr(registration, field.attribute)
        return field.at_rest if value is ABSENT else value
    key, data = data_key(path), registration.additional_data
    return None if key is None or data is ABSENT else data.get(key)


def update_body(values: Mapping[str, Scalar | None]) -> dict[str, object]:
    """Return the body of an update that sets fields to values, by path."""
    body: dict[str, object] = {}
    for path in sorted(values, key=field_order):
        field = FIELD_BY_PATH.get(path)
        *above, name = (ADDITIONAL_DATA, data_key(path)) if field is None else field.wire
        part = body
        for step in above:
            part = cast("dict[str, object]", part.setdefault(str(step), {}))
        part[str(name)] = values[path]
    return body


def updated_fields(body: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield the fields that the body of an update sets, by path: `update_body` turned round."""
    for field in FIELDS:
        value = field.read(body)
        if value is not ABSENT:
            yield field.path, value
    data = body.get(ADDITIONAL_DATA)
    if isinstance(data, Mapping):
        for key, item in data.items():
            yield data_path(str(key)), item


def same_value(one: object, other: object) -> bool:
    """Whether two scalars are the same value to the service.

    Numbers compare by value; a boolean never equals a number, nor anything a string.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other
    return type(one) is type(other) and one == other


def as_yaml(value: LiveValue | None) -> str:
    """Return a value as YAML writes it, without quotes; what none can declare, as its JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Opaque():
            return value.json
        case _:
            return str(value)
