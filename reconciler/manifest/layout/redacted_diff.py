"""The diff of `fmt --diff`: two layouts of one file compared, the values in it redacted.

Layout is no matter of values, so those that may be somebody's, or a secret, stand as `…`: such a
difference is printed by pipelines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.core.fields import FIELDS
from reconciler.manifest.documents import decode

from .line_diff import unified_diff
from .parser import read_pages
from .syntax_tree import Branch, Entry, Page, Scalar

# Below these keys stands what is nobody's and no secret, unless one of the others comes between.
_SHOWN: Final = frozenset(
    {
        *{"apiVersion", "kind", "application", "label", "lifecycle", "removed", "manifests"},
        *{"onRemove", "onDrift", "privacy", "peopleFrom", "limits", "quotaShare", "timeout"},
        *{"assume", "budgets", "consents", "backend", "changes", "accept"},
    }
)
# What stands there by mistake may be somebody's number: only what belongs there is shown.
_FLAGS: Final = frozenset({"keepAsLead", *(one.path for one in FIELDS if one.type is bool)})
_PLAIN: Final = frozenset({"true", "false", "null", "~", ""})
_REDACTED: Final = frozenset({"externalId", "phoneNumber", "email", "attributes", "additionalData"})
_REFERENCE: Final = re.compile(r"\$\{\w+\}", re.ASCII)
_WRITTEN: Final = re.compile(r"\S(?:.*\S)?")


def redacted_diff(file: str, old: bytes, new: bytes) -> str:
    """Return how two files that are read alike differ, to be looked at. Line ends do not count."""
    return unified_diff(file, _redact(file, old), _redact(file, new))


def _redact(file: str, data: bytes) -> str:
    text = decode(file, data).replace("\r\n", "\n").replace("\r", "\n")
    parts: list[str] = []
    end = 0
    for scalar in sorted(_redacted_scalars(read_pages(text)), key=lambda scalar: scalar.at):
        parts += [text[end : scalar.at], _redact_scalar(scalar)]
        end = scalar.at + len(scalar.raw)
    veiled = "".join((*parts, text[end:]))
    return veiled if veiled.endswith("\n") else f"{veiled}\n"


def _redacted_scalars(pages: Iterable[Page]) -> Iterator[Scalar]:
    """Yield what is not shown, wherever it stands."""
    for page in pages:
        yield from _redacted_below(page.root, _people_names(page.root))


def _redacted_below(root: Entry, names: frozenset[str]) -> Iterator[Scalar]:
    todo: list[tuple[Entry, bool, bool]] = [(root, False, False)]
    while todo:
        entry, is_shown, is_redacted = todo.pop()
        if entry.key is not None:
            if "@" in entry.key.value:
                # No name of ours: an e-mail where the name of its person should stand.
                yield entry.key
            is_shown |= entry.key.value in _SHOWN
            is_redacted |= entry.key.value in _REDACTED
        match entry.value:
            case Branch():
                todo += [(inner, is_shown, is_redacted) for inner in entry.value.entries]
            case Scalar() if is_redacted or not (is_shown or _is_expected_value(entry, names)):
                if not _REFERENCE.fullmatch(entry.value.value):
                    yield entry.value
            case _:
                pass


def _is_expected_value(entry: Entry, names: frozenset[str]) -> bool:
    """Whether a value is what its key takes: true or false, a name that stands in the file."""
    if entry.key is None or not isinstance(entry.value, Scalar):
        return False
    key, value = entry.key.value, entry.value
    is_plain = value.style == "" and value.value in _PLAIN
    if key == "owner":
        return is_plain or value.value in names
    return key in _FLAGS and is_plain


def _people_names(root: Entry) -> frozenset[str]:
    """Return the names of the people of a document: they are keys, and shown there."""
    entries = root.value.entries if isinstance(root.value, Branch) else ()
    people = [
        entry.value for entry in entries if entry.key is not None and entry.key.value == "people"
    ]
    return frozenset(
        entry.key.value
        for several in people
        if isinstance(several, Branch)
        for entry in several.entries
        if entry.key is not None
    )


def _redact_scalar(scalar: Scalar) -> str:
    """Return a value as it is laid out, and no character of it."""
    raw = scalar.raw
    match scalar.style:
        case "":
            return _WRITTEN.sub("…", raw)
        case "|" | ">":
            header, line_end, lines = raw.partition("\n")
            return header + line_end + _WRITTEN.sub("…", lines)
        case quote:
            return quote + _WRITTEN.sub("…", raw[1:-1]) + quote
