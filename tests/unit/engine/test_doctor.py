"""The checks of doctor as a use-case: all they know of this process stands in their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from reconciler.core.check_result import Verdict
from reconciler.engine.doctor.sequence import run_checks

PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${DOCTOR_URL}
  auth: {apiKey: "${DOCTOR_KEY}"}
applications:
  courier: {appCode: "${DOCTOR_CODE}"}
manifests: [devices/*.yaml]
"""
MANIFEST: Final = """\
apiVersion: reconciler/v1
kind: Devices
application: courier
devices:
  one: {isPrimary: true}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project, without a state."""
    (tmp_path / "devices").mkdir()
    (tmp_path / "reconciler.yaml").write_text(PROJECT, "utf-8")
    (tmp_path / "devices" / "all.yaml").write_text(MANIFEST, "utf-8")
    return tmp_path


def verdicts(
    root: Path, environ: Mapping[str, str], origin: Path | None = None
) -> dict[str, Verdict]:
    """Return the verdict of each check."""
    return {result.check: result.verdict for result in run_checks(root, None, environ, origin)}


def test_variables_are_looked_for_in_the_argument_only(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this process has set is nobody's business, and what it lacks is no matter."""
    monkeypatch.setenv("DOCTOR_URL", "http://127.0.0.1:9")
    assert verdicts(root, {})["environment"] is Verdict.FAILED
    assert verdicts(root, {})["base-url"] is Verdict.SKIPPED

    monkeypatch.delenv("DOCTOR_URL")
    environ = {"DOCTOR_URL": "ftp://x.example", "DOCTOR_KEY": "key", "DOCTOR_CODE": "code"}
    assert verdicts(root, environ)["environment"] is Verdict.OK
    assert verdicts(root, environ)["base-url"] is Verdict.FAILED


def test_results_come_one_by_one(root: Path) -> None:
    """The first ones are there before anything is read, or connected to."""
    results = run_checks(root / "nowhere", None, {})

    assert next(results).check == "version"
    (root / "reconciler.yaml").unlink()
    files = next(results)
    assert (files.check, files.verdict) == ("files", Verdict.FAILED)
    assert files.message.startswith("There is no reconciler.yaml in ")
    assert {result.verdict for result in results} == {Verdict.SKIPPED}


def test_paths_are_shown_from_the_origin(root: Path) -> None:
    """Of files with mistakes, and of the state."""
    (root / "devices" / "all.yaml").write_text(MANIFEST.replace("one:", "one"), "utf-8")
    by_check = {result.check: result for result in run_checks(root, None, {}, root.parent)}

    assert by_check["files"].detail[0].startswith(f"{root.name}/devices/all.yaml:")
    assert by_check["state"].message.endswith(f"at {root.name}/.reconciler/state.db")
    here = {result.check: result for result in run_checks(root, None, {})}
    assert here["files"].detail[0].startswith("devices/all.yaml:")
