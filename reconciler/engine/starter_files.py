"""What a repository begins with: the smallest example, the schemas, and pipelines on wish.

The examples name the schemas where the package has them; `at_home` makes that the place where a
repository of its own has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.cli.exit_codes import ExitCode, Stop

from .shipped_files import data_directory, schema_bytes

PROJECT: Final = "minimal"
IGNORED: Final = ".gitignore"
# The example that has a forge's pipelines, and where they stand in it.
PIPELINES: Final = {
    "github": ("github-actions", ".github/workflows"),
    "gitlab": ("gitlab-ci", ".gitlab-ci.yml"),
}
# The formats that people write.
FORMATS: Final = ("project", "devices", "people", "consent")
_PACKAGED: Final = b"../../schemas/"


@dataclass(frozen=True, slots=True)
class Piece:
    """One file: its path in the repository, `/` between, and what stands in it."""

    path: str
    data: bytes


def starter(ci: str) -> tuple[Piece, ...]:
    """Return the files of a new repository; `ci` is a key of PIPELINES, or "none"."""
    return (
        *(Piece(one.path, at_home(one.data)) for one in _example(PROJECT)),
        *(() if ci == "none" else _pipelines(ci)),
        *schemas(),
    )


def schemas() -> Iterator[Piece]:
    """Yield the schemas of what people write, where editors look for them."""
    for name in FORMATS:
        yield Piece(f"schemas/{name}.schema.json", schema_bytes(name))


def at_home(data: bytes) -> bytes:
    """Return a file of an example as it is in a directory that has the schemas itself."""
    return data.replace(_PACKAGED, b"schemas/")


def example(name: str) -> Path:
    """Return the directory of an example; Stop if the installation has lost it."""
    found = data_directory("examples") / name
    if not found.is_dir():
        raise Stop(
            ExitCode.ERROR,
            f"The example {name} is missing from this installation.",
            "Install reconciler again.",
        )
    return found


def _pipelines(ci: str) -> Iterator[Piece]:
    name, where = PIPELINES[ci]
    yield from (
        one for one in _example(name) if one.path == where or one.path.startswith(f"{where}/")
    )


def _example(name: str) -> Iterator[Piece]:
    root = example(name)
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        # In a checkout somebody may have tried the example.
        if path.is_file() and ".reconciler" not in inside.parts:
            yield Piece(inside.as_posix(), path.read_bytes())
