"""Values that no output can show: secrets, identity values, person attributes.

Every way by which Python turns a value into text or bytes without being asked (repr, str, format,
json, pickle, tracebacks with locals) gives a placeholder or fails; only `reveal` gives the value.
"""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Secret(Generic[T]):
    """Hold a value that must not be rendered. Equal when the values are; hashable when they are."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value. Only rooms that send or compare it may ask."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "<hidden>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a hidden value cannot be serialised")
