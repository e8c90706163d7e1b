"""`fmt`: files in canonical layout, each replaced whole or left alone, and what is said of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.cli.collector import without_collector
from reconciler.cli.exit_codes import ExitCode, Stop
from reconciler.cli.settings import Options
from reconciler.cli.streams import result, say, write
from reconciler.manifest.layout.canonical import Changed, canonical, is_ours
from reconciler.manifest.layout.key_order import Orders
from reconciler.manifest.layout.redacted_diff import difference
from reconciler.manifest.result import Unreadable

from . import files
from .external_people import without_people
from .project_files import manifest_schemas, project_at, project_path, tell
from .shipped_files import schema_bytes
from .starter_files import FORMATS

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done with a file that is not as it would be: without either, it is written."""

    check: bool
    diff: bool

    @property
    def writes(self) -> bool:
        return not (self.check or self.diff)


@dataclass(slots=True)
class _Count:
    """What became of the files; `left` could not be formatted, `foreign` are none of ours."""

    same: int = 0
    changed: list[str] = field(default_factory=list)
    left: int = 0
    foreign: int = 0


def format_project(options: Options, wish: Wish) -> int:
    """Format the project file and the manifests that it names."""
    path = project_path(options)
    root = path.parent
    reading = project_at(path, manifest_schemas())
    if reading.value is None:
        tell(options, root, reading.diagnostics)
        raise Stop(
            ExitCode.ERROR,
            "The project file has mistakes, so which manifests it names is not known; nothing was "
            "formatted.",
            f"Mend it; or name the files to format: reconciler fmt {path.name}",
        )
    found = files.expand(root, (pattern.text for pattern in reading.value.manifests))
    paths = without_people((one for group in found.values() for one in group), reading.value)
    named = [path.name, *(one for one in paths if one != path.name)]
    return _format(options, root, named, wish, within=root)


def format_files(options: Options, paths: Sequence[str], wish: Wish) -> int:
    """Format these files, in a project or not. One that is none of ours is left alone."""
    return _format(options, options.directory, list(dict.fromkeys(paths)), wish)


def format_stdin(options: Options, wish: Wish) -> int:
    """Format stdin to stdout; what is none of ours goes there as it is."""
    data = sys.stdin.buffer.read()
    new, count = data, _Count()
    if _is_foreign(data):
        say(options, "warning", f"<stdin>: {_FOREIGN}", fix=_OURS)
    else:
        found = _formatted(options, options.origin, "<stdin>", data, _orders())
        if found is None:
            return ExitCode.ERROR
        new = found
    if wish.diff:
        result(difference("<stdin>", data, new))
    elif wish.check:
        result("<stdin>" if new != data else "")
    else:
        write(sys.stdout, new)
    count.changed += ["<stdin>"] if new != data else []
    return _exit(count, wish)


def _format(
    options: Options, root: Path, paths: Sequence[str], wish: Wish, within: Path | None = None
) -> int:
    orders, count = _orders(), _Count()
    for path in paths:
        name = files.printable(path)
        data = files.read(root / path, within=within)
        if within is None and _is_foreign(data):
            count.foreign += 1
            say(options, "warning", f"{_seen(options, root, name)}: {_FOREIGN}", fix=_OURS)
            continue
        with without_collector():
            new = _formatted(options, root, name, data, orders)
        if new is None:
            count.left += 1
        elif new == data:
            count.same += 1
        else:
            assert isinstance(data, bytes)
            _deal(options, root / path, (data, new), wish, count)
    _summary(options, count, wish)
    return _exit(count, wish)


def _deal(
    options: Options, path: Path, texts: tuple[bytes, bytes], wish: Wish, count: _Count
) -> None:
    """Write a file, or show what would be written; its name goes to stdout at once."""
    name = files.printable(_seen(options, path.parent, path.name))
    old, new = texts
    if wish.writes and (reason := _write(path, new)):
        say(options, "error", f"{name} cannot be written: {reason}.")
        count.left += 1
        return
    count.changed.append(name)
    if not wish.diff:
        result(name)
        return
    result(difference(name, old, new))
    if b"\r" in old:
        say(options, "info", f"{name}: its lines would end in line feeds alone.")


def _write(path: Path, data: bytes) -> str:
    """Write a file whole; return why not."""
    if not os.access(path, os.W_OK):
        # Its directory would let us replace it, and who took the right away meant the file.
        return "permission denied"
    try:
        files.replace_file(path, data)
    except OSError as error:
        return (error.strerror or "unknown").lower()
    return ""


def _formatted(
    options: Options, root: Path, name: str, data: bytes | Unreadable, orders: Orders
) -> bytes | None:
    """Return a file in canonical layout; None if it was said why there is none."""
    try:
        reading = canonical(name, data, orders)
    except Changed:
        say(
            options,
            "error",
            f"{_seen(options, root, name)}: left as it is, because in canonical layout it would "
            "not mean the same. This is a bug in reconciler.",
        )
        return None
    tell(options, root, reading.diagnostics)
    return reading.value


_FOREIGN = "left as it is, because it is no file of reconciler."
_OURS = "Such a file says: apiVersion: reconciler/v1"


def _is_foreign(data: bytes | Unreadable) -> bool:
    """Whether a file is somebody else's. One without any text is not: it gets its diagnostic."""
    return isinstance(data, bytes) and bool(data.strip()) and not is_ours(data)


def _orders() -> Orders:
    return Orders(map(schema_bytes, FORMATS))


def _seen(options: Options, root: Path, name: str) -> str:
    """Return the path of a file from where the caller stands."""
    prefix = os.path.relpath(root, options.origin)
    return name if prefix == "." else os.path.join(prefix, name)


def _exit(count: _Count, wish: Wish) -> int:
    failed = count.left or (wish.check and count.changed)
    return ExitCode.ERROR if failed else ExitCode.DONE


def _summary(options: Options, count: _Count, wish: Wish) -> None:
    say(options, "info", ", ".join(_parts(count, wish)) + ".")


def _parts(count: _Count, wish: Wish) -> Iterator[str]:
    left = count.left + count.foreign
    if count.changed:
        way = " (to write them: reconciler fmt)" if wish.check else ""
        yield f"{_files(len(count.changed))} {'formatted' if wish.writes else 'would change'}{way}"
    if count.same:
        yield f"{_files(count.same)} as {'it' if count.same == 1 else 'they'} should be"
    if left:
        yield f"{_files(left)} left as {'it is' if left == 1 else 'they are'}"


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"
