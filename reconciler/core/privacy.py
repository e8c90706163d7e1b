"""What outputs may show: by which values declared people are named, and which fields are hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .fields import data_key, data_path
from .identity import IdentityKind
from .source import Source

ALL_DATA: Final = data_path("*")


@dataclass(frozen=True, slots=True)
class Privacy:
    """`privacy:`. `hide` are field paths, ALL_DATA for every key, each with its place."""

    show: frozenset[IdentityKind] = frozenset()
    hide: Mapping[str, Source] = field(default_factory=dict)

    def hides(self, path: str) -> bool:
        """Whether no output may hold the values of a field."""
        return path in self.hide or (ALL_DATA in self.hide and data_key(path) is not None)
