"""Find and read the files of a project: the project file, and what its globs name.

Promises: nothing outside the project's directory is read, a directory that links to itself ends,
a pipe or device never blocks, and the order of the result depends on the names only.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fnmatch import translate
from pathlib import Path

from msgspec import structs

from reconciler.core.diagnostics import Diagnostic
from reconciler.core.source import Source
from reconciler.manifest.result import Unreadable

_Fits = Callable[[str], bool]
PROJECT_FILE = "reconciler.yaml"
SIZE_LIMIT = 256 * 1024 * 1024
NO_SUCH_FILE = "there is no such file"


def find_project_file(start: Path) -> Path | None:
    """Return the project file of the directory or of the nearest one above it."""
    for directory in (start, *start.parents):
        candidate = directory / PROJECT_FILE
        # lexists: a dangling link is reported as unreadable rather than stepped over.
        if os.path.lexists(candidate):
            return candidate
    return None


def read_file(path: Path, within: Path | None = None) -> bytes | Unreadable:
    """Read a regular file whole; `within` refuses links that lead out of that directory."""
    try:
        if within is not None and not path.resolve().is_relative_to(within.resolve()):
            return Unreadable("it is a link that leads out of the project's directory")
        # Non-blocking: opening a named pipe would otherwise wait for somebody to write into it.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISDIR(status.st_mode):
                return Unreadable("it is a directory")
            if not stat.S_ISREG(status.st_mode):
                return Unreadable("it is not a regular file")
            if status.st_size > SIZE_LIMIT:
                return Unreadable(f"it is larger than {SIZE_LIMIT // 2**20} MB")
            return file.read()
    except FileNotFoundError:
        return Unreadable(NO_SUCH_FILE)
    except IsADirectoryError:
        return Unreadable("it is a directory")
    except PermissionError:
        return Unreadable("permission denied")
    except (OSError, RuntimeError, ValueError) as error:
        # RuntimeError: a loop of links on Python 3.11 and 3.12. ValueError: a NUL in the name.
        reason = error.strerror if isinstance(error, OSError) else None
        return Unreadable((reason or "it cannot be opened").lower())


def leads_outside(pattern: str) -> bool:
    """Whether a glob could name a file outside the project's directory."""
    return pattern.startswith(("/", "~")) or ".." in pattern.split("/")


def expand_globs(directory: Path, patterns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each glob the paths it matches: relative, `/` between, sorted.

    `*`, `?` and `[...]` stay within one name, `**` is any number of directories. Names with a
    leading dot match only a pattern with one. `**` does not step into linked directories.
    """
    return {
        pattern: tuple(sorted(set(_matches(str(directory), "", glob_segments(pattern)))))
        for pattern in patterns
    }


def glob_segments(pattern: str) -> tuple[str, ...]:
    """Return the parts of a glob between its slashes."""
    parts = tuple(part for part in pattern.split("/") if part not in ("", "."))
    # `**/**` finds what `**` finds, in exponentially more steps.
    return tuple(
        part
        for at, part in enumerate(parts)
        if not (part == "**" and parts[at - 1 : at] == ("**",))
    )


def _matches(directory: str, prefix: str, segments: tuple[str, ...]) -> Iterator[str]:
    if not segments:
        return
    head, rest = segments[0], segments[1:]
    if head == "**":
        yield from _matches(directory, prefix, rest or ("*",))
        for entry in _entries(directory):
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield from _matches(entry.path, f"{prefix}{entry.name}/", segments)
        return
    if not any(sign in head for sign in "*?["):
        path = os.path.join(directory, head)
        if not rest and os.path.lexists(path):
            yield prefix + head
        elif rest and os.path.isdir(path):
            yield from _matches(path, f"{prefix}{head}/", rest)
        return
    fits = re.compile(translate(head)).match
    for entry in _entries(directory):
        if not fits(entry.name) or (entry.name.startswith(".") and not head.startswith(".")):
            continue
        if not rest:
            # `devices/*` does not mean the directories beside the files; `*.yaml` means its match.
            if head != "*" or not entry.is_dir():
                yield prefix + entry.name
        elif entry.is_dir():
            yield from _matches(entry.path, f"{prefix}{entry.name}/", rest)


def _entries(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as listing:
            return sorted(listing, key=lambda entry: entry.name)
    except OSError:
        # Vanished, or not ours to list: then nothing in it matches.
        return []


def match_globs(paths: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """Return the paths (`/` between) that any of the globs matches, sorted: as `expand_globs` finds
    names on disk, here of names that are not there (an earlier commit). Links are not followed."""
    steps = [_steps(pattern) for pattern in patterns]
    return sorted(path for path in paths if any(_fits_steps(path.split("/"), one) for one in steps))


def _steps(pattern: str) -> tuple[_Fits | None, ...]:
    """Return a test for each name of a path; None stands for any number of directories."""
    parts = glob_segments(pattern)
    if parts and parts[-1] == "**":
        parts = (*parts, "*")
    return tuple(None if part == "**" else _fits(part) for part in parts)


def _fits(part: str) -> _Fits:
    if not any(sign in part for sign in "*?["):
        return part.__eq__
    match = re.compile(translate(part)).match

    def fits(name: str) -> bool:
        hidden = name.startswith(".") and not part.startswith(".")
        return not hidden and match(name) is not None

    return fits


def _fits_steps(names: list[str], steps: tuple[_Fits | None, ...]) -> bool:
    """Follow all ways at once: `at` are the steps that may come next."""
    at = _reached({0}, steps)
    for number, name in enumerate(names):
        is_last = number == len(names) - 1
        following: set[int] = set()
        for place in at:
            if place == len(steps):
                continue
            fits = steps[place]
            if fits is not None:
                if fits(name):
                    following.add(place + 1)
            elif not is_last and not name.startswith("."):
                following.add(place)
        at = following if is_last else _reached(following, steps)
    return len(steps) in at


def _reached(places: set[int], steps: tuple[_Fits | None, ...]) -> set[int]:
    reached = set(places)
    for place in places:
        # Two `**` never follow each other.
        if place < len(steps) and steps[place] is None:
            reached.add(place + 1)
    return reached


def printable_path(path: str) -> str:
    """Return a path as text that can be printed; bytes that are no UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def path_from(origin: Path, root: Path, path: str) -> str:
    """Return how a path below `root` is written by somebody who stands in `origin`."""
    prefix = os.path.relpath(root, origin)
    return path if prefix == "." else os.path.join(prefix, path)


def relocate(origin: Path, root: Path, diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return diagnostics, whose paths are relative to `root`, with paths from `origin` on."""
    if os.path.relpath(root, origin) == ".":
        return tuple(diagnostics)

    def moved(source: Source) -> Source:
        return structs.replace(source, file=printable_path(path_from(origin, root, source.file)))

    return tuple(
        replace(
            diagnostic,
            source=None if diagnostic.source is None else moved(diagnostic.source),
            related=tuple((moved(source), text) for source, text in diagnostic.related),
        )
        for diagnostic in diagnostics
    )


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that its readers see the old or the new one, never a part. Raises OSError."""
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            fresh.chmod(stat.S_IMODE(target.stat().st_mode))
        fresh.replace(target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
