"""README as a script: its files and console blocks in order, and what each command must print.

A fenced block `console` holds commands (lines that begin with `$ `, continued by a trailing
backslash) and their output, in which `...` stands for any text, alone on a line for any lines. A
fenced block right after the comment `<!-- file: PATH -->` is written to that path first. A console
block right after `<!-- not run: REASON -->` is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n]*$")
_FILE = re.compile(r"<!-- file: (?P<path>\S+) -->")
_NOT_RUN = re.compile(r"<!-- not run: .+ -->")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block, the line its fence stands on, and the last line of text before it."""

    language: str
    line: int
    before: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WriteFile:
    line: int
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class RunCommand:
    """One command and the lines printed below it; no lines: nothing is compared."""

    line: int
    command: str
    output: tuple[str, ...]


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a Markdown text."""
    before, opened, language, start, held = "", False, "", 0, list[str]()
    indent = ""
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if fence and not opened:
            opened, language, start, held = True, fence["language"], number, []
            indent = fence["indent"]
        elif opened and line.strip() == "```":
            yield Block(language, start, before, tuple(held))
            opened, before = False, ""
        elif opened:
            held.append(line.removeprefix(indent))
        elif line.strip():
            before = line.strip()


def script(text: str) -> list[WriteFile | RunCommand]:
    """Return what README tells its reader to do, in order."""
    steps: list[WriteFile | RunCommand] = []
    for block in blocks(text):
        file = _FILE.fullmatch(block.before)
        if file:
            steps.append(WriteFile(block.line, file["path"], "\n".join(block.lines) + "\n"))
        elif block.language == "console" and not _NOT_RUN.fullmatch(block.before):
            steps.extend(_commands(block))
    return steps


def _commands(block: Block) -> Iterator[RunCommand]:
    command, output, start, continued = "", list[str](), 0, False
    for number, line in enumerate(block.lines, start=block.line + 1):
        if continued:
            command += "\n" + line
            continued = line.endswith("\\")
        elif line.startswith("$ "):
            if command:
                yield RunCommand(start, command, tuple(output))
            command, output, start = line[2:], [], number
            continued = line.endswith("\\")
        elif command:
            output.append(line)
    if command:
        yield RunCommand(start, command, tuple(output))


def within(text: str, heading: str) -> range:
    """Return the lines of a section: from its heading of the second level to the next one."""
    lines = text.splitlines()
    begin = lines.index(f"## {heading}") + 1
    ends = (at for at in range(begin + 1, len(lines) + 1) if lines[at - 1].startswith("## "))
    return range(begin, next(ends, len(lines) + 1))


def matches(expected: tuple[str, ...], printed: str) -> bool:
    """Whether what was printed is what README shows; spaces at line ends do not count."""
    shown = [line.rstrip() for line in expected]
    while shown and not shown[-1]:
        shown.pop()
    pattern = "".join(
        r"(?:[^\n]*\n)*?"
        if line.strip() == "..."
        else ".*?".join(re.escape(part) for part in line.split("...")) + r" *\n"
        for line in shown
    )
    lines = "".join(line.rstrip() + "\n" for line in printed.rstrip().splitlines())
    return re.fullmatch(pattern, lines) is not None
