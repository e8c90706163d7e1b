"""From the directory to desired state: find, read and check the files; tell every mistake."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec import structs

from reconciler.core import codes
from reconciler.core.consent import Consent
from reconciler.core.device import Desired
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.project import Pattern, Project
from reconciler.core.source import Source
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.external_people import ExternalPeople
from reconciler.manifest.project import read_project
from reconciler.manifest.result import ManifestFile, ParseResult, Unreadable
from reconciler.manifest.rules import hides_nothing
from reconciler.manifest.schema import Schemas

from . import files
from .collector import keep_to_the_end, without_collector
from .consents import read_all
from .data import schema_bytes
from .exits import ExitCode, Stop
from .options import Options
from .outsiders import read_outsiders, without_people
from .streams import colored, say, write


@dataclass(frozen=True, slots=True)
class Checked:
    """What the files say. `desired` is None when there is an error among the diagnostics."""

    root: Path
    diagnostics: tuple[Diagnostic, ...]
    project: Project | None = None
    desired: Desired | None = None
    file_count: int = 0
    empty_patterns: tuple[Pattern, ...] = ()
    consents: tuple[Consent, ...] = ()
    outside: ExternalPeople = field(default_factory=ExternalPeople)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Files without a mistake. `root` is the directory of the project file."""

    root: Path
    project: Project
    desired: Desired
    empty_patterns: tuple[Pattern, ...]
    consents: tuple[Consent, ...] = ()
    outside: ExternalPeople = field(default_factory=ExternalPeople)


def check(options: Options, *, whole: bool = False) -> Checked:
    """Read and check all files; raises Stop only when there is no project file to start from.

    Without files of people that are not kept in Git the rest is checked, unless it is to be
    `whole`.
    """
    path = project_path(options)
    root, schemas = path.parent, manifest_schemas()
    with without_collector():
        reading = project_at(path, schemas)
        if reading.value is None:
            return Checked(root, reading.diagnostics, file_count=1)
        project = reading.value
        found = files.expand(root, (pattern.text for pattern in project.manifests))
        empty = tuple(pattern for pattern in project.manifests if not found[pattern.text])
        paths = without_people((path for group in found.values() for path in group), project)
        people = read_outsiders(root, project, required=whole)
        manifests = read_manifests(
            (
                ManifestFile(files.printable(path), files.read(root / path, within=root))
                for path in paths
            ),
            project,
            schemas,
            outside=people.outside,
        )
    consents = read_all(root, project)
    diagnostics = (
        *reading.diagnostics,
        *map(_matches_nothing, empty),
        *people.diagnostics,
        *manifests.diagnostics,
        *([] if manifests.value is None else hides_nothing(project.privacy, manifests.value)),
        *consents.diagnostics,
    )
    checked = Checked(
        root=root,
        diagnostics=tuple(sorted(diagnostics, key=Diagnostic.sort_key)),
        project=project,
        desired=None if any(map(_is_error, diagnostics)) else manifests.value,
        file_count=1 + len(paths) + people.file_count,
        empty_patterns=empty,
        consents=consents.value or (),
        outside=people.outside,
    )
    if options.ends_process:
        keep_to_the_end(checked)
    return checked


def load(options: Options) -> Loaded:
    """Return the files of a project; mistakes are told on stderr and end the command."""
    checked = check(options, whole=True)
    if checked.project is None or checked.desired is None:
        tell(options, checked.root, checked.diagnostics)
        errors = sum(map(_is_error, checked.diagnostics))
        raise Stop(ExitCode.ERROR, f"{mistakes(errors)} in the files; nothing was read or changed.")
    # A pattern that matches nothing is a refusal of the plan, which says it better.
    told = [one for one in checked.diagnostics if one.code is not codes.EMPTY_PATTERN]
    tell(options, checked.root, told)
    return Loaded(
        checked.root,
        checked.project,
        checked.desired,
        checked.empty_patterns,
        checked.consents,
        checked.outside,
    )


def _is_error(one: Diagnostic) -> bool:
    return one.severity is Severity.ERROR


def mistakes(count: int) -> str:
    """Return "1 mistake" or "3 mistakes"."""
    return f"{count:,} mistake{'' if count == 1 else 's'}"


def tell(options: Options, root: Path, diagnostics: Iterable[Diagnostic]) -> None:
    """Write diagnostics to stderr, as text or as one JSON object each."""
    shown = seen_from(options.origin, root, diagnostics)
    if not shown:
        return
    if options.log_json:
        for one in shown:
            place = one.source
            say(
                options,
                one.severity.value,
                one.message,
                code=one.code.id,
                file=place.file if place else None,
                line=place.line if place else None,
                column=place.column if place else None,
                detail=list(one.detail) or None,
                why=one.why or one.code.why,
                fix=one.fix or one.code.fix,
            )
        return
    import sys

    from reconciler.render.diagnostics import text

    write(sys.stderr, painted(text(shown)) if colored(sys.stderr, options) else text(shown))


def painted(text: str) -> str:
    """Color the words error[...] and warning[...] of diagnostics as text."""
    import re

    colors = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m"}
    return re.sub(
        r"^(\S+: )?((error|warning)\[[EW]\d+\])",
        lambda found: f"{found[1] or ''}{colors[found[3]]}{found[2]}\x1b[0m",
        text,
        flags=re.MULTILINE,
    )


def seen_from(
    origin: Path, root: Path, diagnostics: Iterable[Diagnostic]
) -> tuple[Diagnostic, ...]:
    """Return diagnostics whose paths lead to their files from where the caller stands."""
    prefix = os.path.relpath(root, origin)
    if prefix == ".":
        return tuple(diagnostics)

    def moved(source: Source) -> Source:
        return structs.replace(source, file=files.printable(os.path.join(prefix, source.file)))

    return tuple(
        replace(
            one,
            source=None if one.source is None else moved(one.source),
            related=tuple((moved(source), text) for source, text in one.related),
        )
        for one in diagnostics
    )


def project_at(path: Path, schemas: Schemas) -> ParseResult[Project]:
    """Return what the project file says, with its mistakes; Stop if it cannot be read."""
    data = files.read(path)
    if isinstance(data, Unreadable):
        raise Stop(ExitCode.ERROR, f"The project file {path} cannot be read: {data.reason}.")
    return read_project(files.printable(path.name), data, schemas)


def manifest_schemas() -> Schemas:
    """Return the schemas of the project file and of manifests."""
    return Schemas({name: schema_bytes(name) for name in ("project", "devices")})


def project_path(options: Options) -> Path:
    """Return where the project file is, or would be read; Stop if nothing says so."""
    if options.config is not None:
        return options.directory / options.config
    found = files.find_project(options.directory)
    if found is None:
        raise Stop(
            ExitCode.ERROR,
            f"There is no {files.PROJECT_FILE} in {options.directory} or a directory above it.",
            "Name the directory with -C DIR or the file with --config FILE before the command; "
            "or begin one: reconciler init",
        )
    return found


def _matches_nothing(pattern: Pattern) -> Diagnostic:
    return Diagnostic(
        codes.EMPTY_PATTERN, f'The pattern "{pattern.text}" matches no file', pattern.source
    )
