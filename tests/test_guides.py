"""The guides for those who carry it on are true: what they name is there."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from tests.test_architecture import MAY_IMPORT

ROOT: Final = Path(__file__).resolve().parent.parent
MAP: Final = ROOT / "reconciler" / "README.md"
GUIDES: Final = (
    MAP,
    ROOT / ".github" / "CONTRIBUTING.md",
    ROOT / ".github" / "SECURITY.md",
)
# A path in backticks: of the repository, or of the package.
_PATH: Final = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
_LINK: Final = re.compile(r"\]\(([^)#]+)")
_MODULE: Final = re.compile(r"python -m (tests(?:\.\w+)+)")
# What stands for any name.
PLACEHOLDERS: Final = ("NAME", "ROOM", "RECONCILER_")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_what_a_guide_names_is_there(guide: Path) -> None:
    """Its links from where it stands; paths from the root of the repository or of the package."""
    text = guide.read_text("utf-8")
    for link in _LINK.findall(text):
        assert (guide.parent / link).exists(), link
    for path in _PATH.findall(text):
        if not any(word in path for word in PLACEHOLDERS) and not path.startswith(".pytest_cache"):
            assert (ROOT / path).exists() or (ROOT / "reconciler" / path).exists(), path
    for module in _MODULE.findall(text):
        assert find_spec(module) is not None, module


def test_the_map_says_who_may_import_whom() -> None:
    """As the test of the borders has it, in words."""
    rows = {}
    for line in MAP.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 2 and cells[0] != "room":
            for room in cells[0].split(", "):
                rows[room] = cells[1]

    assert set(rows) == set(MAY_IMPORT)
    for room, allowed in MAY_IMPORT.items():
        if room == "engine":
            assert rows[room] == "every room but cli"
            assert allowed == set(MAY_IMPORT) - {"engine", "cli"}
            continue
        named = set(re.findall(r"[a-z]+", rows[room].partition(";")[0])) - {"nothing"}
        assert named == allowed, room


def test_the_map_names_every_room() -> None:
    """One that is missing there is not found by whoever comes new."""
    text = MAP.read_text("utf-8")

    assert [room for room in MAY_IMPORT if f"\n{room}/" not in text] == []
