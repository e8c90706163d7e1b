"""A new directory for each test, made by the first write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.state.objectstore import open_object_store

from . import Opener


@contextmanager
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Give a store in a directory below one that is not there either."""
    pytest.importorskip("filelock")
    url = (tmp_path / "for our" / "record").as_uri()
    yield lambda: open_object_store(url)
