"""A new container for each test, on the Azurite of this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.state.objectstore import open_object_store
from tests.stub.azurite import server
from tests.stub.s3 import reached

from . import Opener


@contextmanager
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Give a store, another client at each opening."""
    del tmp_path
    running = server()
    url = f"az://{running.container()}/team/record"
    with reached(running):
        yield lambda: open_object_store(url)
