"""The people of files that are not kept in Git: read where the pipeline has put them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.project import Pattern, Project
from reconciler.manifest.external_people import ExternalPeople
from reconciler.manifest.result import ManifestFile, Unreadable

from . import files
from .data import schema_bytes


@dataclass(frozen=True, slots=True)
class Outsiders:
    """Who is known from outside of Git, by how many files, and what is wrong with those."""

    outside: ExternalPeople = field(default_factory=ExternalPeople)
    diagnostics: tuple[Diagnostic, ...] = ()
    file_count: int = 0


def read_outsiders(root: Path, project: Project, *, required: bool) -> Outsiders:
    """Read the files under peopleFrom. One that is not there is an error if it is `required`."""
    if not project.people_from:
        return Outsiders()
    from reconciler.manifest.external_people import read_people

    found: list[ManifestFile] = []
    missing: list[Diagnostic] = []
    for pattern in project.people_from:
        data = files.read(root / pattern.text, within=root)
        if isinstance(data, Unreadable) and data.reason == files.NO_SUCH_FILE:
            missing.append(_missing(pattern, required=required))
        else:
            found.append(ManifestFile(files.printable(pattern.text), data))
    reading = read_people(found, schema_bytes("people"))
    people = reading.value
    whole = people is not None and not missing
    return Outsiders(
        ExternalPeople({} if people is None else people, whole),
        (*missing, *reading.diagnostics),
        len(found),
    )


def without_people(paths: Iterable[str], project: Project) -> list[str]:
    """Return the manifests among the paths that globs match, sorted: files of people are none."""
    people = {_plain(pattern.text) for pattern in project.people_from}
    return sorted(set(paths) - people)


def _plain(path: str) -> str:
    """Return a path as a glob would find it."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _missing(pattern: Pattern, *, required: bool) -> Diagnostic:
    code = codes.PEOPLE_FILE if required else codes.PEOPLE_NOT_READ
    return Diagnostic(code, f'The file of people "{pattern.text}" is not there', pattern.source)
