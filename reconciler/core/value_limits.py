"""How long a text and how large a number may be: what the service takes, in one table.

The schemas of manifests, the model of the service, import and the messages all say the same: who
changes a limit changes it here, and a test names every place that says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

# A name within the path of a field that stands for any key.
ANY_KEY: Final = "KEY"


@dataclass(frozen=True, slots=True)
class ValueLimit:
    """What a value may be at most and at least; None: nothing is said.

    Lengths are in characters. `of_name`: it is the name that is limited, not the value.
    `is_documented`: the service says so; the others are our own, so that a mistake is found early.
    """

    longest: int | None = None
    shortest: int = 0
    largest: int | None = None
    smallest: int | None = None
    of_name: bool = False
    is_documented: bool = True

    def allows_text(self, text: str) -> bool:
        """Whether a text is neither too short nor too long."""
        return self.shortest <= len(text) and (self.longest is None or len(text) <= self.longest)

    def allows_number(self, number: int | float) -> bool:
        """Whether a number is in range; no comparison with NaN is true."""
        if self.smallest is not None and not self.smallest <= number:
            return False
        return self.largest is None or number <= self.largest


NAME: Final = ValueLimit(longest=256, shortest=1, of_name=True)
VALUE: Final = ValueLimit(
    longest=4096, largest=9_223_372_036_854_775_807, smallest=-9_223_372_036_854_775_808
)
EXTERNAL_ID: Final = ValueLimit(longest=256, shortest=1)
EMAIL: Final = ValueLimit(longest=255)
# E.164: of the digits, country code and all. The service takes longer texts, and no more digits.
PHONE_DIGITS: Final = ValueLimit(longest=15, shortest=5)
FIRST_NAME: Final = ValueLimit(longest=255)
LAST_NAME: Final = ValueLimit(longest=255)
MIDDLE_NAME: Final = ValueLimit(longest=50)
TAG: Final = ValueLimit(longest=256, shortest=1, is_documented=False)

# By the path of a field, in a device or in a person of a manifest.
VALUE_LIMITS: Final[Mapping[str, tuple[ValueLimit, ...]]] = MappingProxyType(
    {
        f"additionalData.{ANY_KEY}": (NAME, VALUE),
        "externalId": (EXTERNAL_ID,),
        "phoneNumber": (PHONE_DIGITS,),
        "email": (EMAIL,),
        "attributes.firstName": (FIRST_NAME,),
        "attributes.lastName": (LAST_NAME,),
        "attributes.middleName": (MIDDLE_NAME,),
        f"attributes.customAttributes.{ANY_KEY}": (NAME, VALUE),
        "attributes.tags": (TAG,),
    }
)
