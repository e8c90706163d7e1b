"""Manifests edited in place: an entry's registration id changed or dropped, all else as it was.

Text is edited by the places that reading noted, so comments and layout stay. Whether an edit means
what it should is judged by reading the result (`means`), not by trusting the edit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from msgspec.structs import replace

from reconciler.core.device import Desired, DesiredDevice, Owner
from reconciler.core.source import Source

_NOWHERE = Source("", 1, 1)
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
# As places count them (old line ends too); str.splitlines ends one at U+2028 and others as well,
# which stand within lines.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Edit:
    """One device's entry: its id becomes `replacement`, or with None the entry goes."""

    device: str
    source: Source
    replacement: str | None


def apply_edits(text: str, edits: Sequence[Edit]) -> str | None:
    """Return a manifest with its entries edited; None if one does not stand as a block of lines."""
    lines = _LINE.findall(text)
    # From the end, so that no edit moves the place of another.
    for edit in sorted(edits, key=lambda edit: edit.source, reverse=True):
        if not _is_block(lines, edit):
            return None
        row, column = edit.source.line - 1, edit.source.column - 1
        if edit.replacement is None:
            lines[row : _end_of_entry(lines, row, column)] = []
            continue
        written = _written_key(lines[row][column:], edit.device)
        rest = lines[row][column + len(written) :]
        lines[row] = lines[row][:column] + _write_like(written, edit.replacement) + rest
    return "".join(lines)


def block_edits(text: str, edits: Sequence[Edit]) -> list[Edit]:
    """Return the edits whose entries stand as blocks of lines, as far as their first line tells."""
    lines = _LINE.findall(text)
    return [edit for edit in edits if _is_block(lines, edit)]


def differs_by_edits(before: Desired, after: Desired, edits: Sequence[Edit]) -> bool:
    """Whether two readings differ by these edits and by nothing else."""
    to = {edit.device: edit.replacement for edit in edits}
    wanted: dict[str, DesiredDevice] = {}
    for device in before.devices.values():
        id_ = to.get(device.id, device.id)
        if id_ is not None:
            wanted[id_] = _without_position(device, id_)
    actual = {device.id: _without_position(device, device.id) for device in after.devices.values()}
    return wanted == actual and before.removed.keys() == after.removed.keys()


def unified_patch(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the difference of some files as a patch, as `git apply` and `patch -p1` take it."""
    parts: list[str] = []
    for path in sorted(before):
        # With a blank in it a name ends at a tab, as diff writes it.
        tail = "\t" if " " in path else ""
        old, new = before[path].split("\n"), after[path].split("\n")
        for line in unified_diff(
            _end_lines(old), _end_lines(new), f"a/{path}{tail}", f"b/{path}{tail}"
        ):
            parts.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(parts)


def _end_lines(parts: Sequence[str]) -> list[str]:
    """Return lines as patches have them: they end at a line feed and nowhere else."""
    lines = [f"{part}\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _without_position(device: DesiredDevice, id_: str) -> DesiredDevice:
    """Return a device without what an edit may move: its place, and its owner's."""
    owner = device.owner
    if isinstance(owner, Owner):
        owner = replace(owner, pointer="")
    return replace(device, id=id_, source=_NOWHERE, owner=owner)


def _end_of_entry(lines: Sequence[str], row: int, column: int) -> int:
    """Return the line after the entry of a key: up to the next line that stands no deeper.

    Blank lines and comments behind its last line belong to what follows.
    """
    end = row + 1
    for number in range(row + 1, len(lines)):
        stripped = lines[number].strip()
        if not stripped or stripped.startswith("#"):
            continue
        if len(lines[number]) - len(lines[number].lstrip(" ")) <= column:
            break
        end = number + 1
    return end


def _is_block(lines: Sequence[str], edit: Edit) -> bool:
    """Whether nothing stands before the key of an entry in its line, and it is the key."""
    row, column = edit.source.line - 1, edit.source.column - 1
    if row >= len(lines) or lines[row][:column].strip():
        return False
    return bool(_written_key(lines[row][column:], edit.device))


def _written_key(text: str, id_: str) -> str:
    """Return the key that a text begins with, as it is written; nothing if it is another."""
    for written in (id_, f'"{id_}"', f"'{id_}'"):
        if text.startswith(written) and text[len(written) :].lstrip(" ").startswith(":"):
            return written
    return ""


def _write_like(written: str, id_: str) -> str:
    """Write an id as the old one was written; quoted where it would not do plainly."""
    quote = written[0] if written[0] in "\"'" else ""
    if not quote and not (_PLAIN.fullmatch(id_) and re.search(r"[A-Za-z]", id_)):
        quote = '"'
    if quote == '"':
        id_ = id_.replace("\\", "\\\\").replace('"', '\\"')
    elif quote == "'":
        id_ = id_.replace("'", "''")
    return f"{quote}{id_}{quote}"
