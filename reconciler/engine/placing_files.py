"""Files of a new repository, put beside what is there: all of them or none, and none over another.

One that is there and the same is left; `.gitignore` gets the lines that it lacks. Anything else
that is there is in the way.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.cli.exit_codes import ExitCode, Stop
from reconciler.manifest.result import Unreadable

from .files import read, replace_file
from .output_files import cannot_be_written
from .starter_files import IGNORED, Piece


@dataclass(frozen=True, slots=True)
class InTheWay:
    """A path that cannot be written, and why; a clause."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Planting:
    """What is to be written into a directory, and what stands in the way."""

    directory: Path
    pieces: tuple[Piece, ...]
    obstacles: tuple[InTheWay, ...]


def planting(directory: Path, pieces: Iterable[Piece]) -> Planting:
    """Hold the files against what is there; nothing is written yet."""
    wanted = [_beside(directory, piece) for piece in pieces]
    return Planting(
        directory,
        tuple(sorted((one for one in wanted if isinstance(one, Piece)), key=lambda one: one.path)),
        tuple(one for one in wanted if isinstance(one, InTheWay)),
    )


def _beside(directory: Path, piece: Piece) -> Piece | InTheWay | None:
    """Return the file as it is to be written; None if it is there already."""
    path = directory / piece.path
    for parent in reversed(path.relative_to(directory).parents):
        above = directory / parent
        if os.path.lexists(above) and not above.is_dir():
            return InTheWay(piece.path, f"{above} is no directory")
    if not path.parent.resolve().is_relative_to(directory.resolve()):
        return InTheWay(piece.path, f"a link leads out of {directory}")
    if not os.path.lexists(path):
        return piece
    present = read(path, within=directory)
    if isinstance(present, Unreadable):
        return InTheWay(piece.path, present.reason)
    if piece.path == IGNORED:
        lacking = _lacking(present, piece.data)
        if lacking and not os.access(path, os.W_OK):
            # Its directory would let us replace it, and who took the right away meant the file.
            return InTheWay(piece.path, "permission denied")
        return Piece(piece.path, present + lacking) if lacking else None
    return None if present == piece.data else InTheWay(piece.path, "it is there, and it differs")


def _lacking(present: bytes, wanted: bytes) -> bytes:
    """Return what to add to a .gitignore so that it ignores what we want ignored."""
    known = {line.strip() for line in present.splitlines()}
    lines = [line for line in wanted.splitlines() if line.strip() not in known]
    if all(line.startswith(b"#") for line in lines):
        return b""
    gap = b"" if not present else b"\n" if present.endswith(b"\n") else b"\n\n"
    return gap + b"".join(line + b"\n" for line in lines)


def plant(planting: Planting) -> None:
    """Write it all; what was written is taken away again if anything fails. Raises Stop."""
    made: list[Path] = []
    before: dict[Path, bytes] = {}
    try:
        for piece in planting.pieces:
            path = planting.directory / piece.path
            _make_room(path, made)
            if piece.path == IGNORED and path.exists():
                before[path] = path.read_bytes()
                replace_file(path, piece.data)
            else:
                _write_new(path, piece.data, made)
    except OSError as error:
        _take_away(made, before)
        where = Path(str(error.filename)) if error.filename else planting.directory
        raise cannot_be_written(where, error) from None
    except BaseException:
        _take_away(made, before)
        raise


def _make_room(path: Path, made: list[Path]) -> None:
    for directory in reversed(path.parents):
        if not directory.exists():
            directory.mkdir()
            made.append(directory)


def _write_new(path: Path, data: bytes, made: list[Path]) -> None:
    try:
        # Not over a file that appeared since we looked.
        with path.open("xb") as file:
            made.append(path)
            file.write(data)
    except FileExistsError:
        text = f"{path} appeared meanwhile; nothing was written."
        raise Stop(ExitCode.ERROR, text, "Run it again.") from None


def _take_away(made: Sequence[Path], before: dict[Path, bytes]) -> None:
    for path, data in before.items():
        with suppress(OSError):
            replace_file(path, data)
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()
