"""Who a person is to the service: typed values that compare in canonical form and never render.

Canonical form is the service's own: e-mail without case, phone number as digits from the country
code on, external id exactly as written.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NoReturn

import msgspec


class IdentityKind(StrEnum):
    """The three kinds, named as the API names them in a personalize body."""

    EXTERNAL_ID = "externalId"
    PHONE_NUMBER = "phoneNumber"
    EMAIL = "email"


def canonical_identity(kind: IdentityKind, text: str) -> str:
    """Return the form in which two values of a kind are equal exactly when the service says so."""
    match kind:
        case IdentityKind.EXTERNAL_ID:
            return text
        case IdentityKind.PHONE_NUMBER:
            digits = text
            if not (text.isdigit() and text.isascii()):
                digits = "".join(digit for digit in text if digit in "0123456789")
            # Digits begin with the country code, which no 0 does; 00 is how one dials the +.
            is_dialled = digits[:2] == "00" and digits[2:3] not in ("", "0")
            return digits[2:] if is_dialled else digits
        case IdentityKind.EMAIL:
            return text.strip().lower()


class IdentityValue:
    """One identity value. Made with `IdentityValue.of`; shown as its kind only.

    Not a dataclass: pretty-printers and `asdict` look into those.
    """

    __slots__ = ("__canonical", "__kind")

    def __init__(self, kind: IdentityKind, canonical: str) -> None:
        self.__kind = kind
        self.__canonical = canonical

    @classmethod
    def of(cls, kind: IdentityKind, text: str) -> IdentityValue:
        return cls(kind, canonical_identity(kind, text))

    @property
    def kind(self) -> IdentityKind:
        return self.__kind

    def reveal(self) -> str:
        """Return the canonical text. Only the call bodies, look-ups and digests may ask."""
        return self.__canonical

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IdentityValue):
            return NotImplemented
        return self.__canonical == other.__canonical and self.__kind is other.__kind

    def __hash__(self) -> int:
        # Of the text alone, which keeps its hash: fleets ask for it many times a device.
        return hash(self.__canonical)

    def __repr__(self) -> str:
        return f"<{self.__kind.value}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an identity value cannot be serialised")


class Identity(msgspec.Struct, frozen=True):
    """The values that together name one person; sorted, at most one of a kind when declared."""

    values: tuple[IdentityValue, ...]

    @classmethod
    def of(cls, *values: IdentityValue) -> Identity:
        return cls(tuple(sorted(set(values), key=lambda value: (value.kind, value.reveal()))))

    def __iter__(self) -> Iterator[IdentityValue]:
        return iter(self.values)

    def __bool__(self) -> bool:
        return bool(self.values)
