"""The real terraform on the state server of our tests: what holds for ours holds for a true one."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

from reconciler.api.plain import PlainHttp
from reconciler.core.hidden import Hidden
from reconciler.state.http import Clock, HttpStore, addresses
from reconciler.state.store import OutOfReach, Part
from tests.stub.terraform_state import PASSWORD, USER, server

TERRAFORM = shutil.which("terraform")
pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform here")

FLAVOURS = pytest.mark.parametrize("flavour", ["terraform", "gitlab"])


def backend(flavour: str) -> tuple[str, str, HttpStore]:
    """Return a path, what terraform is told of it, and our store at the same address."""
    name = str(uuid.uuid4())
    path = (
        f"/states/{name}"
        if flavour == "terraform"
        else f"/api/v4/projects/1/terraform/state/{name}"
    )
    url = server().url + path
    settings = {"address": url, "lock_address": url, "unlock_address": url}
    http = PlainHttp()
    if flavour == "gitlab":
        settings |= {
            "lock_address": f"{url}/lock",
            "unlock_address": f"{url}/lock",
            "lock_method": "POST",
            "unlock_method": "DELETE",
            "username": USER,
            "password": PASSWORD,
        }
        http = PlainHttp(username=USER, password=Hidden(PASSWORD))
    lines = "".join(f'    {key} = "{value}"\n' for key, value in settings.items())
    passed = 0.0

    def pause(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    store = HttpStore(addresses(url), http, "ana@build-7", Clock(lambda: passed, pause))
    return path, f'terraform {{\n  backend "http" {{\n{lines}  }}\n}}\n', store


def terraform(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert TERRAFORM is not None
    return subprocess.run(
        [TERRAFORM, *arguments],
        cwd=directory,
        env={
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(directory),
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@FLAVOURS
def test_terraform_and_we_respect_each_other(flavour: str, tmp_path: Path) -> None:
    """It keeps its state there, meets our lock and its own, and breaks one when it is told to; and
    we never break a lock of its kind."""
    server().states.faults.clear()
    path, settings, store = backend(flavour)
    (tmp_path / "main.tf").write_text(
        settings + 'resource "terraform_data" "one" {\n  input = "first"\n}\n'
    )
    begun = terraform(tmp_path, "init", "-input=false", "-no-color")
    assert begun.returncode == 0, begun.stdout + begun.stderr
    applied = terraform(tmp_path, "apply", "-auto-approve", "-input=false", "-no-color")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    listed = terraform(tmp_path, "state", "list")
    assert listed.stdout == "terraform_data.one\n"
    kept = server().states.of(path)
    assert (kept.lock, b"terraform_data" in (kept.data or b"")) == (None, True)

    kept.lock = {"ID": "7d1a7a9e-0000-4000-8000-000000000001", "Who": "ivo@laptop", "Info": ""}
    refused = terraform(tmp_path, "apply", "-auto-approve", "-input=false", "-no-color")
    assert refused.returncode == 1
    assert "7d1a7a9e-0000-4000-8000-000000000001" in refused.stderr
    with pytest.raises(OutOfReach) as raised:
        store.write(Part.RECORD, b'{"serial": 99}', None)
    assert "it is locked by ivo@laptop" in str(raised.value)
    forced = terraform(tmp_path, "force-unlock", "-force", "7d1a7a9e-0000-4000-8000-000000000001")
    assert forced.returncode == 0, forced.stderr
    assert kept.lock is None

    theirs = store.read(Part.RECORD)
    assert theirs is not None
    ours = store.write(Part.RECORD, b'{"serial": 99}', theirs.version)
    found = store.read(Part.RECORD)
    assert found is not None
    assert (b'{"serial": 99}', ours) == (found.data, found.version)
    store.close()
