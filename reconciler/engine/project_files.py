"""From a directory to desired state: find, read and check the project file, manifests and the rest.

Reads what the globs of the project file name, and nothing outside of its directory. Every mistake
comes back as a diagnostic, all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core import codes
from reconciler.core.consent import Consent
from reconciler.core.counting import counted
from reconciler.core.device import Desired
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.project import Pattern, Project
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.external_people import ExternalPeople
from reconciler.manifest.project import read_project
from reconciler.manifest.result import ManifestFile, ParseResult, Unreadable
from reconciler.manifest.rules import check_hidden_keys
from reconciler.manifest.schema import Schemas

from .errors import InvalidProject, ProjectNotFound
from .files import (
    NO_SUCH_FILE,
    PROJECT_FILE,
    expand_globs,
    find_project_file,
    printable_path,
    read_file,
)
from .shipped_files import schema_bytes


@dataclass(frozen=True, slots=True)
class CheckedFiles:
    """What the files say. `desired` is None when there is an error among the diagnostics.

    `root` is the directory of the project file, which the paths of diagnostics are relative to.
    """

    root: Path
    diagnostics: tuple[Diagnostic, ...]
    project: Project | None = None
    desired: Desired | None = None
    file_count: int = 0
    empty_patterns: tuple[Pattern, ...] = ()
    consents: tuple[Consent, ...] = ()
    external_people: ExternalPeople = field(default_factory=ExternalPeople)

    @property
    def error_count(self) -> int:
        """How many of the diagnostics are errors."""
        return sum(map(_is_error, self.diagnostics))


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """Files without a mistake. `root` is the directory of the project file."""

    root: Path
    project: Project
    desired: Desired
    empty_patterns: tuple[Pattern, ...]
    consents: tuple[Consent, ...] = ()
    external_people: ExternalPeople = field(default_factory=ExternalPeople)
    warnings: tuple[Diagnostic, ...] = ()


def locate_project_file(directory: Path, config: Path | None = None) -> Path:
    """Return where the project file is, or would be read. Raises ProjectNotFound.

    `config` names it, from `directory`; without, it is looked for there and in those above.
    """
    if config is not None:
        return directory / config
    path = find_project_file(directory)
    if path is None:
        raise ProjectNotFound(
            f"There is no {PROJECT_FILE} in {directory} or a directory above it.",
            "Name the directory with -C DIR or the file with --config FILE before the command; "
            "or begin one: reconciler init",
        )
    return path


def check_files(path: Path, *, require_people: bool = False) -> CheckedFiles:
    """Read and check all files of the project file at `path`. Raises ProjectNotFound only.

    Files of people that are not kept in Git and are not there are an error where they are required;
    else the rest is checked without them.
    """
    root, schemas = path.parent, manifest_schemas()
    parsed = read_project_file(path, schemas)
    if parsed.value is None:
        return CheckedFiles(root, parsed.diagnostics, file_count=1)
    project = parsed.value
    matches = expand_globs(root, (pattern.text for pattern in project.manifests))
    empty = tuple(pattern for pattern in project.manifests if not matches[pattern.text])
    paths = manifest_paths((path for group in matches.values() for path in group), project)
    people, people_diagnostics, people_count = _read_people(root, project, require_people)
    manifests = read_manifests(read_manifest_files(root, paths), project, schemas, outside=people)
    consents = _read_consents(root, project)
    diagnostics = (
        *parsed.diagnostics,
        *map(_matches_nothing, empty),
        *people_diagnostics,
        *manifests.diagnostics,
        *([] if manifests.value is None else check_hidden_keys(project.privacy, manifests.value)),
        *consents.diagnostics,
    )
    return CheckedFiles(
        root=root,
        diagnostics=tuple(sorted(diagnostics, key=Diagnostic.sort_key)),
        project=project,
        desired=None if any(map(_is_error, diagnostics)) else manifests.value,
        file_count=1 + len(paths) + people_count,
        empty_patterns=empty,
        consents=consents.value or (),
        external_people=people,
    )


def load_files(path: Path) -> ProjectFiles:
    """Return the files of a project without a mistake. Raises ProjectNotFound, InvalidProject."""
    checked = check_files(path, require_people=True)
    if checked.project is None or checked.desired is None:
        raise InvalidProject(
            checked.root,
            checked.diagnostics,
            f"{count_mistakes(checked.error_count)} in the files; nothing was read or changed.",
        )
    return ProjectFiles(
        checked.root,
        checked.project,
        checked.desired,
        checked.empty_patterns,
        checked.consents,
        checked.external_people,
        # A pattern that matches nothing is a refusal of the plan, which says it better.
        tuple(one for one in checked.diagnostics if one.code is not codes.EMPTY_PATTERN),
    )


def read_project_file(path: Path, schemas: Schemas) -> ParseResult[Project]:
    """Return what the project file says, with its mistakes. Raises ProjectNotFound if it cannot be
    read."""
    data = read_file(path)
    if isinstance(data, Unreadable):
        raise ProjectNotFound(f"The project file {path} cannot be read: {data.reason}.")
    return read_project(printable_path(path.name), data, schemas)


def manifest_schemas() -> Schemas:
    """Return the schemas of the project file and of manifests."""
    return Schemas({name: schema_bytes(name) for name in ("project", "devices")})


def manifest_paths(paths: Iterable[str], project: Project) -> list[str]:
    """Return the manifests among the paths that globs match, sorted: without files of people."""
    people = {_plain(pattern.text) for pattern in project.people_from}
    return sorted(set(paths) - people)


def read_manifest_files(root: Path, paths: Iterable[str]) -> Iterable[ManifestFile]:
    """Yield the files at these paths of a project, each as it is on disk."""
    return (
        ManifestFile(printable_path(path), read_file(root / path, within=root)) for path in paths
    )


def count_mistakes(count: int) -> str:
    """Return "1 mistake" or "3 mistakes"."""
    return counted(count, "mistake")


def _read_people(
    root: Path, project: Project, required: bool
) -> tuple[ExternalPeople, tuple[Diagnostic, ...], int]:
    """Read the files under peopleFrom, which are not kept in Git: people, mistakes, files read."""
    if not project.people_from:
        return ExternalPeople(), (), 0
    from reconciler.manifest.external_people import read_people

    present: list[ManifestFile] = []
    missing: list[Diagnostic] = []
    for pattern in project.people_from:
        data = read_file(root / pattern.text, within=root)
        if isinstance(data, Unreadable) and data.reason == NO_SUCH_FILE:
            missing.append(_people_missing(pattern, required))
        else:
            present.append(ManifestFile(printable_path(pattern.text), data))
    parsed = read_people(present, schema_bytes("people"))
    people = parsed.value
    is_whole = people is not None and not missing
    return (
        ExternalPeople({} if people is None else people, is_whole),
        (*missing, *parsed.diagnostics),
        len(present),
    )


def _people_missing(pattern: Pattern, required: bool) -> Diagnostic:
    code = codes.PEOPLE_FILE if required else codes.PEOPLE_NOT_READ
    return Diagnostic(code, f'The file of people "{pattern.text}" is not there', pattern.source)


def _read_consents(root: Path, project: Project) -> ParseResult[tuple[Consent, ...]]:
    """Read the consents of a project. A glob that matches nothing is no mistake: there are none."""
    if not project.consents:
        return ParseResult(())
    from reconciler.manifest.consent import read_consents

    matches = expand_globs(root, (pattern.text for pattern in project.consents))
    paths = sorted({path for group in matches.values() for path in group})
    return read_consents(read_manifest_files(root, paths), schema_bytes("consent"))


def _plain(path: str) -> str:
    """Return a path as a glob would find it."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _is_error(one: Diagnostic) -> bool:
    return one.severity is Severity.ERROR


def _matches_nothing(pattern: Pattern) -> Diagnostic:
    return Diagnostic(
        codes.EMPTY_PATTERN, f'The pattern "{pattern.text}" matches no file', pattern.source
    )
