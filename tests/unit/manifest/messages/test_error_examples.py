"""Each specimen of a diagnostic provokes exactly what it is shown for."""

from __future__ import annotations

from typing import Final

import pytest

from reconciler.core.codes import CODES
from reconciler.core.diagnostics import Diagnostic
from reconciler.manifest.messages.error_examples import ERROR_EXAMPLES
from reconciler.manifest.project import read_project
from tests.unit.manifest.reading import HEAD, PROJECT_TEXT, SCHEMAS, manifests

# A section of the project file is replaced as a whole.
SECTIONS: Final = ("api:", "applications:", "manifests:")
DEVICES: Final = "devices: {5A5A5A5A-0000-0000-0000-000000000001: {}}\n"


def provoked(code: str, text: str) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of a whole file that has this part in it."""
    if code.startswith("E3") or text.startswith("api:"):
        return read_project("reconciler.yaml", project_with(text).encode(), SCHEMAS).diagnostics
    head = "" if text.startswith("apiVersion") else HEAD
    return manifests(a=head + text + ("" if "devices:" in text else DEVICES)).diagnostics


def project_with(part: str) -> str:
    """Return the usual project file, the sections of this part in the place of its own."""
    kept, skipping = [], False
    for line in PROJECT_TEXT.splitlines(keepends=True):
        if not line.startswith(" "):
            skipping = any(line.startswith(one) and f"\n{one}" in f"\n{part}" for one in SECTIONS)
        if not skipping:
            kept.append(line)
    return "".join(kept) + part


@pytest.mark.parametrize("code", ERROR_EXAMPLES)
def test_a_specimen_provokes_its_diagnostic_and_no_other(code: str) -> None:
    """What explain shows as an example is one."""
    found = provoked(code, ERROR_EXAMPLES[code])

    assert {one.code.id for one in found} == {code}


def test_most_of_what_files_can_provoke_has_a_specimen() -> None:
    """Left out is what no text on a terminal shows, or too many lines, or needs an environment."""
    of_files = {code.id for code in CODES if code.id[:2] in ("E1", "E2", "E3")}

    assert set(ERROR_EXAMPLES) <= of_files
    assert len(of_files - set(ERROR_EXAMPLES)) < len(of_files) / 4
