"""Every folder of tests/fixtures/hostile is one mistake or more, and its exact diagnostics.

`a.yaml` and `b.yaml` are manifests, `reconciler.yaml` a project file, `people.yaml` and
`people-2.yaml` files of people outside of Git; `unreadable` names files that cannot be read, and
why. `expected.txt` is what a person sees.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.external_people import ExternalPeople, read_people
from reconciler.manifest.project import read_project
from reconciler.manifest.result import ManifestFile, Unreadable
from reconciler.manifest.yaml_events import FASTEST, Opener, pure_events
from reconciler.render.diagnostics import github, json, sarif, text

from .reading import ROOT, SCHEMAS, project

PEOPLE = (ROOT / "schemas" / "people.schema.json").read_bytes()
HOSTILE = ROOT / "tests" / "fixtures" / "hostile"
CASES = sorted(path.name for path in HOSTILE.iterdir() if path.is_dir())
# Identity values and secrets of the fixtures, which no output may hold.
PERSONAL = (
    "85981112223", "0981112223", "corp.test", "c-7781", "c-7782", "staff-907", "x-5512",
    "12345678", "e" * 61, "385 91 123", "gotcha", "z-4471", "z-4472", "Zrinka",
)  # fmt: skip


def read(case: str, opener: Opener = FASTEST) -> tuple[Diagnostic, ...]:
    folder = HOSTILE / case
    if (folder / "reconciler.yaml").exists():
        data = (folder / "reconciler.yaml").read_bytes()
        return read_project("reconciler.yaml", data, SCHEMAS).diagnostics
    files = [ManifestFile(path.name, path.read_bytes()) for path in folder.glob("[!p]*.yaml")]
    people = read_people(
        [ManifestFile(path.name, path.read_bytes()) for path in sorted(folder.glob("p*.yaml"))],
        PEOPLE,
    )
    outside = ExternalPeople(people.value or {}, whole=people.value is not None)
    if (folder / "unreadable").exists():
        for line in (folder / "unreadable").read_text().splitlines():
            name, reason = line.split(": ")
            files.append(ManifestFile(name, Unreadable(reason)))
    files.sort(key=lambda file: file.path)
    found = read_manifests(files, project(), SCHEMAS, opener, outside)
    assert found.value is None or people.value is None
    backwards = read_manifests(files[::-1], project(), SCHEMAS, opener, outside)
    assert found.diagnostics == backwards.diagnostics
    return (*people.diagnostics, *found.diagnostics)


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_file_gets_its_exact_diagnostics_quickly(case: str, update_golden: bool) -> None:
    """Place, what, why and fix are as written down; no fixture takes two seconds."""
    begun = time.process_time()
    shown = text(read(case))
    assert time.process_time() - begun < 2
    golden: Path = HOSTILE / case / "expected.txt"
    if update_golden:
        golden.write_text(shown, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == shown


@pytest.mark.parametrize("case", CASES)
def test_no_form_of_a_diagnostic_shows_who_somebody_is(case: str) -> None:
    """Identity values and secrets of the files stand in no output."""
    diagnostics = read(case)
    for shown in (text, json, github, sarif):
        output = shown(diagnostics)
        assert [value for value in PERSONAL if value in output] == []


@pytest.mark.parametrize("case", CASES)
def test_without_libyaml_the_same_mistakes_are_found_quickly(case: str) -> None:
    """The pure parser gives the same codes, and dies of no nesting."""
    begun = time.process_time()
    pure = read(case, pure_events)
    assert time.process_time() - begun < 2
    assert [one.code.id for one in read(case)] == [one.code.id for one in pure]


def test_there_are_forty() -> None:
    """The fixtures are at least as many as were asked for."""
    assert len(CASES) >= 40


def test_every_code_of_the_files_is_provoked_by_a_fixture() -> None:
    """No code without its example; the four that need an environment are tested with it."""
    provoked = {one.code for case in CASES for one in read(case)}
    of_files = {code for code in codes.CODES if code.id[:2] in ("E1", "E2", "E3")}
    needing = {codes.UNSET_VARIABLE, codes.BASE_URL, codes.STATE_ADDRESS, codes.PEOPLE_FILE}
    assert of_files - provoked == needing
