"""Who a declared person is, as far as the project shows it: behind the pointer, in brackets."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .escape import name

# Identity values by kind, by pointer: what a plan holds under `people`.
People = Mapping[str, Mapping[str, str]]
NO_PEOPLE: Final[People] = MappingProxyType({})


def identity(pointer: str, people: People) -> str:
    """Return " (externalId courier-118)"; nothing for somebody of whom nothing is shown."""
    values = people.get(pointer)
    if not values:
        return ""
    return f" ({', '.join(f'{kind} {name(text)}' for kind, text in sorted(values.items()))})"
