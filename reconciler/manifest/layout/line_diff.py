"""Two texts compared by lines, as `diff -u` shows it; quick for large files too.

difflib alone takes hours for a fleet. Lines that stand once in either text, ids for the most
part, cut both into pieces that are compared one by one; their blanks and quotes do not count there,
which are what a layout changes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import Match, SequenceMatcher
from typing import Final

_CONTEXT: Final = 3
# Of lines that repeat themselves, difflib's time grows with the cube of their number.
_LARGEST_PIECE: Final = 200
_LAYOUT: Final = re.compile(r"[\s'\"]+")


def unified_diff(path: str, old: str, new: str) -> str:
    """Return the difference of two texts, each of which ends with a line feed or is empty."""
    before, after = old.split("\n")[:-1], new.split("\n")[:-1]
    groups = list(_Matcher(before, after).get_grouped_opcodes(_CONTEXT))
    lines = [f"--- a/{path}", f"+++ b/{path}"] if groups else []
    for group in groups:
        first, last = group[0], group[-1]
        lines.append(f"@@ -{_hunk_range(first[1], last[2])} +{_hunk_range(first[3], last[4])} @@")
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                lines += [f" {line}" for line in before[start:end]]
                continue
            lines += [f"-{line}" for line in before[start:end]]
            lines += [f"+{line}" for line in after[new_start:new_end]]
    return "".join(f"{line}\n" for line in lines)


class _Matcher(SequenceMatcher[str]):
    """difflib's, but for how it finds what is the same."""

    def __init__(self, before: Sequence[str], after: Sequence[str]) -> None:
        self.before, self.after = before, after
        super().__init__(None, (), ())

    def get_matching_blocks(self) -> list[Match]:
        """Return what is the same, in order, as difflib's own opcodes want it."""
        blocks: list[Match] = []
        start, new_start = 0, 0
        ends = (len(self.before), len(self.after))
        for end, new_end in (*_unique_line_pairs(self.before, self.after), ends):
            piece, new_piece = self.before[start:end], self.after[new_start:new_end]
            blocks += [
                Match(start + block.a, new_start + block.b, block.size)
                for block in _matching_blocks(piece, new_piece)
                if block.size
            ]
            if (end, new_end) != ends and self.before[end] == self.after[new_end]:
                blocks.append(Match(end, new_end, 1))
            start, new_start = end + 1, new_end + 1
        return list(_merge_adjacent([*blocks, Match(*ends, 0)]))


def _matching_blocks(before: Sequence[str], after: Sequence[str]) -> Iterable[Match]:
    """Return what is the same in two pieces; in large ones, a line can be where the other is."""
    if max(len(before), len(after)) > _LARGEST_PIECE:
        pairs = zip(before, after, strict=False)
        return (Match(at, at, 1) for at, (line, new_line) in enumerate(pairs) if line == new_line)
    return SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()


def _unique_line_pairs(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """Return where lines that stand once in either text are, as many as keep their order."""
    before, after = _without_layout(before), _without_layout(after)
    times, new_times = Counter(before), Counter(after)
    places = {line: number for number, line in enumerate(after) if new_times[line] == 1}
    pairs = [
        (number, places[line])
        for number, line in enumerate(before)
        if times[line] == 1 and line in places
    ]
    # The longest row of growing places: `heads` are the last of the best rows of each length.
    heads: list[int] = []
    rows: list[int] = []
    previous: list[int] = []
    for number, (_, place) in enumerate(pairs):
        at = bisect_left(heads, place)
        previous.append(rows[at - 1] if at else -1)
        heads[at : at + 1] = [place]
        rows[at : at + 1] = [number]
    row = []
    number = rows[-1] if rows else -1
    while number >= 0:
        row.append(pairs[number])
        number = previous[number]
    return row[::-1]


def _without_layout(lines: Sequence[str]) -> list[str]:
    return [_LAYOUT.sub("", line) for line in lines]


def _merge_adjacent(blocks: Sequence[Match]) -> Iterator[Match]:
    """Yield blocks with those made one that follow each other; the last one is empty."""
    current: Match | None = None
    for block in blocks:
        if current and (current.a + current.size, current.b + current.size) == (block.a, block.b):
            current = Match(current.a, current.b, current.size + block.size)
            continue
        if current is not None and current.size:
            yield current
        current = block
    if current is not None:
        yield current
        if current.size:
            yield Match(current.a + current.size, current.b + current.size, 0)


def _hunk_range(start: int, end: int) -> str:
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
