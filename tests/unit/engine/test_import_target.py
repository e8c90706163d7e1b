"""The files of an import: where they may go, and all of them or none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.core.project import Pattern, Project
from reconciler.core.source import Source
from reconciler.engine.errors import EngineError
from reconciler.engine.import_target import ImportTarget, import_target, write_manifests
from reconciler.manifest.writing import Manifest, add_seal
from tests.changed import replace
from tests.fleet import project as made


def project(*patterns: str) -> Project:
    source = Source("reconciler.yaml", 1, 1)
    return replace(made(), manifests=tuple(Pattern(one, source) for one in patterns))


def manifest(path: str) -> Manifest:
    return Manifest(path, f"{path}\n", ("A",), 0)


def everything(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


@pytest.mark.parametrize(
    ("pattern", "directory", "fits"),
    [
        ("devices/*.yaml", "devices", True),
        ("devices/**/*.yaml", "devices/a/b", True),
        ("*.yaml", ".", True),
        ("**", "devices", True),
        ("devices/courier.yaml", "devices", False),
        ("devices/*.yml", "devices", False),
        ("devices/*/*.yaml", "devices", False),
        ("**/*.yaml", ".hidden", False),
        ("devices/*.yaml", "..", False),
    ],
)
def test_a_plan_must_see_the_files(
    tmp_path: Path, pattern: str, directory: str, fits: bool
) -> None:
    """One file, or several with numbers."""
    if fits:
        found = import_target(project(pattern), tmp_path, tmp_path / directory, "courier")
        assert directory == found.inside
    else:
        with pytest.raises(EngineError) as stop:
            import_target(project(pattern), tmp_path, tmp_path / directory, "courier")
        assert stop.value.fix


def test_numbers_that_are_taken(tmp_path: Path) -> None:
    """By files of ours; others of the application's are in the way, and the rest is not ours."""
    here = import_target(project("a/b/*.yaml"), tmp_path, tmp_path / "a/b", "courier")
    assert frozenset() == here.place(9).taken
    (tmp_path / "a/b").mkdir(parents=True)
    for name in ("courier.yaml", "courier-007.yaml"):
        (tmp_path / "a/b" / name).write_text(add_seal("x\n", "s"))
    for name in ("courier.yml", "courier-1.yaml", "shop.yaml", "courier-x.yaml"):
        (tmp_path / "a/b" / name).write_text("mine")
    place = here.place(9)
    assert ("a/b", frozenset({1, 7}), "../../schemas/devices.schema.json", 9) == (
        place.directory,
        place.taken,
        place.schema,
        place.largest,
    )
    os.symlink("/etc/hostname", tmp_path / "a/b/courier-008.yaml")
    with pytest.raises(EngineError, match="leads out"):
        here.place(9)


def test_all_are_write_manifests(tmp_path: Path) -> None:
    """Directories are made; nothing else stays behind."""
    here = ImportTarget(tmp_path, tmp_path / "a/b", "courier")
    with write_manifests(here, [manifest("a/b/1.yaml"), manifest("a/b/2.yaml")]):
        pass

    assert ["a", "a/b", "a/b/1.yaml", "a/b/2.yaml"] == everything(tmp_path)
    assert "a/b/2.yaml\n" == (tmp_path / "a/b/2.yaml").read_text()


def test_or_none(tmp_path: Path) -> None:
    """One that appears meanwhile is not overwritten, and the others go; so do new directories."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a/2.yaml").write_text("mine")
    here = ImportTarget(tmp_path, tmp_path / "a", "courier")
    with (
        pytest.raises(EngineError, match="appeared meanwhile"),
        write_manifests(here, [manifest("a/1.yaml"), manifest("a/2.yaml")]),
    ):
        pass
    assert ["a", "a/2.yaml"] == everything(tmp_path)
    assert "mine" == (tmp_path / "a/2.yaml").read_text()

    here = ImportTarget(tmp_path, tmp_path / "b/c", "courier")
    with pytest.raises(KeyboardInterrupt), write_manifests(here, [manifest("b/c/1.yaml")]):
        raise KeyboardInterrupt
    assert ["a", "a/2.yaml"] == everything(tmp_path)

    (tmp_path / "file").write_text("x")
    here = ImportTarget(tmp_path, tmp_path / "file/c", "courier")
    with (
        pytest.raises(EngineError, match="cannot be written"),
        write_manifests(here, [manifest("file/c/1.yaml")]),
    ):
        pass
