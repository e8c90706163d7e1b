"""Where the contract of stores is tested: one module for each kind of place.

Each has `opened(tmp_path)`, a context that yields an Opener for a new, empty place, and skips where
the service that it needs is missing. A server is started once for each process of the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from reconciler.state.store import Store

PLACES: Final = ("memory", "file", "s3", "azure", "http", "postgres")
# The places of each shared backend (core/state_backends.py).
PLACES_OF_BACKEND: Final[Mapping[str, tuple[str, ...]]] = {
    "objectstore": ("file", "s3", "azure"),
    "http": ("http",),
    "postgres": ("postgres",),
}
# Opens the same place again and again, as further runs would.
Opener = Callable[[], Store]
