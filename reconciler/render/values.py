"""Field paths, values and people made legible: as YAML has them, people by their pointers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from reconciler.core.fields import OWNER, Scalar, data_key, data_path
from reconciler.plan.model import INCOMPLETE, NOBODY, HiddenValue

from .escape import name, quoted

# Identity values by kind, by pointer: what a plan holds under `people`.
People = Mapping[str, Mapping[str, str]]
NO_PEOPLE: Final[People] = MappingProxyType({})


def show_identity(pointer: str, people: People) -> str:
    """Return " (externalId courier-118)"; nothing for somebody of whom nothing is shown."""
    values = people.get(pointer)
    if not values:
        return ""
    return f" ({', '.join(f'{kind} {name(text)}' for kind, text in sorted(values.items()))})"


def show_value(path: str, scalar: Scalar | HiddenValue | None, people: People = NO_PEOPLE) -> str:
    """Show a value of a field as YAML would read it; people by their names."""
    match scalar:
        case None:
            return "null"
        case HiddenValue(type=None):
            return "(hidden)"
        case HiddenValue():
            return f"({scalar.type})"
        case bool():
            return "true" if scalar else "false"
        case str() if path == OWNER:
            return show_person(scalar, people)
        case str():
            return quoted(scalar)
        case _:
            return str(scalar)


def show_person(text: str, people: People = NO_PEOPLE) -> str:
    """Show the name of an owner, and what the project shows of who that is."""
    number = text.removeprefix("person ")
    if text == NOBODY or (number != text and number.isascii() and number.isdigit()):
        return text
    pointer = text.removesuffix(INCOMPLETE)
    return name(pointer) + show_identity(pointer, people) + text[len(pointer) :]


@lru_cache(maxsize=1024)  # many devices, few paths
def show_path(path: str) -> str:
    """Show a field path; an odd additionalData key stands in quotes."""
    key = data_key(path)
    return name(path) if key is None else data_path(name(key))


def look_of_value(value: Scalar | HiddenValue | None) -> tuple[type, object]:
    """Return what equals only that of a value that looks the same; 1 and true differ.

    All hidden values look the same: which of them are equal is not to be seen.
    """
    return (type(value), value.type if isinstance(value, HiddenValue) else value)
