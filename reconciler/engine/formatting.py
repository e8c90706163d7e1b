"""Format files (`fmt`): each in canonical layout, replaced whole or left alone.

A file never changes what it means: the new text is read again before it is written. Results come
one by one, in the order of the files, each as soon as its file is dealt with.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.diagnostics import Diagnostic
from reconciler.manifest.layout import canonical as layout
from reconciler.manifest.layout.key_order import Orders
from reconciler.manifest.layout.redacted_diff import redacted_diff
from reconciler.manifest.result import Unreadable

from .errors import InvalidProject
from .files import expand_globs, printable_path, read_file, replace_file
from .project_files import manifest_paths, manifest_schemas, read_project_file
from .shipped_files import schema_bytes
from .starter_files import SCHEMA_NAMES


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The file is in canonical layout already."""

    path: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The file was written, or would be."""

    path: str
    old: bytes
    new: bytes

    @property
    def changes_line_ends(self) -> bool:
        """Whether its lines end otherwise than in line feeds alone, which `diff` does not show."""
        return b"\r" in self.old

    def diff(self, name: str) -> str:
        """Return the unified diff of a file of this name; values in it stand as `…`."""
        return redacted_diff(name, self.old, self.new)


@dataclass(frozen=True, slots=True)
class Foreign:
    """The file is in none of this program's formats, so it is left as it is."""

    path: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """The file cannot be read, or has mistakes of syntax; paths are relative to its root."""

    path: str
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class NotEquivalent:
    """In canonical layout the file would not mean the same: a bug of ours, so it is left."""

    path: str


@dataclass(frozen=True, slots=True)
class Unwritable:
    """The file would change and cannot be written; `reason` is a clause."""

    path: str
    reason: str


# Paths are as they were given, or relative to the directory of the project file.
FormatResult = Unchanged | Changed | Foreign | Invalid | NotEquivalent | Unwritable


def format_project(project_file: Path, *, write: bool) -> Iterator[FormatResult]:
    """Format a project file and the manifests that it names; without `write` only tell.

    Raises ProjectNotFound; InvalidProject if the project file has mistakes.
    """
    root, name = project_file.parent, project_file.name
    parsed = read_project_file(project_file, manifest_schemas())
    if parsed.value is None:
        raise InvalidProject(
            root,
            parsed.diagnostics,
            "The project file has mistakes, so which manifests it names is not known; nothing was "
            "formatted.",
            f"Fix it; or name the files to format: reconciler fmt {name}",
        )
    matches = expand_globs(root, (pattern.text for pattern in parsed.value.manifests))
    manifests = manifest_paths((path for group in matches.values() for path in group), parsed.value)
    paths = [name, *(path for path in manifests if path != name)]
    return _format_each(root, paths, write=write, within=root)


def format_files(root: Path, paths: Sequence[str], *, write: bool) -> Iterator[FormatResult]:
    """Format files of a project or of none, named from `root`; without `write` only tell."""
    return _format_each(root, list(dict.fromkeys(paths)), write=write, within=None)


def format_bytes(name: str, data: bytes) -> FormatResult:
    """Format a text that is no file; `name` is what diagnostics call it."""
    return Foreign(name) if _is_foreign(data) else _format(name, data, _key_orders())


def _format_each(
    root: Path, paths: Sequence[str], *, write: bool, within: Path | None
) -> Iterator[FormatResult]:
    """Format files one by one. What a project names as its own is never taken for foreign."""
    orders = _key_orders()
    for path in paths:
        data = read_file(root / path, within=within)
        if within is None and _is_foreign(data):
            yield Foreign(path)
            continue
        result = _format(path, data, orders)
        if write and isinstance(result, Changed):
            reason = _write(root / path, result.new)
            yield Unwritable(path, reason) if reason else result
        else:
            yield result


def _format(path: str, data: bytes | Unreadable, orders: Orders) -> FormatResult:
    try:
        parsed = layout.format_file(printable_path(path), data, orders)
    except layout.MeaningChanged:
        return NotEquivalent(path)
    if parsed.value is None or isinstance(data, Unreadable):
        return Invalid(path, parsed.diagnostics)
    return Unchanged(path) if parsed.value == data else Changed(path, data, parsed.value)


def _write(path: Path, data: bytes) -> str:
    """Write a file whole; return why not."""
    if not os.access(path, os.W_OK):
        # Its directory would let us replace it, and who took the right away meant the file.
        return "permission denied"
    try:
        replace_file(path, data)
    except OSError as error:
        return (error.strerror or "unknown").lower()
    return ""


def _is_foreign(data: bytes | Unreadable) -> bool:
    """Whether a file is somebody else's. One without any text is not: it gets its diagnostic."""
    return isinstance(data, bytes) and bool(data.strip()) and not layout.is_ours(data)


def _key_orders() -> Orders:
    return Orders(map(schema_bytes, SCHEMA_NAMES))
