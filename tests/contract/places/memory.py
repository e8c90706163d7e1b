"""A store in memory: what the others are held against, and the double for the rooms above."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.state.store import Overtaken, Part, Stored

from . import Opener


@dataclass(slots=True)
class MemoryStore:
    """Parts by name; versions count."""

    where: str = "memory"
    parts: dict[Part, Stored] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def read(self, part: Part) -> Stored | None:
        return self.parts.get(part)

    def write(self, part: Part, data: bytes, expected: str | None) -> str:
        with self.turn:
            found = self.parts.get(part)
            if (None if found is None else found.version) != expected:
                raise Overtaken
            version = str(1 if found is None else int(found.version) + 1)
            self.parts[part] = Stored(data, version)
            return version

    def close(self) -> None:
        pass


@contextmanager
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Give a new store, the same at each opening."""
    del tmp_path
    store = MemoryStore()
    yield lambda: store
