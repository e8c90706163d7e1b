"""However a file is laid out: `fmt` keeps its meaning and comments, and has one layout for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import assume, event, given
from hypothesis import strategies as st

from reconciler.core.device import Desired
from reconciler.core.live import Live
from reconciler.manifest.documents import read_documents
from reconciler.manifest.import_entries import make_entries
from reconciler.manifest.layout.canonical import format_file
from reconciler.manifest.layout.line_diff import unified_diff
from reconciler.manifest.tree import Tree
from tests.unit.manifest.layout.test_canonical import ORDERS, formatted

from .layouts import laid_out
from .test_import import lives, written

LINES = st.lists(st.sampled_from(["a", "b", "c", "", " d", "-e", " a", "'b'"]), max_size=12)


def exact(tree: Tree) -> object:
    """A tree with its types, the order of keys aside; -0.0 apart from 0.0."""
    match tree:
        case dict():
            return {key: exact(value) for key, value in tree.items()}
        case list():
            return [exact(value) for value in tree]
        case _:
            return (type(tree), repr(tree))


def trees(data: bytes) -> list[tuple[int, object]]:
    found = read_documents("a.yaml", data)
    assert found.diagnostics == []
    return [(one.number, exact(one.tree)) for one in found.documents]


@given(laid_out())
def test_a_layout_changes_nothing_but_the_layout(text: str) -> None:
    """Equal trees, every comment once, and what was formatted is not formatted again."""
    data = text.encode()
    readable = not read_documents("a.yaml", data).diagnostics
    event(f"readable: {readable}")
    assume(readable)

    new = format_file("a.yaml", data, ORDERS).value
    assert new is not None
    assert trees(data) == trees(new)
    commented = re.compile(rb"# (?:c\d+|yaml-language-server.*)")
    assert sorted(commented.findall(data.replace(b"\r", b"\n"))) == sorted(commented.findall(new))
    assert new.endswith(b"\n")
    assert b"\r" not in new
    assert new == format_file("a.yaml", new, ORDERS).value


@given(lives())
def test_what_import_writes_is_canonical(live: Live) -> None:
    """Whatever lives: `fmt` leaves its manifests as they are, and so their seals."""
    for file in written(make_entries(live, "courier", Desired())):
        assert file.text == formatted(file.text)


@given(LINES, LINES, st.integers(0, 3), st.sampled_from([1, 1, 40]))
def test_a_difference_is_all_that_differs(
    old: list[str], new: list[str], more: int, times: int
) -> None:
    """Taken as a patch it makes one text of the other; lines that stand once are anchors, also
    where their blanks and quotes differ."""
    alone = [f"once {number}" for number in range(more * 7)]
    again = [f"  '{line}'" if number % 3 else line for number, line in enumerate(alone)]
    before, after = [*old * times, *alone, *new], [*new * times, *again, *old, *alone[:more]]
    shown = unified_diff("a.yaml", _text(before), _text(after))

    assert patched(before, shown.split("\n")[2:-1]) == after
    assert unified_diff("a.yaml", _text(before), _text(before)) == ""


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def patched(lines: Sequence[str], hunks: Sequence[str]) -> list[str]:
    """Apply a patch by the numbers and lines that it tells."""
    result: list[str] = []
    at = 0
    for line in hunks:
        sign, text = line[:1], line[1:]
        if sign == "@":
            numbers = re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line)
            assert numbers is not None
            start = int(numbers[1]) - (numbers[2] != "0")
            result += lines[at:start]
            at = start
            assert len(result) == int(numbers[3]) - (numbers[4] != "0")
            continue
        if sign in (" ", "-"):
            assert lines[at] == text
            at += 1
        if sign in (" ", "+"):
            result.append(text)
    return [*result, *lines[at:]]
