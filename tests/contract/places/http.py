"""A store on a server of Terraform's state protocol."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.api.sync_client import SyncClient
from reconciler.state.http import HttpStore, addresses
from tests.stub.terraform_state import server

from . import Opener


@contextmanager
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Give a state of its own."""
    del tmp_path
    where = addresses(f"{server().url}/states/{uuid.uuid4()}")
    yield lambda: HttpStore(SyncClient(), where)
