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
from reconciler.git.history import Base, Blob, NoHistory, base_of, contents, files_at
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.external_people import ExternalPeople
from reconciler.manifest.project import read_project
from reconciler.manifest.result import ManifestFile, ParseResult, T, Unreadable

from . import files
from .checking import Loaded, manifest_schemas, mistakes
from .exits import ExitCode, Stop
from .globs import matching
from .options import Options
from .outsiders import without_people
from .streams import say

_FEW: Final = 3
_HOPS: Final = 40
_NOWHERE: Final = Unreadable("it is a link to no file of the project's directory")


def past_since(options: Options, loaded: Loaded, ref: str) -> Previous:
    """Return what the files of a project said at `ref`, or where HEAD left it; Stop if unknown."""
    from reconciler.render.escape import prose

    shown = prose(ref, 100)
    try:
        base = base_of(loaded.root, ref)
        _tell(options, shown, base)
        blobs = files_at(loaded.root, base.commit)
        return _past(options, loaded, blobs, f"{shown} ({base.commit[:10]})")
    except NoHistory as error:
        text = prose(str(error))
        raise Stop(ExitCode.ERROR, f"--since {shown}: {text}.", prose(error.fix)) from None


def _tell(options: Options, shown: str, base: Base) -> None:
    commit = base.commit[:10]
    if base.is_common and base.commit == base.named:
        say(options, "info", f"Comparing with {shown} ({commit}).")
    elif base.is_common:
        say(options, "info", f"Comparing with {commit}, where HEAD and {shown} part.")
    elif base.is_shallow:
        say(
            options,
            "warning",
            f"Comparing with {shown} itself ({commit}): this clone is shallow and does not show "
            "where HEAD left it, so what changed there since may count too.",
            fix="Fetch the whole history: fetch-depth: 0 of actions/checkout, GIT_DEPTH: 0 on "
            "GitLab.",
        )
    else:
        what = f"Comparing with {shown} itself ({commit}): it has nothing in common with HEAD."
        say(options, "info", what)


def _past(options: Options, loaded: Loaded, blobs: Mapping[str, Blob], then: str) -> Previous:
    project_file = blobs.get(loaded.project.file)
    if project_file is None:
        what = f"There was no {loaded.project.file} at {then}: every device is new since then."
        say(options, "info", what)
        return Previous(Desired())
    schemas = manifest_schemas()
    data = contents(loaded.root, [project_file])[project_file.id]
    project: Project = _sound(read_project(loaded.project.file, data, schemas), then)
    patterns = (pattern.text for pattern in project.manifests)
    named = without_people(matching(blobs, patterns), project)
    same = frozenset(_unchanged(loaded, blobs, named))
    differing = _followed(loaded.root, blobs, (path for path in named if path not in same))
    data_of = contents(loaded.root, (blob for blob in differing.values() if blob is not None))
    manifests = (
        ManifestFile(files.printable(path), _NOWHERE if blob is None else data_of[blob.id])
        for path, blob in differing.items()
    )
    reading = read_manifests(manifests, project, schemas, outside=_people_then(loaded, project))
    desired = _sound(reading, then)
    now = files.read(loaded.root / loaded.project.file)
    changed = not (isinstance(now, bytes) and project_file.holds(now))
    return Previous(desired, frozenset(map(files.printable, same)), project_changed=changed)


def _people_then(loaded: Loaded, project: Project) -> ExternalPeople:
    """Return who was known from outside of Git: nobody kept those files, so it is who is known now.

    What the manifests said then need not fit that: an owner who has left the files of people since
    is no mistake of an earlier commit, nor a name that has come into them.
    """
    if not project.people_from:
        return ExternalPeople()
    return ExternalPeople(loaded.outside.people, whole=False, judged=False)


def _unchanged(loaded: Loaded, blobs: Mapping[str, Blob], named: list[str]) -> Iterator[str]:
    """Yield the files that are named then and now, and are byte for byte the same."""
    now = files.expand(loaded.root, (pattern.text for pattern in loaded.project.manifests))
    named_now = {path for group in now.values() for path in group}
    for path in named:
        if path in named_now and not (loaded.root / path).is_symlink():
            data = files.read(loaded.root / path, within=loaded.root)
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
    found = {path: blobs.get(at) for path, at in places.items()}
    return {path: blob if blob and blob.is_regular else None for path, blob in found.items()}


def _sound(reading: ParseResult[T], then: str) -> T:
    if reading.value is not None:
        return reading.value
    from reconciler.render.diagnostics import text

    errors = [one for one in reading.diagnostics if one.severity is Severity.ERROR]
    told = text(errors[:_FEW]).rstrip("\n").replace("\n", "\n  ")
    raise Stop(
        ExitCode.ERROR,
        f"{mistakes(len(errors))} in the files at {then}, so what changed since is not known:"
        f"\n  {told}",
        "Name a commit whose files are valid (reconciler validate), or leave --since out.",
    )
