"""What a sweep looks for among all people, and what one page of people says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from .fields import Scalar
from .identity import IdentityValue
from .live import LivePerson


@dataclass(frozen=True, slots=True)
class SweepQuery:
    """Whom to keep of the people on a page: who owns one of `registrations` (ids, with the name of
    the application that declares them), has one of `identities`, or owns anything of one of the
    service's `application_ids`. With `everybody` all are kept.

    `owners` tells by registration id who shall own it, so that look-ups can be counted: devices
    of one declared person need one. Without `attributes` nobody needs those of people.
    """

    registrations: Mapping[str, str] = field(default_factory=dict)
    identities: Set[IdentityValue] = frozenset()
    owners: Mapping[str, IdentityValue] = field(default_factory=dict)
    application_ids: Set[str] = frozenset()
    everybody: bool = False
    attributes: bool = True

    def lookups(self, devices: Sequence[str], at_once: int) -> int:
        """Return how many people are looked up to know the owners of some devices.

        What one answer tells of other devices is known only to those who come `at_once` later.
        """
        known: set[IdentityValue] = set()
        count = 0
        for start in range(0, len(devices), at_once):
            owners = [self.owners.get(device) for device in devices[start : start + at_once]]
            count += sum(owner is None or owner not in known for owner in owners)
            known.update(owner for owner in owners if owner is not None)
        return count


@dataclass(frozen=True, slots=True)
class Page:
    """One page of people, as the service had it when it answered.

    `numbers` names all of them in their order, `people` are those that were kept. `total` counts
    everybody, None if the answer did not say. `shows_flags` when an entry of anybody carries
    isPrimary (None: nobody has an entry), `shows_types` when one has a number or boolean among its
    additionalData, `texts` is the additionalData of kept entries that would be in doubt without
    that, by application id and registration id. Not `is_whole` where it shows somebody, or
    something of somebody, that cannot be read: then who was not seen may be there all the same.
    """

    numbers: tuple[int, ...]
    people: tuple[LivePerson, ...]
    total: int | None
    shows_flags: bool | None
    shows_types: bool
    texts: Mapping[tuple[str, str], Mapping[str, Scalar]]
    is_whole: bool = True
