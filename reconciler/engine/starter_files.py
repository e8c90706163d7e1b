"""What a repository begins with: the smallest example, the schemas, and pipelines if asked for.

The examples name the schemas where the package has them; `name_local_schemas` makes that the place
where a repository of its own has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import IncompleteInstallation
from .shipped_files import data_directory, schema_bytes

PROJECT: Final = "minimal"
IGNORED: Final = ".gitignore"
# The example that has a forge's pipelines, and where they stand in it.
PIPELINES: Final = {
    "github": ("github-actions", ".github/workflows"),
    "gitlab": ("gitlab-ci", ".gitlab-ci.yml"),
}
# The formats that people write.
SCHEMA_NAMES: Final = ("project", "devices", "people", "consent")
_PACKAGED: Final = b"../../schemas/"


@dataclass(frozen=True, slots=True)
class StarterFile:
    """One file: its path in the repository, `/` between, and what stands in it."""

    path: str
    data: bytes


def starter_files(pipelines: str) -> tuple[StarterFile, ...]:
    """Return the files of a new repository; `pipelines` is a key of PIPELINES, or "none".

    Raises IncompleteInstallation.
    """
    project = _example_files(PROJECT)
    return (
        *(StarterFile(file.path, name_local_schemas(file.data)) for file in project),
        *(() if pipelines == "none" else _pipeline_files(pipelines)),
        *schema_files(),
    )


def schema_files() -> Iterator[StarterFile]:
    """Yield the schemas of what people write, where editors look for them."""
    for name in SCHEMA_NAMES:
        yield StarterFile(f"schemas/{name}.schema.json", schema_bytes(name))


def name_local_schemas(data: bytes) -> bytes:
    """Return a file of an example as it is in a directory that has the schemas itself."""
    return data.replace(_PACKAGED, b"schemas/")


def example_directory(name: str) -> Path:
    """Return the directory of an example. Raises IncompleteInstallation."""
    directory = data_directory("examples") / name
    if not directory.is_dir():
        raise IncompleteInstallation(
            f"The example {name} is missing from this installation.", "Install reconciler again."
        )
    return directory


def _pipeline_files(forge: str) -> Iterator[StarterFile]:
    example, path = PIPELINES[forge]
    for file in _example_files(example):
        if file.path == path or file.path.startswith(f"{path}/"):
            yield file


def _example_files(name: str) -> Iterator[StarterFile]:
    root = example_directory(name)
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        # In a checkout somebody may have tried the example.
        if path.is_file() and ".reconciler" not in relative.parts:
            yield StarterFile(relative.as_posix(), path.read_bytes())
