"""A live value that no manifest can declare: kept as it came, compared as a whole, never shown."""

from __future__ import annotations

import json
from typing import Final

_TYPES: Final = {
    "[": "list",
    "{": "object",
    '"': "text",
    "t": "boolean",
    "f": "boolean",
    "n": "null",
}


def json_type(text: str) -> str:
    """Return what a JSON text is: list, object, text, boolean, null, or else number."""
    return _TYPES.get(text.lstrip()[:1], "number")


class Opaque:
    """A list, an object, or a scalar beyond what Python or a file can hold, as JSON text.

    The service holds more than a manifest may declare; an update that has to carry such a value
    sends this very text. Not a dataclass: encoders would look into those.
    """

    __slots__ = ("json",)

    def __init__(self, json_text: str) -> None:
        self.json = json_text

    @property
    def type(self) -> str:
        """What it is, which may be shown: list, object, text or number."""
        return json_type(self.json)

    @property
    def canonical(self) -> str:
        """The text that is the same for the same value, whatever its spaces and order of keys."""
        try:
            return json.dumps(json.loads(self.json), sort_keys=True)
        except (ValueError, RecursionError):
            return self.json

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Opaque):
            return NotImplemented
        return self.json == other.json or self.canonical == other.canonical

    def __hash__(self) -> int:
        return hash(self.canonical)

    def __repr__(self) -> str:
        return f"<{self.type}>"
