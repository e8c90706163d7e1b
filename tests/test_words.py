"""One word for one thing, in all that people read: messages, help, schemas, the manual."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
# What was said before, and is not any more: state, lock, fix or correct, optional.
GONE: Final = re.compile(
    r"\b([Tt]he|[Aa]|[Nn]o|[Tt]his) records?\b(?! of)|\b[Ll]eases?d?\b|\b[Mm]end(s|ed|ing)?\b"
    r"|\b[Ww]ays? out\b|\bon wish\b|\bare none\b[^.]"
)
# Statements for SQLite name its tables, and those keep their names.
SQL: Final = re.compile(r"\b(SELECT|INSERT|CREATE|ALTER|DELETE|UPDATE|FROM|INTO|WHERE)\b")


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Yield each text of a module that has words in it, docstrings of commands among them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def faults(text: str) -> list[str]:
    return [found[0] for found in GONE.finditer(text)]


def test_messages_and_help_say_it_in_one_word() -> None:
    """In every module: what is not shown today may be tomorrow."""
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {word}"
        for file in sorted((ROOT / "reconciler").rglob("*.py"))
        for line, text in sentences(file.read_text("utf-8"))
        if not SQL.search(text) and not text.startswith("See lease.")
        for word in faults(text.replace("lease.patiently", ""))
        if file.name != "__init__.py"
    ]

    assert wrong == []


@pytest.mark.parametrize("name", ["README.md", ".github", "schemas", "examples"])
def test_what_people_read_says_it_in_one_word(name: str) -> None:
    """The names of parts in a state's document are of its format, and stay."""
    place = ROOT / name
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*"))
    wrong = []
    for file in files:
        if not file.is_file() or ".reconciler" in file.parts:
            continue
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
            if '"lease"' in line or '"Lease"' in line:
                continue
            wrong += [f"{file.relative_to(ROOT)}:{number}: {word}" for word in faults(line)]

    assert wrong == []


@pytest.mark.parametrize(
    "text", ["the record is here", "Mend it", "somebody leased it", "its way out", "keys on wish"]
)
def test_a_planted_word_is_found(text: str) -> None:
    """Each kind of them; what only looks like one is not."""
    assert faults(text)
    assert not faults("the recorded call, please; a record of one device; there is none")
