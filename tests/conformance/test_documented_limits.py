"""The limits of values that the service documents, and what this project says of them."""

from __future__ import annotations

import pytest

from reconciler.core.value_limits import VALUE_LIMITS
from reconciler.platform.lookups import LARGEST_LIMIT
from reconciler.platform.operations import DEFAULT_LIMITS, Operation

# From the descriptions of the vendor's OpenAPI, version 3.210.0, "persons" and "contact
# information: push": "256 characters max", "cannot exceed 255 characters", and so on.
DOCUMENTED = {
    "externalId": 256,
    "email": 255,
    "attributes.firstName": 255,
    "attributes.lastName": 255,
    "attributes.middleName": 50,
    "attributes.customAttributes.KEY": 4096,
    # E.164: 15 digits. The contract allows 50 characters, which are not all digits.
    "phoneNumber": 15,
    # From the guides of the push channel: of values of a registration, and of names.
    "additionalData.KEY": 4096,
}
# x-throttling-info of each operation, requests a second and account.
THROTTLED = {
    Operation.GET: 50,
    Operation.UPDATE: 50,
    Operation.PERSONALIZE: 50,
    Operation.DEPERSONALIZE: 50,
    Operation.PERSONS: 5,
}


@pytest.mark.parametrize("field", sorted(VALUE_LIMITS))
def test_a_limit_is_the_documented_one(field: str) -> None:
    """Of each field the longest value; what is not documented says so of itself."""
    for limit in VALUE_LIMITS[field]:
        if limit.of_name:
            assert limit.longest == 256
        elif limit.is_documented:
            assert limit.longest == DOCUMENTED[field]
        else:
            assert field not in DOCUMENTED
        if limit.largest is not None:
            assert (limit.largest, limit.smallest) == (2**63 - 1, -(2**63))


def test_every_documented_limit_is_kept() -> None:
    """None is forgotten."""
    assert DOCUMENTED.keys() <= VALUE_LIMITS.keys()


def test_pages_and_rates_are_the_documented_ones() -> None:
    """A page has up to 1000 people; each operation has a limit of its own."""
    assert LARGEST_LIMIT == 1000
    assert {name: DEFAULT_LIMITS[name] for name in THROTTLED} == THROTTLED
