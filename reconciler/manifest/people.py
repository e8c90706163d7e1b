"""Entries of `people:` and owners written in place, as typed and hidden values."""

from __future__ import annotations

from typing import Final, cast

from reconciler.core.device import Attributes, Owner
from reconciler.core.identity import Identity, IdentityKind, IdentityValue
from reconciler.core.secret import Secret
from reconciler.core.source import Source

from .tree import Tree

# The attributes of a person in the order of the schema.
ATTRIBUTES: Final = (
    "firstName",
    "lastName",
    "middleName",
    "birthday",
    "gender",
    "customAttributes",
    "tags",
)
_KINDS: Final = tuple((kind, kind.value) for kind in IdentityKind)


def read_owner(pointer: str, entry: dict[str, Tree], source: Source) -> Owner:
    """Return the person that a valid entry of the schema's `person` declares."""
    values = [
        IdentityValue.of(kind, cast(str, entry[name])) for kind, name in _KINDS if name in entry
    ]
    return Owner(
        pointer,
        Identity.of(*values),
        _attributes(entry.get("attributes")),
        cast("bool | None", entry.get("keepAsLead")),
        source,
    )


def _attributes(declared: Tree) -> Attributes | None:
    if not isinstance(declared, dict) or not declared:
        return None
    return Secret(dict(declared))


def same_person(first: Owner, second: Owner) -> bool:
    """Whether two declarations say the same of a person."""
    return (
        first.identity == second.identity
        and first.attributes == second.attributes
        and first.keep_as_lead == second.keep_as_lead
    )


def names_somebody(name: str, values: set[IdentityValue]) -> bool:
    """Whether the name of an entry is an identity value of anybody declared."""
    return any(IdentityValue.of(kind, name) in values for kind, _ in _KINDS)
