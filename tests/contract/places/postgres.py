"""A new database for each test, on the PostgreSQL server of this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.state.postgres import PostgresStore, StorePerPart
from tests.stub.postgres import server

from . import Opener


@contextmanager
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Give a store, another connection at each opening."""
    del tmp_path
    url = server().url(server().database())
    yield lambda: StorePerPart(lambda: PostgresStore(url))
