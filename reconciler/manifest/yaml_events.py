"""YAML parser events: libyaml's parser, or PyYAML's own where libyaml is missing.

The only module that knows PyYAML's parsers; what they complain of leaves as `Broken`, in words
that hold nothing of the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    ScalarEvent,
    StreamEndEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

from reconciler.core import codes
from reconciler.core.diagnostics import Code


class Mark(Protocol):
    """A place in the text, counted from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class Events(Protocol):
    """A stream of parser events; the last one is a StreamEndEvent."""

    def get_event(self) -> Event | None: ...


class _PurePython(Reader, Scanner, Parser):
    """PyYAML's own parser. It keeps its state in lists: no nesting makes it recurse."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def get_event(self) -> Event | None:
        """Return the next event; escapes of no character are errors, as they are to libyaml."""
        try:
            event: Event | None = Parser.get_event(self)  # type: ignore[no-untyped-call]
            if isinstance(event, ScalarEvent) and not event.value.isascii():
                event.value.encode()
        except (ValueError, OverflowError):
            mark = self.get_mark()
            raise MarkedYAMLError(problem="an escape of no character", problem_mark=mark) from None
        return event


def pure_events(text: str) -> Events:
    """Parse with PyYAML's own parser: many times slower, same events."""
    return _PurePython(text)


Opener = Callable[[str], Events]


def fastest_parser() -> Opener:
    """Return the quickest parser that is installed."""
    try:
        from yaml._yaml import CParser
    except ImportError:  # PyYAML was built without libyaml
        return pure_events
    return CParser


FASTEST: Final[Opener] = fastest_parser()

# By what the parsers' problems contain, the first that fits. The words are ours, so that both
# parsers say the same and no text of the file is quoted.
_PROBLEMS: Final[tuple[tuple[str, Code, str], ...]] = (
    # Newer libyaml reads ahead only so far, and complains before the events get there.
    ("maximum nesting depth", codes.TOO_DEEP, codes.TOO_DEEP.title),
    ("cannot start any token", codes.YAML_SYNTAX, "A character that cannot stand here unquoted"),
    (
        "node content",
        codes.YAML_SYNTAX,
        "Nothing where a value has to be: look for a `[` or `{` above that is not closed",
    ),
    ("unexpected end of stream", codes.YAML_SYNTAX, "A quoted text that is never closed"),
    ("document separator", codes.YAML_SYNTAX, "A quoted text that is never closed"),
    ("expected ',' or '}'", codes.YAML_SYNTAX, "A `{` that is not closed, or a missing comma"),
    ("expected ',' or ']'", codes.YAML_SYNTAX, "A `[` that is not closed, or a missing comma"),
    (
        "mapping values are not allowed",
        codes.YAML_SYNTAX,
        "A second `:` in one line (quote the value), or a line indented too far",
    ),
    ("could not find expected ':'", codes.YAML_SYNTAX, "A line that is no `key: value`"),
    (
        "did not find expected key",
        codes.YAML_SYNTAX,
        "A line that does not fit the ones above: look at its indentation",
    ),
    (
        "expected <block end>",
        codes.YAML_SYNTAX,
        "A line that does not fit the ones above: look at its indentation",
    ),
    ("did not find expected '-' indicator", codes.YAML_SYNTAX, "A list item without its `-`"),
    ("expected <document start>", codes.YAML_SYNTAX, "Text after the end of the document"),
    ("sequence entries are not allowed", codes.YAML_SYNTAX, "A `-` where no list can begin"),
    ("escape", codes.YAML_SYNTAX, "An escape that YAML does not know in a double-quoted text"),
    ("hexdecimal numbers", codes.YAML_SYNTAX, "An escape with too few digits"),
    ("hexadecimal numbers", codes.YAML_SYNTAX, "An escape with too few digits"),
    ("tag", codes.TAG, "A tag"),
    ("incompatible YAML document", codes.YAML_SYNTAX, "A %YAML version that is not 1.x"),
    ("directive", codes.YAML_SYNTAX, "A directive (a line that begins with %) that is not valid"),
)
# Of these a parser complains lines below the place that is to blame.
_BEGUN_ABOVE: Final = frozenset(
    [
        "unexpected end of stream",
        "document separator",
        "expected ',' or '}'",
        "expected ',' or ']'",
        "could not find expected ':'",
    ]
)


class Broken(Exception):
    """The text is no YAML from here on. Line and column count from 0."""

    def __init__(self, code: Code, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column


def explain_yaml_error(error: YAMLError, text: str) -> Broken:
    """Say in our words what a parser complained of; `text` is what it was parsing."""
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark is not None else (0, 0)
        if _tab_before(text, line, column):
            return Broken(codes.TAB, codes.TAB.title, line, _first_tab(text, line))
        problem = error.problem or ""
        for part, code, message in _PROBLEMS:
            if part in problem:
                begun = error.context_mark
                if begun is not None and begun.line < line and part in _BEGUN_ABOVE:
                    line, column = begun.line, begun.column
                return Broken(code, message, line, column)
        return Broken(codes.YAML_SYNTAX, codes.YAML_SYNTAX.title, line, column)
    if isinstance(error, ReaderError):
        line, column = _first_control(text)
        return Broken(codes.CONTROL_CHARACTER, codes.CONTROL_CHARACTER.title, line, column)
    return Broken(codes.YAML_SYNTAX, codes.YAML_SYNTAX.title, 0, 0)


def find_too_deep(text: str, deepest: int) -> Mark | None:
    """Return where the first container opens inside of `deepest` others.

    None if the text ends, or stops being YAML, before that.
    """
    events = pure_events(text)
    depth = 0
    try:
        while not isinstance(event := events.get_event(), StreamEndEvent):
            if isinstance(event, CollectionStartEvent):
                depth += 1
                if depth > deepest:
                    return event.start_mark
            elif isinstance(event, CollectionEndEvent):
                depth -= 1
    except YAMLError:
        return None
    return None


def _line(text: str, number: int) -> str:
    lines = text.split("\n", number + 1)
    return lines[number] if number < len(lines) else ""


def _tab_before(text: str, line: int, column: int) -> bool:
    """Whether only spaces and a tab stand between the line's start and the place."""
    before = _line(text, line)[: column + 1]
    return "\t" in before and not before.strip(" \t-:?")


def _first_tab(text: str, line: int) -> int:
    return _line(text, line).index("\t")


def _first_control(text: str) -> tuple[int, int]:
    match = Reader.NON_PRINTABLE.search(text)
    if match is None:
        return 0, 0
    before = text[: match.start()]
    return before.count("\n"), len(before) - (before.rfind("\n") + 1)
