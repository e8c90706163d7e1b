"""A guard refuses by exit code 4; consent names the exact count, in plan and in apply."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from reconciler.platform.world import Registration, World
from reconciler.sandbox.account import SandboxOptions
from reconciler.sandbox.serve import RunningSandbox

ROOT: Final = Path(__file__).resolve().parents[3]
IDS: Final = tuple(f"phone-{number}" for number in range(10))


def manifest(ids: tuple[str, ...]) -> str:
    devices = "".join(f"  {id_}: {{registrationEnabled: true}}\n" for id_ in ids)
    return f"apiVersion: reconciler/v1\nkind: Devices\napplication: courier\ndevices:\n{devices}"


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reconciler", "-C", str(root), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Ten devices are applied; then five of them leave the files."""
    world = World.of(
        registrations=[Registration(id_, "APP") for id_ in IDS], applications={"code": "APP"}
    )
    with RunningSandbox(SandboxOptions(world=world, limits=None)) as sandbox:
        (tmp_path / "reconciler.yaml").write_text(
            "apiVersion: reconciler/v1\nkind: Project\n"
            f"api: {{baseUrl: '{sandbox.url}', auth: {{apiKey: k}}}}\n"
            "applications: {courier: {appCode: code}}\nmanifests: [devices.yaml]\n",
            "utf-8",
        )
        (tmp_path / "devices.yaml").write_text(manifest(IDS), "utf-8")
        assert run(tmp_path, "apply").returncode == 0
        (tmp_path / "devices.yaml").write_text(manifest(IDS[:5]), "utf-8")
        yield tmp_path


def test_consent_must_name_the_count(project: Path) -> None:
    """Without consent, or with another count, nothing happens."""
    plain = run(project, "plan")
    wrong = run(project, "apply", "--yes", "--accept", "leaving=4")
    right = run(project, "plan", "--detailed-exitcode", "--accept", "leaving=5")

    assert (plain.returncode, wrong.returncode, right.returncode) == (4, 4, 2)
    assert "--accept leaving=5" in plain.stdout
    assert "--accept leaving=5" in wrong.stderr


def test_a_refused_plan_that_was_saved_can_be_consented_to(project: Path) -> None:
    """Apply of the file asks for the same consent as the plan does."""
    assert run(project, "plan", "-o", "plan.json").returncode == 4
    refused = run(project, "apply", "plan.json")
    applied = run(project, "apply", "plan.json", "--accept", "leaving=5")

    assert (refused.returncode, applied.returncode) == (4, 0), applied.stderr
    assert run(project, "plan", "--detailed-exitcode").returncode == 0
