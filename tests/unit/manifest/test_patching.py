"""Edits of manifests by lines: what they change, what they leave, and what they cannot do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.core.device import Desired
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.patching import Edit, edited, means, patch
from reconciler.manifest.reading import ManifestFile

from .reading import SCHEMAS, project

HEAD = "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
TEXT = (
    HEAD
    + """\
# the couriers
devices:
  # Ana's
  one:  # since 2024
    label: Ana's
    additionalData:

      shift: night

  # Ivo's
  "two": {isPrimary: true}
  three: {}
"""
)


def read(text: str) -> Desired:
    value = read_manifests(
        [ManifestFile("devices/a.yaml", text.encode())], project(), SCHEMAS
    ).value
    assert value is not None
    return value


def edit(text: str, **to: str | None) -> tuple[str | None, list[Edit]]:
    """Edit devices by their ids."""
    devices = read(text).devices
    edits = [Edit(id_, devices[id_].source, new) for id_, new in to.items()]
    return edited(text, edits), edits


def test_an_id_is_replaced_in_place() -> None:
    """Comments, quotes and layout stay."""
    new, edits = edit(TEXT, one="11111111-AAAA", two="22222222-BBBB")
    assert TEXT.replace("  one:", "  11111111-AAAA:").replace('"two"', '"22222222-BBBB"') == new
    assert means(read(TEXT), read(new), edits)


@pytest.mark.parametrize(
    ("new", "written"),
    [("8621-22", '"8621-22"'), ("a:b", '"a:b"'), ('a"b', '"a\\"b"'), ("8E21", "8E21")],
)
def test_an_id_that_is_no_plain_text_is_quoted(new: str, written: str) -> None:
    """It must be read as the same text again."""
    text, edits = edit(TEXT, one=new)
    assert text is not None
    assert f"  {written}:  # since 2024" in text
    assert means(read(TEXT), read(text), edits)


def test_an_entry_is_dropped_with_its_lines() -> None:
    """Blank lines and comments before the next entry stay with that."""
    text, edits = edit(TEXT, one=None)
    assert text is not None
    assert "devices:\n  # Ana's\n\n  # Ivo's\n" in text
    assert means(read(TEXT), read(text), edits)


def test_a_difference_that_was_not_wished_is_seen() -> None:
    """Another id, another value, a device too many."""
    _, edits = edit(TEXT, one=None)
    assert not means(read(TEXT), read(TEXT), edits)
    other = TEXT.replace("  three: {}\n", "  four: {}\n")
    assert not means(read(TEXT), read(other), [])
    assert not means(read(TEXT), read(TEXT.replace("night", "day")), [])


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "devices: {one: {}, two: {}}\n",
        HEAD + "devices:\n  ? one\n  : {}\n  two: {}\n",
    ],
)
def test_what_is_no_block_is_left_alone(text: str) -> None:
    """An entry that does not begin its line with its key and a colon cannot be edited by lines."""
    assert edit(text, one="new")[0] is None


def test_a_patch_is_one_for_git(tmp_path: Path) -> None:
    """Also of a file whose last line does not end."""
    before = TEXT.rstrip("\n")
    new, _ = edit(before, three="back", one=None)
    assert new is not None
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices/a.yaml").write_text(before)
    difference = patch({"devices/a.yaml": before}, {"devices/a.yaml": new})
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=difference, text=True, check=True)
    assert new == (tmp_path / "devices/a.yaml").read_text()
