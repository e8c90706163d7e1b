"""How fields, types and examples are called in diagnostics.

Values are shown only where they cannot be a person's or a secret: never below people, owners,
attributes, additionalData or auth.
"""

from __future__ import annotations

import json
from typing import Final

from reconciler.manifest.schema import Violation
from reconciler.manifest.tree import Path, Tree

_TYPES: Final = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
_PRIVATE_KEYS: Final = frozenset(["people", "owner", "attributes", "additionalData", "auth"])
_LONGEST_SHOWN: Final = 60


def show_key(name: str, path: Path = ()) -> str:
    """Return a key for a message; cut when long, withheld when it could tell who somebody is."""
    digits = sum(sign.isdigit() for sign in name)
    if "@" in name or (digits >= 6 and not _PRIVATE_KEYS.isdisjoint(path)):
        return "this key"
    if len(name) > _LONGEST_SHOWN:
        name = name[:_LONGEST_SHOWN] + "…"
    return f"`{name}`"


def is_private(path: Path) -> bool:
    """Whether a value at this path could be a person's or a secret."""
    return not _PRIVATE_KEYS.isdisjoint(path)


def nearest_key(path: Path) -> str:
    """Return the nearest key of a path."""
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def show_field(path: Path) -> str:
    """Return the field that a path leads to."""
    return show_key(nearest_key(path), path)


def field_as_subject(path: Path) -> str:
    """Return what a path leads to as the subject of a sentence."""
    if not path:
        return "The document"
    if isinstance(path[-1], int):
        return f"An item of {show_field(path)}"
    return show_field(path)


def types_in_words(types: list[str]) -> str:
    """Return types of JSON Schema in words."""
    words = [_TYPES[type_] for type_ in types]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def kind_in_words(value: Tree) -> str:
    """Return what a value is, never the value."""
    match value:
        case None:
            return "null (a missing value is null)"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a mapping"


def schema_description(schema: object) -> str | None:
    """Return what a schema says of its value."""
    if isinstance(schema, dict):
        text = schema.get("description")
        return str(text) if text is not None else None
    return None


def example_of(violation: Violation) -> str:
    """Return an example of the value, with its name unless it is an item of a list."""
    text = first_example(violation.schema)
    last = violation.path[-1] if violation.path else None
    if not isinstance(last, str) or show_key(last, violation.path) != f"`{last}`":
        return text
    return f"{last}: {text}"


def first_example(schema: object) -> str:
    """Return the first example of a schema as YAML, which JSON is."""
    examples = schema.get("examples") if isinstance(schema, dict) else None
    return json.dumps(examples[0], ensure_ascii=False) if examples else "…"
