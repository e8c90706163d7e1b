"""`--since REF`: what the files said at an earlier commit, for what is declared otherwise now.

Only files that differ are read again. The new side is what is on disk, committed or not.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.core.device import Desired
from reconciler.core.diagnostics import Severity
from reconciler.core.project import Project
from reconciler.diff.previous import Previous
from reconciler.git.history import Blob, NoHistory, base_of, contents, files_at
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.external_people import ExternalPeople
from reconciler.manifest.project import read_project
from reconciler.manifest.result import ManifestFile, ParseResult, T, Unreadable
from reconciler.render.escape import prose

from .errors import NoSuchCommit
from .events import ComparedWithCommit, Listener, NoProjectThen
from .files import expand_globs, match_globs, printable_path, read_file
from .project_files import ProjectFiles, count_mistakes, manifest_paths, manifest_schemas

_FEW: Final = 3
_HOPS: Final = 40
_NOWHERE: Final = Unreadable("it is a link to no file of the project's directory")


def previous_since(files: ProjectFiles, ref: str, listen: Listener) -> Previous:
    """Return what the files of a project said at `ref`, or where HEAD left it. Raises
    NoSuchCommit."""
    shown = prose(ref, 100)
    try:
        base = base_of(files.root, ref)
        is_named = base.commit == base.named
        listen(ComparedWithCommit(ref, base.commit, base.is_common, is_named, base.is_shallow))
        return _previous_files(files, files_at(files.root, base.commit), ref, base.commit, listen)
    except NoHistory as error:
        text = prose(str(error))
        raise NoSuchCommit(f"--since {shown}: {text}.", prose(error.fix)) from None


def _previous_files(
    files: ProjectFiles, blobs: Mapping[str, Blob], ref: str, commit: str, listen: Listener
) -> Previous:
    project_file = blobs.get(files.project.file)
    if project_file is None:
        listen(NoProjectThen(files.project.file, ref, commit))
        return Previous(Desired())
    then = f"{prose(ref, 100)} ({commit[:10]})"
    schemas = manifest_schemas()
    data = contents(files.root, [project_file])[project_file.id]
    project: Project = _sound(read_project(files.project.file, data, schemas), then)
    patterns = (pattern.text for pattern in project.manifests)
    named = manifest_paths(match_globs(blobs, patterns), project)
    same = frozenset(_unchanged(files, blobs, named))
    differing = _followed(files.root, blobs, (path for path in named if path not in same))
    data_of = contents(files.root, (blob for blob in differing.values() if blob is not None))
    manifests = (
        ManifestFile(printable_path(path), _NOWHERE if blob is None else data_of[blob.id])
        for path, blob in differing.items()
    )
    reading = read_manifests(manifests, project, schemas, outside=_people_then(files, project))
    desired = _sound(reading, then)
    now = read_file(files.root / files.project.file)
    changed = not (isinstance(now, bytes) and project_file.holds(now))
    return Previous(desired, frozenset(map(printable_path, same)), project_changed=changed)


def _people_then(files: ProjectFiles, project: Project) -> ExternalPeople:
    """Return who was known from outside of Git: nobody kept those files, so it is who is known now.

    What the manifests said then need not fit that: an owner who has left the files of people since
    is no mistake of an earlier commit, nor a name that has come into them.
    """
    if not project.people_from:
        return ExternalPeople()
    return ExternalPeople(files.external_people.people, whole=False, judged=False)


def _unchanged(files: ProjectFiles, blobs: Mapping[str, Blob], named: list[str]) -> Iterator[str]:
    """Yield the files that are named then and now, and are byte for byte the same."""
    now = expand_globs(files.root, (pattern.text for pattern in files.project.manifests))
    named_now = {path for group in now.values() for path in group}
    for path in named:
        if path in named_now and not (files.root / path).is_symlink():
            data = read_file(files.root / path, within=files.root)
            if isinstance(data, bytes) and blobs[path].holds(data):
                yield path


def _followed(
    root: Path, blobs: Mapping[str, Blob], paths: Iterable[str]
) -> dict[str, Blob | None]:
    """Return the file that each path leads to, through links; None where that is nowhere."""
    places = {path: path for path in paths}
    for _ in range(_HOPS):
        links = {
            path: blobs[at] for path, at in places.items() if at in blobs and blobs[at].is_link
        }
        if not links:
            break
        targets = contents(root, links.values())
        for path, link in links.items():
            target = os.fsdecode(targets[link.id])
            # An absolute one, or one that climbs out, names nothing among the blobs.
            places[path] = posixpath.normpath(
                posixpath.join(posixpath.dirname(places[path]), target)
            )
    targets_by_path = {path: blobs.get(at) for path, at in places.items()}
    return {
        path: blob if blob and blob.is_regular else None for path, blob in targets_by_path.items()
    }


def _sound(reading: ParseResult[T], then: str) -> T:
    if reading.value is not None:
        return reading.value
    from reconciler.render.diagnostics import text

    errors = [one for one in reading.diagnostics if one.severity is Severity.ERROR]
    complaint = text(errors[:_FEW]).rstrip("\n").replace("\n", "\n  ")
    raise NoSuchCommit(
        f"{count_mistakes(len(errors))} in the files at {then}, so what changed since is not known:"
        f"\n  {complaint}",
        "Name a commit whose files are valid (reconciler validate), or leave --since out.",
    )
