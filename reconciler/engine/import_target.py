"""The files that an import writes: where they may go, and all of them or none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.core.project import Project
from reconciler.manifest.result import Unreadable
from reconciler.manifest.writing import (
    Manifest,
    ManifestDirectory,
    Seal,
    file_name_pattern,
    read_seal,
)

from .errors import EngineError, UnreadableFile
from .files import match_globs, printable_path, read_file
from .output_files import cannot_be_written

_SCHEMA: Final = "schemas/devices.schema.json"
_OTHER_TARGET: Final = (
    "Name another directory with -o; or give the file another name, it is a manifest of yours then."
)


class UnusableTarget(EngineError):
    """Manifests cannot be written there; nothing was written."""


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """A directory of the project that may take the manifests of an application."""

    root: Path
    directory: Path
    application: str

    @property
    def inside(self) -> str:
        """The directory as the project sees it, `/` between."""
        return printable_path(self.directory.relative_to(self.root).as_posix())

    def place(self, largest: int) -> ManifestDirectory:
        """Return where files go beside those that are there. Raises UnusableTarget if one is not
        ours."""
        schema = Path(os.path.relpath(self.root / _SCHEMA, self.directory)).as_posix()
        return ManifestDirectory(
            self.inside, frozenset(self._taken()), printable_path(schema), largest
        )

    def _taken(self) -> Iterator[int]:
        names = file_name_pattern(self.application)
        try:
            present = sorted(os.listdir(self.directory))
        except FileNotFoundError:
            return
        except OSError as error:
            raise cannot_be_written(self.directory, error) from None
        for name in present:
            matched = names.fullmatch(name)
            if matched is None:
                continue
            self._require_ours(name)
            yield int(matched[1] or 1)

    def _require_ours(self, name: str) -> None:
        path = printable_path(os.path.normpath(f"{self.inside}/{name}"))
        data = read_file(self.directory / name, within=self.root)
        if isinstance(data, Unreadable):
            raise UnreadableFile(f"{path} cannot be read: {data.reason}.")
        # One that was edited since is left as it is, like every file that is there.
        if read_seal(data) is Seal.FOREIGN:
            text = f"{path} exists and was not written by import; nothing was written."
            raise UnusableTarget(text, _OTHER_TARGET)


def import_target(project: Project, root: Path, directory: Path, application: str) -> ImportTarget:
    """Return the directory as a target. Raises UnusableTarget if no plan would see its files."""
    root = root.resolve()
    resolved = directory.absolute().resolve()
    if not resolved.is_relative_to(root):
        raise UnusableTarget(
            f"-o {directory} is outside of the project, so a plan would not see the files.",
            f"Name a directory below {root}.",
        )
    if resolved.exists() and not resolved.is_dir():
        raise UnusableTarget(f"-o {directory} is no directory.")
    inside = resolved.relative_to(root).as_posix()
    prefix = "" if inside == "." else f"{inside}/"
    patterns = [pattern.text for pattern in project.manifests]
    names = [f"{prefix}{application}{end}.yaml" for end in ("", "-001")]
    if set(match_globs(names, patterns)) != set(names):
        raise UnusableTarget(
            f"-o {directory}: no glob under manifests matches {names[0]} and {names[1]}, so a plan "
            "would not see the files.",
            f'Add "{prefix}*.yaml" to manifests in the project file, or name another directory; '
            f"the globs are: {', '.join(patterns)}",
        )
    return ImportTarget(root, resolved, application)


@contextmanager
def write_manifests(target: ImportTarget, manifests: Sequence[Manifest]) -> Iterator[None]:
    """Write all files, and take them away again if the block fails. Raises UnusableTarget and
    UnwritableFile."""
    created: list[Path] = []
    try:
        try:
            _write(target, manifests, created)
        except OSError as error:
            raise cannot_be_written(target.directory, error) from None
        yield
    except BaseException:
        for path in reversed(created):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def _write(target: ImportTarget, manifests: Sequence[Manifest], created: list[Path]) -> None:
    """Write under other names, then rename; `created` are the paths to take away again."""
    for directory in reversed([target.directory, *target.directory.parents]):
        if not directory.exists():
            directory.mkdir()
            created.append(directory)
    for leftover in target.directory.glob(f".{target.application}*.yaml.*.tmp"):
        # Of an import that was killed; this one holds the lock, so nobody writes it now.
        leftover.unlink()
    fresh: list[tuple[Path, Path]] = []
    for manifest in manifests:
        path = target.root / manifest.path
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        fresh.append((temporary, path))
        created.append(temporary)
        with temporary.open("wb") as file:
            file.write(manifest.text.encode())
            file.flush()
            os.fsync(file.fileno())
    for temporary, path in fresh:
        if os.path.lexists(path):
            raise UnusableTarget(
                f"{target.inside}/{path.name} appeared meanwhile; nothing was written.",
            )
        created.append(path)
        temporary.rename(path)
    descriptor = os.open(target.directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
