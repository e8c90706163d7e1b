"""GitHub's Markdown as comments and summaries need it: what a stranger wrote stays text in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from reconciler.core.counting import number

from .escape import LABEL_LIMIT, name, quoted
from .sentences import devices, listed

# GitHub refuses a comment of more characters; GitLab takes many more.
LIMIT: Final = 65_535
_FEW: Final = 3

# A word with anything else in it could be a mention, a reference to an issue, a link or markup.
_WORD: Final = re.compile(r"[^\W_]+(?:[.,;/'-][^\W_]+)*[.,;:?]?|\d+(?:\.\d+)?\s?%")
_HEXADECIMAL: Final = re.compile(r"(?=.*\d)[0-9a-fA-F-]{7,}[.,;:?]?")
_LINK: Final = re.compile(r"www\.|/.*\.|\.[a-z]{2,}/", re.IGNORECASE)
# At the beginning of a line it would begin a list.
_ITEM: Final = re.compile(r"\d{1,9}[.)]")


class Labelled(Protocol):
    """What is about one device, which may have a label."""

    @property
    def device(self) -> str: ...

    @property
    def label(self) -> str | None: ...


def code_span(text: str) -> str:
    """Return legible text as a code span, in which nothing is markup, a mention or a link.

    A backtick would end it and a bar the table cell: they are shown as escapes.
    """
    safe = text.replace("`", "\\x60").replace("|", "\\x7c")
    return f"`{safe}`"


def escape_sentence(text: str) -> str:
    """Return a sentence that may quote a stranger: every odd word of it is a code span."""
    words = [word for word in text.split(" ") if word]
    shown = [_escape_word(word) for word in words]
    if words and _ITEM.fullmatch(words[0]):
        shown[0] = code_span(words[0])
    return " ".join(shown)


def name_devices(group: Sequence[Labelled]) -> str:
    """Name a device with its label, or of many devices how many and the first few."""
    ids = [code_span(name(device.device)) for device in group[:_FEW]]
    if len(group) > 1:
        return f"{devices(len(group))}: {listed(ids, _FEW, len(group))}"
    label = group[0].label
    return ids[0] if label is None else f"{ids[0]} {code_span(quoted(label, LABEL_LIMIT))}"


def _escape_word(word: str) -> str:
    start = len(word) - len(word.lstrip("("))
    end = len(word.rstrip(").,;:")) or len(word)
    core, before, after = word[start:end], word[:start], word[end:]
    if core and _WORD.fullmatch(core) and not _HEXADECIMAL.fullmatch(core) and not _is_link(core):
        return word
    return before + code_span(core) + after if core else word


def _is_link(word: str) -> bool:
    return bool(_LINK.search(word)) or word.lower().startswith("gh-")


def fit_rows(rows: Iterable[str], count: int, budget: int, noun: str) -> str:
    """Join rows while they fit into so many characters, then say how many more there are."""
    kept: list[str] = []
    used = 0
    for text in rows:
        if used + len(text) > budget:
            break
        kept.append(text)
        used += len(text)
    hidden = count - len(kept)
    more = f"\n… and {number(hidden)} more {noun}; `--format json` has all.\n" if hidden else ""
    return "".join(kept) + more


def table_head(*heads: str) -> str:
    """Return the head of a table; its rows follow."""
    return f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}\n"


def table_row(*cells: str) -> str:
    """Return one row of a table. A cell holds no bar but in a code span of `code`."""
    return f"| {' | '.join(cells)} |\n"
