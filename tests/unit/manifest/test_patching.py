"""Edits of manifests by lines: what they change, what they leave, and what they cannot do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.core.device import Desired
from reconciler.manifest.devices import read_manifests
from reconciler.manifest.patching import (
    Edit,
    apply_edits,
    block_edits,
    differs_by_edits,
    unified_patch,
)
from reconciler.manifest.result import ManifestFile

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
    return apply_edits(text, edits), edits


def test_an_id_is_replaced_in_place() -> None:
    """Comments, quotes and layout stay."""
    new, edits = edit(TEXT, one="11111111-AAAA", two="22222222-BBBB")
    assert TEXT.replace("  one:", "  11111111-AAAA:").replace('"two"', '"22222222-BBBB"') == new
    assert differs_by_edits(read(TEXT), read(new), edits)


@pytest.mark.parametrize(
    ("new", "written"),
    [("8621-22", '"8621-22"'), ("a:b", '"a:b"'), ('a"b', '"a\\"b"'), ("8E21", "8E21")],
)
def test_an_id_that_is_no_plain_text_is_quoted(new: str, written: str) -> None:
    """It must be read as the same text again."""
    text, edits = edit(TEXT, one=new)
    assert text is not None
    assert f"  {written}:  # since 2024" in text
    assert differs_by_edits(read(TEXT), read(text), edits)


def test_an_entry_is_dropped_with_its_lines() -> None:
    """Blank lines and comments before the next entry stay with that."""
    text, edits = edit(TEXT, one=None)
    assert text is not None
    assert "devices:\n  # Ana's\n\n  # Ivo's\n" in text
    assert differs_by_edits(read(TEXT), read(text), edits)


def test_a_difference_that_was_not_wished_is_seen() -> None:
    """Another id, another value, a device too many."""
    _, edits = edit(TEXT, one=None)
    assert not differs_by_edits(read(TEXT), read(TEXT), edits)
    other = TEXT.replace("  three: {}\n", "  four: {}\n")
    assert not differs_by_edits(read(TEXT), read(other), [])
    assert not differs_by_edits(read(TEXT), read(TEXT.replace("night", "day")), [])


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


def test_entries_that_stand_as_blocks_are_known_by_their_first_line() -> None:
    """So that a file is not read again for each of the others."""
    text = TEXT + "  ? four\n  : {}\n"
    _, edits = edit(text, one="new", two=None, four=None)
    assert ["one", "two"] == [one.device for one in block_edits(text, edits)]


@pytest.mark.parametrize("inside", ["\x85", "\u2028", "\u2029"])
def test_what_ends_no_line_of_yaml_ends_none_here(inside: str) -> None:
    """Lines are counted as places count them, and patches as git does."""
    before = TEXT.replace("label: Ana's", f'label: "Ana{inside}s"')
    new, edits = edit(before, two="back", three=None)
    assert new is not None
    assert differs_by_edits(read(before), read(new), edits)
    assert before.replace('"two"', '"back"').replace("  three: {}\n", "") == new
    assert 3 == sum(
        line[0] in "+-" for line in unified_patch({"a": before}, {"a": new}).split("\n")[2:] if line
    )


def test_old_line_ends_are_line_ends() -> None:
    """As the places of devices have them; CR LF is one."""
    for end in ("\r", "\r\n"):
        text = TEXT.replace("\n", end)
        new, edits = edit(text, one="back", three=None)
        assert new is not None
        assert differs_by_edits(read(text), read(new), edits)
        assert TEXT.replace("  one:", "  back:").replace("  three: {}\n", "") == new.replace(
            end, "\n"
        )


@pytest.mark.parametrize("command", ["git apply", "patch -s -p1 -i"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("path", ["devices/a.yaml", "devices/z g/č.yaml"])
def test_a_patch_is_one_for_git_and_patch(
    tmp_path: Path, path: str, end: str, command: str
) -> None:
    """Also of a file whose last line does not end, or whose name has blanks."""
    if shutil.which(command.split()[0]) is None:
        pytest.skip("not installed here")
    before = TEXT.rstrip("\n").replace("\n", end)
    new, _ = edit(before, three="back", one=None)
    assert new is not None
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_bytes(before.encode())
    (tmp_path / "x.patch").write_bytes(unified_patch({path: before}, {path: new}).encode())
    subprocess.run([*command.split(), "x.patch"], cwd=tmp_path, check=True)
    assert new.encode() == file.read_bytes()
