"""Desired state: what the manifests say of each registration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from .absent import ABSENT, Absent
from .fields import Scalar
from .identity import Identity
from .secret import Secret
from .source import Source


class OnRemove(StrEnum):
    """What happens to a registration that left the files: forgotten without a call, or detached."""

    RELEASE = "release"
    DEPERSONALIZE = "depersonalize"


# Person attributes by their API names (firstName, tags, customAttributes, ...), as JSON values.
Attributes = Secret[Mapping[str, object]]


class Owner(msgspec.Struct, frozen=True, eq=False):
    """A declared person. `pointer` names the declaration: `devices/zg.yaml#people.ana`.

    Where it stands makes no two of them differ.
    """

    pointer: str
    identity: Identity
    attributes: Attributes | None = None
    keep_as_lead: bool | None = None
    source: Source | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Owner):
            return NotImplemented
        return self._compared() == other._compared()

    # Struct brings one that compares every field.
    __ne__ = object.__ne__

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> tuple[str, Identity, Attributes | None, bool | None]:
        return (self.pointer, self.identity, self.attributes, self.keep_as_lead)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Per-device rules of `lifecycle:`; `ignore` holds field paths (see core.fields)."""

    protect: bool = False
    ignore: frozenset[str] = frozenset()
    on_remove: OnRemove | None = None


class DesiredDevice(msgspec.Struct, frozen=True):
    """One declared registration, defaults merged in. ABSENT: not managed; None: shall be gone."""

    id: str
    application: str
    source: Source
    label: str | None = None
    owner: Owner | Absent | None = ABSENT
    is_primary: bool | Absent = ABSENT
    registration_enabled: bool | Absent = ABSENT
    additional_data: Mapping[str, Scalar | None] = {}
    lifecycle: Lifecycle = Lifecycle()


@dataclass(frozen=True, slots=True)
class Removal:
    """An entry of `removed:`, which hands a registration over on purpose."""

    id: str
    application: str
    on_remove: OnRemove
    source: Source


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything the manifests declare; both mappings by registration id, in sorted order."""

    devices: Mapping[str, DesiredDevice] = field(default_factory=dict)
    removed: Mapping[str, Removal] = field(default_factory=dict)
