"""Start a repository (`init`): its files put beside what is there, all of them or none.

A file that is there and the same is left; `.gitignore` gets the lines that it lacks. Anything else
that is there is in the way, and nothing is ever written over it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.manifest.result import Unreadable

from .errors import PathsInTheWay, UnwritableFile
from .files import read_file, replace_file
from .output_files import cannot_be_written
from .starter_files import IGNORED, StarterFile, starter_files


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A path that cannot be written, and why; a clause."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class PreparedRepository:
    """What is to be written into a directory, and what is in the way. Nothing is written yet."""

    directory: Path
    files: tuple[StarterFile, ...]
    obstacles: tuple[Obstacle, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are to be written."""
        return tuple(self.directory / file.path for file in self.files)


def prepare_repository(directory: Path, pipelines: str = "none") -> PreparedRepository:
    """Compare the files of a new repository with what is there; nothing is written yet.

    `pipelines` is a key of PIPELINES, or "none". Raises UnwritableFile where the directory is none,
    IncompleteInstallation.
    """
    if os.path.lexists(directory) and not directory.is_dir():
        raise UnwritableFile(f"{directory} is no directory.", "Name another one.")
    return prepare_files(directory, starter_files(pipelines))


def prepare_files(directory: Path, files: Iterable[StarterFile]) -> PreparedRepository:
    """Compare files with what is there; nothing is written yet."""
    compared = [_compare(directory, file) for file in files]
    missing = (one for one in compared if isinstance(one, StarterFile))
    return PreparedRepository(
        directory,
        tuple(sorted(missing, key=lambda file: file.path)),
        tuple(one for one in compared if isinstance(one, Obstacle)),
    )


def write_repository(prepared: PreparedRepository) -> None:
    """Write it all; what was written is taken away again if anything fails.

    Raises PathsInTheWay for obstacles, also those that appeared meanwhile; UnwritableFile.
    """
    if prepared.obstacles:
        raise PathsInTheWay(
            "Nothing was written.",
            "Move away what is in the way; or let it be written elsewhere, and take from there "
            "what you need: reconciler init NEW",
        )
    created: list[Path] = []
    replaced: dict[Path, bytes] = {}
    try:
        for file in prepared.files:
            path = prepared.directory / file.path
            _create_directories(path, created)
            if file.path == IGNORED and path.exists():
                replaced[path] = path.read_bytes()
                replace_file(path, file.data)
            else:
                _create_file(path, file.data, created)
    except OSError as error:
        _undo(created, replaced)
        where = Path(str(error.filename)) if error.filename else prepared.directory
        raise cannot_be_written(where, error) from None
    except BaseException:
        _undo(created, replaced)
        raise


def find_git_root(directory: Path) -> Path | None:
    """Return the root of the Git repository that a directory is in."""
    resolved = directory.resolve()
    parents = (resolved, *resolved.parents)
    return next((parent for parent in parents if (parent / ".git").exists()), None)


def _compare(directory: Path, file: StarterFile) -> StarterFile | Obstacle | None:
    """Return the file as it is to be written; None if it is there already."""
    path = directory / file.path
    for parent in reversed(path.relative_to(directory).parents):
        above = directory / parent
        if os.path.lexists(above) and not above.is_dir():
            return Obstacle(file.path, f"{above} is no directory")
    if not path.parent.resolve().is_relative_to(directory.resolve()):
        return Obstacle(file.path, f"a link leads out of {directory}")
    if not os.path.lexists(path):
        return file
    present = read_file(path, within=directory)
    if isinstance(present, Unreadable):
        return Obstacle(file.path, present.reason)
    if file.path == IGNORED:
        added = _missing_lines(present, file.data)
        if added and not os.access(path, os.W_OK):
            # Its directory would let us replace it, and who took the right away meant the file.
            return Obstacle(file.path, "permission denied")
        return StarterFile(file.path, present + added) if added else None
    return None if present == file.data else Obstacle(file.path, "it is there, and it differs")


def _missing_lines(present: bytes, wanted: bytes) -> bytes:
    """Return what to add to a .gitignore so that it ignores what we want ignored."""
    known = {line.strip() for line in present.splitlines()}
    lines = [line for line in wanted.splitlines() if line.strip() not in known]
    if all(line.startswith(b"#") for line in lines):
        return b""
    gap = b"" if not present else b"\n" if present.endswith(b"\n") else b"\n\n"
    return gap + b"".join(line + b"\n" for line in lines)


def _create_directories(path: Path, created: list[Path]) -> None:
    for directory in reversed(path.parents):
        if not directory.exists():
            directory.mkdir()
            created.append(directory)


def _create_file(path: Path, data: bytes, created: list[Path]) -> None:
    try:
        # Not over a file that appeared since we looked.
        with path.open("xb") as file:
            created.append(path)
            file.write(data)
    except FileExistsError:
        text = f"{path} appeared meanwhile; nothing was written."
        raise PathsInTheWay(text, "Run it again.") from None


def _undo(created: Sequence[Path], replaced: dict[Path, bytes]) -> None:
    for path, data in replaced.items():
        with suppress(OSError):
            replace_file(path, data)
    for path in reversed(created):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()
