"""Styled text as data: lines of spans that the command line prints in colour, or plainly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Style = Literal[
    "plain", "title", "dim", "add", "remove", "change", "risk", "warning", "error", "success"
]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line. Its text holds no control character, whatever a manifest holds."""

    text: str
    style: Style = "plain"


Line = tuple[Span, ...]
EMPTY: Line = ()


def line(*parts: Span | str, indent: int = 0) -> Line:
    """Make a line; bare strings are plain, empty ones are left out."""
    spans = [part if isinstance(part, Span) else Span(part) for part in parts]
    if indent:
        spans.insert(0, Span(" " * indent))
    return tuple(span for span in spans if span.text)


def plain(lines: Iterable[Line]) -> str:
    """Return the lines as text without styles, each ended by a newline, none with blanks behind."""
    return "".join("".join(span.text for span in spans).rstrip() + "\n" for spans in lines)
