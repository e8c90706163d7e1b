"""The guides for those who carry it on are true: what they name is there."""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from tests.test_architecture import MAY_IMPORT, MAY_IMPORT_TOO

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
_CODE: Final = re.compile(r"`([^`\n]+)`|```\w*\n(.*?)```", re.DOTALL)
_EXTRAS: Final = re.compile(r"\[([\w,-]+)\]'")
_VARIABLE: Final = re.compile(r"\bRECONCILER_[A-Z_]+\b")
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


def _commands(text: str, program: str) -> list[list[str]]:
    """Return the words behind a program wherever a guide shows it in code."""
    code = [one or block for one, block in _CODE.findall(text)]
    lines = [line.strip() for part in code for line in part.splitlines()]
    return [
        shlex.split(line)[1:] for line in lines if line == program or line.startswith(f"{program} ")
    ]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_what_a_guide_runs_can_be_run(guide: Path, pytestconfig: pytest.Config) -> None:
    """Its paths are there, its options and markers known, its extras those of the distribution."""
    text = guide.read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    markers = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    for words in _commands(text, "pytest"):
        known, unknown = pytestconfig._parser.parse_known_and_unknown_args(words)
        assert unknown == [], words
        assert known.markexpr in {"", *markers}, words
        for path in known.file_or_dir:
            assert (ROOT / path.partition("::")[0]).exists(), words
    for words in (*_commands(text, "pip"), *_commands(text, "ruff")):
        assert words[0] in ("install", "uninstall", "format", "check"), words
    for extras in _EXTRAS.findall(text):
        assert set(extras.split(",")) <= project["project"]["optional-dependencies"].keys()
    sources = "".join(
        file.read_text("utf-8")
        for room in ("reconciler", "tests")
        for file in sorted((ROOT / room).rglob("*.py"))
        if file != Path(__file__)
    )
    for variable in _VARIABLE.findall(text):
        assert variable in sources, variable


def test_every_benchmark_has_its_row() -> None:
    """Who measures finds all there is to measure."""
    files = sorted((ROOT / "tests" / "benchmarks").glob("[!_]*.py"))
    runnable = [file.stem for file in files if '"__main__"' in file.read_text("utf-8")]
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")

    assert runnable
    assert [] == [name for name in runnable if f"`python -m tests.benchmarks.{name}`" not in text]


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
        whole, _, parts = rows[room].partition(";")
        named = set(re.findall(r"[a-z]+", whole)) - {"nothing"}
        assert named == allowed, room
        modules = (module.split(".") for module in MAY_IMPORT_TOO.get(room, ()))
        rooms_of_errors = {inner for _, inner, _ in modules}
        assert rooms_of_errors == {word for word in re.findall(r"[a-z]+", parts) if word in rows}


def test_the_map_names_every_room() -> None:
    """One that is missing there is not found by whoever comes new."""
    text = MAP.read_text("utf-8")

    assert [room for room in MAY_IMPORT if f"\n{room}/" not in text] == []
